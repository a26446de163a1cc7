/*  plain.c - a plain producer: messages out, without a session

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/plain.h>

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <muster/data.h>
#include <muster/message.h>

#include "actor/monotonic.h"
#include "base/alloc.h"
#include "base/process.h"
#include "model/endpoint.h"
#include "net/context.h"
#include "net/producer.h"
#include "wire/encode.h"
#include "wire/picture.h"
#include "wire/scan.h"

/*  What a socket, a probe and their monitors take. */
#define DESCRIPTORS 14

/*  A frame of so many bytes or fewer is written at once; of a larger one the
    connection may have taken a part when it broke. */
#define SIZE_AT_ONCE ((size_t) 64 * 1024)

/*  The socket's clock may be ahead of ours. */
#define CLOCK_SLACK_MS 10

/*  The longest patience, in seconds, whose milliseconds are an int. */
#define SECONDS_MOST 2e6

struct _muster_plain_t {
    uint32_t generation;        /* of the process that made it */
    char *endpoint;
    char *key_file;
    char *server_file;
    bool lost;                  /* there was no memory for one of these */
    int no_progress_ms;         /* -1: set to what cannot be */
    void *context;
    producer_t *producer;       /* NULL unless started and not closed */
    muster_writer_t *data;
    muster_writer_t *message;
    bool started;
    bool connected;             /* there was a connection */
    bool down;                  /* it is gone */
    bool broken;                /* so messages had to go by two, and may be lost between them */
    size_t last_size;           /* bytes of the last frame sent; 0: none was */
    char reason [REASON_ROOM];
};

static bool
is_foreign (const muster_plain_t *self)
{
    return self->generation != process_generation ();
}

/*  --------------------------------------------------------------------------
    Making and destroying */

static void
free_parts (muster_plain_t *self)
{
    muster_writer_destroy (&self->message);
    muster_writer_destroy (&self->data);
    alloc_free (self->endpoint);
    alloc_free (self->key_file);
    alloc_free (self->server_file);
    alloc_free (self);
}

muster_plain_t *
muster_plain_new (const char *endpoint)
{
    muster_plain_t *self = endpoint ? alloc_zero (sizeof *self) : NULL;
    if (!self)
        return NULL;
    self->generation = process_generation ();
    self->no_progress_ms = 30000;
    self->endpoint = alloc_text (endpoint);
    self->data = muster_writer_new ();
    self->message = muster_writer_new ();
    if (!self->endpoint || !self->data || !self->message) {
        free_parts (self);
        return NULL;
    }
    return self;
}

static void
end_producer (muster_plain_t *self)
{
    producer_destroy (&self->producer);
    context_release (self->context);
}

muster_error_t
muster_plain_destroy (muster_plain_t **self_p)
{
    if (!self_p || !*self_p)
        return 0;
    muster_plain_t *self = *self_p;
    *self_p = NULL;
    bool foreign = is_foreign (self);
    if (foreign)
        producer_abandon (&self->producer);
    else
    if (self->producer)
        end_producer (self);
    free_parts (self);
    return foreign ? MUSTER_FORKED : 0;
}

void
muster_plain_set_no_progress (muster_plain_t *self, double seconds)
{
    self->no_progress_ms = seconds >= 0 && seconds <= SECONDS_MOST ? (int) (seconds * 1000) : -1;
}

static void
set_text (muster_plain_t *self, char **option, const char *text)
{
    if (!alloc_option (option, text))
        self->lost = true;
}

void
muster_plain_set_key (muster_plain_t *self, const char *file)
{
    set_text (self, &self->key_file, file);
}

void
muster_plain_set_server (muster_plain_t *self, const char *file)
{
    set_text (self, &self->server_file, file);
}

/*  --------------------------------------------------------------------------
    Start */

static muster_error_t
refuse (muster_plain_t *self, muster_error_t error, const char *text)
{
    snprintf (self->reason, sizeof self->reason, "%s: %s", self->endpoint, text);
    return error;
}

static muster_error_t
settle_endpoint (muster_plain_t *self, endpoint_t *endpoint)
{
    muster_error_t error = endpoint_parse (endpoint, self->endpoint, self->reason);
    if (error)
        return error;
    if (endpoint->transport == ENDPOINT_INPROC)
        return refuse (self, MUSTER_ENDPOINT, "a plain producer connects by tcp or ipc");
    if (endpoint->wildcard)
        return refuse (self, MUSTER_ENDPOINT, "a producer needs the listener's port or path, not a wildcard");
    return endpoint_resolve (endpoint, endpoint, self->reason);
}

