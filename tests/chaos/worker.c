/*  worker.c - workers that tests kill, stall and cut off

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    usage: chaos_worker ENDPOINT --source NAME --number W [options]

    Sends {"w": W, "n": n, "b": bytes that follow from n}, n from --first on.
    With --wait-stdin it does what stdin says: send COUNT [SIZE] | flush |
    close. With --workers K it is K workers, W to W + K - 1, NAME and the
    number, each in a thread of its own. Exit status 0 only if all was
    confirmed.
*/
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <muster/muster.h>

#include "common.h"

typedef struct {
    const char *endpoint;
    const char *source;
    uint64_t number, workers;
    uint64_t count, first, flush_every;
    size_t size;
    double rate;                /* messages a second; 0: as fast as it goes */
    uint64_t send_buffer;
    double liveness, drain, no_progress;
    bool wait_stdin, commands;
} options_t;

typedef struct {
    const options_t *options;
    muster_worker_t *worker;
    uint64_t number;
    uint64_t next;              /* n of the next message */
    uint8_t *bytes;
    size_t room;
    bool failed;
    pthread_t thread, reader;
} one_t;

static void
complain (one_t *self, const char *where, muster_error_t error)
{
    say ("{\"error\": \"%s\", \"reason\": \"%s\", \"in\": \"%s\", \"number\": %" PRIu64 "}",
        muster_error_name (error), muster_worker_reason (self->worker), where, self->number);
    self->failed = true;
}

/*  --------------------------------------------------------------------------
    Sending */

static muster_error_t
send_one (one_t *self, size_t size)
{
    uint64_t n = self->next;
    if (size == 0)
        return muster_worker_send (self->worker, "M", "{s:U, s:U}", "w", self->number, "n", n);
    pattern_fill (self->bytes, size, n);
    return muster_worker_send (self->worker, "M", "{s:U, s:U, s:y}",
        "w", self->number, "n", n, "b", self->bytes, size);
}

static void
pace (const one_t *self, uint64_t began, uint64_t sent)
{
    uint64_t due = self->options->rate > 0 ? began + (uint64_t) ((double) sent * 1e6 / self->options->rate) : 0;
    uint64_t now = now_us ();
    if (due <= now)
        return;
    struct timespec time = { (time_t) ((due - now) / 1000000), (long) ((due - now) % 1000000 * 1000) };
    nanosleep (&time, NULL);
}

static muster_error_t
flush (one_t *self)
{
    muster_error_t error = muster_worker_flush (self->worker, -1);
    if (error)
        complain (self, "flush", error);
    else
        say ("{\"confirmed\": %" PRIu64 ", \"number\": %" PRIu64 ", \"ms\": %" PRIu64 "}",
            self->next - 1, self->number, now_us () / 1000);
    return error;
}

static void
send_many (one_t *self, uint64_t count, size_t size)
{
    uint64_t began = now_us ();
    uint64_t every = self->options->flush_every;
    if (size > self->room) {
        self->bytes = must (realloc (self->bytes, size));
        self->room = size;
    }
    muster_error_t error = 0;
    for (uint64_t sent = 0; sent < count && !error; sent++) {
        error = send_one (self, size);
        if (error) {
            complain (self, "send", error);
            return;
        }
        self->next++;
        if (every && (sent + 1) % every == 0)
            error = flush (self);
        pace (self, began, sent + 1);
    }
    say ("{\"sent\": %" PRIu64 ", \"number\": %" PRIu64 "}", self->next - 1, self->number);
}

/*  --------------------------------------------------------------------------
    Commands */

static void *
read_commands (void *argument)
{
    one_t *self = argument;
    muster_message_t *command;
    muster_error_t error;
    while ((error = muster_worker_recv (self->worker, &command, -1)) == 0) {
        int64_t n = 0;
        muster_message_unpack (command, "{s?I}", "n", &n);
        if (muster_message_position (command) == 0)
            say ("{\"listener\": \"%s\", \"ms\": %" PRIu64 "}", muster_message_source (command), now_us () / 1000);
        else
            say ("{\"command\": \"%s\", \"n\": %" PRId64 ", \"from\": \"%s\", \"ms\": %" PRIu64 "}",
                muster_message_cmd (command), n, muster_message_source (command), now_us () / 1000);
        muster_message_done (&command, 0);
    }
    say ("{\"recv\": \"%s\"}", muster_error_name (error));
    return NULL;
}

/*  --------------------------------------------------------------------------
    One worker's life */

static void
obey (one_t *self)
{
    char line [256];
    while (fgets (line, sizeof line, stdin) && strcmp (line, "close\n")) {
        uint64_t count = 0;
        size_t size = self->options->size;
        if (sscanf (line, "send %" SCNu64 " %zu", &count, &size) >= 1)
            send_many (self, count, size);
        else
        if (strcmp (line, "flush\n") == 0)
            say ("{\"flushed\": \"%s\"}", muster_error_name (muster_worker_flush (self->worker, -1)));
    }
}

