/*  probe.h - does what listens at an endpoint ask for keys?

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Of two sides of which only one has keys, the one that sees it first hangs up, often
    before the other can see why. Who takes a listener for one with another key only ever
    sees it hang up, as does one whose way leads through something that cannot reach the
    listener at the moment. A probe tells these apart: it holds its own part of the
    greeting back, so that it always gets the listener's, and goes. Belongs to one thread.
*/
#ifndef NET_PROBE_H_INCLUDED
#define NET_PROBE_H_INCLUDED

#include <muster/error.h>

#include "model/endpoint.h"

typedef struct probe probe_t;

typedef enum {
    PROBE_WAITING,      /* not known yet; what listens may be silent for ever */
    PROBE_NOTHING,      /* it ended without an answer */
    PROBE_KEYS,         /* a listener that asks for keys */
    PROBE_NO_KEYS       /* one that asks for none */
} probe_answer_t;

/*  Begin to ask. endpoint: tcp or ipc, resolved. Errors: MUSTER_ENDPOINT, MUSTER_RESOURCE,
    MUSTER_NOMEM, MUSTER_SYSTEM. */
muster_error_t probe_open (probe_t **self_p, void *context, const endpoint_t *endpoint);

/*  NULL is harmless. */
void probe_close (probe_t **self_p);

/*  In a forked child: free the memory, touch nothing of the parent's. */
void probe_abandon (probe_t **self_p);

/*  To poll for input (index below PROBE_SOCKETS; NULL once the answer is known), and the
    call for when one has some. Never waits. */
#define PROBE_SOCKETS 2
void *probe_socket (probe_t *self, int index);
probe_answer_t probe_watch (probe_t *self);

#endif