static muster_error_t
open_producer (muster_plain_t *self, const endpoint_t *endpoint, const keypair_t *keys, const char *server)
{
    muster_error_t error = process_reserve (DESCRIPTORS, 0);
    if (!error) {
        self->context = context_acquire ();
        error = self->context ? 0 : MUSTER_RESOURCE;
    }
    if (!error) {
        error = producer_open (&self->producer, self->context, endpoint, keys, server);
        if (error)
            context_release (self->context);
    }
    return error ? refuse (self, error, muster_error_text (error)) : 0;
}

static muster_error_t
open_with_keys (muster_plain_t *self, const endpoint_t *endpoint)
{
    bool keyed;
    keypair_t keys;
    char server [Z85_KEY + 1];
    muster_error_t error = keyfile_load_client (self->key_file, self->server_file, &keyed, &keys, server, self->reason);
    if (error)
        return error;
    error = open_producer (self, endpoint, keyed ? &keys : NULL, server);
    keyfile_wipe (&keys);
    return error;
}

static muster_error_t
start (muster_plain_t *self)
{
    endpoint_t endpoint;
    self->reason [0] = 0;
    if (self->lost)
        return refuse (self, MUSTER_NOMEM, "out of memory when an option was set");
    if (self->no_progress_ms < 0)
        return refuse (self, MUSTER_INVAL, "no_progress must be from 0 to 2e6 seconds");
    muster_error_t error = settle_endpoint (self, &endpoint);
    return error ? error : open_with_keys (self, &endpoint);
}

muster_error_t
muster_plain_start (muster_plain_t *self)
{
    if (!self)
        return MUSTER_INVAL;
    if (is_foreign (self))
        return MUSTER_FORKED;
    if (self->started)
        return MUSTER_BUSY;
    muster_error_t error = start (self);
    self->started = error == 0;
    return error;
}

const char *
muster_plain_reason (const muster_plain_t *self)
{
    return self ? self->reason : "";
}

/*  --------------------------------------------------------------------------
    How the connection fares */

static producer_news_t
take_news (muster_plain_t *self)
{
    producer_news_t news = producer_next (self->producer);
    if (news == PRODUCER_UP) {
        self->broken = self->broken || (self->down && self->last_size > 0);
        self->connected = true;
        self->down = false;
    }
    else
    if (news == PRODUCER_DOWN)
        self->down = true;
    return news;
}

static muster_error_t
refusal (muster_plain_t *self)
{
    const char *reason;
    muster_error_t error = producer_refusal (self->producer, &reason);
    return error ? refuse (self, error, reason) : 0;
}

/*  Take all news. Returns why the producer was refused. */
static muster_error_t
heed (muster_plain_t *self)
{
    while (take_news (self) != PRODUCER_NOTHING)
        continue;
    return refusal (self);
}

/*  Wait for news, or for room too. False when the deadline has passed. */
static bool
wait_until (muster_plain_t *self, bool for_room, int64_t deadline)
{
    int64_t left = deadline - monotonic_ms ();
    if (left <= 0)
        return false;
    producer_wait (self->producer, for_room, deadline == INT64_MAX || left > INT_MAX ? -1 : (int) left);
    return true;
}

static muster_error_t
check_open (const muster_plain_t *self)
{
    return is_foreign (self) ? MUSTER_FORKED : self->producer ? 0 : MUSTER_CLOSED;
}

muster_error_t
muster_plain_check (muster_plain_t *self)
{
    if (!self)
        return MUSTER_INVAL;
    muster_error_t error = check_open (self);
    return error ? error : heed (self);
}

muster_error_t
muster_plain_wait_for_listener (muster_plain_t *self, int timeout_ms)
{
    if (!self)
        return MUSTER_INVAL;
    int64_t deadline = monotonic_deadline (timeout_ms);
    muster_error_t error = check_open (self);
    if (!error)
        error = heed (self);
    while (!error && (!self->connected || self->down)) {
        if (!wait_until (self, false, deadline))
            return MUSTER_TIMEOUT;
        error = heed (self);
    }
    return error;
}

/*  --------------------------------------------------------------------------
    Sending */

static muster_error_t
check_message (const char *source, const char *cmd, const void *bytes, size_t size)
{
    if (!scan_name (source, strlen (source)) || !scan_name (cmd, strlen (cmd)))
        return MUSTER_INVAL;
    scan_limits_t limits = { .depth = MUSTER_DEPTH_MAX };
    switch (scan_data (bytes, size, &limits)) {
        case MUSTER_REFUSAL_NONE: return 0;
        case MUSTER_REFUSAL_SIZE: return MUSTER_TOOBIG;
        case MUSTER_REFUSAL_MEMORY: return MUSTER_NOMEM;
        default: return MUSTER_FORMAT;
    }
}

