/*  presence.h - workers that come and go: what comes in at a listener's ROUTER

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef ACTOR_PRESENCE_H_INCLUDED
#define ACTOR_PRESENCE_H_INCLUDED

#include "actor/listener_core.h"

/*  Take frames from the ROUTER, at most a burst; true if there may be more. The
    actor's; with the roster's lock, as all of these. */
bool presence_burst (listener_core_t *self);

/*  Those that were silent for too long are LOST; sessions absent for longer than
    retention are forgotten. */
void presence_check (listener_core_t *self);
int64_t presence_deadline (const listener_core_t *self);

/*  The listener stops: ask all for their last position; then tell them it is
    over; then count them absent. Nobody is waited for whose connections have ended. */
void presence_pause (listener_core_t *self);
bool presence_is_quiet (const listener_core_t *self);
void presence_part (listener_core_t *self);
bool presence_has_parted (const listener_core_t *self);
void presence_end (listener_core_t *self);

/*  Find out which workers that no monitor tells of, those of this process, are gone. False if
    there are none. */
bool presence_probe (listener_core_t *self);

#endif
