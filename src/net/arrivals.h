/*  arrivals.h - connections that were accepted: where from, and who did not get in

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    ZeroMQ's monitor says that a handshake failed and then which descriptor is closed,
    but not whose it was: that is asked when it is accepted. Belongs to one thread.
*/
#ifndef NET_ARRIVALS_H_INCLUDED
#define NET_ARRIVALS_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/zap.h"

typedef struct arrival_entry arrival_entry_t;

typedef struct {
    arrival_entry_t *entries;   /* by descriptor; NULL until there is one */
    size_t room;
    uint64_t accepted;
    const char *failing;        /* why the connection whose descriptor comes next failed; NULL: none did */
    bool silent;                /* it failed without a reason */
    bool refused;               /* there is a refusal to take: */
    const char *why;
    char address [ADDRESS_ROOM];
} arrivals_t;

/*  The next event of a monitor. secure: the socket asks for keys; now in ms. */
void arrivals_heed (arrivals_t *self, int event, int value, bool secure, int64_t now);

/*  Take the refusal that the last event told of; address (ADDRESS_ROOM bytes) is "" if it
    is not known, *why static. False if it told of none. */
bool arrivals_take_refusal (arrivals_t *self, char *address, const char **why);

/*  The connection that has this descriptor now, numbered from 1 as they come; 0 if none is
    known to. */
uint64_t arrivals_connection (const arrivals_t *self, int descriptor);

/*  Bytes of its frames that were refused since the last that was not; 0 starts anew.
    Returns how many these are now; 0 if the connection is not known. */
uint64_t arrivals_note_refused (arrivals_t *self, int descriptor, uint64_t bytes);

/*  End a connection over tcp. Nothing happens if the descriptor is not that of the
    connection that was accepted with it. */
void arrivals_cut (const arrivals_t *self, int descriptor);

void arrivals_clear (arrivals_t *self);

#endif
