/*  listen.c - muster listen

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <muster/data.h>
#include <muster/listener.h>

#include "cli/clock.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/recorder.h"
#include "cli/say.h"

static const char help [] =
    "usage: muster listen ENDPOINT [--count N] [--timeout S] [--send SOURCE CMD JSON]...\n"
    "                              [--record FILE] [--insecure] [--key K.key --allow FILE]\n"
    "\n"
    "Listen at ENDPOINT: tcp://ADDRESS:PORT (port * finds a free one) or ipc://PATH.\n"
    "Print each message on stdout, one JSON object a line:\n"
    "{\"source\":...,\"cmd\":...,\"data\":...}. Who joins and leaves is told on stderr.\n"
    "SIGINT and SIGTERM end it once what has arrived is printed, or with 1 when stdout then\n"
    "takes nothing for 5 seconds; with --allow SIGHUP makes it read that file again.\n"
    "\n"
    "  --count N                  end after N messages\n"
    "  --timeout S                end with 1 when S seconds pass first\n"
    "  --send SOURCE CMD JSON     send this command when SOURCE joins\n"
    "  --record FILE              write the messages to this new file, for muster replay; a\n"
    "                             message counts as handled once it is there\n"
    "  --key K.key                the listener's key, made by muster keygen\n"
    "  --allow FILE               who may send, and as whom; made by muster enrol. With\n"
    "                             these two nobody else gets in, and all is encrypted\n"
    "  --insecure                 without keys, allow an address that other hosts can reach\n"
    "\n"
    "Binary is {\"$bin\": base64}, an ext value {\"$ext\": [type, base64]}, what is no\n"
    "finite number {\"$float\": \"nan\"}, a map with a key that starts with $ is\n"
    "{\"$map\": {...}}.\n";

/*  A command for who joins. */
typedef struct {
    const char *source;
    const char *cmd;
    muster_writer_t *data;
} errand_t;

/*  Why it ends. */
typedef enum { END_NOT_YET, END_COUNT, END_SIGNAL, END_TIMEOUT, END_BROKEN } end_t;

typedef struct {
    int argc;               /* for --send, which takes what follows it */
    char **argv;
    const char *endpoint;
    uint64_t count;         /* 0: without end */
    double timeout;         /* seconds; 0: none */
    bool insecure;
    const char *key;        /* both or neither */
    const char *allow;
    const char *record;     /* NULL: nothing is recorded */
    recorder_t recorder;
    errand_t *errands;
    size_t errand_count;
    muster_listener_t *listener;
    FILE *out;              /* stdout */
    int signals;            /* readable when a signal has come */
    int64_t deadline;       /* ms (clock_ms); INT64_MAX: none */
    end_t end;
    int64_t ending_since;   /* ms */
    uint64_t printed;
    bool deaf;              /* nobody reads stdout */
    bool broken;            /* stdout, the recording or the listener */
    bool undone;            /* a message could not be recorded or printed: it is never done */
} listen_t;

/*  --------------------------------------------------------------------------
    Events */

static void
send_errands (const listen_t *self, const char *source)
{
    const void *bytes;
    size_t size;
    for (size_t i = 0; i < self->errand_count; i++) {
        const errand_t *errand = &self->errands [i];
        if (strcmp (errand->source, source) != 0)
            continue;
        muster_error_t error = muster_writer_bytes (errand->data, &bytes, &size);
        if (!error)
            error = muster_listener_send_raw (self->listener, source, errand->cmd, bytes, size);
        if (error)
            say ("%s not sent to %s: %s", errand->cmd, source, muster_error_text (error));
    }
}

static int
on_event (const muster_message_t *event, void *argument)
{
    const char *source = "", *address = "", *reason = "";
    uint64_t count = 1;
    int others = 0;
    char times [60] = "";
    muster_message_unpack (event, "{s?:s, s?:s, s?:s, s?:U, s?:b}",
        "source", &source, "address", &address, "reason", &reason, "count", &count, "others", &others);
    const char *cmd = muster_message_cmd (event);
    if (count > 1)
        snprintf (times, sizeof times, " (%" PRIu64 " times%s)", count, others ? ", others among them" : "");
    say ("%s%s%s%s%s%s%s%s", cmd, *source ? " " : "", source, *address ? " from " : "", address,
        *reason ? ": " : "", reason, times);
    if (strcmp (cmd, MUSTER_EVENT_JOINED) == 0)
        send_errands (argument, source);
    return 0;
}

