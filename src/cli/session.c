/*  session.c - muster send: as a worker

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <muster/worker.h>

#include "cli/bar.h"
#include "cli/feed.h"
#include "cli/json.h"
#include "cli/say.h"
#include "cli/send.h"
#include "cli/welcome.h"

typedef struct {
    const send_options_t *options;
    muster_worker_t *worker;
    atomic_bool broken;     /* a command could not be written */
    uint64_t unsent;        /* messages that the worker did not take */
    bar_t bar;
} session_t;

/*  --------------------------------------------------------------------------
    Commands. Their thread alone writes to stdout. */

static void
write_command (session_t *self, const muster_message_t *command)
{
    if (self->broken)
        return;
    if (json_write_message (stdout, command) != MUSTER_OK || fflush (stdout) != 0) {
        say ("stdout: %s", strerror (errno));
        self->broken = true;
    }
}

/*  Ends when the session has. Before the welcome there is no command. */
static void *
take_commands (void *argument)
{
    session_t *self = argument;
    const contact_t *contact = &self->options->contact;
    muster_message_t *command;
    welcome_await (self->worker, contact, contact->timeout > 0 ? NULL : SEND_LIMIT);
    while (muster_worker_recv (self->worker, &command, -1) == MUSTER_OK) {
        if (muster_message_position (command) == 0)
            say ("%s: another listener has the endpoint", contact->endpoint);
        else
            write_command (self, command);
        muster_message_done (&command, self->broken);
    }
    return NULL;
}

/*  --------------------------------------------------------------------------
    Messages */

static void
show_progress (const char *source, uint64_t position, uint64_t sent, uint64_t size, void *arg)
{
    (void) source, (void) position;
    bar_set (arg, sent, size);
}

static muster_error_t
send_one (void *target, const void *bytes, size_t size)
{
    session_t *self = target;
    muster_error_t error = muster_worker_send_raw (self->worker, self->options->cmd, bytes, size);
    self->unsent += error != MUSTER_OK;
    return error;
}

static const char *
reason (void *target)
{
    const session_t *self = target;
    return muster_worker_reason (self->worker);
}

/*  Why the session has ended; 0: it has not. */
static muster_error_t
why_over (const session_t *self)
{
    muster_error_t error = muster_worker_wait_for_listener (self->worker, 0);
    return error == MUSTER_TIMEOUT ? MUSTER_OK : error;
}

static bool
is_over (void *target)
{
    return why_over (target) != MUSTER_OK;
}

/*  A reason that this side has found says what to do, after a colon. The listener, which
    gave another, does not know what there is to be done here. */
static bool
complain (const session_t *self, muster_error_t error, uint64_t unconfirmed)
{
    const char *why = muster_worker_reason (self->worker);
    const char *advice = error == MUSTER_ACCESS && *why && !strchr (why, ':')
        ? ": have it enrolled for that, where the listener is (muster enrol)" : "";
    char count [40] = "";
    if (unconfirmed > 0)
        snprintf (count, sizeof count, "%" PRIu64 " not handled: ", unconfirmed);
    say ("%s: %s%s%s%s%s", self->options->contact.endpoint, count, muster_error_text (error), *why ? ", " : "", why, advice);
    return false;
}

/*  Wait until all are handled, then end the session. What flush could not do
    close need not wait for: its drain limit is 0. That all were handled is not enough
    for one who was about to send more. */
static bool
end_session (session_t *self, bool over)
{
    double timeout = self->options->contact.timeout;
    uint64_t unconfirmed;
    muster_error_t ended = over ? why_over (self) : MUSTER_OK;
    muster_error_t error = muster_worker_flush (self->worker, timeout > 0 ? (int) (timeout * 1000) : -1);
    muster_error_t close_error = muster_worker_close (self->worker, &unconfirmed);
    bar_end (&self->bar);
    if (!error)
        error = close_error;
    if (!error)
        error = ended;
    return !error || complain (self, error, unconfirmed + self->unsent);
}

/*  Unless there is a limit, for as long as it takes: what was sent would wait no longer than
    no-progress, and what stdin has may be more than a worker keeps. */
static void
await_listener (const session_t *self)
{
    if (self->options->contact.timeout <= 0)
        (void) muster_worker_wait_for_listener (self->worker, -1);
}

static bool
send_all (session_t *self)
{
    feed_t feed = { .send = send_one, .reason = reason, .is_over = is_over, .target = self };
    pthread_t taker;
    int error = pthread_create (&taker, NULL, take_commands, self);
    if (error) {
        say ("no thread for commands: %s", strerror (error));
        return false;
    }
    if (!self->options->data)
        await_listener (self);
    feed_result_t result = feed_run (&feed, self->options->data);
    if (self->options->data)
        await_listener (self);
    bool handled = end_session (self, result == FEED_OVER);
    pthread_join (taker, NULL);
    return result == FEED_SENT && handled && !self->broken;
}

static bool
start (session_t *self)
{
    double timeout = self->options->contact.timeout;
    muster_worker_set_drain (self->worker, 0);
    muster_worker_set_key (self->worker, self->options->contact.key);
    muster_worker_set_server (self->worker, self->options->contact.server);
    if (timeout > 0)
        muster_worker_set_no_progress (self->worker, timeout);
    bar_begin (&self->bar);
    if (bar_is_begun (&self->bar))
        muster_worker_set_progress (self->worker, show_progress, &self->bar);
    muster_error_t error = muster_worker_start (self->worker);
    if (error)
        say ("%s", muster_worker_reason (self->worker));
    return !error;
}

int
send_in_session (const send_options_t *options)
{
    session_t self = { .options = options };
    self.worker = muster_worker_new (options->contact.endpoint, options->source);
    if (!self.worker) {
        say ("out of memory");
        return EXIT_FAILED;
    }
    bool done = start (&self) && send_all (&self);
    muster_worker_destroy (&self.worker);
    bar_end (&self.bar);
    return done ? EXIT_DONE : EXIT_FAILED;
}
