/*  federated.h - what the coordinator and its workers agree on

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef FEDERATED_H_INCLUDED
#define FEDERATED_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

/*  The coordinator asks TRAIN {round, weights}; a worker replies
    UPDATE {weights, n, loss}; STOP {} sends it home. */
#define COMMAND_TRAIN "TRAIN"
#define COMMAND_STOP "STOP"
#define REPLY_UPDATE "UPDATE"

/*  How often a worker goes over its share in one round. */
#define PASSES 8
/*  How long a round may take. A worker that hears nothing for longer than
    any round takes goes home by itself. */
#define ROUND_SECONDS 10
#define PATIENCE_MS (2 * ROUND_SECONDS * 1000)
/*  Silence after which one side takes the other for lost; training is no
    silence, for heartbeats come from a thread of the library. */
#define LIVENESS_SECONDS 3

/*  Each use of the seed has dice of its own; worker i has the i-th stream. */
enum { STREAM_WEIGHTS = 2000000, STREAM_CENTRAL };

typedef struct {
    const char *endpoint;
    const char *data;
    const char *keys;       /* the directory of a worker's keys, made by its coordinator */
    uint64_t seed;
    int rounds;
    size_t workers;
} options_t;

/*  Both return the exit code of their process. */
int coordinator_main (const options_t *options);
int worker_main (const options_t *options, size_t number);

#endif
