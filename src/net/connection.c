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
#include "net/admission.h"
#include "net/monitor.h"
#include "net/option.h"
#include "net/probe.h"
#include "net/secure.h"

/*  Descriptors that three sockets, their monitors and a connection each take. */
#define DESCRIPTORS 12

enum { SIDE_PUSH, SIDE_DEALER, SIDES };

typedef struct {
    void *socket;
    monitor_t *monitor;     /* NULL for inproc */
    bool connected;         /* the handshake has begun */
    bool up;
} side_t;

struct connection {
    uint32_t generation;
    bool keyed;
    int64_t since;              /* ms: when it was opened, */
    int64_t now;                /* and looked at last */
    side_t sides [SIDES];
    probe_t *probe;             /* NULL: not asked for */
    connection_news_t state;    /* of both sides together */
    connection_news_t told;
    const char *reason;
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
open_sides (connection_t *self, void *context, const connection_options_t *options)
{
    side_t *push = &self->sides [SIDE_PUSH];
    side_t *dealer = &self->sides [SIDE_DEALER];
    muster_error_t error = process_reserve (DESCRIPTORS, 0);
    if (!error)
        error = option_open (&push->socket, context, ZMQ_PUSH,
            push_options, COUNT (push_options), OPTION_SESSION_FRAME);
    if (!error)
        error = option_open (&dealer->socket, context, ZMQ_DEALER,
            dealer_options, COUNT (dealer_options), OPTION_SESSION_FRAME);
    if (!error && zmq_setsockopt (dealer->socket, ZMQ_ROUTING_ID, options->routing_id, options->routing_size) != 0)
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
connect_side (side_t *self, void *context, const endpoint_t *endpoint, const keypair_t *keys, const char *server)
{
    char text [ENDPOINT_ROOM];
    bool ipv6 = endpoint->transport == ENDPOINT_TCP && strchr (endpoint->host, ':');
    muster_error_t error = option_ipv6 (self->socket, ipv6);
    if (!error && keys && endpoint->transport != ENDPOINT_INPROC)
        error = secure_connect (self->socket, keys, server);
    if (!error && endpoint->transport != ENDPOINT_INPROC)
        error = monitor_open (&self->monitor, context, self->socket);
    if (!error && zmq_connect (self->socket, endpoint_text (endpoint, text)) != 0)
        error = option_error (errno);
    self->up = endpoint->transport == ENDPOINT_INPROC;
    return error;
}

static muster_error_t
connect_all (connection_t *self, void *context, endpoint_t endpoints [SIDES], const connection_options_t *options)
{
    char reason [REASON_ROOM];
    for (int i = 0; i < SIDES; i++) {
        if (endpoint_resolve (&endpoints [i], &endpoints [i], reason) != 0) {
            self->state = CONNECTION_DOWN;
            return 0;
        }
    }
    /*  The probe is to have its answer before the others come to their ends. */
    muster_error_t error = 0;
    if (options->probe && endpoints [SIDE_DEALER].transport != ENDPOINT_INPROC)
        error = probe_open (&self->probe, context, &endpoints [SIDE_DEALER]);
    for (int i = SIDES - 1; i >= 0 && !error; i--)
        error = connect_side (&self->sides [i], context, &endpoints [i], options->keys, options->server);
    return error;
}

muster_error_t
connection_open (connection_t **self_p, void *context, const connection_options_t *options)
{
    endpoint_t endpoints [SIDES];
    *self_p = NULL;
    muster_error_t error = parse (&endpoints [SIDE_PUSH], options->endpoint);
    if (!error)
        error = parse (&endpoints [SIDE_DEALER], options->return_endpoint);
    if (error)
        return error;
    connection_t *self = *self_p = alloc_zero (sizeof *self);
    if (!self)
        return MUSTER_NOMEM;
    self->generation = process_generation ();
    self->keyed = options->keys != NULL;
    self->since = options->now;
    self->reason = "";
    error = open_sides (self, context, options);
    if (!error)
        error = connect_all (self, context, endpoints, options);
    if (error)
        connection_destroy (self_p);
    return error;
}

static void
close_side (side_t *self)
{
    monitor_close (&self->monitor);
    if (!self->socket)
        return;
    secure_forget (self->socket);
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
    if (here)
        probe_close (&self->probe);
    else
        probe_abandon (&self->probe);
    alloc_free (self);
}

void *
connection_push (connection_t *self)
{
    return self->sides [SIDE_PUSH].socket;
}

void *
connection_dealer (connection_t *self)
{
    return self->sides [SIDE_DEALER].socket;
}

void *
connection_monitor (connection_t *self, int index)
{
    if (index >= SIDES)
        return self->probe ? probe_socket (self->probe, index - SIDES) : NULL;
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
refuse (connection_t *self, const char *reason)
{
    if (self->state != CONNECTION_REFUSED)
        self->reason = reason;
    move_to (self, CONNECTION_REFUSED);
}

/*  The listener hung up in the handshake; with a key there is no other end of one that
    another listener's key could not explain. A listener that is too busy for a handshake
    lets it time out. */
static bool
is_shut_out (const connection_t *self, const side_t *side, int event)
{
    return side->connected && !side->up && self->now - self->since < HANDSHAKE_MS / 2
        && (self->keyed || event == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL);
}

static void
heed_failure (connection_t *self, const side_t *side, int event, int value)
{
    const char *why = admission_event (event, value, self->keyed);
    if (why)
        refuse (self, why);
    else
        move_to (self, is_shut_out (self, side, event) ? CONNECTION_SHUT_OUT : CONNECTION_DOWN);
}

static void
heed (connection_t *self, side_t *side, int event, int value)
{
    switch (event) {
        case ZMQ_EVENT_CONNECTED:
            side->connected = true;
            break;
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
            side->up = true;
            break;
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
            heed_failure (self, side, event, value);
            break;
        case ZMQ_EVENT_CLOSED:
        case ZMQ_EVENT_DISCONNECTED:
            move_to (self, CONNECTION_DOWN);
            break;
        default:
            break;
    }
}

static void
take_events (connection_t *self)
{
    for (int i = 0; i < SIDES; i++) {
        side_t *side = &self->sides [i];
        int event, value;
        while (side->monitor && (event = monitor_next (side->monitor, &value)) != 0)
            heed (self, side, event, value);
    }
}

connection_news_t
connection_watch (connection_t *self, int64_t now)
{
    self->now = now;
    take_events (self);
    probe_answer_t answer = self->probe ? probe_watch (self->probe) : PROBE_NOTHING;
    if (self->sides [SIDE_PUSH].up && self->sides [SIDE_DEALER].up)
        move_to (self, CONNECTION_UP);
    const char *why = admission_answer (answer, self->keyed);
    if (self->state == CONNECTION_SHUT_OUT && why)
        refuse (self, why);
    if (self->state == self->told)
        return CONNECTION_NOTHING;
    self->told = self->state;
    return self->state;
}

bool
connection_reached (const connection_t *self, int index)
{
    return self->sides [index].connected;
}

const char *
connection_reason (const connection_t *self)
{
    return self->reason;
}
