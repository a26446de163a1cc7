/*  plain.c - muster send --plain: as a plain producer

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/plain.h>

#include "cli/feed.h"
#include "cli/say.h"
#include "cli/send.h"
#include "cli/welcome.h"

#define TIMEOUT_SECONDS 30

typedef struct {
    const send_options_t *options;
    muster_plain_t *producer;
    double timeout;         /* seconds */
    double waited;          /* of them, for a listener */
} plain_t;

static muster_error_t
send_one (void *target, const void *bytes, size_t size)
{
    const plain_t *self = target;
    return muster_plain_send_raw (self->producer, self->options->source, self->options->cmd, bytes, size);
}

static const char *
reason (void *target)
{
    const plain_t *self = target;
    return muster_plain_reason (self->producer);
}

static bool
is_over (void *target)
{
    const plain_t *self = target;
    return muster_plain_check (self->producer) != MUSTER_OK;
}

/*  said: that something is wrong was said, and why. */
static bool
end (const plain_t *self, bool said)
{
    muster_error_t error = muster_plain_close (self->producer, (int) ((self->timeout - self->waited) * 1000));
    const char *why = muster_plain_reason (self->producer);
    if (error == MUSTER_TIMEOUT)
        say ("%s: no listener took all within %g seconds", self->options->contact.endpoint, self->timeout);
    else
    if (error == MUSTER_LOST)
        say ("%s: the connection broke: messages may be lost", self->options->contact.endpoint);
    else
    if (error && !said)
        say ("%s", *why ? why : muster_error_text (error));
    return !error;
}

/*  Wait a while for a connection, and say so if none comes. Returns why there will never be one. */
static muster_error_t
await_connection (plain_t *self)
{
    const contact_t *contact = &self->options->contact;
    double silence = WELCOME_SILENCE_MS / 1000.0;
    double wait = self->timeout < silence ? self->timeout : silence;
    muster_error_t error = muster_plain_wait_for_listener (self->producer, (int) (wait * 1000));
    if (error != MUSTER_TIMEOUT)
        return error;
    self->waited = wait;
    if (self->timeout > wait)
        welcome_say (contact, contact->timeout > 0 ? NULL : SEND_LIMIT);
    return 0;
}

static bool
send_all (plain_t *self)
{
    double timeout = self->options->contact.timeout;
    feed_t feed = { .send = send_one, .reason = reason, .is_over = is_over, .target = self };
    self->timeout = timeout > 0 ? timeout : TIMEOUT_SECONDS;
    muster_plain_set_key (self->producer, self->options->contact.key);
    muster_plain_set_server (self->producer, self->options->contact.server);
    muster_plain_set_no_progress (self->producer, self->timeout);
    if (muster_plain_start (self->producer) || await_connection (self)) {
        say ("%s", muster_plain_reason (self->producer));
        return false;
    }
    feed_result_t result = feed_run (&feed, self->options->data);
    return end (self, result == FEED_FAILED) && result == FEED_SENT;
}

int
send_plain (const send_options_t *options)
{
    plain_t self = { .options = options };
    self.producer = muster_plain_new (options->contact.endpoint);
    if (!self.producer) {
        say ("out of memory");
        return EXIT_FAILED;
    }
    bool done = send_all (&self);
    muster_plain_destroy (&self.producer);
    return done ? EXIT_DONE : EXIT_FAILED;
}
