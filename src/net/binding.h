/*  binding.h - the two sockets of a listener, bound

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Belongs to the listener's actor: one thread uses it. The opener may hand
    it over once.
*/
#ifndef NET_BINDING_H_INCLUDED
#define NET_BINDING_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include "model/allow.h"
#include "model/endpoint.h"
#include "net/keyfile.h"
#include "net/listening.h"

typedef struct binding binding_t;

typedef struct {
    const char *endpoint;
    const char *return_endpoint;    /* NULL: derived */
    const char *advertise;          /* NULL: this host's name for a wildcard address */
    bool insecure;                  /* tcp beyond loopback is allowed without keys */
    const keypair_t *keys;          /* the listener's; NULL: none are asked for */
    allow_t *allow;                 /* with keys: who may come in */
    uint64_t frame_limit;           /* the last wall: libzmq cuts a peer off above it */
} binding_options_t;

/*  Open and bind a PULL and a ROUTER. With port * it looks for a free pair.
    Errors: MUSTER_ENDPOINT, MUSTER_INUSE, MUSTER_ACCESS, MUSTER_RESOURCE,
    MUSTER_NOMEM, MUSTER_SYSTEM; reason (REASON_ROOM bytes) names the endpoint
    and port and says what to do. */
muster_error_t binding_open (binding_t **self_p, void *context, const binding_options_t *options, char *reason);

/*  Close the sockets without linger, release locks, forget descriptors. */
void binding_destroy (binding_t **self_p);

void *binding_pull (binding_t *self);
void *binding_router (binding_t *self);

/*  Do they ask for keys? Over inproc a socket does not. */
bool binding_pull_is_secure (const binding_t *self);
bool binding_router_is_secure (const binding_t *self);

/*  With keys only. A plain frame of so many bytes, 0 for one that was not refused, came by
    the PULL's connection with this descriptor. One that sends nothing but refused frames,
    64 MiB of them, is cut off, and its key kept out for 5 s. True if that was now. */
bool binding_note_refused (binding_t *self, int descriptor, const char *key, uint64_t bytes, int64_t now);

/*  Another allow list from now on, shared. Only with keys; any thread. */
void binding_set_allow (binding_t *self, allow_t *allow);

/*  What a worker connects to (advertised), and what was really bound, which
    the next start asks for again. */
const char *binding_endpoint (const binding_t *self);
const char *binding_bound (const binding_t *self);
const char *binding_bound_return (const binding_t *self);

/*  The two monitors, to poll for input (index 0 and 1), and the call for when
    one has some: registers accepted descriptors for process_close_in_child,
    returns the number of connections that ended, tells refused of those that
    were not let in. Never waits. */
void *binding_monitor (binding_t *self, int index);
unsigned binding_watch (binding_t *self, int64_t now, refused_fn *refused, void *argument);

/*  The ROUTER's connection that has this descriptor, or the PULL's, by what binding_watch has
    learned; each has a number of its own. 0 if it is not known: inproc has none. */
uint64_t binding_connection (const binding_t *self, int descriptor);
uint64_t binding_data_connection (const binding_t *self, int descriptor);

#endif
