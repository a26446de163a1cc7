/*  listener.c - the listener's facade: making, starting, stopping

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/listener.h>

#include <stdio.h>
#include <string.h>

#include "actor/command.h"
#include "actor/dispatch.h"
#include "actor/gate.h"
#include "actor/guest.h"
#include "actor/listener.h"
#include "actor/listener_actor.h"
#include "actor/monotonic.h"
#include "actor/patience.h"
#include "base/alloc.h"
#include "base/process.h"
#include "net/context.h"
#include "net/keyfile.h"

/*  How long the dispatch thread has to come to its end, however short the drain:
    one that has nothing to handle needs a moment too. */
#define RETURN_MS 1000

bool
listener_is_foreign (const muster_listener_t *self)
{
    return self->generation != process_generation ();
}

/*  --------------------------------------------------------------------------
    Making and destroying */

static bool
set_identity (listener_core_t *core)
{
    if (!identity_new (&core->id))
        return false;
    identity_uuid (&core->id, core->source);
    return true;
}

static muster_error_t
done (muster_message_t *message, int failed)
{
    if (inbox_is_foreign (message->context))
        return MUSTER_FORKED;
    inbox_done (&message, failed != 0);
    return 0;
}

static muster_error_t
reply (const muster_message_t *message, const char *cmd, const packed_t *data)
{
    muster_listener_t *self = inbox_context (message->context);
    if (listener_is_foreign (self))
        return MUSTER_FORKED;
    command_t command = { .cmd = cmd, .data = *data, .kind = MESSAGE_KIND_REPLY };
    command.position = message->position;
    command.reply_to_session = message->session;
    return command_send (self, message->source, &command);
}

static const message_origin_t origin = {
    .done = done, .reply = reply, .share = batch_share_message, .release = batch_release_message };

static bool
make_parts (muster_listener_t *self, const char *endpoint)
{
    listener_core_t *core = &self->core;
    core->options.endpoint = alloc_text (endpoint);
    core->wake = wake_new ();
    core->writer = muster_writer_new ();
    if (!core->options.endpoint || !core->wake || !core->writer || !set_identity (core))
        return false;
    core->registry = registry_new (core->source, patience_wait_for_ever);
    core->inbox = inbox_new (core->wake, &origin, self);
    roster_init (&core->roster, core->wake);
    self->has_roster = true;
    return core->registry && core->inbox;
}

/*  What of it the process that made it must not touch from a forked child: the
    roster's locks may be held there by threads that do not exist here. */
static void
free_parts (muster_listener_t *self)
{
    listener_core_t *core = &self->core;
    inbox_leave (&core->inbox);
    if (self->has_roster)
        roster_clear (&core->roster);
    registry_destroy (&core->registry);
    muster_writer_destroy (&core->writer);
    wake_release (&core->wake);
    alloc_free (core->options.endpoint);
    alloc_free (core->options.return_endpoint);
    alloc_free (core->options.advertise);
    alloc_free (core->options.key_file);
    alloc_free (core->options.allow_file);
    allow_release (&core->allow);
    refusals_clear (&core->refusals);
    pthread_mutex_destroy (&self->lifecycle);
    alloc_free (self);
}

muster_listener_t *
muster_listener_new (const char *endpoint)
{
    if (!endpoint)
        return NULL;
    muster_listener_t *self = alloc_zero (sizeof *self);
    if (!self)
        return NULL;
    self->generation = process_generation ();
    patience_lock_init (&self->lifecycle);
    listener_options_init (&self->core.options);
    if (!make_parts (self, endpoint)) {
        free_parts (self);
        return NULL;
    }
    return self;
}

/*  --------------------------------------------------------------------------
    Start */

static void
end_at_exit (void *argument)
{
    muster_listener_t *self = argument;
    guest_end (&self->actor, self);
}

/*  What the user has given of keys. The list is the caller's, with both NULL if there
    are to be none. */
static muster_error_t
load_keys (muster_listener_t *self, keypair_t *keys, allow_t **allow)
{
    const listener_options_t *options = &self->core.options;
    *allow = NULL;
    if (!options->key_file)
        return 0;
    muster_error_t error = keyfile_load_allow (options->allow_file, allow, self->reason);
    if (!error)
        error = keyfile_load_secret (options->key_file, keys, self->reason);
    if (error)
        allow_release (allow);
    return error;
}

/*  With the roster's lock. */
static void
set_allow (listener_core_t *core, allow_t *allow)
{
    allow_t *before = core->allow;
    core->allow = allow;
    core->revoke_due = true;
    allow_release (&before);
}

