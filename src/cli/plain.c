/*  plain.c - muster send --plain: as a plain producer

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/plain.h>

#include "cli/feed.h"
#include "cli/say.h"
#include "cli/send.h"

#define TIMEOUT_SECONDS 30

typedef struct {
    const send_options_t *options;
    muster_plain_t *producer;
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
end (const plain_t *self, double timeout, bool said)
{
    muster_error_t error = muster_plain_close (self->producer, (int) (timeout * 1000));
    const char *why = muster_plain_reason (self->producer);
    if (error == MUSTER_TIMEOUT)
        say ("%s: no listener took all within %g seconds", self->options->contact.endpoint, timeout);
    else
    if (error == MUSTER_LOST)
        say ("%s: the connection broke: messages may be lost", self->options->contact.endpoint);
    else
    if (error && !said)
        say ("%s", *why ? why : muster_error_text (error));
    return !error;
}

static bool
send_all (plain_t *self)
{
    double timeout = self->options->contact.timeout > 0 ? self->options->contact.timeout : TIMEOUT_SECONDS;
    feed_t feed = { .send = send_one, .reason = reason, .is_over = is_over, .target = self };
    muster_plain_set_key (self->producer, self->options->contact.key);
    muster_plain_set_server (self->producer, self->options->contact.server);
    muster_plain_set_no_progress (self->producer, timeout);
    if (muster_plain_start (self->producer)) {
        say ("%s", muster_plain_reason (self->producer));
        return false;
    }
    feed_result_t result = feed_run (&feed, self->options->data);
    return end (self, timeout, result == FEED_FAILED) && result == FEED_SENT;
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
