/*  guest.h - czmq in somebody else's process

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef ACTOR_GUEST_H_INCLUDED
#define ACTOR_GUEST_H_INCLUDED

#include <czmq.h>

#include "muster/error.h"

/*  Start a zactor as a guest: czmq takes no signals, says nothing on stdout and
    leaves random () alone; the actor's thread has all signals blocked. When the
    process exits while the actor lives, at_exit (argument) is called first:
    it is to destroy the actor. Any thread. Errors: MUSTER_RESOURCE, MUSTER_NOMEM. */
muster_error_t guest_start (zactor_t **actor, zactor_fn *function, void *argument, void (*at_exit) (void *), void *owner);

/*  The actor ends: destroy it. Harmless for NULL. */
void guest_end (zactor_t **actor, void *owner);

/*  All signals blocked in this thread, so that a thread it starts has them
    blocked too; and back. */
void guest_block_signals (sigset_t *before);
void guest_restore_signals (const sigset_t *before);

#endif
