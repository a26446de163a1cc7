/*  snapshot.c - what a listener counted at a moment

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "cli/packed.h"

/*  A report has no more workers (protocol, "OBSERVE and REPORT"). */
#define WORKERS_MOST 1000

typedef struct {
    const char *name;
    size_t offset;
} field_t;

#define FIELD(type, name) { #name, offsetof (type, name) }
#define COUNT(list) (sizeof (list) / sizeof (list) [0])

static const field_t fields [] = {
    FIELD (muster_stats_t, received), FIELD (muster_stats_t, received_bytes), FIELD (muster_stats_t, handled),
    FIELD (muster_stats_t, failed), FIELD (muster_stats_t, unhandled), FIELD (muster_stats_t, rejected),
    FIELD (muster_stats_t, workers), FIELD (muster_stats_t, sessions), FIELD (muster_stats_t, queued),
    FIELD (muster_stats_t, queued_bytes), FIELD (muster_stats_t, budget), FIELD (muster_stats_t, committed),
};

static const field_t worker_fields [] = {
    FIELD (muster_worker_stats_t, received), FIELD (muster_worker_stats_t, received_bytes),
    FIELD (muster_worker_stats_t, handled), FIELD (muster_worker_stats_t, coming),
    FIELD (muster_worker_stats_t, coming_bytes), FIELD (muster_worker_stats_t, silent_ms),
};

static bool
read_fields (muster_reader_t map, const field_t *list, size_t count, void *target)
{
    for (size_t i = 0; i < count; i++)
        if (!packed_find_count (map, list [i].name, (uint64_t *) ((char *) target + list [i].offset)))
            return false;
    return true;
}

static bool
read_text (muster_reader_t map, const char *name, char *target, size_t room)
{
    muster_value_t text;
    if (!packed_find_text (map, name, &text) || text.size >= room)
        return false;
    memcpy (target, text.bytes, text.size);
    target [text.size] = 0;
    return true;
}

/*  A reason that another version does not know was never counted there. */
static bool
read_refused (muster_reader_t map, muster_stats_t *stats)
{
    muster_reader_t refused;
    if (!packed_find (map, "refused", &refused))
        return false;
    for (int reason = 1; reason < MUSTER_REFUSAL_COUNT; reason++)
        if (!packed_find_count (refused, muster_refusal_name (reason), &stats->refused [reason]))
            stats->refused [reason] = 0;
    return true;
}

static bool
read_times (muster_reader_t map, muster_stats_t *stats)
{
    muster_reader_t at;
    uint32_t places;
    if (!packed_find_container (map, "times", MUSTER_VALUE_ARRAY, &at, &places) || places > MUSTER_TIMES_COUNT)
        return false;
    for (uint32_t i = 0; i < places; i++)
        if (!packed_read_count (&at, &stats->times [i]))
            return false;
    return true;
}

static bool
read_worker (muster_reader_t map, muster_worker_stats_t *worker)
{
    uint64_t present;
    if (!read_text (map, "source", worker->source, sizeof worker->source)
        || !read_text (map, "address", worker->address, sizeof worker->address)
        || !read_text (map, "session", worker->session, sizeof worker->session)
        || !packed_find_count (map, "present", &present))
        return false;
    worker->present = present != 0;
    return read_fields (map, worker_fields, COUNT (worker_fields), worker)
        && packed_find_newer_count (map, "round_trip_us", &worker->round_trip_us);
}

static int
compare_sessions (const void *one_p, const void *other_p)
{
    const muster_worker_stats_t *one = one_p, *other = other_p;
    return strcmp (one->session, other->session);
}

static muster_error_t
read_workers (snapshot_t *self, muster_reader_t map)
{
    muster_reader_t at;
    uint32_t count;
    if (!packed_find_container (map, "roster", MUSTER_VALUE_ARRAY, &at, &count) || count > WORKERS_MOST
        || !packed_find_count (map, "roster_more", &self->more))
        return MUSTER_FORMAT;
    self->workers = calloc (count + 1, sizeof *self->workers);
    if (!self->workers)
        return MUSTER_NOMEM;
    for (; self->count < count; self->count++)
        if (!read_worker (at, &self->workers [self->count]) || muster_reader_skip (&at))
            return MUSTER_FORMAT;
    qsort (self->workers, self->count, sizeof *self->workers, compare_sessions);
    return 0;
}

static muster_error_t
read_all (snapshot_t *self, muster_reader_t map)
{
    if (!read_text (map, "source", self->source, sizeof self->source)
        || !read_fields (map, fields, COUNT (fields), &self->stats)
        || !read_refused (map, &self->stats) || !read_times (map, &self->stats))
        return MUSTER_FORMAT;
    return read_workers (self, map);
}

muster_error_t
snapshot_read (snapshot_t **self_p, const void *bytes, size_t size, int64_t now)
{
    muster_reader_t map;
    muster_reader_init (&map, bytes, size);
    snapshot_t *self = calloc (1, sizeof *self);
    muster_error_t error = self ? read_all (self, map) : MUSTER_NOMEM;
    if (error)
        snapshot_destroy (&self);
    else
        self->taken_at = now;
    *self_p = self;
    return error;
}

void
snapshot_destroy (snapshot_t **self_p)
{
    snapshot_t *self = *self_p;
    if (!self)
        return;
    free (self->workers);
    free (self);
    *self_p = NULL;
}

const muster_worker_stats_t *
snapshot_find (const snapshot_t *self, const char *session)
{
    muster_worker_stats_t key;
    strncpy (key.session, session, sizeof key.session - 1);
    key.session [sizeof key.session - 1] = 0;
    return bsearch (&key, self->workers, self->count, sizeof key, compare_sessions);
}
