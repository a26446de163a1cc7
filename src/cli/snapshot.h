/*  snapshot.h - what a listener counted at a moment

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef CLI_SNAPSHOT_H_INCLUDED
#define CLI_SNAPSHOT_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include <muster/stats.h>

typedef struct {
    char source [MUSTER_NAME_MAX + 1];      /* the listener's own, which no other one has */
    muster_stats_t stats;
    muster_worker_stats_t *workers;         /* by session */
    size_t count;
    uint64_t more;                          /* workers that the report had no room for */
    int64_t taken_at;                       /* ms (clock_ms) */
} snapshot_t;

/*  Read the packed map that muster_observe gave. The caller destroys what it gets. What an older
    listener does not tell is 0, for not known. Errors: MUSTER_FORMAT if something else is where
    a number or a name is expected, MUSTER_NOMEM. */
muster_error_t snapshot_read (snapshot_t **self_p, const void *map, size_t size, int64_t now);

void snapshot_destroy (snapshot_t **self_p);

/*  The worker with this session; NULL if there is none. */
const muster_worker_stats_t *snapshot_find (const snapshot_t *self, const char *session);

#endif
