/*  probe.c - does what listens at an endpoint ask for keys?

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "net/probe.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <zmq.h>

#include "base/alloc.h"
#include "net/monitor.h"
#include "net/option.h"

/*  ZMTP 3 (RFC 23): a greeting is a signature, a version and the name of a mechanism,
    padded with zeroes. Whoever has read the other's version sends the rest of his own. */
#define SIGNATURE_SIZE 10
#define MECHANISM_AT 12
#define MECHANISM_SIZE 20
#define GREETING_SIZE (MECHANISM_AT + MECHANISM_SIZE)

static const uint8_t half_greeting [] = { 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3 };

/*  As many as are kept until they are looked at. */
#define PIECES_MOST 4

/*  One that is told not to reconnect drops what has arrived when its peer hangs up. */
#define NEVER_MS (24 * 3600 * 1000)

/*  The connection's name in the socket. */
static const char route [] = { 'P' };

struct probe {
    void *stream;
    monitor_t *monitor;
    uint8_t greeting [GREETING_SIZE];
    size_t size;
    bool ended;
    probe_answer_t answer;
};

/*  --------------------------------------------------------------------------
    Opening and closing */

static muster_error_t
open_stream (probe_t *self, void *context, const endpoint_t *endpoint)
{
    const option_t options [] = {
        { ZMQ_STREAM_NOTIFY, 0 },
        { ZMQ_RECONNECT_IVL, NEVER_MS },
        { ZMQ_CONNECT_TIMEOUT, 5000 },
        { ZMQ_RCVHWM, PIECES_MOST },
        { ZMQ_IPV6, endpoint->transport == ENDPOINT_TCP && strchr (endpoint->host, ':') },
    };
    muster_error_t error = option_open (&self->stream, context, ZMQ_STREAM,
        options, sizeof options / sizeof options [0], OPTION_SESSION_FRAME);
    if (!error && zmq_setsockopt (self->stream, ZMQ_CONNECT_ROUTING_ID, route, sizeof route) != 0)
        error = MUSTER_SYSTEM;
    return error;
}

/*  What is sent now goes out once there is a connection. */
static muster_error_t
connect_stream (probe_t *self, const endpoint_t *endpoint)
{
    char text [ENDPOINT_ROOM];
    if (zmq_connect (self->stream, endpoint_text (endpoint, text)) != 0)
        return option_error (errno);
    bool sent = zmq_send (self->stream, route, sizeof route, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0
        && zmq_send (self->stream, half_greeting, sizeof half_greeting, ZMQ_DONTWAIT) >= 0;
    return sent ? 0 : option_error (errno);
}

muster_error_t
probe_open (probe_t **self_p, void *context, const endpoint_t *endpoint)
{
    probe_t *self = *self_p = alloc_zero (sizeof *self);
    if (!self)
        return MUSTER_NOMEM;
    muster_error_t error = open_stream (self, context, endpoint);
    if (!error)
        error = monitor_open (&self->monitor, context, self->stream);
    if (!error)
        error = connect_stream (self, endpoint);
    if (error)
        probe_close (self_p);
    return error;
}

static void
hang_up (probe_t *self)
{
    monitor_close (&self->monitor);
    if (self->stream)
        zmq_close (self->stream);
    self->stream = NULL;
}

void
probe_close (probe_t **self_p)
{
    probe_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    hang_up (self);
    alloc_free (self);
}

void
probe_abandon (probe_t **self_p)
{
    probe_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    monitor_abandon (&self->monitor);
    alloc_free (self);
}

void *
probe_socket (probe_t *self, int index)
{
    if (!self->stream)
        return NULL;
    return index == 0 ? self->stream : monitor_socket (self->monitor);
}

/*  --------------------------------------------------------------------------
    The answer */

/*  What came last is in the stream before the monitor says that it was. */
static void
take_events (probe_t *self)
{
    int event, value;
    while ((event = monitor_next (self->monitor, &value)) != 0)
        if (event == ZMQ_EVENT_CLOSED || event == ZMQ_EVENT_DISCONNECTED)
            self->ended = true;
}

static void
keep (probe_t *self, const void *bytes, size_t size)
{
    size_t room = GREETING_SIZE - self->size;
    size = size < room ? size : room;
    memcpy (self->greeting + self->size, bytes, size);
    self->size += size;
}

/*  Bytes come in frames of two: the connection's name, and a piece. */
static void
take_bytes (probe_t *self)
{
    zmq_msg_t frame;
    zmq_msg_init (&frame);
    while (self->size < GREETING_SIZE && zmq_msg_recv (&frame, self->stream, ZMQ_DONTWAIT) >= 0)
        if (!zmq_msg_more (&frame))
            keep (self, zmq_msg_data (&frame), zmq_msg_size (&frame));
    zmq_msg_close (&frame);
}

static bool
has_mechanism (const probe_t *self, const char *name)
{
    char padded [MECHANISM_SIZE] = "";
    memcpy (padded, name, strlen (name));
    return self->greeting [0] == 0xff && (self->greeting [SIGNATURE_SIZE - 1] & 1)
        && memcmp (self->greeting + MECHANISM_AT, padded, sizeof padded) == 0;
}

static probe_answer_t
answer_of (const probe_t *self)
{
    if (self->size < GREETING_SIZE)
        return self->ended ? PROBE_NOTHING : PROBE_WAITING;
    return has_mechanism (self, "CURVE") ? PROBE_KEYS : has_mechanism (self, "NULL") ? PROBE_NO_KEYS : PROBE_NOTHING;
}

probe_answer_t
probe_watch (probe_t *self)
{
    if (self->answer != PROBE_WAITING)
        return self->answer;
    take_events (self);
    take_bytes (self);
    self->answer = answer_of (self);
    if (self->answer != PROBE_WAITING)
        hang_up (self);
    return self->answer;
}
