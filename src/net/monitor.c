/*  monitor.c - what happens to the connections of one socket

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "net/monitor.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <zmq.h>

#include "base/alloc.h"
#include "base/process.h"
#include "net/option.h"

#define EVENTS \
    (ZMQ_EVENT_LISTENING | ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED \
        | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL \
        | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_MONITOR_STOPPED)

/*  Bytes of an event: its number and its value, in the host's order. */
#define EVENT_SIZE (sizeof (uint16_t) + sizeof (uint32_t))

struct monitor {
    void *monitored;        /* NULL once somebody else closes it */
    void *reader;
    process_set_t *descriptors;
};

/*  An address stays taken for a moment after its monitor ended, and memory
    may be used again sooner: then the next number is tried. */
static muster_error_t
listen_to (monitor_t *self, char *address, size_t room)
{
    for (unsigned number = 0;; number++) {
        snprintf (address, room, "inproc://monitor-%p-%u", (void *) self, number);
        if (zmq_socket_monitor (self->monitored, address, EVENTS) == 0)
            return 0;
        if (errno != EADDRINUSE)
            return option_error (errno);
    }
}

/*  Without a high-water mark: ZeroMQ's thread would wait for us at one. */
static muster_error_t
open_reader (monitor_t *self, void *context)
{
    static const option_t options [] = { { ZMQ_RCVHWM, 0 } };
    return option_open (&self->reader, context, ZMQ_PAIR, options, 1, OPTION_SESSION_FRAME);
}

muster_error_t
monitor_open (monitor_t **self_p, void *context, void *socket)
{
    monitor_t *self = alloc_zero (sizeof *self);
    *self_p = self;
    if (!self)
        return MUSTER_NOMEM;
    self->monitored = socket;
    self->descriptors = process_set_new ();
    char address [64];
    muster_error_t error = self->descriptors ? open_reader (self, context) : MUSTER_NOMEM;
    if (!error)
        error = listen_to (self, address, sizeof address);
    if (!error && zmq_connect (self->reader, address) != 0)
        error = option_error (errno);
    if (error)
        monitor_close (self_p);
    return error;
}

/*  The monitor ends before its reader: ZeroMQ's thread would wait for one. */
void
monitor_close (monitor_t **self_p)
{
    monitor_t *self = *self_p;
    if (!self)
        return;
    if (self->monitored)
        zmq_socket_monitor (self->monitored, NULL, 0);
    if (self->reader)
        zmq_close (self->reader);
    monitor_abandon (self_p);
}

void
monitor_outlive (monitor_t *self)
{
    self->monitored = NULL;
}

void
monitor_abandon (monitor_t **self_p)
{
    monitor_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    process_set_destroy (&self->descriptors);
    alloc_free (self);
}

void *
monitor_socket (monitor_t *self)
{
    return self->reader;
}

static bool
receive (void *socket, zmq_msg_t *message)
{
    int rc;
    do
        rc = zmq_msg_recv (message, socket, ZMQ_DONTWAIT);
    while (rc < 0 && errno == EINTR);
    return rc >= 0;
}

/*  Take an event's two frames; the second is its address. */
static int
take_event (void *reader, int *value)
{
    zmq_msg_t frame;
    zmq_msg_init (&frame);
    uint16_t event = 0;
    uint32_t number = 0;
    if (receive (reader, &frame) && zmq_msg_size (&frame) == EVENT_SIZE) {
        memcpy (&event, zmq_msg_data (&frame), sizeof event);
        memcpy (&number, (const uint8_t *) zmq_msg_data (&frame) + sizeof event, sizeof number);
    }
    while (zmq_msg_more (&frame) && receive (reader, &frame))
        continue;
    zmq_msg_close (&frame);
    *value = (int) number;
    return event;
}

/*  A descriptor that cannot be remembered (closed already, no memory) is let go:
    the worst is that a forked child holds a connection. */
int
monitor_next (monitor_t *self, int *value)
{
    int event = take_event (self->reader, value);
    if (event == ZMQ_EVENT_LISTENING || event == ZMQ_EVENT_ACCEPTED || event == ZMQ_EVENT_CONNECTED)
        (void) process_set_add (self->descriptors, *value);
    if (event == ZMQ_EVENT_CLOSED || event == ZMQ_EVENT_DISCONNECTED)
        process_set_remove (self->descriptors, *value);
    return event;
}
