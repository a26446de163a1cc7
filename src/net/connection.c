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
#include "net/secure.h"

/*  Descriptors that three sockets, their monitors and a connection each take. */
#define DESCRIPTORS 12

enum { SIDE_PUSH, SIDE_DEALER, SIDES, SIDE_PROBE = SIDES, SIDES_AND_PROBE };

typedef struct {
    void *socket;
    monitor_t *monitor;     /* NULL for inproc */
    bool connected;         /* the handshake has begun */
    bool up;
    bool ended;
} side_t;

struct connection {
    uint32_t generation;
    bool keyed;
    bool asks_for_keys;         /* the probe has found out */
    int64_t since;              /* ms: when it was opened, */
    int64_t now;                /* and looked at last */
    side_t sides [SIDES_AND_PROBE];
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

/*  ZAP's status for a key that is not on the list. */
#define NOT_ADMITTED 400

/*  Nobody reads what the probe gets. */
static const option_t probe_options [] = {
    { ZMQ_IMMEDIATE, 1 },
    { ZMQ_RECONNECT_IVL, -1 },
    { ZMQ_CONNECT_TIMEOUT, 5000 },
    { ZMQ_RCVHWM, 1 },
};

#define COUNT(options) (sizeof (options) / sizeof (options) [0])

static muster_error_t
open_probe (side_t *self, void *context)
{
    return option_open (&self->socket, context, ZMQ_DEALER, probe_options, COUNT (probe_options), 0);
}

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
    if (!error && options->probe)
        error = open_probe (&self->sides [SIDE_PROBE], context);
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
    muster_error_t error = 0;
    for (int i = SIDES - 1; i >= 0 && !error; i--)
        error = connect_side (&self->sides [i], context, &endpoints [i], options->keys, options->server);
    if (!error && options->probe)
        error = connect_side (&self->sides [SIDE_PROBE], context, &endpoints [SIDE_DEALER], NULL, NULL);
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
    for (int i = 0; i < SIDES_AND_PROBE; i++) {
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

/*  The listener hung up in the handshake of one that has a key. One that is too busy for
    a handshake lets it time out. */
static bool
is_shut_out (const connection_t *self, const side_t *side)
{
    return self->keyed && side->connected && !side->up && self->now - self->since < HANDSHAKE_MS / 2;
}

static void
heed_failure (connection_t *self, const side_t *side, int event, int value)
{
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH && value == NOT_ADMITTED)
        refuse (self, "the listener does not admit this key");
    else
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL && value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH)
        refuse (self, self->keyed ? "the listener has no keys, and this worker does not talk to one without"
                                  : "the listener asks for keys: give key and server");
    else
        move_to (self, is_shut_out (self, side) ? CONNECTION_SHUT_OUT : CONNECTION_DOWN);
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

/*  The probe shows no key: who asks for one refuses it for that. */
static void
heed_probe (connection_t *self, side_t *probe, int event, int value)
{
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL && value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH)
        self->asks_for_keys = true;
    if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED || event == ZMQ_EVENT_CLOSED || event == ZMQ_EVENT_DISCONNECTED)
        probe->ended = true;
}

static void
take_events (connection_t *self)
{
    for (int i = 0; i < SIDES_AND_PROBE; i++) {
        side_t *side = &self->sides [i];
        int event, value;
        while (side->monitor && (event = monitor_next (side->monitor, &value)) != 0)
            if (i == SIDE_PROBE)
                heed_probe (self, side, event, value);
            else
                heed (self, side, event, value);
    }
}

connection_news_t
connection_watch (connection_t *self, int64_t now)
{
    const side_t *probe = &self->sides [SIDE_PROBE];
    self->now = now;
    take_events (self);
    if (self->sides [SIDE_PUSH].up && self->sides [SIDE_DEALER].up)
        move_to (self, CONNECTION_UP);
    if (self->state == CONNECTION_SHUT_OUT && probe->monitor) {
        if (!probe->ended)
            return CONNECTION_NOTHING;
        if (self->asks_for_keys)
            refuse (self, "the listener has another key than the one that server gives");
    }
    if (self->state == self->told)
        return CONNECTION_NOTHING;
    self->told = self->state;
    return self->state;
}

const char *
connection_reason (const connection_t *self)
{
    return self->reason;
}