/*  --------------------------------------------------------------------------
    News: signals, the deadline, a message */

static void
begin_end (listen_t *self, end_t why)
{
    if (self->end != END_NOT_YET)
        return;
    self->end = why;
    self->ending_since = clock_ms ();
}

static void
complain (listen_t *self, const char *what)
{
    say ("%s", what);
    self->broken = true;
}

/*  What is wrong with the file leaves the list as it was. */
static void
read_allow_again (const listen_t *self)
{
    muster_error_t error = muster_listener_reload (self->listener);
    if (error)
        say ("the list stays as it was: %s", muster_listener_reason (self->listener));
    else
        say ("%s: read again", self->allow);
}

/*  A hangup is no reason to end. A listener that ends lets nobody in: its list is not read again. */
static void
take_signal (listen_t *self)
{
    struct signalfd_siginfo info;
    if (read (self->signals, &info, sizeof info) != sizeof info)
        return;
    if (info.ssi_signo != SIGHUP)
        begin_end (self, END_SIGNAL);
    else
    if (self->end == END_NOT_YET)
        read_allow_again (self);
}

/*  Wait for a message (by its descriptor, -1 for none), a signal or the deadline, so long at most. */
static void
wait_for_news (listen_t *self, int descriptor, int most_ms)
{
    struct pollfd items [] = { { .fd = self->signals, .events = POLLIN }, { .fd = descriptor, .events = POLLIN } };
    int64_t left = self->deadline - clock_ms ();
    if (left <= 0)
        begin_end (self, END_TIMEOUT);
    else
    if (poll (items, 2, left > most_ms ? most_ms : (int) left) < 0 && errno != EINTR)
        complain (self, strerror (errno));
    else
    if (items [0].revents)
        take_signal (self);
}

/*  --------------------------------------------------------------------------
    Messages */

/*  When it is to end, stdout that takes nothing for so long is not waited for. */
#define DEAF_MS 5000

/*  While stdout takes nothing. */
static bool
is_over (void *argument, int64_t stalled_ms)
{
    listen_t *self = argument;
    wait_for_news (self, -1, 0);
    self->deaf = self->end != END_NOT_YET && stalled_ms >= DEAF_MS && clock_ms () - self->ending_since >= DEAF_MS;
    return self->deaf;
}

/*  Where stderr is the same pipe nobody is to be told, and who tries waits for ever. */
static void
say_deaf (void)
{
    struct pollfd item = { .fd = STDERR_FILENO, .events = POLLOUT };
    if (poll (&item, 1, 0) <= 0)
        _exit (EXIT_FAILED);
    say ("stdout: nobody reads it; what was not printed is not handled");
}

static bool
print (listen_t *self, const muster_message_t *message)
{
    if (json_write_message (self->out, message) == MUSTER_OK && fflush (self->out) == 0)
        return true;
    if (self->deaf)
        say_deaf ();
    else
        say ("stdout: %s", strerror (errno));
    return false;
}

/*  Take one message, if there is one in time, and print it. False when the
    listener has none any more, or can give none. */
static bool
take_message (listen_t *self, int timeout_ms)
{
    muster_message_t *message;
    muster_error_t error = muster_listener_next (self->listener, &message, timeout_ms);
    if (error == MUSTER_TIMEOUT)
        return true;
    if (error) {
        if (error != MUSTER_CLOSED)
            complain (self, muster_error_text (error));
        return false;
    }
    if ((self->record && !recorder_add (&self->recorder, message)) || !print (self, message)) {
        self->broken = self->undone = true;
        return false;
    }
    self->printed++;
    muster_message_done (&message, 0);
    return true;
}

static bool
is_enough (const listen_t *self)
{
    return self->broken || (self->count > 0 && self->printed == self->count);
}

