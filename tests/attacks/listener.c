/*  listener.c - a coordinator under attack

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    usage: attacks_listener ENDPOINT [options]

    stdin: stats | quit, answered by one line of JSON each. The messages of the
    source "honest" must be {"n": number, ...} with numbers that count up from 1.
*/
#include <getopt.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <muster/muster.h>

#define HONEST "honest"

typedef struct {
    muster_listener_t *listener;
    int64_t event_us;           /* how long the handler of events takes for each */
    atomic_ullong honest;       /* its messages that came in order */
    atomic_ullong wrong;        /* and those that did not */
    atomic_ullong others;       /* messages of everybody else */
    atomic_ullong events;
    atomic_ullong disturbed;    /* events of the honest one but JOINED and LEFT */
} program_t;

static int
on_message (const muster_message_t *message, void *arg)
{
    program_t *self = arg;
    uint64_t n = 0;
    if (strcmp (muster_message_source (message), HONEST) != 0)
        atomic_fetch_add (&self->others, 1);
    else
    if (muster_message_unpack (message, "{s:U}", "n", &n) == 0 && n == atomic_load (&self->honest) + 1)
        atomic_fetch_add (&self->honest, 1);
    else
        atomic_fetch_add (&self->wrong, 1);
    return 0;
}

static int
on_event (const muster_message_t *message, void *arg)
{
    program_t *self = arg;
    const char *source = "", *cmd = muster_message_cmd (message);
    muster_message_unpack (message, "{s?s}", "source", &source);
    atomic_fetch_add (&self->events, 1);
    bool quiet = strcmp (cmd, MUSTER_EVENT_JOINED) == 0 || strcmp (cmd, MUSTER_EVENT_LEFT) == 0;
    if (strcmp (source, HONEST) == 0 && !quiet)
        atomic_fetch_add (&self->disturbed, 1);
    struct timespec time = { self->event_us / 1000000, self->event_us % 1000000 * 1000 };
    while (self->event_us > 0 && nanosleep (&time, &time))
        ;
    return 0;
}

static void
say_stats (program_t *self)
{
    muster_stats_t s;
    muster_listener_stats (self->listener, &s);
    printf ("{\"honest\": %llu, \"wrong\": %llu, \"others\": %llu, \"events\": %llu, \"disturbed\": %llu, \"workers\": %" PRIu64
        ", \"sessions\": %" PRIu64 ", \"joined\": %" PRIu64 ", \"stale\": %" PRIu64 ", \"gaps\": %" PRIu64
        ", \"duplicates\": %" PRIu64 ", \"disconnects\": %" PRIu64 ", \"queued_bytes\": %" PRIu64 ", \"rejected\": %" PRIu64,
        atomic_load (&self->honest), atomic_load (&self->wrong), atomic_load (&self->others), atomic_load (&self->events),
        atomic_load (&self->disturbed), s.workers, s.sessions, s.joined, s.stale, s.gaps,
        s.duplicates, s.disconnects, s.queued_bytes, s.rejected);
    for (int reason = 1; reason < MUSTER_REFUSAL_COUNT; reason++)
        printf (", \"%s\": %" PRIu64, muster_refusal_name (reason), s.refused [reason]);
    puts ("}");
    fflush (stdout);
}

static void
ignore (muster_log_level_t level, const char *line, void *arg)
{
    (void) level;
    (void) line;
    (void) arg;
}

enum { KEY = 1, ALLOW, FRAME_LIMIT, EVENT_US };

static const struct option OPTIONS [] = {
    { "key", 1, NULL, KEY }, { "allow", 1, NULL, ALLOW },
    { "frame-limit", 1, NULL, FRAME_LIMIT }, { "event-us", 1, NULL, EVENT_US },
    { NULL, 0, NULL, 0 } };

static bool
take_option (program_t *self, int option)
{
    muster_listener_t *listener = self->listener;
    switch (option) {
        case KEY: muster_listener_set_key (listener, optarg); break;
        case ALLOW: muster_listener_set_allow (listener, optarg); break;
        case FRAME_LIMIT: muster_listener_set_frame_limit (listener, strtoull (optarg, NULL, 10)); break;
        case EVENT_US: self->event_us = atoll (optarg); break;
        default: return false;
    }
    return true;
}

static int
serve (program_t *self)
{
    char line [64];
    muster_error_t error = muster_listener_start (self->listener);
    if (error) {
        fprintf (stderr, "%s: %s\n", muster_error_name (error), muster_listener_reason (self->listener));
        return 1;
    }
    printf ("{\"ready\": \"%s\"}\n", muster_listener_endpoint (self->listener));
    fflush (stdout);
    while (fgets (line, sizeof line, stdin) && strcmp (line, "quit\n"))
        say_stats (self);
    return 0;
}

int
main (int argc, char **argv)
{
    if (argc < 2)
        return 2;
    program_t self = { .listener = muster_listener_new (argv [1]) };
    int option;
    optind = 2;
    while ((option = getopt_long (argc, argv, "", OPTIONS, NULL)) != -1)
        if (!take_option (&self, option))
            return 2;
    muster_log_set (ignore, NULL, MUSTER_LOG_ERROR);
    muster_listener_register_default_handler (self.listener, on_message, &self);
    muster_listener_register_system_handler (self.listener, on_event, &self);
    int status = serve (&self);
    muster_listener_destroy (&self.listener);
    return status;
}
