/*  rows.c - workers with their rates, in an order

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/rows.h"

#include <stdlib.h>
#include <string.h>

/*  --------------------------------------------------------------------------
    Orders. Those that are alike go by source, and nobody has another's session. */

static int
by_source (const void *one_p, const void *other_p)
{
    const row_t *one = one_p, *other = other_p;
    int order = strcmp (one->worker->source, other->worker->source);
    return order ? order : strcmp (one->worker->session, other->worker->session);
}

static int
by_rate (const void *one_p, const void *other_p)
{
    const row_t *one = one_p, *other = other_p;
    if (one->rate.messages != other->rate.messages)
        return one->rate.messages > other->rate.messages ? -1 : 1;
    if (one->rate.bytes != other->rate.bytes)
        return one->rate.bytes > other->rate.bytes ? -1 : 1;
    if (one->worker->present != other->worker->present)
        return one->worker->present ? -1 : 1;
    return by_source (one, other);
}

static int
by_queue (const void *one_p, const void *other_p)
{
    const row_t *one = one_p, *other = other_p;
    if (one->waiting != other->waiting)
        return one->waiting > other->waiting ? -1 : 1;
    return by_rate (one, other);
}

static int
by_silence (const void *one_p, const void *other_p)
{
    const row_t *one = one_p, *other = other_p;
    if (one->worker->silent_ms != other->worker->silent_ms)
        return one->worker->silent_ms > other->worker->silent_ms ? -1 : 1;
    return by_source (one, other);
}

static const struct {
    const char *name;
    int (*compare) (const void *one, const void *other);
} orders [] = {
    [ROWS_RATE] = { "rate", by_rate },
    [ROWS_QUEUE] = { "queue", by_queue },
    [ROWS_SOURCE] = { "source", by_source },
    [ROWS_SEEN] = { "seen", by_silence },
};

const char *
rows_order_name (rows_order_t order)
{
    return orders [order].name;
}

bool
rows_order_parse (const char *text, rows_order_t *order)
{
    for (int i = 0; i < ROWS_ORDERS; i++)
        if (strcmp (text, orders [i].name) == 0) {
            *order = (rows_order_t) i;
            return true;
        }
    return false;
}

/*  -------------------------------------------------------------------------- */

row_t *
rows_new (const snapshot_t *now, const snapshot_t *before, rows_order_t order)
{
    row_t *self = calloc (now->count + 1, sizeof *self);
    if (!self)
        return NULL;
    for (size_t i = 0; i < now->count; i++) {
        const muster_worker_stats_t *worker = &now->workers [i];
        self [i] = (row_t) { .worker = worker, .rate = rates_of_worker (now, before, worker),
            .waiting = worker->received > worker->handled ? worker->received - worker->handled : 0 };
    }
    qsort (self, now->count, sizeof *self, orders [order].compare);
    return self;
}