static void
take_messages (listen_t *self)
{
    int descriptor;
    muster_error_t error = muster_listener_descriptor (self->listener, &descriptor);
    if (error)
        complain (self, muster_error_text (error));
    self->deadline = self->timeout > 0 ? clock_ms () + (int64_t) (self->timeout * 1000) : INT64_MAX;
    while (!is_enough (self) && self->end == END_NOT_YET) {
        wait_for_news (self, descriptor, INT_MAX);
        if (!is_enough (self) && self->end == END_NOT_YET && !take_message (self, 0))
            begin_end (self, END_BROKEN);
    }
    if (is_enough (self))
        self->end = self->broken ? END_BROKEN : END_COUNT;
}

/*  --------------------------------------------------------------------------
    The end */

static void *
stop (void *argument)
{
    listen_t *self = argument;
    muster_listener_stop (self->listener, NULL);
    return NULL;
}

/*  Stop, and print what has arrived: it waits for whoever takes the messages. */
static void
drain (listen_t *self)
{
    pthread_t stopper;
    int problem = pthread_create (&stopper, NULL, stop, self);
    if (problem) {
        complain (self, strerror (problem));
        return;
    }
    while (!is_enough (self) && take_message (self, -1))
        continue;
    if (is_enough (self))
        muster_listener_set_drain (self->listener, 0);
    pthread_join (stopper, NULL);
}

/*  Who did not take a message does not drain either: its worker keeps it. */
static void
stop_at_once (listen_t *self)
{
    muster_listener_set_drain (self->listener, 0);
    muster_listener_stop (self->listener, NULL);
}

static void
report (listen_t *self)
{
    muster_stats_t stats = { 0 };
    muster_listener_stats (self->listener, &stats);
    say ("handled=%" PRIu64 " rejected=%" PRIu64 " dropped=%" PRIu64 " workers=%" PRIu64,
        stats.handled, stats.rejected, stats.dropped, stats.joined);
}

static int
listen_until_end (listen_t *self)
{
    take_messages (self);
    if (self->end == END_SIGNAL || self->end == END_TIMEOUT)
        drain (self);
    else
        stop_at_once (self);
    report (self);
    bool done = self->end == END_COUNT || self->end == END_SIGNAL;
    return done && !self->broken ? EXIT_DONE : EXIT_FAILED;
}

/*  --------------------------------------------------------------------------
    The beginning */

/*  Signals are blocked before there are other threads, which inherit that. One that nohup
    has set to be ignored would not come. */
static bool
take_signals (listen_t *self)
{
    sigset_t set;
    sigemptyset (&set);
    sigaddset (&set, SIGINT);
    sigaddset (&set, SIGTERM);
    if (self->allow)
        sigaddset (&set, SIGHUP);
    sigprocmask (SIG_BLOCK, &set, NULL);
    if (self->allow)
        signal (SIGHUP, SIG_DFL);
    self->signals = signalfd (-1, &set, SFD_CLOEXEC);
    if (self->signals < 0)
        say ("signals: %s", strerror (errno));
    return self->signals >= 0;
}

static bool
start (listen_t *self)
{
    self->listener = muster_listener_new (self->endpoint);
    if (!self->listener) {
        say ("out of memory");
        return false;
    }
    muster_listener_set_insecure (self->listener, self->insecure);
    muster_listener_set_key (self->listener, self->key);
    muster_listener_set_allow (self->listener, self->allow);
    muster_error_t error = muster_listener_register_system_handler (self->listener, on_event, self);
    if (!error)
        error = muster_listener_start (self->listener);
    if (error)
        say ("%s", muster_listener_reason (self->listener));
    return !error;
}

/*  Who tries again, where the port was taken say, may do so with the same name of a file. */
static bool
end_recording (listen_t *self, bool started)
{
    if (started)
        return recorder_close (&self->recorder);
    recorder_discard (&self->recorder);
    return true;
}

