/*  report.h - what a listener counts, taken and packed

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    With the roster's lock.
*/
#ifndef ACTOR_REPORT_H_INCLUDED
#define ACTOR_REPORT_H_INCLUDED

#include "actor/listener_core.h"

void report_take (listener_core_t *self, muster_stats_t *stats);

/*  All workers' peers, sorted by source; the caller frees it (alloc_free). NULL when out of memory. */
const peer_t **report_peers (const listener_core_t *self, size_t *count);

void report_take_worker (const peer_t *peer, int64_t now, muster_worker_stats_t *worker);

/*  A REPORT frame; NULL when out of memory. */
blob_t *report_new (listener_core_t *self, size_t *size);

#endif
