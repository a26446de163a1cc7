/*  report.c - what a listener counts, taken and packed

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/report.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "wire/frame.h"

/*  Workers in a REPORT: with the longest names they still fit REPORT_MOST. */
#define WORKERS_MOST 1000

/*  --------------------------------------------------------------------------
    Taking */

static void
take_times (const times_t *times, muster_stats_t *stats)
{
    stats->timed = times->messages;
    stats->timed_us = times->ns / 1000;
    memcpy (stats->times, times->counts, sizeof stats->times);
}

static uint64_t
committed (const listener_core_t *self)
{
    return self->roster.credit.committed + self->plain_bytes;
}

void
report_take (listener_core_t *self, muster_stats_t *stats)
{
    inbox_counts_t counts;
    inbox_count (self->inbox, &counts);
    *stats = (muster_stats_t) {
        .received = counts.received, .received_bytes = counts.received_bytes,
        .handled = counts.handled, .failed = counts.failed, .unhandled = self->unhandled,
        .stale = self->stale, .gaps = self->gaps, .duplicates = self->duplicates, .dropped = self->dropped,
        .joined = self->roster.joined, .disconnects = self->disconnects,
        .workers = self->roster.present, .sessions = self->roster.present + self->roster.absent_count,
        .queued = counts.queued, .queued_bytes = counts.queued_bytes,
        .budget = self->limits.receive_budget, .committed = committed (self) };
    take_times (&counts.times, stats);
    for (int reason = 1; reason < MUSTER_REFUSAL_COUNT; reason++) {
        stats->refused [reason] = self->refused [reason];
        stats->rejected += self->refused [reason];
    }
}

static int
compare_sources (const void *one_p, const void *other_p)
{
    const peer_t *one = *(const peer_t *const *) one_p;
    const peer_t *other = *(const peer_t *const *) other_p;
    return strcmp (one->session.source, other->session.source);
}

const peer_t **
report_peers (const listener_core_t *self, size_t *count)
{
    peer_t *peer, *next;
    const peer_t **peers = alloc_new ((HASH_CNT (by_id, self->roster.by_id) + 1) * sizeof *peers);
    *count = 0;
    if (!peers)
        return NULL;
    HASH_ITER (by_id, self->roster.by_id, peer, next)
        peers [(*count)++] = peer;
    qsort (peers, *count, sizeof *peers, compare_sources);
    return peers;
}

void
report_take_worker (const peer_t *peer, int64_t now, muster_worker_stats_t *worker)
{
    const session_t *session = &peer->session;
    const outbox_t *box = &session->out.box;
    *worker = (muster_worker_stats_t) {
        .present = peer->present,
        .received = session->in.received.messages, .received_bytes = session->in.received.bytes,
        .handled = session->in.handled.messages, .handled_bytes = session->in.handled.bytes,
        .coming = session->in.partial ? session->in.partial_filled : 0,
        .coming_bytes = session->in.partial ? session->in.partial_size : 0,
        .commands = box->accepted.messages - box->handled.messages,
        .commands_bytes = outbox_charge (box),
        .silent_ms = now > session->heard_at ? (uint64_t) (now - session->heard_at) : 0,
        .round_trip_us = session->round_trip_us };
    snprintf (worker->source, sizeof worker->source, "%s", session->source);
    snprintf (worker->address, sizeof worker->address, "%s", peer->address);
    snprintf (worker->session, sizeof worker->session, "%s", peer_session (peer));
}

/*  --------------------------------------------------------------------------
    Packing */

static void
put_name (muster_writer_t *writer, const char *name)
{
    muster_writer_str (writer, name, strlen (name));
}

static void
put_count (muster_writer_t *writer, const char *name, uint64_t count)
{
    put_name (writer, name);
    muster_writer_uint (writer, count);
}

static void
put_text (muster_writer_t *writer, const char *name, const char *text)
{
    put_name (writer, name);
    put_name (writer, text);
}

