/*  crew.h - the worker processes: start them, see them off

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef CREW_H_INCLUDED
#define CREW_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "federated.h"

typedef struct {
    pid_t process;
    char source [16];
} member_t;

typedef struct {
    member_t *member;
    const char **sources; /* their names once more, as muster_ask_set_workers takes them */
    size_t count;
} crew_t;

/*  The source of a worker, "worker-1" for number 0. */
void crew_source (size_t number, char source [16]);

/*  Start this program once for each worker, with keys of a directory. Says what is wrong
    on stderr. */
bool crew_start (crew_t *self, const options_t *options, const char *endpoint, const char *keys);

/*  The number of a worker by its source; count if there is none. */
size_t crew_find (const crew_t *self, const char *source);

/*  Wait for the workers to end, and end those that do not. Says on stderr
    which went wrong. */
void crew_end (crew_t *self);

#endif
