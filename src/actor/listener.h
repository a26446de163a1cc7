/*  listener.h - the inside of a listener's facade

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef ACTOR_LISTENER_H_INCLUDED
#define ACTOR_LISTENER_H_INCLUDED

#include <pthread.h>

#include <czmq.h>

#include "actor/dispatch.h"
#include "actor/listener_core.h"

struct _muster_listener_t {
    uint32_t generation;        /* of the process that made it */
    listener_core_t core;
    bool has_roster;
    pthread_mutex_t lifecycle;  /* held by start and stop; guards what follows */
    zactor_t *actor;
    dispatch_t *dispatch;
    char endpoint [ENDPOINT_ROOM];
    char bound [ENDPOINT_ROOM];
    char bound_return [ENDPOINT_ROOM];
    char reason [REASON_ROOM];
};

/*  Does it belong to another process, from which this one was forked? */
bool listener_is_foreign (const muster_listener_t *self);

/*  The phase, read with the roster's lock. */
listener_phase_t listener_phase (muster_listener_t *self);

void listener_options_init (listener_options_t *options);

/*  The limits in force: what was not set follows from the budget. Errors:
    MUSTER_INVAL if they do not fit together; the listener's reason says which. */
muster_error_t listener_options_settle (muster_listener_t *self, listener_options_t *limits);

#endif
