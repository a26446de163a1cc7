/*  intake.h - what comes in at a listener's PULL

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef ACTOR_INTAKE_H_INCLUDED
#define ACTOR_INTAKE_H_INCLUDED

#include "actor/listener_core.h"

/*  Take frames from the PULL, at most a burst; true if there may be more. The
    actor's; with the roster's lock. */
bool intake_burst (listener_core_t *self);

/*  May the PULL be read now? Not while the plain producers' share is full. */
bool intake_is_open (const listener_core_t *self);

/*  What plain messages take of their share: of each the frame, too, that it waits in. */
uint64_t intake_plain_cost (uint64_t messages, uint64_t size);

/*  Learn what has been handled, tell the sessions. True if anything was. */
bool intake_settle (listener_core_t *self);

/*  Do handlers have enough to do for long? */
bool intake_is_crowded (const listener_core_t *self);

/*  Is there anything received and not settled? */
bool intake_is_pending (const listener_core_t *self);

/*  Forget the plain producers' backlog. */
void intake_clear (listener_core_t *self);

#endif
