/*  listener.c - the listener's facade: options, start and stop, and what any thread may call

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/listener.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <utlist.h>

#include "actor/command.h"
#include "actor/dispatch.h"
#include "actor/guest.h"
#include "actor/listener.h"
#include "actor/listener_actor.h"
#include "actor/monotonic.h"
#include "base/alloc.h"
#include "base/process.h"
#include "net/context.h"

#define KIB ((uint64_t) 1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/*  Longest option of time, in seconds: beyond it a sum of times may overflow. */
#define SECONDS_MOST 1e9

/*  How long start waits for a handler that asked for the stop before it. */
#define RESTART_MS 1000

static bool
is_foreign (const muster_listener_t *self)
{
    return self->generation != process_generation ();
}

/*  --------------------------------------------------------------------------
    Making and destroying */

static void
set_defaults (listener_options_t *options)
{
    options->frame_limit = 64 * MIB;
    options->receive_budget = 2 * GIB;
    options->plain_share = UINT64_MAX;
    options->credit_floor = 64 * KIB;
    options->command_buffer = 64 * MIB;
    options->liveness_ms = 10000;
    options->drain_ms = 10000;
    options->no_progress_ms = 30000;
    options->retention_ms = 3600000;
    options->retained_sessions = 10000;
}

static bool
set_identity (listener_core_t *core)
{
    zuuid_t *uuid = zuuid_new ();
    if (!uuid)
        return false;
    snprintf (core->source, sizeof core->source, "%s", zuuid_str_canonical (uuid));
    memcpy (core->id.bytes, zuuid_data (uuid), sizeof core->id.bytes);
    zuuid_destroy (&uuid);
    return true;
}

static muster_error_t
done (muster_message_t *message, int failed)
{
    inbox_done (&message, failed != 0);
    return 0;
}

static muster_error_t
reply (const muster_message_t *message, const char *cmd, const void *bytes, size_t size)
{
    muster_listener_t *self = inbox_context (message->context);
    if (is_foreign (self))
        return MUSTER_FORKED;
    command_t command = { .cmd = cmd, .data = bytes, .size = size, .kind = MESSAGE_KIND_REPLY };
    command.position = message->position;
    command.reply_to_session = message->session;
    return command_send (self, message->source, &command);
}

static const message_origin_t origin = { .done = done, .reply = reply };

static bool
make_parts (muster_listener_t *self, const char *endpoint)
{
    listener_core_t *core = &self->core;
    core->options.endpoint = alloc_text (endpoint);
    core->wake = wake_new ();
    core->writer = muster_writer_new ();
    if (!core->options.endpoint || !core->wake || !core->writer || !set_identity (core))
        return false;
    core->registry = registry_new (core->source);
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
    pthread_mutex_init (&self->lifecycle, NULL);
    set_defaults (&self->core.options);
    if (!make_parts (self, endpoint)) {
        free_parts (self);
        return NULL;
    }
    return self;
}

/*  --------------------------------------------------------------------------
    Options */

static void
set_text (char **option, const char *text)
{
    alloc_free (*option);
    *option = alloc_text (text);
}

static int64_t
to_ms (double seconds)
{
    return seconds >= 0 && seconds <= SECONDS_MOST ? (int64_t) (seconds * 1000) : -1;
}

void
muster_listener_set_return_endpoint (muster_listener_t *self, const char *endpoint)
{
    set_text (&self->core.options.return_endpoint, endpoint);
}

void
muster_listener_set_advertise (muster_listener_t *self, const char *host)
{
    set_text (&self->core.options.advertise, host);
}

void
muster_listener_set_insecure (muster_listener_t *self, bool insecure)
{
    self->core.options.insecure = insecure;
}

void
muster_listener_set_message_limit (muster_listener_t *self, uint64_t bytes)
{
    self->core.options.message_limit = bytes;
}

void
muster_listener_set_frame_limit (muster_listener_t *self, uint64_t bytes)
{
    self->core.options.frame_limit = bytes;
}

void
muster_listener_set_receive_budget (muster_listener_t *self, uint64_t bytes)
{
    self->core.options.receive_budget = bytes;
}

