/*  rates.c - what changed from one snapshot of a listener to the next

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/rates.h"

#include <string.h>

/*  A counter may go back: a listener takes back what it counted twice. */
static double
grown (uint64_t now, uint64_t before)
{
    return now > before ? (double) (now - before) : 0;
}

static bool
same_listener (const snapshot_t *now, const snapshot_t *before)
{
    return before && now->taken_at > before->taken_at && strcmp (now->source, before->source) == 0;
}

static double
seconds (const snapshot_t *now, const snapshot_t *before)
{
    return (double) (now->taken_at - before->taken_at) / 1000;
}

static uint64_t
bytes_of (const snapshot_t *self)
{
    uint64_t bytes = self->stats.received_bytes;
    for (size_t i = 0; i < self->count; i++)
        bytes += self->workers [i].coming;
    return bytes;
}

rate_t
rates_of_listener (const snapshot_t *now, const snapshot_t *before)
{
    if (!same_listener (now, before))
        return (rate_t) { .known = false };
    double time = seconds (now, before);
    return (rate_t) { .known = true,
        .messages = grown (now->stats.received, before->stats.received) / time,
        .bytes = grown (bytes_of (now), bytes_of (before)) / time,
        .handled = grown (now->stats.handled, before->stats.handled) / time };
}

rate_t
rates_of_worker (const snapshot_t *now, const snapshot_t *before, const muster_worker_stats_t *worker)
{
    const muster_worker_stats_t *then =
        same_listener (now, before) ? snapshot_find (before, worker->session) : NULL;
    if (!then)
        return (rate_t) { .known = false };
    double time = seconds (now, before);
    return (rate_t) { .known = true,
        .messages = grown (worker->received, then->received) / time,
        .bytes = grown (worker->received_bytes + worker->coming, then->received_bytes + then->coming) / time,
        .handled = grown (worker->handled, then->handled) / time };
}

/*  --------------------------------------------------------------------------
    Handlers' times */

/*  The first place up to which there are so many of the sum. */
static unsigned
place_of (const double *times, double sum, double part)
{
    unsigned place = 0;
    double so_far = times [0];
    while (place < MUSTER_TIMES_COUNT - 1 && so_far < sum * part)
        so_far += times [++place];
    return place;
}

void
rates_time (rates_times_t *self, const snapshot_t *now, const snapshot_t *before)
{
    double times [MUSTER_TIMES_COUNT], sum = 0;
    bool same = same_listener (now, before);
    for (unsigned i = 0; i < MUSTER_TIMES_COUNT; i++) {
        times [i] = grown (now->stats.times [i], same ? before->stats.times [i] : 0);
        sum += times [i];
    }
    if (sum > 0)
        *self = (rates_times_t) { .known = true,
            .half = place_of (times, sum, 0.5), .most = place_of (times, sum, 0.99) };
    else
    if (!same)
        self->known = false;
}