static void
put_refused (muster_writer_t *writer, const muster_stats_t *stats)
{
    put_name (writer, "refused");
    muster_writer_map (writer, MUSTER_REFUSAL_COUNT - 1);
    for (int reason = 1; reason < MUSTER_REFUSAL_COUNT; reason++)
        put_count (writer, muster_refusal_name (reason), stats->refused [reason]);
}

static void
put_times (muster_writer_t *writer, const muster_stats_t *stats)
{
    put_name (writer, "times");
    muster_writer_seq (writer, MUSTER_TIMES_COUNT);
    for (int i = 0; i < MUSTER_TIMES_COUNT; i++)
        muster_writer_uint (writer, stats->times [i]);
}

/*  No number is left out. */
#define NUMBER(name) +sizeof ((muster_stats_t *) 0)->name
#define WORKER_NUMBER(name) +sizeof ((muster_worker_stats_t *) 0)->name
static_assert (sizeof (muster_stats_t) == sizeof ((muster_stats_t *) 0)->refused
    + sizeof ((muster_stats_t *) 0)->times MUSTER_STATS_MAP (NUMBER), "MUSTER_STATS_MAP has all of muster_stats_t");
static_assert (sizeof (muster_worker_stats_t) == offsetof (muster_worker_stats_t, received)
    MUSTER_WORKER_STATS_MAP (WORKER_NUMBER), "MUSTER_WORKER_STATS_MAP has all of muster_worker_stats_t");

#define ONE(name) +1

static void
put_worker (muster_writer_t *writer, const muster_worker_stats_t *worker)
{
    muster_writer_map (writer, 4 MUSTER_WORKER_STATS_MAP (ONE));
    put_text (writer, "source", worker->source);
    put_text (writer, "address", worker->address);
    put_text (writer, "session", worker->session);
    put_name (writer, "present");
    muster_writer_bool (writer, worker->present);
#define XX(name) put_count (writer, #name, worker->name);
    MUSTER_WORKER_STATS_MAP (XX)
#undef XX
}

static void
put_roster (muster_writer_t *writer, const peer_t **peers, size_t count, int64_t now)
{
    size_t most = count < WORKERS_MOST ? count : WORKERS_MOST;
    put_name (writer, "roster");
    muster_writer_seq (writer, most);
    for (size_t i = 0; i < most; i++) {
        muster_worker_stats_t worker;
        report_take_worker (peers [i], now, &worker);
        put_worker (writer, &worker);
    }
    put_count (writer, "roster_more", count - most);
}

static void
put_report (listener_core_t *self, muster_writer_t *writer, const peer_t **peers, size_t count)
{
    muster_stats_t stats;
    report_take (self, &stats);
    muster_writer_map (writer, 5 MUSTER_STATS_MAP (ONE));
    put_text (writer, "source", self->source);
#define XX(name) put_count (writer, #name, stats.name);
    MUSTER_STATS_MAP (XX)
#undef XX
    put_refused (writer, &stats);
    put_times (writer, &stats);
    put_roster (writer, peers, count, self->now);
}

static blob_t *
put_frame (const muster_writer_t *map, muster_writer_t *writer, size_t *size)
{
    frame_t frame = { .kind = FRAME_REPORT };
    const void *bytes;
    if (muster_writer_bytes (map, &bytes, &frame.report.size))
        return NULL;
    frame.report.map = bytes;
    frame_write (&frame, writer);
    if (muster_writer_bytes (writer, &bytes, size) || *size > REPORT_MOST)
        return NULL;
    blob_t *blob = blob_new (*size);
    if (blob)
        memcpy (blob->bytes, bytes, *size);
    return blob;
}

blob_t *
report_new (listener_core_t *self, size_t *size)
{
    size_t count;
    blob_t *blob = NULL;
    const peer_t **peers = report_peers (self, &count);
    muster_writer_t *map = muster_writer_new ();
    muster_writer_t *writer = muster_writer_new ();
    if (peers && map && writer) {
        put_report (self, map, peers, count);
        blob = put_frame (map, writer, size);
    }
    muster_writer_destroy (&writer);
    muster_writer_destroy (&map);
    alloc_free (peers);
    return blob;
}
