/*  connection.h - the two sockets of a worker in one epoch

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Neither socket reconnects: when one goes down the worker makes a new
    connection under the next epoch. The PUSH may be used by any thread that
    holds the worker's lock; the rest belongs to the worker's actor.
*/
#ifndef NET_CONNECTION_H_INCLUDED
#define NET_CONNECTION_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <muster/error.h>

#include "net/keyfile.h"

typedef struct connection connection_t;

typedef enum {
    CONNECTION_NOTHING,     /* no news */
    CONNECTION_UP,          /* both sockets are connected, hands shaken */
    CONNECTION_DOWN,        /* one could not connect, or is disconnected: it stays so */
    CONNECTION_SHUT_OUT,    /* DOWN, and the listener ended the handshake: only a probe can tell why */
    CONNECTION_REFUSED      /* the handshake was refused for good: connection_reason */
} connection_news_t;

typedef struct {
    const char *endpoint;           /* text as ZeroMQ takes it */
    const char *return_endpoint;
    const void *routing_id;
    size_t routing_size;
    const keypair_t *keys;          /* NULL: none */
    const char *server;             /* with keys: the listener's public key */
    bool probe;                     /* find out, too, whether the listener asks for keys (probe.h) */
    int64_t now;                    /* ms */
} connection_options_t;

/*  Open a PUSH and a DEALER and begin to connect. An inproc connection needs no
    keys and is up at once; one whose host does not resolve is down at once: call
    connection_watch once after opening. After some CONNECTION_SHUT_OUT in a row open
    the next one with a probe, which tells a refusal from a listener that could not be
    reached or was about to end.
    Of a host with both, the IPv4 address is taken. May wait for a resolver.
    Errors: MUSTER_ENDPOINT (malformed, or a wildcard), MUSTER_RESOURCE,
    MUSTER_NOMEM, MUSTER_SYSTEM. */
muster_error_t connection_open (connection_t **self_p, void *context, const connection_options_t *options);

/*  Close without linger, forget descriptors. */
void connection_destroy (connection_t **self_p);

void *connection_push (connection_t *self);
void *connection_dealer (connection_t *self);

/*  The monitors, to poll for input (index below CONNECTION_MONITORS; NULL: none),
    and the call for when one has some. Never waits. */
#define CONNECTION_MONITORS 4
void *connection_monitor (connection_t *self, int index);
connection_news_t connection_watch (connection_t *self, int64_t now);

/*  Is somebody there, hands shaken or not? index 0: at the endpoint; 1: at the return endpoint. As
    the last connection_watch found it, and so it stays. */
bool connection_reached (const connection_t *self, int index);

/*  Why it was refused: a static string. */
const char *connection_reason (const connection_t *self);

#endif
