/*  observe.c - asking a running listener what it counts

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/observe.h>

#include <stdio.h>
#include <string.h>

#include <zmq.h>

#include "actor/flight.h"
#include "actor/identity.h"
#include "actor/monotonic.h"
#include "base/alloc.h"
#include "model/endpoint.h"
#include "net/connection.h"
#include "net/context.h"
#include "wire/frame.h"

_Static_assert (MUSTER_OBSERVE_REASON_ROOM == REASON_ROOM, "a reason may be cut");

/*  What is not answered is asked again, and what is not reached tried again, after so long. */
#define AGAIN_MS 200

/*  Handshakes that a listener has to end in a row before a probe asks why (connection.h). */
#define SHUT_OUT_MOST 2

typedef struct {
    char endpoint [ENDPOINT_ROOM];
    char return_endpoint [ENDPOINT_ROOM];
    bool keyed;
    keypair_t keys;
    char server [Z85_KEY + 1];
    void *context;
    connection_t *connection;
    muster_writer_t *writer;
    bool up;
    unsigned shut_out;
    int64_t now;
    int64_t again_at;
    uint8_t *map;               /* the answer */
    size_t size;
    char reason [REASON_ROOM];
} observe_t;

static muster_error_t
complain (observe_t *self, muster_error_t error, const char *what)
{
    snprintf (self->reason, sizeof self->reason, "%.400s: %.300s", self->endpoint, what);
    return error;
}

/*  --------------------------------------------------------------------------
    Connecting */

static muster_error_t
connect_anew (observe_t *self)
{
    struct { uint8_t mark; session_id_t luck; } id = { .mark = 'O' };
    connection_options_t options = {
        .endpoint = self->endpoint, .return_endpoint = self->return_endpoint,
        .routing_id = &id, .routing_size = sizeof id,
        .keys = self->keyed ? &self->keys : NULL, .server = self->server,
        .probe = self->shut_out >= SHUT_OUT_MOST, .now = self->now };
    connection_destroy (&self->connection);
    self->up = false;
    self->again_at = INT64_MAX;
    muster_error_t error = identity_new (&id.luck) ? connection_open (&self->connection, self->context, &options)
        : MUSTER_SYSTEM;
    return error ? complain (self, error, muster_error_text (error)) : 0;
}

static void
ask (observe_t *self)
{
    frame_t frame = { .kind = FRAME_OBSERVE, .observe = { .version = 1 } };
    flight_send_control (connection_dealer (self->connection), NULL, &frame, self->writer);
    self->again_at = self->now + AGAIN_MS;
}

static muster_error_t
heed_connection (observe_t *self)
{
    switch (connection_watch (self->connection, self->now)) {
        case CONNECTION_UP:
            self->up = true;
            self->shut_out = 0;
            ask (self);
            return 0;
        case CONNECTION_REFUSED:
            return complain (self, MUSTER_ACCESS, connection_reason (self->connection));
        case CONNECTION_SHUT_OUT:
            self->shut_out++;
            self->up = false;
            self->again_at = self->now + AGAIN_MS;
            return 0;
        case CONNECTION_DOWN:
            self->up = false;
            self->again_at = self->now + AGAIN_MS;
            return 0;
        default:
            return 0;
    }
}

/*  --------------------------------------------------------------------------
    The answer */

static muster_error_t
take_report (observe_t *self, const frame_report_t *report)
{
    self->map = alloc_new (report->size);
    if (!self->map)
        return complain (self, MUSTER_NOMEM, muster_error_text (MUSTER_NOMEM));
    memcpy (self->map, report->map, report->size);
    self->size = report->size;
    return 0;
}

/*  What is malformed, or nothing for an observer, is passed over. */
static muster_error_t
take_frame (observe_t *self, const uint8_t *bytes, size_t size)
{
    frame_t frame;
    const uint8_t *body;
    size_t body_size;
    uint8_t version;
    if (frame_read (bytes, size, &frame, &body, &body_size, &version) || version != PROTOCOL_VERSION)
        return 0;
    if (frame.kind == FRAME_REPORT)
        return take_report (self, &frame.report);
    if (frame.kind == FRAME_END)
        return complain (self, frame.end.error ? frame.end.error : MUSTER_CLOSED, frame.end.text);
    return 0;
}

