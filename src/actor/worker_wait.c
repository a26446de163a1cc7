/*  worker_wait.c - waiting for the listener's welcome, and what a wait is for

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

/*  The listener's word, which may be that of one before it. */
static uint64_t
received_of (const session_t *session)
{
    uint64_t received = session->out.peer_received, handled = session->out.box.handled.messages;
    return received > handled ? received - handled : 0;
}

muster_error_t
muster_worker_unhandled (muster_worker_t *self, uint64_t *unhandled, uint64_t *received)
{
    if (!self)
        return MUSTER_INVAL;
    if (self->generation != process_generation ())
        return MUSTER_FORKED;
    if (!self->started)
        return MUSTER_CLOSED;
    worker_core_t *core = &self->core;
    const outbox_t *box = &core->session.out.box;
    pthread_mutex_lock (&core->lock);
    if (unhandled)
        *unhandled = box->accepted.messages - box->handled.messages;
    if (received)
        *received = received_of (&core->session);
    pthread_mutex_unlock (&core->lock);
    return 0;
}
