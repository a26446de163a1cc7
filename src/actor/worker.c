/*  worker.c - the worker's facade: start and close, commands, what it is

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/worker.h>

#include <stdio.h>
#include <string.h>

#include <muster/data.h>

#include "actor/guest.h"
#include "actor/identity.h"
#include "actor/monotonic.h"
#include "actor/patience.h"
#include "actor/worker.h"
#include "actor/worker_actor.h"
#include "actor/worker_send.h"
#include "actor/worker_wait.h"
#include "base/alloc.h"
#include "base/process.h"
#include "net/context.h"
#include "wire/scan.h"

#define CREDIT_FLOOR ((uint64_t) 64 * 1024)

/*  How long close waits for the listener's answer to goodbye, beyond the drain limit. */
#define GOODBYE_MS 1000

/*  The reason of one that nobody has welcomed. */
#define NOBODY "no listener answers"

bool
worker_is_foreign (const muster_worker_t *self)
{
    return self->generation != process_generation ();
}

/*  --------------------------------------------------------------------------
    Making and destroying */

static muster_error_t
done (muster_message_t *message, int failed)
{
    if (inbox_is_foreign (message->context))
        return MUSTER_FORKED;
    inbox_done (&message, failed != 0);
    return 0;
}

static const message_origin_t origin = {
    .done = done, .reply = worker_reply, .share = batch_share_message, .release = batch_release_message };

static bool
set_identity (worker_core_t *core, const char *source)
{
    session_id_t *id = &core->session.id;
    char uuid [UUID_ROOM];
    if (!identity_new (id))
        return false;
    memcpy (&core->session.out.stream, id->bytes + 8, sizeof core->session.out.stream);
    identity_hex (id, core->session_text);
    snprintf (core->source, sizeof core->source, "%s", source ? source : identity_uuid (id, uuid));
    return true;
}

static bool
make_parts (muster_worker_t *self, const char *endpoint)
{
    worker_core_t *core = &self->core;
    core->options.endpoint = alloc_text (endpoint);
    core->wake = wake_new ();
    core->writer = muster_writer_new ();
    if (!core->options.endpoint || !core->wake || !core->writer)
        return false;
    core->flight = flight_new (core->wake);
    core->inbox = inbox_new (core->wake, &origin, self);
    if (!core->flight || !core->inbox)
        return false;
    inbox_decide (core->inbox, INBOX_CALLERS);
    return true;
}

static void
free_parts (muster_worker_t *self)
{
    worker_core_t *core = &self->core;
    backlog_clear (&core->backlog);
    inbox_leave (&core->inbox);
    if (core->session.in.credit)
        session_clear (&core->session);
    flight_release (&core->flight);
    transfers_clear (&core->transfers);
    muster_writer_destroy (&core->writer);
    wake_release (&core->wake);
    meeting_clear (&core->meeting);
    alloc_free (core->options.endpoint);
    alloc_free (core->options.return_endpoint);
    alloc_free (core->options.key_file);
    alloc_free (core->options.server_file);
    keyfile_wipe (&core->keys);
    pthread_cond_destroy (&core->changed);
    pthread_cond_destroy (&core->eased);
    pthread_mutex_destroy (&core->lock);
    pthread_mutex_destroy (&self->lifecycle);
    alloc_free (self);
}

static void
check_source (muster_worker_t *self, const char *source)
{
    self->bad_source = source && !scan_name (source, strlen (source));
    if (self->bad_source)
        snprintf (self->reason, sizeof self->reason,
            "source must be 1 to %d bytes of UTF-8 without control characters", MUSTER_NAME_MAX);
}

muster_worker_t *
muster_worker_new (const char *endpoint, const char *source)
{
    if (!endpoint)
        return NULL;
    muster_worker_t *self = alloc_zero (sizeof *self);
    if (!self)
        return NULL;
    worker_core_t *core = &self->core;
    self->generation = process_generation ();
    patience_lock_init (&self->lifecycle);
    pthread_mutex_init (&core->lock, NULL);
    monotonic_cond_init (&core->changed);
    monotonic_cond_init (&core->eased);
    worker_options_init (&core->options);
    if (!make_parts (self, endpoint) || !set_identity (core, source)) {
        free_parts (self);
        return NULL;
    }
    check_source (self, source);
    return self;
}

/*  --------------------------------------------------------------------------
    Start */

static void
init_session (worker_core_t *core)
{
    uint64_t buffer = core->options.command_buffer;
    session_limits_t limits = { .liveness = core->options.liveness_ms,
        .no_progress = core->options.no_progress_ms, .message_limit = WORKER_MESSAGE_LIMIT };
    session_id_t id = core->session.id;
    credit_init (&core->credit, buffer + WORKER_MESSAGE_LIMIT, buffer < CREDIT_FLOOR ? buffer : CREDIT_FLOOR, WORKER_MESSAGE_LIMIT);
    session_init_worker (&core->session, &id, core->source, core->session.out.stream,
        &limits, &core->credit, monotonic_ms ());
}

static void
end_at_exit (void *argument)
{
    muster_worker_t *self = argument;
    guest_end (&self->actor, self);
}

static muster_error_t
start (muster_worker_t *self)
{
    worker_core_t *core = &self->core;
    muster_error_t error = worker_options_check (self);
    if (!error)
        error = worker_options_load_keys (self);
    if (error)
        return error;
    core->context = context_acquire ();
    if (!core->context)
        error = MUSTER_RESOURCE;
    else {
        init_session (core);
        inbox_open (core->inbox);
        error = guest_start (&self->actor, worker_actor, core, end_at_exit, self);
        if (error)
            context_release (core->context);
    }
    if (error) {
        keyfile_wipe (&core->keys);
        snprintf (self->reason, sizeof self->reason, "%s: %s", core->options.endpoint, muster_error_text (error));
    }
    return error;
}

