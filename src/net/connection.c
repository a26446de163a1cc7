/*  connection.c - the two sockets of a worker in one epoch

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "net/connection.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <zmq.h>

#include "base/alloc.h"
#include "base/process.h"
#include "model/endpoint.h"
#include "net/monitor.h"
#include "net/option.h"

/*  Descriptors that two sockets, their monitors and a connection each take. */
#define DESCRIPTORS 8
#define SIDES 2

typedef struct {
    void *socket;
    monitor_t *monitor;     /* NULL for inproc */
    bool up;
} side_t;

struct connection {
    uint32_t generation;
    side_t sides [SIDES];       /* PUSH, DEALER */
    connection_news_t state;    /* of both together */
    connection_news_t told;
};

static const option_t push_options [] = {
    { ZMQ_IMMEDIATE, 1 },
    { ZMQ_RECONNECT_IVL, -1 },
    { ZMQ_CONNECT_TIMEOUT, 5000 },
    { ZMQ_SNDHWM, 16 },
};

static const option_t dealer_options [] = {
    { ZMQ_IMMEDIATE, 1 },
    { ZMQ_RECONNECT_IVL, -1 },
    { ZMQ_CONNECT_TIMEOUT, 5000 },
    { ZMQ_RCVHWM, 1000 },
    { ZMQ_SNDHWM, 1000 },
};

#define COUNT(options) (sizeof (options) / sizeof (options) [0])

static muster_error_t
open_sides (connection_t *self, void *context, const void *routing_id, size_t routing_size)
{
    side_t *push = &self->sides [0];
    side_t *dealer = &self->sides [1];
    muster_error_t error = process_reserve (DESCRIPTORS, 0);
    if (!error)
        error = option_open (&push->socket, context, ZMQ_PUSH,
            push_options, COUNT (push_options), OPTION_SESSION_FRAME);
    if (!error)
        error = option_open (&dealer->socket, context, ZMQ_DEALER,
            dealer_options, COUNT (dealer_options), OPTION_SESSION_FRAME);
    if (!error && zmq_setsockopt (dealer->socket, ZMQ_ROUTING_ID, routing_id, routing_size) != 0)
        error = MUSTER_SYSTEM;
    return error;
}

static muster_error_t
parse (endpoint_t *endpoint, const char *text)
{
    char reason [REASON_ROOM];
    muster_error_t error = endpoint_parse (endpoint, text, reason);
    if (error)
        return error;
    bool star = endpoint->transport == ENDPOINT_TCP && strcmp (endpoint->host, "*") == 0;
    return star || endpoint->wildcard ? MUSTER_ENDPOINT : 0;
}

/*  ZeroMQ would resolve a name in the thread that all sockets share, and tell
    nobody that it does not resolve. */
static muster_error_t
connect_side (side_t *self, void *context, const endpoint_t *endpoint)
{
    char text [ENDPOINT_ROOM];
    bool ipv6 = endpoint->transport == ENDPOINT_TCP && strchr (endpoint->host, ':');
    muster_error_t error = option_ipv6 (self->socket, ipv6);
    if (!error && endpoint->transport != ENDPOINT_INPROC)
        error = monitor_open (&self->monitor, context, self->socket);
    if (!error && zmq_connect (self->socket, endpoint_text (endpoint, text)) != 0)
        error = option_error (errno);
    self->up = endpoint->transport == ENDPOINT_INPROC;
    return error;
}

static muster_error_t
connect_all (connection_t *self, void *context, endpoint_t endpoints [SIDES])
{
    char reason [REASON_ROOM];
    for (int i = 0; i < SIDES; i++) {
        if (endpoint_resolve (&endpoints [i], &endpoints [i], reason) != 0) {
            self->state = CONNECTION_DOWN;
            return 0;
        }
    }
    muster_error_t error = connect_side (&self->sides [1], context, &endpoints [1]);
    return error ? error : connect_side (&self->sides [0], context, &endpoints [0]);
}

muster_error_t
connection_open (connection_t **self_p, void *context,
    const char *endpoint, const char *return_endpoint, const void *routing_id, size_t routing_size)
{
    endpoint_t endpoints [SIDES];
    *self_p = NULL;
    muster_error_t error = parse (&endpoints [0], endpoint);
    if (!error)
        error = parse (&endpoints [1], return_endpoint);
    if (error)
        return error;
    connection_t *self = *self_p = alloc_zero (sizeof *self);
    if (!self)
        return MUSTER_NOMEM;
    self->generation = process_generation ();
    error = open_sides (self, context, routing_id, routing_size);
    if (!error)
        error = connect_all (self, context, endpoints);
    if (error)
        connection_destroy (self_p);
    return error;
}

static void
close_side (side_t *self)
{
    monitor_close (&self->monitor);
    if (self->socket)
        zmq_close (self->socket);
}

void
connection_destroy (connection_t **self_p)
{
    connection_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    bool here = self->generation == process_generation ();
    for (int i = 0; i < SIDES; i++) {
        if (here)
            close_side (&self->sides [i]);
        else
            monitor_abandon (&self->sides [i].monitor);
    }
    alloc_free (self);
}

void *
connection_push (connection_t *self)
{
    return self->sides [0].socket;
}

void *
connection_dealer (connection_t *self)
{
    return self->sides [1].socket;
}

void *
connection_monitor (connection_t *self, int index)
{
    monitor_t *monitor = self->sides [index].monitor;
    return monitor ? monitor_socket (monitor) : NULL;
}

/*  The states are in this order: a later one is for good. */
static void
move_to (connection_t *self, connection_news_t state)
{
    if (state > self->state)
        self->state = state;
}

static void
heed (connection_t *self, side_t *side, int event)
{
    switch (event) {
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
            side->up = true;
            break;
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
            move_to (self, CONNECTION_REFUSED);
            break;
        case ZMQ_EVENT_CLOSED:
        case ZMQ_EVENT_DISCONNECTED:
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
            move_to (self, CONNECTION_DOWN);
            break;
        default:
            break;
    }
}

connection_news_t
connection_watch (connection_t *self)
{
    for (int i = 0; i < SIDES; i++) {
        side_t *side = &self->sides [i];
        int event;
        while (side->monitor && (event = monitor_next (side->monitor)) != 0)
            heed (self, side, event);
    }
    if (self->sides [0].up && self->sides [1].up)
        move_to (self, CONNECTION_UP);
    if (self->state == self->told)
        return CONNECTION_NOTHING;
    self->told = self->state;
    return self->state;
}
