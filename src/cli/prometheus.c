/*  prometheus.c - what a listener counts, in Prometheus' text format

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/prometheus.h"

#include <inttypes.h>
#include <stdbool.h>

#include <muster/stats.h>

#include "cli/packed.h"
#include "cli/utf8.h"

typedef struct {
    const char *field;      /* of the map, or of each worker in its roster */
    const char *name;
    const char *type;
    const char *help;
} metric_t;

static const metric_t metrics [] = {
    { "received", "muster_received_messages_total", "counter", "Messages taken in." },
    { "received_bytes", "muster_received_bytes_total", "counter", "Bytes of the messages taken in." },
    { "handled", "muster_handled_messages_total", "counter", "Messages whose handler has returned." },
    { "failed", "muster_failed_messages_total", "counter", "Messages whose handler failed." },
    { "unhandled", "muster_unhandled_messages_total", "counter", "Messages that found no handler." },
    { "dropped", "muster_dropped_messages_total", "counter", "Messages left undrained, or whose key was revoked." },
    { "stale", "muster_stale_frames_total", "counter", "Frames of an older epoch or an unknown session." },
    { "gaps", "muster_gaps_total", "counter", "Frames that came when one before them was missing." },
    { "duplicates", "muster_duplicate_messages_total", "counter", "Messages that had come before." },
    { "joined", "muster_presences_total", "counter", "Presences of workers begun." },
    { "disconnects", "muster_disconnects_total", "counter", "Connections that ended." },
    { "workers", "muster_workers", "gauge", "Workers present." },
    { "sessions", "muster_sessions", "gauge", "Sessions kept, absent ones too." },
    { "queued", "muster_queued_messages", "gauge", "Messages received and not handled." },
    { "queued_bytes", "muster_queued_bytes", "gauge", "Bytes of the messages received and not handled." },
    { "budget", "muster_budget_bytes", "gauge", "The receive budget." },
    { "committed", "muster_committed_bytes", "gauge", "Bytes of the budget promised or taken." },
};

static const metric_t worker_metrics [] = {
    { "present", "muster_worker_present", "gauge", "1 if the worker is here, 0 if it is absent." },
    { "received", "muster_worker_received_messages_total", "counter", "Messages of the session taken in." },
    { "received_bytes", "muster_worker_received_bytes_total", "counter", "Bytes of the session's messages taken in." },
    { "handled", "muster_worker_handled_messages_total", "counter", "Messages of the session handled." },
    { "handled_bytes", "muster_worker_handled_bytes_total", "counter", "Bytes of the session's messages handled." },
    { "coming", "muster_worker_coming_bytes", "gauge", "Bytes that have come of a message in pieces." },
    { "coming_bytes", "muster_worker_coming_size_bytes", "gauge", "Bytes of the message in pieces." },
    { "commands", "muster_worker_commands", "gauge", "Commands to the worker that it has not handled." },
    { "commands_bytes", "muster_worker_commands_bytes", "gauge", "Memory that commands to the worker take." },
    { "silent_ms", "muster_worker_silent_milliseconds", "gauge", "Time since the worker was heard last." },
};

/*  What an older listener does not tell. */
static const metric_t newer_worker_metrics [] = {
    { "round_trip_us", "muster_worker_round_trip_microseconds", "gauge",
        "Round trip as the worker measured last, 0 if not yet." },
};

#define COUNT(list) (sizeof (list) / sizeof (list) [0])

static void
write_head (FILE *out, const metric_t *metric)
{
    fprintf (out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name, metric->type);
}

/*  False if text is no name: what has control characters may come from anybody, and go to a terminal. */
static bool
write_label (FILE *out, const char *name, const muster_value_t *text)
{
    if (!utf8_is_name ((const char *) text->bytes, text->size))
        return false;
    fprintf (out, "{%s=\"", name);
    for (uint32_t i = 0; i < text->size; i++) {
        if (text->bytes [i] == '"' || text->bytes [i] == '\\')
            fputc ('\\', out);
        fputc (text->bytes [i], out);
    }
    fputs ("\"}", out);
    return true;
}