static muster_error_t
send_frame (muster_plain_t *self, const void *bytes, size_t size)
{
    int64_t deadline = monotonic_deadline (self->no_progress_ms);
    muster_error_t error;
    do {
        error = heed (self);
        if (!error)
            error = producer_send (self->producer, bytes, size);
    }
    while (error == MUSTER_AGAIN && wait_until (self, true, deadline));
    if (!error)
        self->last_size = size;
    return error == MUSTER_AGAIN ? MUSTER_TIMEOUT : error;
}

static muster_error_t
send_message (muster_plain_t *self, const char *source, const char *cmd, const void *data, size_t size)
{
    muster_error_t error = check_open (self);
    if (!error)
        error = check_message (source, cmd, data, size);
    if (error)
        return error;
    const void *bytes;
    muster_writer_clear (self->message);
    encode_plain (self->message, source, cmd, data, size);
    error = muster_writer_bytes (self->message, &bytes, &size);
    return error ? error : send_frame (self, bytes, size);
}

muster_error_t
muster_plain_send_raw (muster_plain_t *self, const char *source, const char *cmd, const void *bytes, size_t size)
{
    if (!self || !source || !cmd || !bytes)
        return MUSTER_INVAL;
    return send_message (self, source, cmd, bytes, size);
}

muster_error_t
muster_plain_send (muster_plain_t *self, const char *source, const char *cmd, const char *picture, ...)
{
    if (!self || !source || !cmd)
        return MUSTER_INVAL;
    const void *bytes;
    size_t size;
    va_list arguments;
    va_start (arguments, picture);
    muster_writer_clear (self->data);
    muster_error_t error = picture_pack (self->data, picture, arguments);
    va_end (arguments);
    if (!error)
        error = muster_writer_bytes (self->data, &bytes, &size);
    return error ? error : send_message (self, source, cmd, bytes, size);
}

/*  --------------------------------------------------------------------------
    Closing */

/*  How long the socket may linger: a little beyond the deadline, so that what
    is gone before that had written all. */
static int
linger_until (int64_t deadline)
{
    int64_t left = deadline - monotonic_ms ();
    if (deadline == INT64_MAX || left > INT_MAX - CLOCK_SLACK_MS)
        return -1;
    return (left > 0 ? (int) left : 0) + CLOCK_SLACK_MS;
}

/*  A socket that lingers cannot be told to give up before its time, as one that was refused
    should. So what was sent waits here for a connection. */
static muster_error_t
wait_until_connected (muster_plain_t *self, int64_t deadline)
{
    muster_error_t error = heed (self);
    while (!error && !self->connected && self->last_size > 0) {
        if (!wait_until (self, false, deadline))
            return MUSTER_TIMEOUT;
        error = heed (self);
    }
    return error;
}

static bool
wait_until_read (muster_plain_t *self, int64_t deadline)
{
    const struct timespec pause = { .tv_nsec = 1000000 };
    bool read;
    while (!(read = producer_is_read (self->producer)) && monotonic_ms () < deadline)
        nanosleep (&pause, NULL);
    return read;
}

/*  A socket that is gone in time had handed all to a connection. If that is
    down nevertheless, its peer may just have ended first. */
static muster_error_t
wait_until_gone (muster_plain_t *self, int64_t deadline)
{
    producer_news_t news;
    while ((news = take_news (self)) != PRODUCER_GONE)
        if (news == PRODUCER_NOTHING)
            producer_wait (self->producer, false, -1);
    muster_error_t error = refusal (self);
    if (error)
        return error;
    if (monotonic_ms () >= deadline || !wait_until_read (self, deadline))
        return MUSTER_TIMEOUT;
    bool in_part = self->down && self->last_size > SIZE_AT_ONCE;
    return self->broken || in_part ? MUSTER_LOST : 0;
}

static muster_error_t
finish (muster_plain_t *self, int64_t deadline)
{
    muster_error_t error = wait_until_connected (self, deadline);
    if (error)
        return error;
    producer_finish (self->producer, linger_until (deadline));
    return wait_until_gone (self, deadline);
}

muster_error_t
muster_plain_close (muster_plain_t *self, int timeout_ms)
{
    if (!self)
        return MUSTER_INVAL;
    if (is_foreign (self))
        return MUSTER_FORKED;
    if (!self->producer)
        return 0;
    muster_error_t error = finish (self, monotonic_deadline (timeout_ms));
    end_producer (self);
    return error;
}