void
muster_listener_set_plain_share (muster_listener_t *self, uint64_t bytes)
{
    self->core.options.plain_share = bytes;
}

void
muster_listener_set_credit_floor (muster_listener_t *self, uint64_t bytes)
{
    self->core.options.credit_floor = bytes;
}

void
muster_listener_set_command_buffer (muster_listener_t *self, uint64_t bytes)
{
    self->core.options.command_buffer = bytes;
}

void
muster_listener_set_liveness (muster_listener_t *self, double seconds)
{
    self->core.options.liveness_ms = to_ms (seconds);
}

void
muster_listener_set_drain (muster_listener_t *self, double seconds)
{
    self->core.options.drain_ms = to_ms (seconds);
}

void
muster_listener_set_no_progress (muster_listener_t *self, double seconds)
{
    self->core.options.no_progress_ms = to_ms (seconds);
}

void
muster_listener_set_retention (muster_listener_t *self, double seconds)
{
    self->core.options.retention_ms = to_ms (seconds);
}

void
muster_listener_set_retained_sessions (muster_listener_t *self, size_t sessions)
{
    self->core.options.retained_sessions = sessions;
}

static muster_error_t
refuse_option (char *reason, const char *text)
{
    snprintf (reason, REASON_ROOM, "%s", text);
    return MUSTER_INVAL;
}

/*  The limits in force: what was not set follows from the budget. */
static muster_error_t
settle_options (muster_listener_t *self, listener_options_t *limits)
{
    *limits = self->core.options;
    uint64_t budget = limits->receive_budget;
    if (limits->liveness_ms < 40)
        return refuse_option (self->reason, "liveness must be from 0.04 to 1e9 seconds");
    if (limits->drain_ms < 0 || limits->no_progress_ms < 0 || limits->retention_ms < 0)
        return refuse_option (self->reason, "drain, no_progress and retention must be from 0 to 1e9 seconds");
    if (budget == 0 || budget > INT64_MAX)
        return refuse_option (self->reason, "receive_budget must be from 1 to 2^63 - 1 bytes");
    if (limits->message_limit == 0)
        limits->message_limit = budget / 2 < GIB ? budget / 2 : GIB;
    if (limits->plain_share == UINT64_MAX)
        limits->plain_share = budget / 4;
    if (limits->message_limit > UINT32_MAX)
        return refuse_option (self->reason, "message_limit must be under 4 GiB");
    if (limits->credit_floor == 0 || limits->plain_share > budget
    ||  limits->credit_floor > budget - limits->plain_share
    ||  limits->message_limit > budget - limits->plain_share - limits->credit_floor)
        return refuse_option (self->reason,
            "message_limit, plain_share and one credit_floor together must fit into receive_budget");
    return 0;
}

/*  --------------------------------------------------------------------------
    Start */

static void
end_at_exit (void *argument)
{
    muster_listener_t *self = argument;
    guest_end (&self->actor, self);
}

static muster_error_t
open_binding (muster_listener_t *self)
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