static bool
write_metric (FILE *out, muster_reader_t map, const metric_t *metric)
{
    uint64_t count;
    if (!packed_find_count (map, metric->field, &count))
        return false;
    write_head (out, metric);
    fprintf (out, "%s %" PRIu64 "\n", metric->name, count);
    return true;
}

static bool
write_refused (FILE *out, muster_reader_t map)
{
    static const metric_t metric = { NULL, "muster_refused_frames_total", "counter", "Frames refused, by reason." };
    muster_reader_t at;
    muster_value_t reason;
    uint32_t pairs;
    uint64_t count;
    if (!packed_find_container (map, "refused", MUSTER_VALUE_MAP, &at, &pairs))
        return false;
    write_head (out, &metric);
    for (; pairs > 0; pairs--) {
        if (muster_reader_next (&at, &reason) || !packed_read_count (&at, &count))
            return false;
        fputs (metric.name, out);
        if (!write_label (out, "reason", &reason))
            return false;
        fprintf (out, " %" PRIu64 "\n", count);
    }
    return true;
}

/*  Buckets are cumulative, and a time below 2^i us is at most that. */
static bool
write_times (FILE *out, muster_reader_t map)
{
    static const metric_t metric = { NULL, "muster_handler_seconds", "histogram", "Time that handlers took a message." };
    muster_reader_t at;
    uint32_t places;
    uint64_t count, sum = 0, timed, us;
    if (!packed_find_container (map, "times", MUSTER_VALUE_ARRAY, &at, &places) || places > MUSTER_TIMES_COUNT
        || !packed_find_count (map, "timed", &timed) || !packed_find_count (map, "timed_us", &us))
        return false;
    write_head (out, &metric);
    for (uint32_t i = 0; i < places; i++) {
        if (!packed_read_count (&at, &count))
            return false;
        sum += count;
        if (i + 1 < places)
            fprintf (out, "%s_bucket{le=\"%.9g\"} %" PRIu64 "\n", metric.name, (double) (1ull << i) / 1e6, sum);
    }
    fprintf (out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", metric.name, timed);
    fprintf (out, "%s_sum %.9g\n%s_count %" PRIu64 "\n", metric.name, (double) us / 1e6, metric.name, timed);
    return true;
}

static bool
write_worker (FILE *out, muster_reader_t worker, const metric_t *metric)
{
    muster_value_t source;
    uint64_t count;
    if (!packed_find_text (worker, "source", &source) || !packed_find_count (worker, metric->field, &count))
        return false;
    fputs (metric->name, out);
    if (!write_label (out, "source", &source))
        return false;
    fprintf (out, " %" PRIu64 "\n", count);
    return true;
}

/*  newer: who does not have it has no sample. */
static bool
write_workers (FILE *out, muster_reader_t map, const metric_t *metric, bool newer)
{
    muster_reader_t at, value;
    uint32_t workers;
    if (!packed_find_container (map, "roster", MUSTER_VALUE_ARRAY, &at, &workers))
        return false;
    write_head (out, metric);
    for (; workers > 0; workers--) {
        bool has = !newer || packed_find (at, metric->field, &value);
        if ((has && !write_worker (out, at, metric)) || muster_reader_skip (&at))
            return false;
    }
    return true;
}

muster_error_t
prometheus_write (FILE *out, const void *bytes, size_t size)
{
    muster_reader_t map;
    muster_reader_init (&map, bytes, size);
    bool whole = true;
    for (size_t i = 0; whole && i < COUNT (metrics); i++)
        whole = write_metric (out, map, &metrics [i]);
    whole = whole && write_refused (out, map) && write_times (out, map);
    for (size_t i = 0; whole && i < COUNT (worker_metrics); i++)
        whole = write_workers (out, map, &worker_metrics [i], false);
    for (size_t i = 0; whole && i < COUNT (newer_worker_metrics); i++)
        whole = write_workers (out, map, &newer_worker_metrics [i], true);
    if (!whole)
        return MUSTER_FORMAT;
    return ferror (out) ? MUSTER_SYSTEM : 0;
}
