/*  listener.c - a coordinator that tests kill, starve and cut off

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    usage: chaos_listener ENDPOINT [options]

    stdin: stats | workers | send SOURCE CMD N | fork | stop | start | quit, each
    answered by one line. Each message's data is {"w": worker, "n": number,
    "b": bytes that follow from n}; of each handled one the ledger gets a
    record of four uint64_t: w, n, position, monotonic microseconds. It is
    written before the handler returns, so it is there whatever happens then.
*/
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <muster/muster.h>

#include "common.h"

typedef struct {
    muster_listener_t *listener;
    int ledger;
    int64_t handle_ms;
    int64_t first_ms;       /* of the first message alone */
    bool echo;
} program_t;

/*  --------------------------------------------------------------------------
    Handlers */

static void
work_for (int64_t ms)
{
    struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
    while (ms > 0 && nanosleep (&time, &time))
        ;
}

static bool
is_right (const muster_message_t *message, uint64_t *w, uint64_t *n)
{
    const void *bytes = NULL;
    size_t size = 0;
    if (muster_message_unpack (message, "{s:U, s:U, s?y}", "w", w, "n", n, "b", &bytes, &size))
        return false;
    return pattern_is_right (bytes, size, *n);
}

static int
on_message (const muster_message_t *message, void *arg)
{
    program_t *self = arg;
    uint64_t w = 0, n = 0;
    if (!is_right (message, &w, &n)) {
        say ("{\"wrong\": %" PRIu64 ", \"source\": \"%s\"}", n, muster_message_source (message));
        return 1;
    }
    work_for (self->handle_ms + self->first_ms);
    self->first_ms = 0;
    uint64_t record [4] = { w, n, muster_message_position (message), now_us () };
    if (self->ledger >= 0 && write (self->ledger, record, sizeof record) != sizeof record)
        say ("{\"wrong\": \"ledger\"}");
    muster_error_t error = self->echo ? muster_message_reply (message, "ECHO", "{s:U}", "n", n) : 0;
    if (error && error != MUSTER_NOTFOUND)
        say ("{\"wrong\": \"echo\", \"error\": \"%s\"}", muster_error_name (error));
    return error;
}

static int
on_event (const muster_message_t *message, void *arg)
{
    (void) arg;
    const char *source = "", *reason = "";
    muster_message_unpack (message, "{s?s, s?s}", "source", &source, "reason", &reason);
    say ("{\"event\": \"%s\", \"source\": \"%s\", \"reason\": \"%s\", \"ms\": %" PRIu64 "}",
        muster_message_cmd (message), source, reason, now_us () / 1000);
    return 0;
}

/*  --------------------------------------------------------------------------
    What the test says */

static void
say_stats (muster_listener_t *listener)
{
    muster_stats_t s;
    muster_listener_stats (listener, &s);
    say ("{\"stats\": {\"received\": %" PRIu64 ", \"handled\": %" PRIu64 ", \"failed\": %" PRIu64 ", \"rejected\": %" PRIu64
        ", \"memory\": %" PRIu64 ", \"stale\": %" PRIu64 ", \"gaps\": %" PRIu64 ", \"duplicates\": %" PRIu64
        ", \"dropped\": %" PRIu64 ", \"joined\": %" PRIu64 ", \"disconnects\": %" PRIu64 ", \"workers\": %" PRIu64
        ", \"sessions\": %" PRIu64 ", \"queued\": %" PRIu64 ", \"queued_bytes\": %" PRIu64
        "}, \"rss_kb\": %ld, \"peak_rss_kb\": %ld}",
        s.received, s.handled, s.failed, s.rejected, s.refused [MUSTER_REFUSAL_MEMORY], s.stale, s.gaps, s.duplicates,
        s.dropped, s.joined, s.disconnects, s.workers, s.sessions, s.queued, s.queued_bytes,
        status_kb ("VmRSS"), status_kb ("VmHWM"));
}

static void
say_workers (muster_listener_t *listener)
{
    char **sources = NULL;
    size_t count = 0;
    muster_error_t error = muster_listener_workers (listener, &sources, &count);
    char *text = must (calloc (count + 1, MUSTER_NAME_MAX + 4));
    for (size_t i = 0; i < count; i++)
        sprintf (text + strlen (text), "%s\"%s\"", i ? ", " : "", sources [i]);
    say ("{\"workers\": [%s], \"error\": \"%s\"}", text, muster_error_name (error));
    muster_free (sources);
    free (text);
}

static void
send_command (muster_listener_t *listener, const char *line)
{
    char source [256], cmd [256];
    int64_t n = 0;
    if (sscanf (line, "send %255s %255s %" SCNd64, source, cmd, &n) < 2)
        return;
    say ("{\"sent\": \"%s\"}", muster_error_name (muster_listener_send (listener, source, cmd, "{s:I}", "n", n)));
}

