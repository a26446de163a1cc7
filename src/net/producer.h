/*  producer.h - the socket of a plain producer

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    A PUSH that reconnects by itself, and a monitor that tells how it fares.
    One thread at a time uses it.
*/
#ifndef NET_PRODUCER_H_INCLUDED
#define NET_PRODUCER_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

#include <muster/error.h>

#include "model/endpoint.h"
#include "net/keyfile.h"

typedef struct producer producer_t;

typedef enum {
    PRODUCER_NOTHING,       /* no news */
    PRODUCER_SHAKING,       /* hands are shaken, or it came to nothing */
    PRODUCER_UP,            /* a connection is there */
    PRODUCER_DOWN,          /* it is gone */
    PRODUCER_REFUSED,       /* for good: producer_refusal; what was not written is lost */
    PRODUCER_GONE           /* finished, and its last byte is written or given up */
} producer_news_t;

/*  Open a PUSH and begin to connect to a tcp or ipc endpoint that is resolved. keys
    (NULL: none) are ours and may be wiped afterwards, server is the listener's public
    key. Errors: MUSTER_ENDPOINT, MUSTER_RESOURCE, MUSTER_NOMEM, MUSTER_SYSTEM. */
muster_error_t producer_open (producer_t **self_p, void *context, const endpoint_t *endpoint,
    const keypair_t *keys, const char *server);

/*  Close at once: what is not written is given up. */
void producer_destroy (producer_t **self_p);

/*  In a forked child: free the memory, touch nothing of the parent's. */
void producer_abandon (producer_t **self_p);

/*  Send a copy of bytes as one frame; never waits. Errors: MUSTER_AGAIN if there is no
    room, MUSTER_NOMEM, MUSTER_SYSTEM, or why it was refused. */
muster_error_t producer_send (producer_t *self, const void *bytes, size_t size);

/*  Wait for news, or for room too, timeout_ms at most; -1 for ever. */
void producer_wait (producer_t *self, bool for_room, int timeout_ms);

/*  Take one piece of news; never waits. */
producer_news_t producer_next (producer_t *self);

/*  Why it was refused: MUSTER_ACCESS, or MUSTER_ENDPOINT if what listens there is something
    else, and a static sentence. 0 and "" unless it was. */
muster_error_t producer_refusal (const producer_t *self, const char **reason);

/*  Nothing more will be sent: close the socket once all is written, or after
    linger_ms (-1: never), whatever comes first. PRODUCER_GONE tells when. */
void producer_finish (producer_t *self, int linger_ms);

/*  Once it is gone: has the listener's process read it all, or ended, where it has to
    before the connection is closed (ipc)? Nothing tells when: to be asked again. */
bool producer_is_read (producer_t *self);

#endif
