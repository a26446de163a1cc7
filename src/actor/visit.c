/*  visit.c - a connection to a listener without a session, to ask it something

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/visit.h"

#include <stdio.h>

#include "actor/flight.h"
#include "actor/identity.h"
#include "actor/monotonic.h"
#include "net/context.h"

/*  Handshakes that a listener has to end in a row before a probe asks why (connection.h). */
#define SHUT_OUT_MOST 2

muster_error_t
visit_complain (visit_t *self, muster_error_t error, const char *what)
{
    snprintf (self->reason, sizeof self->reason, "%.400s: %.300s", self->endpoint, what);
    return error;
}

/*  --------------------------------------------------------------------------
    Coming and going */

static muster_error_t
take_endpoints (visit_t *self, const char *endpoint, const char *return_endpoint)
{
    endpoint_t there, back;
    muster_error_t error = endpoint_parse (&there, endpoint, self->reason);
    if (!error)
        error = return_endpoint ? endpoint_parse (&back, return_endpoint, self->reason)
            : endpoint_return (&there, &back, self->reason);
    if (error)
        return error;
    endpoint_text (&there, self->endpoint);
    endpoint_text (&back, self->return_endpoint);
    return 0;
}

muster_error_t
visit_begin (visit_t *self, const char *endpoint, const char *return_endpoint, const char *key, const char *server)
{
    muster_error_t error = take_endpoints (self, endpoint, return_endpoint);
    if (!error)
        error = keyfile_load_client (key, server, &self->keyed, &self->keys, self->server, self->reason);
    if (error)
        return error;
    self->writer = muster_writer_new ();
    self->context = self->writer ? context_acquire () : NULL;
    return self->context ? 0 : visit_complain (self, MUSTER_RESOURCE, muster_error_text (MUSTER_RESOURCE));
}

void
visit_end (visit_t *self)
{
    connection_destroy (&self->connection);
    if (self->context)
        context_release (self->context);
    muster_writer_destroy (&self->writer);
    keyfile_wipe (&self->keys);
}

muster_error_t
visit_connect (visit_t *self)
{
    struct {
        uint8_t mark;
        session_id_t luck;
    } id = { .mark = 'O' };
    self->now = monotonic_ms ();
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
    return error ? visit_complain (self, error, muster_error_text (error)) : 0;
}

muster_error_t
visit_heed (visit_t *self)
{
    self->now = monotonic_ms ();
    switch (connection_watch (self->connection, self->now)) {
        case CONNECTION_UP:
            self->up = true;
            self->shut_out = 0;
            self->again_at = self->now;
            return 0;
        case CONNECTION_REFUSED:
            return visit_complain (self, MUSTER_ACCESS, connection_reason (self->connection));
        case CONNECTION_SHUT_OUT:
            self->shut_out++;
            self->up = false;
            self->again_at = self->now + VISIT_AGAIN_MS;
            return 0;
        case CONNECTION_DOWN:
            self->up = false;
            self->again_at = self->now + VISIT_AGAIN_MS;
            return 0;
        default:
            return 0;
    }
}

/*  --------------------------------------------------------------------------
    Asking */

void
visit_send (visit_t *self, const frame_t *frame)
{
    flight_send_control (connection_dealer (self->connection), NULL, frame, self->writer);
}

bool
visit_receive (visit_t *self, zmq_msg_t *msg)
{
    zmq_msg_init (msg);
    if (zmq_msg_recv (msg, connection_dealer (self->connection), ZMQ_DONTWAIT) >= 0)
        return true;
    zmq_msg_close (msg);
    return false;
}

void
visit_wait (const visit_t *self, int64_t until)
{
    zmq_pollitem_t items [1 + CONNECTION_MONITORS];
    int count = 0;
    items [count++] = (zmq_pollitem_t) { .socket = connection_dealer (self->connection), .events = ZMQ_POLLIN };
    for (int i = 0; i < CONNECTION_MONITORS; i++) {
        void *monitor = connection_monitor (self->connection, i);
        if (monitor)
            items [count++] = (zmq_pollitem_t) { .socket = monitor, .events = ZMQ_POLLIN };
    }
    zmq_poll (items, count, until == INT64_MAX ? -1 : until > self->now ? (long) (until - self->now) : 0);
}
