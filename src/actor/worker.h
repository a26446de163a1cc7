/*  worker.h - the inside of a worker's facade

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef ACTOR_WORKER_H_INCLUDED
#define ACTOR_WORKER_H_INCLUDED

#include <czmq.h>

#include "actor/worker_core.h"

struct _muster_worker_t {
    uint32_t generation;        /* of the process that made it */
    worker_core_t core;
    pthread_mutex_t lifecycle;  /* held by start and close; guards what follows */
    zactor_t *actor;
    bool bad_source;            /* what new was given: start refuses it */
    bool started;
    bool closed;                /* also guarded by the core's lock */
    char reason [REASON_ROOM];
};

/*  Does it belong to another process, from which this one was forked? */
bool worker_is_foreign (const muster_worker_t *self);

void worker_options_init (worker_options_t *options);

/*  Check options and source, and set the endpoints to connect to. Errors:
    MUSTER_INVAL, MUSTER_ENDPOINT; the worker's reason says which. */
muster_error_t worker_options_check (muster_worker_t *self);

/*  Read the key files that were set. Errors as keyfile_load_secret; the worker's reason
    says which. */
muster_error_t worker_options_load_keys (muster_worker_t *self);

#endif