static bool
start (program_t *self)
{
    muster_error_t error = muster_listener_start (self->listener);
    if (error)
        say ("{\"error\": \"%s\", \"reason\": \"%s\"}", muster_error_name (error), muster_listener_reason (self->listener));
    else
        say ("{\"ready\": \"%s\", \"ms\": %" PRIu64 ", \"rss_kb\": %ld}",
            muster_listener_endpoint (self->listener), now_us () / 1000, status_kb ("VmRSS"));
    return !error;
}

static void
stop (program_t *self)
{
    uint64_t dropped = 0;
    muster_error_t error = muster_listener_stop (self->listener, &dropped);
    say ("{\"stopped\": \"%s\", \"dropped\": %" PRIu64 "}", muster_error_name (error), dropped);
}

/*  A child that does nothing and holds nothing of its parent's. */
static void
fork_child (void)
{
    fflush (stdout);
    pid_t child = fork ();
    if (child == 0)
        for (;;)
            pause ();
    say ("{\"child\": %d}", (int) child);
}

static void
obey (program_t *self)
{
    char line [1024];
    while (fgets (line, sizeof line, stdin) && strcmp (line, "quit\n")) {
        if (strcmp (line, "stats\n") == 0)
            say_stats (self->listener);
        else
        if (strcmp (line, "workers\n") == 0)
            say_workers (self->listener);
        else
        if (strcmp (line, "fork\n") == 0)
            fork_child ();
        else
        if (strcmp (line, "stop\n") == 0)
            stop (self);
        else
        if (strcmp (line, "start\n") == 0)
            start (self);
        else
            send_command (self->listener, line);
    }
}

/*  --------------------------------------------------------------------------
    Options */

enum { LEDGER = 1, BUDGET, FLOOR, PLAIN_SHARE, MESSAGE_LIMIT, COMMAND_BUFFER, LIVENESS, RETENTION, DRAIN, NO_PROGRESS,
    INSECURE, ADVERTISE, HANDLE_MS, HANDLE_FIRST_MS, ECHO };

static const struct option OPTIONS [] = {
    { "ledger", 1, NULL, LEDGER }, { "budget", 1, NULL, BUDGET }, { "floor", 1, NULL, FLOOR },
    { "plain-share", 1, NULL, PLAIN_SHARE }, { "message-limit", 1, NULL, MESSAGE_LIMIT },
    { "command-buffer", 1, NULL, COMMAND_BUFFER }, { "liveness", 1, NULL, LIVENESS },
    { "retention", 1, NULL, RETENTION }, { "drain", 1, NULL, DRAIN }, { "no-progress", 1, NULL, NO_PROGRESS },
    { "insecure", 0, NULL, INSECURE }, { "advertise", 1, NULL, ADVERTISE }, { "handle-ms", 1, NULL, HANDLE_MS },
    { "handle-first-ms", 1, NULL, HANDLE_FIRST_MS }, { "echo", 0, NULL, ECHO },
    { NULL, 0, NULL, 0 } };

static bool
take_option (program_t *self, int option)
{
    muster_listener_t *listener = self->listener;
    switch (option) {
        case LEDGER: self->ledger = open (optarg, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600); break;
        case BUDGET: muster_listener_set_receive_budget (listener, strtoull (optarg, NULL, 10)); break;
        case FLOOR: muster_listener_set_credit_floor (listener, strtoull (optarg, NULL, 10)); break;
        case PLAIN_SHARE: muster_listener_set_plain_share (listener, strtoull (optarg, NULL, 10)); break;
        case MESSAGE_LIMIT: muster_listener_set_message_limit (listener, strtoull (optarg, NULL, 10)); break;
        case COMMAND_BUFFER: muster_listener_set_command_buffer (listener, strtoull (optarg, NULL, 10)); break;
        case LIVENESS: muster_listener_set_liveness (listener, atof (optarg)); break;
        case RETENTION: muster_listener_set_retention (listener, atof (optarg)); break;
        case DRAIN: muster_listener_set_drain (listener, atof (optarg)); break;
        case NO_PROGRESS: muster_listener_set_no_progress (listener, atof (optarg)); break;
        case INSECURE: muster_listener_set_insecure (listener, true); break;
        case ADVERTISE: muster_listener_set_advertise (listener, optarg); break;
        case HANDLE_MS: self->handle_ms = atoll (optarg); break;
        case HANDLE_FIRST_MS: self->first_ms = atoll (optarg); break;
        case ECHO: self->echo = true; break;
        default: return false;
    }
    return true;
}

int
main (int argc, char **argv)
{
    if (argc < 2)
        return 2;
    program_t self = { .listener = must (muster_listener_new (argv [1])), .ledger = -1 };
    int option;
    optind = 2;
    while ((option = getopt_long (argc, argv, "", OPTIONS, NULL)) != -1)
        if (!take_option (&self, option))
            return 2;
    muster_listener_register_default_handler (self.listener, on_message, &self);
    muster_listener_register_system_handler (self.listener, on_event, &self);
    bool started = start (&self);
    if (started)
        obey (&self);
    muster_listener_destroy (&self.listener);
    return started ? 0 : 1;
}