static void
init_run (listener_core_t *core, const listener_options_t *limits)
{
    roster_lock (&core->roster);
    core->roster.limits = (session_limits_t) {
        .liveness = limits->liveness_ms, .message_limit = limits->message_limit };
    core->roster.command_buffer = limits->command_buffer;
    if (core->roster.credit.budget == 0)
        credit_init (&core->roster.credit, limits->receive_budget - limits->plain_share,
            limits->credit_floor, limits->message_limit);
    core->options.message_limit = limits->message_limit;
    core->options.plain_share = limits->plain_share;
    core->roster.open = true;
    core->dropped_last = 0;
    core->phase = LISTENER_RUNNING;
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

static muster_error_t
start (muster_listener_t *self)
{
    listener_options_t limits;
    muster_error_t error = settle_options (self, &limits);
    if (!error)
        error = open_binding (self);
    if (error)
        return error;
    remember_binding (self);
    init_run (&self->core, &limits);
    error = start_threads (self);
    if (error) {
        snprintf (self->reason, sizeof self->reason, "%s: %s", self->core.options.endpoint, muster_error_text (error));
        inbox_close (self->core.inbox);
        binding_destroy (&self->core.binding);
        context_release (self->core.context);
        self->core.phase = LISTENER_STOPPED;
    }
    return error;
}

/*  --------------------------------------------------------------------------
    Stop. The lifecycle lock is held by whoever starts, stops or destroys. */

static listener_phase_t
phase_of (muster_listener_t *self)
{
    roster_lock (&self->core.roster);
    listener_phase_t phase = self->core.phase;
    roster_unlock (&self->core.roster);
    return phase;
}

static void
wait_for_end (muster_listener_t *self)
{
    roster_t *roster = &self->core.roster;
    roster_lock (roster);
    while (self->core.phase != LISTENER_ENDED)
        monotonic_cond_wait (&roster->changed, &roster->lock, INT64_MAX);
    roster_unlock (roster);
}

/*  The actor has ended: its thread, the context and, if no handler runs longer
    than the deadline, the dispatch thread. */
static muster_error_t
reap (muster_listener_t *self, int64_t deadline_ms)
{
    if (self->actor) {
        guest_end (&self->actor, self);
        context_release (self->core.context);
    }
    if (self->dispatch) {
        if (!dispatch_wait (self->dispatch, deadline_ms))
            return MUSTER_TIMEOUT;
        dispatch_destroy (&self->dispatch);
    }
    self->core.phase = LISTENER_STOPPED;
    return 0;
}

muster_error_t
muster_listener_start (muster_listener_t *self)
{
    if (!self)
        return MUSTER_INVAL;
    if (is_foreign (self))
        return MUSTER_FORKED;
    if (registry_inside (self->core.registry))
        return MUSTER_DEADLOCK;
    pthread_mutex_lock (&self->lifecycle);
    muster_error_t error = 0;
    self->reason [0] = 0;
    listener_phase_t phase = phase_of (self);
    if (phase == LISTENER_ENDED && reap (self, monotonic_deadline (RESTART_MS)) == 0)
        phase = LISTENER_STOPPED;
    if (phase == LISTENER_STOPPED)
        error = start (self);
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
    if (self->actor && phase_of (self) == LISTENER_RUNNING)
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
    if (is_foreign (self))
        return MUSTER_FORKED;
    if (registry_inside (self->core.registry)) {
        /*  Whoever holds the lifecycle lock is stopping the listener already. */
        if (pthread_mutex_trylock (&self->lifecycle) == 0) {
            ask_to_stop (self);
            pthread_mutex_unlock (&self->lifecycle);
        }
        return 0;
    }
    pthread_mutex_lock (&self->lifecycle);
    muster_error_t error = 0;
    int64_t deadline = monotonic_deadline (self->core.options.drain_ms);
    if (phase_of (self) != LISTENER_STOPPED) {
        ask_to_stop (self);
        wait_for_end (self);
        if (dropped)
            *dropped = self->core.dropped_last;
        error = reap (self, deadline);
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
    if (is_foreign (self)) {
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

muster_error_t
muster_listener_stats (muster_listener_t *self, muster_stats_t *stats)
{
    if (!self || !stats)
        return MUSTER_INVAL;
    if (is_foreign (self))
        return MUSTER_FORKED;
    listener_core_t *core = &self->core;
    inbox_counts_t counts;
    inbox_count (core->inbox, &counts);
    roster_lock (&core->roster);
    *stats = (muster_stats_t) {
        .received = counts.received, .received_bytes = counts.received_bytes,
        .handled = counts.handled, .failed = counts.failed, .unhandled = core->unhandled,
        .stale = core->stale, .duplicates = core->duplicates, .dropped = core->dropped,
        .joined = core->roster.joined, .disconnects = core->disconnects,
        .workers = core->roster.present, .sessions = core->roster.present + core->roster.absent_count,
        .queued = counts.queued, .queued_bytes = counts.queued_bytes };
    for (int reason = 1; reason < MUSTER_REFUSAL_COUNT; reason++) {
        stats->refused [reason] = core->refused [reason];
        stats->rejected += core->refused [reason];
    }
    roster_unlock (&core->roster);
    return 0;
}

/*  --------------------------------------------------------------------------
    Handlers */

muster_error_t
muster_listener_register_handler (
    muster_listener_t *self, const char *source, muster_handler_fn *handler, void *arg, bool overwrite)
{
    if (!self || !source || !handler)
        return MUSTER_INVAL;
    if (is_foreign (self))
        return MUSTER_FORKED;
    muster_error_t error = registry_register (self->core.registry, source, handler, arg, overwrite);
    if (!error && inbox_decide (self->core.inbox, INBOX_HANDLERS)) {
        registry_unregister (self->core.registry, source);
        error = MUSTER_BUSY;
    }
    return error;
}

muster_error_t
muster_listener_unregister_handler (muster_listener_t *self, const char *source)
{
    if (!self || !source)
        return MUSTER_INVAL;
    return is_foreign (self) ? MUSTER_FORKED : registry_unregister (self->core.registry, source);
}

muster_error_t
muster_listener_register_default_handler (muster_listener_t *self, muster_handler_fn *handler, void *arg)
{
    if (!self || !handler)
        return MUSTER_INVAL;
    if (is_foreign (self))
        return MUSTER_FORKED;
    muster_error_t error = inbox_decide (self->core.inbox, INBOX_HANDLERS);
    return error ? error : registry_set_default (self->core.registry, handler, arg);
}

muster_error_t
muster_listener_register_system_handler (muster_listener_t *self, muster_handler_fn *handler, void *arg)
{
    if (!self || !handler)
        return MUSTER_INVAL;
    return is_foreign (self) ? MUSTER_FORKED : registry_set_system (self->core.registry, handler, arg);
}

/*  --------------------------------------------------------------------------
    Taking messages instead */

muster_error_t
muster_listener_next (muster_listener_t *self, muster_message_t **message, int timeout_ms)
{
    if (!self || !message)
        return MUSTER_INVAL;
    *message = NULL;
    if (is_foreign (self))
        return MUSTER_FORKED;
    if (timeout_ms != 0 && registry_inside (self->core.registry))
        return MUSTER_DEADLOCK;
    muster_error_t error = inbox_decide (self->core.inbox, INBOX_CALLERS);
    int64_t deadline = monotonic_deadline (timeout_ms);
    bool event = true;
    while (!error && event) {
        error = inbox_take (self->core.inbox, INBOX_CALLER, deadline, message, &event);
        if (!error && event)
            dispatch_event (&self->core, message);
    }
    return error;
}

muster_error_t
muster_listener_descriptor (muster_listener_t *self, int *descriptor)
{
    if (!self || !descriptor)
        return MUSTER_INVAL;
    if (is_foreign (self))
        return MUSTER_FORKED;
    if (phase_of (self) == LISTENER_STOPPED)
        return MUSTER_CLOSED;
    muster_error_t error = inbox_decide (self->core.inbox, INBOX_CALLERS);
    if (!error)
        *descriptor = inbox_descriptor (self->core.inbox);
    return error;
}

/*  --------------------------------------------------------------------------
    Commands */

muster_error_t
muster_listener_send_raw (
    muster_listener_t *self, const char *source, const char *cmd, const void *bytes, size_t size)
{
    if (!self || !source || !cmd || !bytes)
        return MUSTER_INVAL;
    if (is_foreign (self))
        return MUSTER_FORKED;
    return command_send (self, source, &(command_t) { .cmd = cmd, .data = bytes, .size = size });
}

muster_error_t
muster_listener_send (muster_listener_t *self, const char *source, const char *cmd, const char *picture, ...)
{
    if (!self || !source || !cmd)
        return MUSTER_INVAL;
    va_list arguments;
    va_start (arguments, picture);
    muster_writer_t *data = NULL;
    command_t command = { .cmd = cmd };
    muster_error_t error = is_foreign (self) ? MUSTER_FORKED : command_pack (&command, &data, picture, arguments);
    if (!error)
        error = command_send (self, source, &command);
    muster_writer_destroy (&data);
    va_end (arguments);
    return error;
}

muster_error_t
muster_listener_broadcast_raw (
    muster_listener_t *self, size_t *sent, const char *cmd, const void *bytes, size_t size)
{
    if (!self || !cmd || !bytes)
        return MUSTER_INVAL;
    if (is_foreign (self))
        return MUSTER_FORKED;
    return command_broadcast (self, sent, &(command_t) { .cmd = cmd, .data = bytes, .size = size });
}

muster_error_t
muster_listener_broadcast (muster_listener_t *self, size_t *sent, const char *cmd, const char *picture, ...)
{
    if (!self || !cmd)
        return MUSTER_INVAL;
    va_list arguments;
    va_start (arguments, picture);
    muster_writer_t *data = NULL;
    command_t command = { .cmd = cmd };
    muster_error_t error = is_foreign (self) ? MUSTER_FORKED : command_pack (&command, &data, picture, arguments);
    if (!error)
        error = command_broadcast (self, sent, &command);
    muster_writer_destroy (&data);
    va_end (arguments);
    return error;
}

/*  --------------------------------------------------------------------------
    Who is here */

typedef bool (here_fn) (const roster_t *roster, const void *wanted, size_t count);

static bool
are_so_many_here (const roster_t *roster, const void *wanted, size_t count)
{
    (void) wanted;
    return roster->present >= count;
}

static bool
are_these_here (const roster_t *roster, const void *wanted, size_t count)
{
    const char *const *sources = wanted;
    for (size_t i = 0; i < count; i++)
        if (!roster_find_present (roster, sources [i]))
            return false;
    return true;
}

static muster_error_t
wait_until_here (muster_listener_t *self, here_fn *here, const void *wanted, size_t count, int timeout_ms)
{
    if (is_foreign (self))
        return MUSTER_FORKED;
    roster_t *roster = &self->core.roster;
    int64_t deadline = monotonic_deadline (timeout_ms);
    bool inside = registry_inside (self->core.registry);
    muster_error_t error = 0;
    roster_lock (roster);
    while (!error && !here (roster, wanted, count)) {
        if (!roster->open)
            error = MUSTER_CLOSED;
        else
        if (inside)
            error = MUSTER_DEADLOCK;
        else
        if (!monotonic_cond_wait (&roster->changed, &roster->lock, deadline))
            error = here (roster, wanted, count) ? 0 : MUSTER_TIMEOUT;
    }
    roster_unlock (roster);
    return error;
}

muster_error_t
muster_listener_wait_for_workers (muster_listener_t *self, size_t count, int timeout_ms)
{
    return self ? wait_until_here (self, are_so_many_here, NULL, count, timeout_ms) : MUSTER_INVAL;
}

muster_error_t
muster_listener_wait_for_sources (
    muster_listener_t *self, const char *const *sources, size_t count, int timeout_ms)
{
    if (!self || !sources)
        return MUSTER_INVAL;
    for (size_t i = 0; i < count; i++)
        if (!sources [i])
            return MUSTER_INVAL;
    return wait_until_here (self, are_these_here, sources, count, timeout_ms);
}

static char **
list_sources (const roster_t *roster)
{
    size_t room = (roster->present + 1) * sizeof (char *);
    const peer_t *peer;
    DL_FOREACH2 (roster->heard, peer, heard_next)
        room += strlen (peer->session.source) + 1;
    char **sources = alloc_new (room);
    if (!sources)
        return NULL;
    char *text = (char *) (sources + roster->present + 1);
    size_t count = 0;
    DL_FOREACH2 (roster->heard, peer, heard_next) {
        sources [count++] = text;
        text = stpcpy (text, peer->session.source) + 1;
    }
    sources [count] = NULL;
    return sources;
}

muster_error_t
muster_listener_workers (muster_listener_t *self, char ***sources, size_t *count)
{
    if (!self || !sources)
        return MUSTER_INVAL;
    if (is_foreign (self))
        return MUSTER_FORKED;
    roster_lock (&self->core.roster);
    *sources = list_sources (&self->core.roster);
    if (count)
        *count = self->core.roster.present;
    roster_unlock (&self->core.roster);
    return *sources ? 0 : MUSTER_NOMEM;
}

void
muster_free (void *memory)
{
    alloc_free (memory);
}