static void
set_options (muster_worker_t *worker, const options_t *options)
{
    if (options->send_buffer)
        muster_worker_set_send_buffer (worker, options->send_buffer);
    if (options->liveness > 0)
        muster_worker_set_liveness (worker, options->liveness);
    if (options->drain > 0)
        muster_worker_set_drain (worker, options->drain);
    if (options->no_progress > 0)
        muster_worker_set_no_progress (worker, options->no_progress);
}

static bool
begin (one_t *self)
{
    char source [256];
    const options_t *options = self->options;
    snprintf (source, sizeof source, "%s", options->source);
    if (options->workers > 1)
        snprintf (source, sizeof source, "%s%" PRIu64, options->source, self->number);
    self->worker = must (muster_worker_new (options->endpoint, source));
    set_options (self->worker, options);
    muster_error_t error = muster_worker_start (self->worker);
    if (error)
        complain (self, "start", error);
    else
        say ("{\"ready\": true, \"number\": %" PRIu64 "}", self->number);
    return !error;
}

static void
end (one_t *self)
{
    uint64_t unconfirmed = 0;
    muster_error_t error = muster_worker_close (self->worker, &unconfirmed);
    say ("{\"closed\": \"%s\", \"unconfirmed\": %" PRIu64 ", \"number\": %" PRIu64 "}",
        muster_error_name (error), unconfirmed, self->number);
    self->failed = self->failed || error || unconfirmed;
}

static void *
live (void *argument)
{
    one_t *self = argument;
    const options_t *options = self->options;
    if (!begin (self))
        return NULL;
    if (options->commands && pthread_create (&self->reader, NULL, read_commands, self))
        exit (1);
    if (options->wait_stdin)
        obey (self);
    else
        send_many (self, options->count, options->size);
    end (self);
    if (options->commands)
        pthread_join (self->reader, NULL);
    return NULL;
}

static int
run (const options_t *options)
{
    bool failed = false;
    one_t *ones = must (calloc (options->workers, sizeof *ones));
    for (uint64_t i = 0; i < options->workers; i++) {
        ones [i] = (one_t) { .options = options, .number = options->number + i, .next = options->first };
        if (pthread_create (&ones [i].thread, NULL, live, &ones [i]))
            exit (1);
    }
    for (uint64_t i = 0; i < options->workers; i++) {
        pthread_join (ones [i].thread, NULL);
        muster_worker_destroy (&ones [i].worker);
        free (ones [i].bytes);
        failed = failed || ones [i].failed;
    }
    free (ones);
    return failed;
}

/*  --------------------------------------------------------------------------
    Options */

enum { SOURCE = 1, NUMBER, WORKERS, COUNT, FIRST, FLUSH_EVERY, SIZE, RATE, SEND_BUFFER, LIVENESS, DRAIN, NO_PROGRESS,
    WAIT_STDIN, COMMANDS };

static const struct option OPTIONS [] = {
    { "source", 1, NULL, SOURCE }, { "number", 1, NULL, NUMBER }, { "workers", 1, NULL, WORKERS },
    { "count", 1, NULL, COUNT }, { "first", 1, NULL, FIRST }, { "flush-every", 1, NULL, FLUSH_EVERY },
    { "size", 1, NULL, SIZE }, { "rate", 1, NULL, RATE }, { "send-buffer", 1, NULL, SEND_BUFFER },
    { "liveness", 1, NULL, LIVENESS }, { "drain", 1, NULL, DRAIN }, { "no-progress", 1, NULL, NO_PROGRESS },
    { "wait-stdin", 0, NULL, WAIT_STDIN }, { "commands", 0, NULL, COMMANDS }, { NULL, 0, NULL, 0 } };

static bool
take_option (options_t *self, int option)
{
    switch (option) {
        case SOURCE: self->source = optarg; break;
        case NUMBER: self->number = strtoull (optarg, NULL, 10); break;
        case WORKERS: self->workers = strtoull (optarg, NULL, 10); break;
        case COUNT: self->count = strtoull (optarg, NULL, 10); break;
        case FIRST: self->first = strtoull (optarg, NULL, 10); break;
        case FLUSH_EVERY: self->flush_every = strtoull (optarg, NULL, 10); break;
        case SIZE: self->size = strtoull (optarg, NULL, 10); break;
        case RATE: self->rate = atof (optarg); break;
        case SEND_BUFFER: self->send_buffer = strtoull (optarg, NULL, 10); break;
        case LIVENESS: self->liveness = atof (optarg); break;
        case DRAIN: self->drain = atof (optarg); break;
        case NO_PROGRESS: self->no_progress = atof (optarg); break;
        case WAIT_STDIN: self->wait_stdin = true; break;
        case COMMANDS: self->commands = true; break;
        default: return false;
    }
    return true;
}

int
main (int argc, char **argv)
{
    if (argc < 2)
        return 2;
    options_t options = { .endpoint = argv [1], .source = "w", .workers = 1, .first = 1 };
    int option;
    optind = 2;
    while ((option = getopt_long (argc, argv, "", OPTIONS, NULL)) != -1)
        if (!take_option (&options, option))
            return 2;
    return run (&options);
}
