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

#endif