/*  With signals and stdout ready. */
static int
listen_and_record (listen_t *self)
{
    int code = EXIT_FAILED;
    if (self->record && !recorder_open (&self->recorder, self->record))
        return code;
    bool started = start (self);
    if (started) {
        say ("listening on %s", muster_listener_endpoint (self->listener));
        code = listen_until_end (self);
    }
    if (self->record && !end_recording (self, started))
        code = EXIT_FAILED;
    /*  A message that is done counts as handled, and a listener ends only when all are. The
        end of the process leaves it to its worker. */
    if (self->undone)
        _exit (code);
    muster_listener_destroy (&self->listener);
    return code;
}

static int
run (listen_t *self)
{
    int code = EXIT_FAILED;
    self->out = output_open (is_over, self);
    if (!self->out) {
        say ("out of memory");
        return code;
    }
    if (take_signals (self)) {
        code = listen_and_record (self);
        close (self->signals);
    }
    fclose (self->out);
    return code;
}

/*  --------------------------------------------------------------------------
    Options */

enum { OPTION_COUNT = 1, OPTION_TIMEOUT, OPTION_SEND, OPTION_RECORD, OPTION_INSECURE, OPTION_KEY, OPTION_ALLOW };

static const struct option options_known [] = {
    { "count", required_argument, NULL, OPTION_COUNT },
    { "timeout", required_argument, NULL, OPTION_TIMEOUT },
    { "send", required_argument, NULL, OPTION_SEND },
    { "record", required_argument, NULL, OPTION_RECORD },
    { "insecure", no_argument, NULL, OPTION_INSECURE },
    { "key", required_argument, NULL, OPTION_KEY },
    { "allow", required_argument, NULL, OPTION_ALLOW },
    OPTIONS_END,
};

/*  The value of --send, and the two arguments that follow it. */
static bool
take_errand (listen_t *self)
{
    if (self->argc - optind < 2)
        return say_wrong ("listen", "--send needs SOURCE CMD JSON");
    errand_t *errand = &self->errands [self->errand_count];
    errand->source = optarg;
    errand->cmd = self->argv [optind++];
    const char *json = self->argv [optind++];
    if (!options_name ("listen", "SOURCE of --send", errand->source)
        || !options_name ("listen", "CMD of --send", errand->cmd))
        return false;
    errand->data = options_data ("listen", json);
    self->errand_count += errand->data != NULL;
    return errand->data;
}

static bool
take_option (void *target, int option)
{
    listen_t *self = target;
    switch (option) {
        case OPTION_COUNT:
            return options_count (optarg, &self->count) || say_wrong ("listen", "--count needs a number, 1 or more");
        case OPTION_TIMEOUT:
            return options_timeout ("listen", optarg, &self->timeout);
        case OPTION_SEND:
            return take_errand (self);
        case OPTION_RECORD:
            return options_file ("listen", "--record", optarg, &self->record);
        case OPTION_KEY:
            return options_file ("listen", "--key", optarg, &self->key);
        case OPTION_ALLOW:
            return options_file ("listen", "--allow", optarg, &self->allow);
        default:
            self->insecure = true;
            return true;
    }
}

static int
listen_with_options (listen_t *self)
{
    static const options_t options = {
        .command = "listen", .help = help, .known = options_known, .take = take_option };
    int code;
    if (!options_read (&options, self->argc, self->argv, self, &code))
        return code;
    if (!options_endpoint ("listen", self->argc, self->argv, &self->endpoint)
        || !options_end ("listen", self->argc, self->argv))
        return EXIT_USAGE;
    if (!self->key != !self->allow)
        return say_usage ("listen", "--%s is missing: keys need both", self->key ? "allow" : "key");
    if (self->insecure && self->key)
        return say_usage ("listen", "--insecure is for a listener without keys: leave it out, or --key and --allow");
    return run (self);
}

int
listen_command (int argc, char **argv)
{
    listen_t self = { .argc = argc, .argv = argv, .errands = calloc ((size_t) argc, sizeof (errand_t)) };
    if (!self.errands) {
        say ("out of memory");
        return EXIT_FAILED;
    }
    int code = listen_with_options (&self);
    for (size_t i = 0; i < self.errand_count; i++)
        muster_writer_destroy (&self.errands [i].data);
    free (self.errands);
    return code;
}
