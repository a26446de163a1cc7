/*  listening.h - one bound socket, its monitor and its path

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Belongs to one thread, as a ZeroMQ socket does.
*/
#ifndef NET_LISTENING_H_INCLUDED
#define NET_LISTENING_H_INCLUDED

#include <stdbool.h>

#include "model/endpoint.h"
#include "net/keyfile.h"
#include "net/option.h"

typedef struct listening listening_t;

/*  Somebody was not let in: address as text, "" if it is not known; why; how many
    times. From inside listening_watch. */
typedef void (refused_fn) (void *argument, const char *address, const char *why, uint64_t count);

/*  Open a socket of a type and watch it. Errors: as for option_open. */
muster_error_t listening_open (listening_t **self_p, void *context, int type,
    const option_t *options, size_t count, uint64_t frame_limit);

/*  From the next bind on ask for keys, unless it is of inproc, which carries the
    sockets of this process only; the responder of domain answers. keys are used at
    once only. Errors: MUSTER_SYSTEM. */
muster_error_t listening_secure (listening_t *self, const keypair_t *keys, const char *domain);

/*  Does what is bound ask for keys? */
bool listening_is_secure (const listening_t *self);

/*  Unbind and close; in a forked child, only free the memory. NULL is harmless. */
void listening_close (listening_t **self_p);

/*  Bind it to one endpoint: a numeric address or *, an ipc path, an inproc
    name; the tcp port may be a wildcard. After an error another may be tried.
    Errors: MUSTER_INUSE, MUSTER_ENDPOINT, MUSTER_RESOURCE, MUSTER_NOMEM,
    MUSTER_SYSTEM; *why is a static string. */
muster_error_t listening_bind (listening_t *self, const endpoint_t *endpoint, const char **why);

/*  Listen no more; returns when the address is free for another. What is
    connected is cut off by ZeroMQ; what was received can still be taken.
    Harmless when not bound. */
void listening_unbind (listening_t *self);

void *listening_socket (listening_t *self);

/*  What was bound, with its real port. */
const endpoint_t *listening_bound (const listening_t *self);

/*  The monitor to poll for input, and the call for when it has some: returns
    how many connections have ended. refused is told of those that did not get through
    their handshake; whom the responder refused it knows itself. Never waits. */
void *listening_monitor (listening_t *self);
unsigned listening_watch (listening_t *self, int64_t now, refused_fn *refused, void *argument);

/*  As arrivals_note_refused and arrivals_cut. */
uint64_t listening_note_refused (listening_t *self, int descriptor, uint64_t bytes);
void listening_cut (listening_t *self, int descriptor);

/*  The connection that has this descriptor, by the events taken so far; 0 if it is not known. */
uint64_t listening_connection (const listening_t *self, int descriptor);

#endif
