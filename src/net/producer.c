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
#include "net/option.h"

#define EVENTS \
    (ZMQ_EVENT_CONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_MONITOR_STOPPED)

#define COUNT(options) (sizeof (options) / sizeof (options) [0])

struct producer {
    void *push;             /* NULL once finished */
    void *monitor;
    process_set_t *descriptors;
    int descriptor;         /* of the connection; -1: there is none */
    bool up;                /* hands were shaken: messages may be on their way */
};

/*  --------------------------------------------------------------------------
    Opening and closing */

static muster_error_t
open_push (producer_t *self, void *context, const endpoint_t *endpoint, int patience_ms)
{
    const option_t options [] = {
        { ZMQ_RECONNECT_IVL, 100 },
        { ZMQ_RECONNECT_IVL_MAX, 1000 },
        { ZMQ_SNDTIMEO, patience_ms },
        { ZMQ_IPV6, endpoint->transport == ENDPOINT_TCP && strchr (endpoint->host, ':') },
    };
    return option_open (&self->push, context, ZMQ_PUSH, options, COUNT (options), OPTION_SESSION_FRAME);
}

/*  The events are kept without limit: where they find no room, ZeroMQ's own
    thread waits. They are three for a connection. */
static muster_error_t
open_monitor (producer_t *self, void *context)
{
    static const option_t options [] = { { ZMQ_RCVHWM, 0 } };
    char name [64];
    snprintf (name, sizeof name, "inproc://producer-%p", self->push);
    muster_error_t error = option_open (&self->monitor, context, ZMQ_PAIR, options, 1, OPTION_SESSION_FRAME);
    if (!error && (zmq_socket_monitor (self->push, name, EVENTS) != 0 || zmq_connect (self->monitor, name) != 0))
        error = option_error (errno);
    return error;
}

muster_error_t
producer_open (producer_t **self_p, void *context, const endpoint_t *endpoint, int patience_ms)
{
    producer_t *self = *self_p = alloc_zero (sizeof *self);
    if (!self)
        return MUSTER_NOMEM;
    char text [ENDPOINT_ROOM];
    self->descriptor = -1;
    self->descriptors = process_set_new ();
    muster_error_t error = self->descriptors ? open_push (self, context, endpoint, patience_ms) : MUSTER_NOMEM;
    if (!error)
        error = open_monitor (self, context);
    if (!error && zmq_connect (self->push, endpoint_text (endpoint, text)) != 0)
        error = option_error (errno);
    if (error)
        producer_destroy (self_p);
    return error;
}

void
producer_abandon (producer_t **self_p)
{
    producer_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    process_set_destroy (&self->descriptors);
    alloc_free (self);
}

/*  The monitor ends before its reader: ZeroMQ's thread would wait for one. */
void
producer_destroy (producer_t **self_p)
{
    producer_t *self = *self_p;
    if (!self)
        return;
    if (self->push) {
        zmq_socket_monitor (self->push, NULL, 0);
        zmq_close (self->push);
    }
    if (self->monitor)
        zmq_close (self->monitor);
    producer_abandon (self_p);
}

/*  --------------------------------------------------------------------------
    In use */

muster_error_t
producer_send (producer_t *self, const void *bytes, size_t size)
{
    while (zmq_send (self->push, bytes, size, 0) < 0) {
        if (errno == EAGAIN)
            return MUSTER_TIMEOUT;
        if (errno != EINTR)
            return option_error (errno);
    }
    return 0;
}

/*  Take an event's two frames: its number and value, and an address. False if
    there is none. */
static bool
take_event (producer_t *self, uint16_t *event, uint32_t *value)
{
    uint8_t frame [sizeof *event + sizeof *value];
    if (zmq_recv (self->monitor, frame, sizeof frame, ZMQ_DONTWAIT) != sizeof frame)
        return false;
    memcpy (event, frame, sizeof *event);
    memcpy (value, frame + sizeof *event, sizeof *value);
    zmq_recv (self->monitor, NULL, 0, ZMQ_DONTWAIT);
    return true;
}

/*  A descriptor that cannot be remembered is let go: the worst is that a
    forked child holds a connection. */
static producer_news_t
news_of (producer_t *self, uint16_t event, int value)
{
    bool was_up = self->up;
    switch (event) {
        case ZMQ_EVENT_CONNECTED:
            self->descriptor = value;
            (void) process_set_add (self->descriptors, value);
            return PRODUCER_SHAKING;
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
            self->up = true;
            return PRODUCER_UP;
        case ZMQ_EVENT_DISCONNECTED:
            self->descriptor = -1;
            self->up = false;
            process_set_remove (self->descriptors, value);
            return was_up ? PRODUCER_DOWN : PRODUCER_SHAKING;
        default:
            return PRODUCER_GONE;
    }
}

producer_news_t
producer_watch (producer_t *self, int timeout_ms)
{
    zmq_pollitem_t item = { .socket = self->monitor, .events = ZMQ_POLLIN };
    uint16_t event;
    uint32_t value;
    if (timeout_ms != 0 && zmq_poll (&item, 1, timeout_ms) <= 0)
        return PRODUCER_NOTHING;
    return take_event (self, &event, &value) ? news_of (self, event, (int) value) : PRODUCER_NOTHING;
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
    zmq_setsockopt (self->push, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_close (self->push);
    self->push = NULL;
}
