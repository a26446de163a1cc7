/*  rates.h - what changed from one snapshot of a listener to the next

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef CLI_RATES_H_INCLUDED
#define CLI_RATES_H_INCLUDED

#include <stdbool.h>

#include "cli/snapshot.h"

/*  By the second, never less than 0. Bytes of a message in pieces count as they come. */
typedef struct {
    bool known;         /* false: the two cannot be compared */
    double messages;
    double bytes;
    double handled;
} rate_t;

/*  before may be NULL. Another listener's snapshot, or another session, is not compared. */
rate_t rates_of_listener (const snapshot_t *now, const snapshot_t *before);
rate_t rates_of_worker (const snapshot_t *now, const snapshot_t *before, const muster_worker_stats_t *worker);

/*  What handlers took: places in the histogram, as MUSTER_TIMES_COUNT says. Of the last time between two
    snapshots in which some returned; at first of all since the listener began. */
typedef struct {
    bool known;
    unsigned half;      /* half of the messages took no longer */
    unsigned most;      /* 99 of 100 did */
} rates_times_t;

void rates_time (rates_times_t *self, const snapshot_t *now, const snapshot_t *before);

#endif