static muster_error_t
take_answers (observe_t *self)
{
    muster_error_t error = 0;
    bool more = true;
    while (more && !error && !self->map) {
        zmq_msg_t msg;
        zmq_msg_init (&msg);
        more = zmq_msg_recv (&msg, connection_dealer (self->connection), ZMQ_DONTWAIT) >= 0;
        if (more)
            error = take_frame (self, zmq_msg_data (&msg), zmq_msg_size (&msg));
        zmq_msg_close (&msg);
    }
    return error;
}

/*  --------------------------------------------------------------------------
    Waiting for it */

static void
wait_for_news (const observe_t *self, int64_t deadline)
{
    zmq_pollitem_t items [1 + CONNECTION_MONITORS];
    int count = 0;
    items [count++] = (zmq_pollitem_t) { .socket = connection_dealer (self->connection), .events = ZMQ_POLLIN };
    for (int i = 0; i < CONNECTION_MONITORS; i++) {
        void *monitor = connection_monitor (self->connection, i);
        if (monitor)
            items [count++] = (zmq_pollitem_t) { .socket = monitor, .events = ZMQ_POLLIN };
    }
    int64_t until = self->again_at < deadline ? self->again_at : deadline;
    zmq_poll (items, count, until == INT64_MAX ? -1 : until > self->now ? (long) (until - self->now) : 0);
}

static muster_error_t
go_on (observe_t *self)
{
    muster_error_t error = heed_connection (self);
    if (!error)
        error = take_answers (self);
    if (error || self->map || self->now < self->again_at)
        return error;
    if (self->up)
        ask (self);
    else
        error = connect_anew (self);
    return error;
}

static muster_error_t
observe (observe_t *self, int64_t deadline)
{
    self->now = monotonic_ms ();
    muster_error_t error = connect_anew (self);
    while (!error && !self->map) {
        error = go_on (self);
        if (!error && !self->map && self->now >= deadline)
            return complain (self, MUSTER_TIMEOUT, self->up ? "the listener does not answer" : "nobody listens there");
        if (!error && !self->map)
            wait_for_news (self, deadline);
        self->now = monotonic_ms ();
    }
    return error;
}

/*  --------------------------------------------------------------------------
    From outside */

static muster_error_t
prepare (observe_t *self, const char *endpoint, const char *key, const char *server)
{
    endpoint_t there, back;
    muster_error_t error = endpoint_parse (&there, endpoint, self->reason);
    if (!error)
        error = endpoint_return (&there, &back, self->reason);
    if (!error)
        error = keyfile_load_client (key, server, &self->keyed, &self->keys, self->server, self->reason);
    if (error)
        return error;
    endpoint_text (&there, self->endpoint);
    endpoint_text (&back, self->return_endpoint);
    self->writer = muster_writer_new ();
    self->context = self->writer ? context_acquire () : NULL;
    if (!self->context)
        return complain (self, MUSTER_RESOURCE, muster_error_text (MUSTER_RESOURCE));
    return 0;
}

static void
clear (observe_t *self)
{
    connection_destroy (&self->connection);
    if (self->context)
        context_release (self->context);
    muster_writer_destroy (&self->writer);
    keyfile_wipe (&self->keys);
}

muster_error_t
muster_observe (const char *endpoint, const char *key, const char *server,
    int timeout_ms, void **map, size_t *size, char *reason, size_t reason_size)
{
    if (!endpoint || !map || !size)
        return MUSTER_INVAL;
    observe_t self = { .keyed = false };
    int64_t deadline = monotonic_deadline (timeout_ms);
    muster_error_t error = prepare (&self, endpoint, key, server);
    if (!error)
        error = observe (&self, deadline);
    clear (&self);
    *map = self.map;
    *size = self.size;
    if (reason && reason_size > 0)
        snprintf (reason, reason_size, "%s", error ? self.reason : "");
    return error;
}
