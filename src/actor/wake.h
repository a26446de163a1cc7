/*  wake.h - waking an actor from any thread

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef ACTOR_WAKE_H_INCLUDED
#define ACTOR_WAKE_H_INCLUDED

#include <stdatomic.h>
#include <stdbool.h>

/*  An eventfd that an actor polls. Shared: a frame on its way in ZeroMQ's I/O
    thread may outlive the actor it would wake. */
typedef struct {
    atomic_uint owners;
    atomic_bool pending;    /* so that a busy actor costs no system call */
    int descriptor;
} wake_t;

/*  With one owner, the caller; NULL when out of memory or descriptors. */
wake_t *wake_new (void);
wake_t *wake_share (wake_t *self);
void wake_release (wake_t **self_p);

/*  Make the descriptor readable. Any thread. */
void wake_call (wake_t *self);

/*  The actor's: take the call back before looking at what there is to do. */
void wake_heard (wake_t *self);

#endif
