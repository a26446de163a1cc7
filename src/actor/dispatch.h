/*  dispatch.h - the thread that calls handlers

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef ACTOR_DISPATCH_H_INCLUDED
#define ACTOR_DISPATCH_H_INCLUDED

#include <stdbool.h>

#include "actor/listener_core.h"

typedef struct dispatch dispatch_t;

/*  Start the thread: it takes from the core's inbox until that is closed.
    Errors: MUSTER_RESOURCE, MUSTER_NOMEM. */
muster_error_t dispatch_new (dispatch_t **self_p, listener_core_t *core);

/*  Wait for the thread to end, which it does when the inbox is closed and no
    handler runs, until deadline_ms (monotonic). Errors: MUSTER_TIMEOUT, MUSTER_INTERRUPTED. */
muster_error_t dispatch_wait (dispatch_t *self, int64_t deadline_ms);

/*  Only once it has ended. */
void dispatch_destroy (dispatch_t **self_p);

/*  Give an event to the system handler, or log it, in this thread; it is done then. */
void dispatch_event (listener_core_t *core, muster_message_t **message);

#endif
