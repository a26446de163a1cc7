/*  zap.h - who may connect to the keyed sockets of the process's context

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    ZeroMQ asks at each handshake (ZAP, RFC 27) over inproc; one thread for the whole
    context answers, from the allow list of the domain that is asked for. A domain
    is one listener's. Any thread; locked inside.
*/
#ifndef NET_ZAP_H_INCLUDED
#define NET_ZAP_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include <muster/error.h>

#include "model/allow.h"

typedef struct zap_domain zap_domain_t;

/*  An address as text; "" where there is none. */
#define ADDRESS_ROOM 48

/*  Open a domain; the first one starts the thread. allow is shared. Errors:
    MUSTER_RESOURCE, MUSTER_NOMEM, MUSTER_SYSTEM; MUSTER_INUSE if somebody else
    answers in this context. */
muster_error_t zap_open (zap_domain_t **self_p, void *context, allow_t *allow);

/*  From now on nobody enters by it. The last one ends the thread. In a forked child
    only the memory is freed. NULL is harmless. */
void zap_close (zap_domain_t **self_p);

/*  Another allow list from now on, shared. */
void zap_set_allow (zap_domain_t *self, allow_t *allow);

/*  Let a key not enter until a time, in ms; and those enter whose time has come. */
void zap_keep_out (zap_domain_t *self, const char *key, int64_t until);
void zap_let_in (zap_domain_t *self, int64_t now);

/*  For ZMQ_ZAP_DOMAIN. */
const char *zap_name (const zap_domain_t *self);

/*  Take the address of somebody who was refused, ADDRESS_ROOM bytes, and how often that
    was the case in a row. ZeroMQ's monitor tells of a refusal after it can be taken.
    False if there is none more. */
bool zap_take_refusal (zap_domain_t *self, char *address, uint64_t *count);

#endif