muster_error_t
muster_worker_start (muster_worker_t *self)
{
    if (!self)
        return MUSTER_INVAL;
    if (worker_is_foreign (self))
        return MUSTER_FORKED;
    muster_error_t error = patience_lock (&self->lifecycle);
    if (error)
        return error;
    error = MUSTER_BUSY;
    if (!self->started) {
        error = start (self);
        self->started = error == 0;
    }
    pthread_mutex_unlock (&self->lifecycle);
    return error;
}

/*  --------------------------------------------------------------------------
    Commands */

muster_error_t
muster_worker_recv (muster_worker_t *self, muster_message_t **message, int timeout_ms)
{
    if (!self || !message)
        return MUSTER_INVAL;
    *message = NULL;
    if (worker_is_foreign (self))
        return MUSTER_FORKED;
    if (!self->started)
        return MUSTER_CLOSED;
    bool event;
    muster_error_t error = inbox_take (
        self->core.inbox, INBOX_CALLER, monotonic_deadline (timeout_ms), message, &event);
    if (error == MUSTER_CLOSED) {
        pthread_mutex_lock (&self->core.lock);
        muster_error_t why = worker_why_ended (self);
        error = why ? why : error;
        pthread_mutex_unlock (&self->core.lock);
    }
    return error;
}

muster_error_t
muster_worker_descriptor (muster_worker_t *self, int *descriptor)
{
    if (!self || !descriptor)
        return MUSTER_INVAL;
    if (worker_is_foreign (self))
        return MUSTER_FORKED;
    if (!self->started)
        return MUSTER_CLOSED;
    *descriptor = inbox_descriptor (self->core.inbox);
    return 0;
}

/*  --------------------------------------------------------------------------
    Close */

/*  With the core's lock, as what follows. While the session has not ended nobody reads its reason. */
static void
note_if_alone (worker_core_t *core, muster_error_t error)
{
    session_t *session = &core->session;
    if (error == MUSTER_TIMEOUT && session->state != SESSION_OPEN && session->state != SESSION_ENDED)
        snprintf (session->reason, sizeof session->reason, NOBODY);
}

static muster_error_t
close_session (muster_worker_t *self, uint64_t *unconfirmed)
{
    worker_core_t *core = &self->core;
    const outbox_t *box = &core->session.out.box;
    int64_t deadline = monotonic_deadline (core->options.drain_ms);
    muster_error_t error = worker_flush_until (self, deadline, true);
    if (error == MUSTER_INTERRUPTED)
        return error;
    note_if_alone (core, error);
    if (core->session.state != SESSION_ENDED && worker_say_goodbye (self, monotonic_ms () + GOODBYE_MS))
        return MUSTER_INTERRUPTED;
    if (unconfirmed)
        *unconfirmed = box->accepted.messages - box->handled.messages;
    self->closed = true;
    pthread_cond_broadcast (&core->changed);
    return error;
}

static void
end_actor (muster_worker_t *self)
{
    guest_end (&self->actor, self);
    inbox_close (self->core.inbox);
    context_release (self->core.context);
}

muster_error_t
muster_worker_close (muster_worker_t *self, uint64_t *unconfirmed)
{
    if (unconfirmed)
        *unconfirmed = 0;
    if (!self)
        return MUSTER_INVAL;
    if (worker_is_foreign (self))
        return MUSTER_FORKED;
    muster_error_t error = patience_lock (&self->lifecycle);
    if (error)
        return error;
    if (self->started && !self->closed) {
        pthread_mutex_lock (&self->core.lock);
        error = close_session (self, unconfirmed);
        pthread_mutex_unlock (&self->core.lock);
        if (self->closed)
            end_actor (self);
    }
    pthread_mutex_unlock (&self->lifecycle);
    return error;
}

muster_error_t
muster_worker_destroy (muster_worker_t **self_p)
{
    if (!self_p || !*self_p)
        return 0;
    muster_worker_t *self = *self_p;
    *self_p = NULL;
    if (worker_is_foreign (self)) {
        keyfile_wipe (&self->core.keys);
        alloc_free (self);
        return MUSTER_FORKED;
    }
    if (self->started && !self->closed)
        end_actor (self);
    free_parts (self);
    return 0;
}

/*  --------------------------------------------------------------------------
    What it is */

const char *
muster_worker_source (const muster_worker_t *self)
{
    return self ? self->core.source : "";
}

/*  The actor writes that of a session's end with the core's lock, once: it does not change any
    more. In a forked child nobody writes it, and the lock may be held for ever. */
static const char *
session_reason (muster_worker_t *self)
{
    worker_core_t *core = &self->core;
    bool foreign = worker_is_foreign (self);
    if (!foreign)
        pthread_mutex_lock (&core->lock);
    session_state_t state = core->session.state;
    if (!foreign)
        pthread_mutex_unlock (&core->lock);
    if (state == SESSION_ENDED)
        return core->session.reason;
    return self->started && state != SESSION_OPEN ? NOBODY : "";
}

const char *
muster_worker_reason (const muster_worker_t *self)
{
    if (!self)
        return "";
    /*  To lock it changes nothing that its caller could see. */
    return *self->reason ? self->reason : session_reason ((muster_worker_t *) self);
}