static muster_error_t
open_binding (muster_listener_t *self, const keypair_t *keys, allow_t *allow)
{
    listener_core_t *core = &self->core;
    core->context = context_acquire ();
    if (!core->context) {
        snprintf (self->reason, sizeof self->reason, "no descriptors or threads left for a ZeroMQ context");
        return MUSTER_RESOURCE;
    }
    binding_options_t options = {
        .endpoint = *self->bound ? self->bound : core->options.endpoint,
        .return_endpoint = *self->bound ? self->bound_return : core->options.return_endpoint,
        .advertise = core->options.advertise, .insecure = core->options.insecure,
        .keys = allow ? keys : NULL, .allow = allow,
        .frame_limit = core->options.frame_limit };
    muster_error_t error = binding_open (&core->binding, core->context, &options, self->reason);
    if (error)
        context_release (core->context);
    return error;
}

/*  A port that was found once is asked for again by the next start. */
static void
remember_binding (muster_listener_t *self)
{
    binding_t *binding = self->core.binding;
    snprintf (self->endpoint, sizeof self->endpoint, "%s", binding_endpoint (binding));
    snprintf (self->bound, sizeof self->bound, "%s", binding_bound (binding));
    snprintf (self->bound_return, sizeof self->bound_return, "%s", binding_bound_return (binding));
}

/*  The secret is in memory of ours for as long as the sockets take to be made. */
static muster_error_t
open_with_keys (muster_listener_t *self, allow_t **allow)
{
    keypair_t keys = { .secret_key = "" };
    muster_error_t error = load_keys (self, &keys, allow);
    if (!error)
        error = open_binding (self, &keys, *allow);
    keyfile_wipe (&keys);
    if (error)
        allow_release (allow);
    return error;
}

static void
init_run (listener_core_t *core, const listener_options_t *limits, allow_t *allow)
{
    roster_lock (&core->roster);
    set_allow (core, allow);
    core->limits = *limits;
    core->roster.limits = (session_limits_t) {
        .liveness = limits->liveness_ms, .no_progress = limits->no_progress_ms,
        .message_limit = limits->message_limit };
    core->roster.command_buffer = limits->command_buffer;
    credit_configure (&core->roster.credit, limits->receive_budget - limits->plain_share,
        limits->credit_floor, limits->message_limit);
    core->roster.open = true;
    core->dropped_last = 0;
    core->phase = LISTENER_RUNNING;
    core->now = monotonic_ms ();
    gate_revoke (core);     /* before anybody can take what has outlived a stop */
    core->revoke_due = false;
    roster_unlock (&core->roster);
    inbox_open (core->inbox);
}

static muster_error_t
start_threads (muster_listener_t *self)
{
    muster_error_t error = guest_start (&self->actor, listener_actor, &self->core, end_at_exit, self);
    if (error)
        return error;
    error = dispatch_new (&self->dispatch, &self->core);
    if (error)
        guest_end (&self->actor, self);
    return error;
}

/*  Whoever asks for the phase holds the roster's lock alone. */
static void
set_stopped (listener_core_t *core)
{
    roster_lock (&core->roster);
    core->roster.open = false;
    core->phase = LISTENER_STOPPED;
    roster_unlock (&core->roster);
}

static muster_error_t
start (muster_listener_t *self)
{
    listener_options_t limits;
    allow_t *allow;
    muster_error_t error = listener_options_settle (self, &limits);
    if (!error)
        error = open_with_keys (self, &allow);
    if (error)
        return error;
    remember_binding (self);
    init_run (&self->core, &limits, allow);
    error = start_threads (self);
    if (error) {
        snprintf (self->reason, sizeof self->reason, "%s: %s", self->core.options.endpoint, muster_error_text (error));
        inbox_close (self->core.inbox);
        binding_destroy (&self->core.binding);
        context_release (self->core.context);
        set_stopped (&self->core);
    }
    return error;
}

/*  --------------------------------------------------------------------------
    Stop. The lifecycle lock is held by whoever starts, stops or destroys. */

listener_phase_t
listener_phase (muster_listener_t *self)
{
    roster_lock (&self->core.roster);
    listener_phase_t phase = self->core.phase;
    roster_unlock (&self->core.roster);
    return phase;
}

static muster_error_t
wait_for_end (muster_listener_t *self)
{
    roster_t *roster = &self->core.roster;
    muster_error_t error = 0;
    roster_lock (roster);
    while (self->core.phase != LISTENER_ENDED && !error)
        error = patience_wait_for_ever (&roster->changed, &roster->lock);
    roster_unlock (roster);
    return error;
}

/*  The actor has ended: its thread, the context and, if no handler runs longer
    than the deadline, the dispatch thread. */
static muster_error_t
reap (muster_listener_t *self, int64_t deadline_ms)
{
    int64_t least = monotonic_deadline (RETURN_MS);
    if (deadline_ms < least)
        deadline_ms = least;
    if (self->actor) {
        guest_end (&self->actor, self);
        context_release (self->core.context);
    }
    if (self->dispatch) {
        muster_error_t error = dispatch_wait (self->dispatch, deadline_ms);
        if (error)
            return error;
        dispatch_destroy (&self->dispatch);
    }
    set_stopped (&self->core);
    return 0;
}

