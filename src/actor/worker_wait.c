/*  worker_wait.c - waiting for the listener's welcome

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/worker.h>

#include "actor/monotonic.h"
#include "actor/patience.h"
#include "actor/worker.h"
#include "base/process.h"

/*  With the core's lock. */
static bool
is_over (const muster_worker_t *self)
{
    return self->closed || self->core.session.state == SESSION_ENDED;
}

muster_error_t
muster_worker_wait_for_listener (muster_worker_t *self, int timeout_ms)
{
    if (!self)
        return MUSTER_INVAL;
    if (self->generation != process_generation ())
        return MUSTER_FORKED;
    if (!self->started)
        return MUSTER_CLOSED;
    worker_core_t *core = &self->core;
    int64_t deadline = monotonic_deadline (timeout_ms);
    muster_error_t error = 0;
    pthread_mutex_lock (&core->lock);
    while (!error && !is_over (self) && core->session.state != SESSION_OPEN)
        error = patience_wait (&core->changed, &core->lock, deadline);
    if (is_over (self))
        error = core->session.error ? core->session.error : MUSTER_CLOSED;
    pthread_mutex_unlock (&core->lock);
    return error;
}
