/*  worker_wait.c - what callers of a worker wait for: a listener, progress, flush, goodbye

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/worker_wait.h"

#include "actor/monotonic.h"
#include "actor/patience.h"

muster_error_t
worker_why_ended (muster_worker_t *self)
{
    if (self->closed || self->core.session.state == SESSION_ENDED)
        return self->core.session.error ? self->core.session.error : MUSTER_CLOSED;
    return 0;
}

/*  When a wait ends for want of progress, if nothing happens before. */
static int64_t
progress_deadline (const worker_core_t *core, worker_progress_t *progress)
{
    uint64_t marker = session_progress (&core->session);
    if (marker != progress->marker || session_is_excused (&core->session) || progress->since == 0)
        *progress = (worker_progress_t) { .marker = marker, .since = monotonic_ms () };
    return progress->since + core->options.no_progress_ms;
}

/*  A caller who looks at the time itself is told of an interruption only. */
static muster_error_t
until_deadline (muster_error_t error)
{
    return error == MUSTER_INTERRUPTED ? error : 0;
}

muster_error_t
worker_wait_for_change (worker_core_t *core, int64_t deadline, worker_progress_t *progress)
{
    int64_t until = progress_deadline (core, progress);
    if (deadline < until)
        until = deadline;
    if (monotonic_ms () >= until)
        return MUSTER_TIMEOUT;
    return until_deadline (patience_wait (&core->changed, &core->lock, until));
}

muster_error_t
muster_worker_wait_for_listener (muster_worker_t *self, int timeout_ms)
{
    if (!self)
        return MUSTER_INVAL;
    if (worker_is_foreign (self))
        return MUSTER_FORKED;
    if (!self->started)
        return MUSTER_CLOSED;
    worker_core_t *core = &self->core;
    int64_t deadline = monotonic_deadline (timeout_ms);
    pthread_mutex_lock (&core->lock);
    muster_error_t error = worker_why_ended (self);
    while (!error && core->session.state != SESSION_OPEN) {
        error = patience_wait (&core->changed, &core->lock, deadline);
        muster_error_t ended = worker_why_ended (self);
        if (ended)
            error = ended;
    }
    pthread_mutex_unlock (&core->lock);
    return error;
}

/*  --------------------------------------------------------------------------
    Flush and goodbye */

static muster_error_t
report_refused (worker_core_t *core)
{
    if (core->session.out.refused == core->refused_told)
        return 0;
    core->refused_told = core->session.out.refused;
    return MUSTER_REJECTED;
}

muster_error_t
worker_flush_until (muster_worker_t *self, int64_t deadline, bool patient)
{
    worker_core_t *core = &self->core;
    outbox_t *box = &core->session.out.box;
    uint64_t last = box->accepted.messages;
    worker_progress_t progress = { 0 };
    muster_error_t error = 0;
    session_await (&core->session);
    worker_press (core);
    wake_call (core->wake);
    while (!error && box->handled.messages < last) {
        error = worker_why_ended (self);
        if (!error && patient && monotonic_ms () >= deadline)
            error = MUSTER_TIMEOUT;
        if (!error && patient)
            error = until_deadline (patience_wait (&core->changed, &core->lock, deadline));
        else
        if (!error)
            error = worker_wait_for_change (core, deadline, &progress);
    }
    worker_relax (core);
    return error ? error : report_refused (core);
}

muster_error_t
muster_worker_flush (muster_worker_t *self, int timeout_ms)
{
    if (!self)
        return MUSTER_INVAL;
    if (worker_is_foreign (self))
        return MUSTER_FORKED;
    if (!self->started)
        return MUSTER_CLOSED;
    pthread_mutex_lock (&self->core.lock);
    muster_error_t error = worker_flush_until (self, monotonic_deadline (timeout_ms), false);
    pthread_mutex_unlock (&self->core.lock);
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
    if (worker_is_foreign (self))
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

muster_error_t
worker_say_goodbye (muster_worker_t *self, int64_t deadline)
{
    worker_core_t *core = &self->core;
    muster_error_t error = 0;
    if (!core->session.leaving)
        session_goodbye (&core->session);
    wake_call (core->wake);
    while (core->session.state != SESSION_ENDED && !error)
        error = patience_wait (&core->changed, &core->lock, deadline);
    return until_deadline (error);
}
