/*  producer.c - the socket of a plain producer

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "net/producer.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <zmq.h>

#include "base/alloc.h"
#include "base/process.h"

#define RECONNECT_FIRST_MS 100
#define RECONNECT_MOST_MS 1000

#define EVENTS (ZMQ_EVENT_CONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_MONITOR_STOPPED)

struct producer {
    void *push;             /* NULL once finished */
    void *monitor;
    int descriptor;         /* of the connection; -1: there is none, or it is inproc */
};

/*  --------------------------------------------------------------------------
    Opening and closing */

static muster_error_t
error_of_zmq (void)
{
    switch (zmq_errno ()) {
        case EMFILE:
        case ENFILE: return MUSTER_RESOURCE;
        case ENOMEM: return MUSTER_NOMEM;
        case EINVAL:
        case EPROTONOSUPPORT:
        case ENOCOMPATPROTO:
        case ENODEV: return MUSTER_ENDPOINT;
        default: return MUSTER_SYSTEM;
    }
}

static bool
set_number (void *socket, int option, int value)
{
    return zmq_setsockopt (socket, option, &value, sizeof value) == 0;
}

static bool
set_options (void *push, int patience_ms)
{
    return set_number (push, ZMQ_LINGER, 0)
        && set_number (push, ZMQ_IPV6, 1)
        && set_number (push, ZMQ_TCP_KEEPALIVE, 1)
        && set_number (push, ZMQ_RECONNECT_IVL, RECONNECT_FIRST_MS)
        && set_number (push, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MOST_MS)
        && set_number (push, ZMQ_SNDTIMEO, patience_ms);
}

/*  The monitor's events are kept without limit: where they find no room,
    ZeroMQ's own thread waits. They are three for a connection. */
static bool
open_monitor (producer_t *self, void *context)
{
    char name [64];
    snprintf (name, sizeof name, "inproc://muster-producer-%p", (void *) self);
    self->monitor = zmq_socket (context, ZMQ_PAIR);
    return self->monitor
        && set_number (self->monitor, ZMQ_RCVHWM, 0)
        && set_number (self->monitor, ZMQ_LINGER, 0)
        && zmq_socket_monitor (self->push, name, EVENTS) == 0
        && zmq_connect (self->monitor, name) == 0;
}

muster_error_t
producer_open (producer_t **self_p, void *context, const char *endpoint, int patience_ms)
{
    producer_t *self = alloc_zero (sizeof *self);
    if (!self)
        return MUSTER_NOMEM;
    self->descriptor = -1;
    self->push = zmq_socket (context, ZMQ_PUSH);
    if (self->push && set_options (self->push, patience_ms)
    &&  open_monitor (self, context) && zmq_connect (self->push, endpoint) == 0) {
        *self_p = self;
        return 0;
    }
    muster_error_t error = error_of_zmq ();
    producer_destroy (&self);
    return error;
}

static void
set_descriptor (producer_t *self, int descriptor)
{
    if (self->descriptor >= 0)
        process_forget (self->descriptor);
    self->descriptor = descriptor;
    if (descriptor >= 0 && process_close_in_child (descriptor))
        self->descriptor = -1;
}

void
producer_destroy (producer_t **self_p)
{
    producer_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    set_descriptor (self, -1);
    if (self->push)
        zmq_close (self->push);
    if (self->monitor)
        zmq_close (self->monitor);
    alloc_free (self);
}

/*  --------------------------------------------------------------------------
    In use */

muster_error_t
producer_send (producer_t *self, const void *bytes, size_t size)
{
    while (zmq_send (self->push, bytes, size, 0) < 0) {
        if (zmq_errno () == EAGAIN)
            return MUSTER_TIMEOUT;
        if (zmq_errno () != EINTR)
            return error_of_zmq ();
    }
    return 0;
}

/*  Take an event's two frames: its number and value, and an address. False if
    there is none. */
static bool
take_event (producer_t *self, uint16_t *event, uint32_t *value)
{
    uint8_t frame [6];
    if (zmq_recv (self->monitor, frame, sizeof frame, ZMQ_DONTWAIT) != sizeof frame)
        return false;
    memcpy (event, frame, sizeof *event);
    memcpy (value, frame + sizeof *event, sizeof *value);
    zmq_recv (self->monitor, NULL, 0, ZMQ_DONTWAIT);
    return true;
}

producer_news_t
producer_watch (producer_t *self, int timeout_ms)
{
    zmq_pollitem_t item = { .socket = self->monitor, .events = ZMQ_POLLIN };
    uint16_t event;
    uint32_t value;
    if (zmq_poll (&item, 1, timeout_ms) <= 0 || !take_event (self, &event, &value))
        return PRODUCER_NOTHING;
    switch (event) {
        case ZMQ_EVENT_CONNECTED:
            set_descriptor (self, (int) value);
            return PRODUCER_NOTHING;
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
            return PRODUCER_UP;
        case ZMQ_EVENT_DISCONNECTED:
            set_descriptor (self, -1);
            return PRODUCER_DOWN;
        default:
            return PRODUCER_GONE;
    }
}

/*  A lingering socket takes what is left from its queue, writes once and closes,
    whether or not the kernel took all of that. The kernel does if its buffer
    has room, as it has when the descriptor is writable. */
static void
wait_for_room (const producer_t *self, int timeout_ms)
{
    struct pollfd item = { .fd = self->descriptor, .events = POLLOUT };
    if (self->descriptor >= 0)
        poll (&item, 1, timeout_ms);
}

void
producer_finish (producer_t *self, int linger_ms)
{
    wait_for_room (self, linger_ms);
    set_number (self->push, ZMQ_LINGER, linger_ms);
    zmq_close (self->push);
    self->push = NULL;
}