muster_error_t
muster_listener_start (muster_listener_t *self)
{
    if (!self)
        return MUSTER_INVAL;
    if (listener_is_foreign (self))
        return MUSTER_FORKED;
    if (registry_inside (self->core.registry))
        return MUSTER_DEADLOCK;
    muster_error_t error = patience_lock (&self->lifecycle);
    if (error)
        return error;
    self->reason [0] = 0;
    listener_phase_t phase = listener_phase (self);
    if (phase == LISTENER_ENDED && reap (self, 0) == 0)
        phase = LISTENER_STOPPED;
    if (phase == LISTENER_STOPPED) {
        error = start (self);
        if (!error)
            self->reason [0] = 0;   /* a port that was tried and taken is no reason */
    }
    else {
        error = MUSTER_BUSY;
        snprintf (self->reason, sizeof self->reason, "the listener %s",
            phase == LISTENER_RUNNING ? "runs already" : "still stops");
    }
    pthread_mutex_unlock (&self->lifecycle);
    return error;
}

static muster_error_t
ask_to_stop (muster_listener_t *self)
{
    if (self->actor && listener_phase (self) == LISTENER_RUNNING)
        zstr_send (self->actor, LISTENER_STOP);
    return 0;
}

muster_error_t
muster_listener_stop (muster_listener_t *self, uint64_t *dropped)
{
    if (dropped)
        *dropped = 0;
    if (!self)
        return MUSTER_INVAL;
    if (listener_is_foreign (self))
        return MUSTER_FORKED;
    if (registry_inside (self->core.registry)) {
        /*  Whoever holds the lifecycle lock is stopping the listener already. */
        if (pthread_mutex_trylock (&self->lifecycle) == 0) {
            ask_to_stop (self);
            pthread_mutex_unlock (&self->lifecycle);
        }
        return 0;
    }
    muster_error_t error = patience_lock (&self->lifecycle);
    if (error)
        return error;
    int64_t deadline = monotonic_deadline (self->core.options.drain_ms);
    if (listener_phase (self) != LISTENER_STOPPED) {
        ask_to_stop (self);
        error = wait_for_end (self);
        if (!error)
            error = reap (self, deadline);
        if (dropped && error != MUSTER_INTERRUPTED)
            *dropped = self->core.dropped_last;
    }
    pthread_mutex_unlock (&self->lifecycle);
    return error;
}

muster_error_t
muster_listener_destroy (muster_listener_t **self_p)
{
    if (!self_p || !*self_p)
        return 0;
    muster_listener_t *self = *self_p;
    if (listener_is_foreign (self)) {
        *self_p = NULL;
        alloc_free (self);
        return MUSTER_FORKED;
    }
    if (registry_inside (self->core.registry))
        return MUSTER_BUSY;
    if (muster_listener_stop (self, NULL))
        return MUSTER_BUSY;
    *self_p = NULL;
    free_parts (self);
    return 0;
}

/*  --------------------------------------------------------------------------
    Another allow list */

/*  Returns once those who may not speak any more are gone. A listener that stops
    meanwhile lets nobody in. */
static muster_error_t
apply_allow (muster_listener_t *self, allow_t *allow)
{
    listener_core_t *core = &self->core;
    muster_error_t error = 0;
    roster_lock (&core->roster);
    if (core->phase == LISTENER_STOPPED || core->phase == LISTENER_ENDED)
        allow_release (&allow);
    else {
        binding_set_allow (core->binding, allow);
        set_allow (core, allow);
        wake_call (core->wake);
    }
    while (!error && core->revoke_due && core->phase != LISTENER_STOPPED && core->phase != LISTENER_ENDED)
        error = patience_wait_for_ever (&core->roster.changed, &core->roster.lock);
    roster_unlock (&core->roster);
    return error;
}

muster_error_t
muster_listener_reload (muster_listener_t *self)
{
    if (!self)
        return MUSTER_INVAL;
    if (listener_is_foreign (self))
        return MUSTER_FORKED;
    /*  Whoever holds the lifecycle lock may be waiting for this handler. */
    muster_error_t error = !registry_inside (self->core.registry) ? patience_lock (&self->lifecycle)
        : pthread_mutex_trylock (&self->lifecycle) ? MUSTER_BUSY : 0;
    if (error)
        return error;
    allow_t *allow;
    self->reason [0] = 0;
    if (!self->core.allow || !self->core.options.allow_file) {
        snprintf (self->reason, sizeof self->reason, "the listener was not started with keys");
        error = MUSTER_INVAL;
    }
    else
        error = keyfile_load_allow (self->core.options.allow_file, &allow, self->reason);
    if (!error)
        error = apply_allow (self, allow);
    pthread_mutex_unlock (&self->lifecycle);
    return error;
}

/*  --------------------------------------------------------------------------
    What it is */

const char *
muster_listener_endpoint (const muster_listener_t *self)
{
    return self ? self->endpoint : "";
}

const char *
muster_listener_source (const muster_listener_t *self)
{
    return self ? self->core.source : "";
}

const char *
muster_listener_reason (const muster_listener_t *self)
{
    return self ? self->reason : "";
}
