/*  listener_stats.c - what a listener counts, for its owner

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/listener.h>

#include "actor/listener.h"
#include "actor/monotonic.h"
#include "actor/report.h"
#include "base/alloc.h"

muster_error_t
muster_listener_stats (muster_listener_t *self, muster_stats_t *stats)
{
    if (!self || !stats)
        return MUSTER_INVAL;
    if (listener_is_foreign (self))
        return MUSTER_FORKED;
    roster_lock (&self->core.roster);
    report_take (&self->core, stats);
    roster_unlock (&self->core.roster);
    return 0;
}

static muster_worker_stats_t *
take_workers (const listener_core_t *core, size_t *count)
{
    const peer_t **peers = report_peers (core, count);
    muster_worker_stats_t *workers = peers ? alloc_new ((*count + 1) * sizeof *workers) : NULL;
    int64_t now = monotonic_ms ();
    for (size_t i = 0; workers && i < *count; i++)
        report_take_worker (peers [i], now, &workers [i]);
    alloc_free (peers);
    return workers;
}

muster_error_t
muster_listener_worker_stats (muster_listener_t *self, muster_worker_stats_t **workers, size_t *count)
{
    if (!self || !workers || !count)
        return MUSTER_INVAL;
    *workers = NULL;
    *count = 0;
    if (listener_is_foreign (self))
        return MUSTER_FORKED;
    roster_lock (&self->core.roster);
    *workers = take_workers (&self->core, count);
    roster_unlock (&self->core.roster);
    if (!*workers)
        *count = 0;
    return *workers ? 0 : MUSTER_NOMEM;
}
