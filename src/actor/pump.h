/*  pump.h - what a listener sends to its workers

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef ACTOR_PUMP_H_INCLUDED
#define ACTOR_PUMP_H_INCLUDED

#include "actor/listener_core.h"

/*  Send what a peer is to be sent, as far as it goes. A session that ends with
    it is told to the system handler and forgotten: peer may be gone afterwards.
    The actor's; with the roster's lock, as all of these. */
void pump_peer (listener_core_t *self, peer_t *peer);

/*  End a presence for good, told to its worker if that can be reached. */
void pump_end (listener_core_t *self, peer_t *peer, muster_error_t error, const char *reason);

/*  All that have something to be sent, and those whose report is due. */
void pump_due (listener_core_t *self);

/*  When pump_due has something to do, if nothing happens before. */
int64_t pump_deadline (const listener_core_t *self);

/*  Can a worker still be told anything? No longer once the connection that its route was learned
    from has ended: it says hello by another. */
bool pump_reaches (const listener_core_t *self, const peer_t *peer);

/*  Tell a peer that was not let in why. */
void pump_refusal (listener_core_t *self, const route_t *route, const frame_t *hello,
    muster_error_t error, const char *reason);

#endif
