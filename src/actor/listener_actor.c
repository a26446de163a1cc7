/*  listener_actor.c - the thread that does a listener's input and output

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/listener_actor.h"

#include "actor/gate.h"
#include "actor/intake.h"
#include "actor/monotonic.h"
#include "actor/presence.h"
#include "actor/pump.h"
#include "base/spare.h"
#include "net/pollset.h"

/*  How long workers may take to say goodbye once positions are reported, and how
    long a stopping listener reads a PULL that does not get empty. */
#define PART_MS 1000
#define TAKE_MS 1000

/*  Meanwhile workers of this process are looked after so often. */
#define PROBE_MS 100

/*  While a handler makes progress the actor looks at this interval, which is that
    of reports; when it makes none, the handler calls. */
#define LOOK_MS REPORT_DELAY_MS

/*  While heartbeats wait in the ROUTER nobody is called lost, unless they have
    waited for so many bursts. */
#define BEHIND_MOST 100

enum { POLL_PIPE, POLL_WAKE, POLL_ROUTER, POLL_MONITOR, POLL_MONITOR_RETURN, POLL_PULL, POLL_COUNT };

typedef struct {
    listener_core_t *core;
    zsock_t *pipe;
    pollset_t set;
    bool router_left;       /* the last burst left frames in it, or may have */
    bool pull_left;
    bool slow;              /* the last look found nothing handled */
    unsigned behind;        /* bursts in a row that left frames in the ROUTER */
    bool terminated;
} loop_t;

static void
init_set (loop_t *self)
{
    binding_t *binding = self->core->binding;
    pollset_clear (&self->set);
    pollset_add_socket (&self->set, zsock_resolve (self->pipe));
    pollset_add_descriptor (&self->set, self->core->wake->descriptor);
    pollset_add_socket (&self->set, binding_router (binding));
    pollset_add_socket (&self->set, binding_monitor (binding, 0));
    pollset_add_socket (&self->set, binding_monitor (binding, 1));
    pollset_add_socket (&self->set, binding_pull (binding));
}

static void
set_phase (listener_core_t *core, listener_phase_t phase)
{
    core->phase = phase;
    core->again = true;
    pthread_cond_broadcast (&core->roster.changed);
}

/*  --------------------------------------------------------------------------
    Stopping: draining, parting, ended */

/*  The endpoints stay bound until the end: to unbind them would cut off the
    workers whose goodbyes are still to come. Nobody new is let in. */
static void
begin_drain (listener_core_t *core)
{
    if (core->phase != LISTENER_RUNNING)
        return;
    core->drain_since = core->now;
    core->take_until = core->now + TAKE_MS;
    core->probe_at = core->now + PROBE_MS;
    core->pull_is_empty = false;
    core->roster.open = false;
    listener_tell_all_refused (core);
    inbox_drain (core->inbox);
    presence_pause (core);
    set_phase (core, LISTENER_DRAINING);
}

static void
begin_parting (listener_core_t *core)
{
    uint64_t dropped = inbox_give_up (core->inbox);
    core->dropped_last = dropped;
    core->dropped += dropped;
    core->part_until = core->now + PART_MS;
    intake_settle (core);
    presence_part (core);
    set_phase (core, LISTENER_PARTING);
}

static void
end_listening (listener_core_t *core)
{
    presence_end (core);
    intake_clear (core);
    seats_clear (&core->observers);
    inbox_close (core->inbox);
    binding_destroy (&core->binding);
    set_phase (core, LISTENER_ENDED);
}

static int64_t
drain_until (const listener_core_t *core)
{
    return core->drain_since + core->options.drain_ms;
}

static void
probe_if_due (listener_core_t *core)
{
    if (core->now < core->probe_at)
        return;
    bool any = presence_probe (core);
    core->again = core->again || any;
    core->probe_at = any ? core->now + PROBE_MS : INT64_MAX;
}

static void
go_on_stopping (listener_core_t *core)
{
    if (core->phase == LISTENER_DRAINING || core->phase == LISTENER_PARTING)
        probe_if_due (core);
    if (core->phase == LISTENER_DRAINING) {
        bool taken = core->pull_is_empty || core->now >= core->take_until;
        bool done = taken && presence_is_quiet (core) && !intake_is_pending (core);
        if (done || core->now >= drain_until (core))
            begin_parting (core);
    }
    else
    if (core->phase == LISTENER_PARTING)
        if (presence_has_parted (core) || core->now >= core->part_until)
            end_listening (core);
}

/*  --------------------------------------------------------------------------
    The loop */

static void
take_pipe (loop_t *self)
{
    if (!pollset_is_ready (&self->set, POLL_PIPE) || !(zsock_events (self->pipe) & ZMQ_POLLIN))
        return;
    pollset_use (&self->set, POLL_PIPE);
    zmsg_t *msg = zmsg_recv (self->pipe);
    char *command = msg ? zmsg_popstr (msg) : NULL;
    if (!command || streq (command, "$TERM"))
        self->terminated = true;
    else
    if (streq (command, LISTENER_STOP))
        begin_drain (self->core);
    zstr_free (&command);
    zmsg_destroy (&msg);
}

static void
take_monitors (loop_t *self)
{
    if (pollset_is_ready (&self->set, POLL_MONITOR) || pollset_is_ready (&self->set, POLL_MONITOR_RETURN))
        listener_watch (self->core);
}

/*  What is sent on the ROUTER may take what it would have told. */
static void
take_router (loop_t *self)
{
    if (self->router_left || pollset_is_ready (&self->set, POLL_ROUTER))
        self->router_left = presence_burst (self->core);
    pollset_use (&self->set, POLL_ROUTER);
}

static void
take_pull (loop_t *self)
{
    listener_core_t *core = self->core;
    if (core->phase == LISTENER_PARTING) {
        self->pull_left = false;
        return;
    }
    if (core->phase == LISTENER_RUNNING && !self->pull_left && !pollset_is_ready (&self->set, POLL_PULL))
        return;
    bool open = intake_is_open (core);
    bool more = intake_burst (core);
    core->pull_is_empty = open && !more;
    self->pull_left = more || !intake_is_open (core);
}

/*  Whoever changed the list waits for this. */
static void
revoke_if_due (listener_core_t *core)
{
    if (!core->revoke_due)
        return;
    gate_revoke (core);
    core->revoke_due = false;
    pthread_cond_broadcast (&core->roster.changed);
}

static void
work (loop_t *self)
{
    listener_core_t *core = self->core;
    revoke_if_due (core);
    take_monitors (self);
    take_router (self);
    take_pull (self);
    credit_hold (&core->roster.credit, !intake_is_open (core), core->now);
    credit_crowd (&core->roster.credit, intake_is_crowded (core));
    self->slow = !intake_settle (core) && intake_is_pending (core);
    /*  What is settled may have opened the PULL, which does not tell again of what it has. */
    core->again = self->router_left || (self->pull_left && intake_is_open (core));
    self->behind = self->router_left ? self->behind + 1 : 0;
    if (self->behind % BEHIND_MOST == 0)
        presence_check (core);
    listener_tell_refused (core);
    pump_due (core);
    go_on_stopping (core);
}

static int64_t
next_deadline (const loop_t *self)
{
    const listener_core_t *core = self->core;
    int64_t deadline = pump_deadline (core);
    int64_t presence = presence_deadline (core);
    int64_t refused = listener_refused_deadline (core);
    if (presence < deadline)
        deadline = presence;
    if (refused < deadline)
        deadline = refused;
    if (!self->slow && intake_is_pending (core) && core->now + LOOK_MS < deadline)
        deadline = core->now + LOOK_MS;
    bool taken = core->pull_is_empty || core->now >= core->take_until;
    int64_t stop = core->phase == LISTENER_DRAINING
        ? (taken ? drain_until (core) : core->take_until) : core->part_until;
    if (core->probe_at < stop)
        stop = core->probe_at;
    if ((core->phase == LISTENER_DRAINING || core->phase == LISTENER_PARTING) && stop < deadline)
        deadline = stop;
    return deadline;
}

static long
poll_timeout (const loop_t *self)
{
    if (self->core->phase == LISTENER_ENDED)
        return -1;
    if (self->core->again)
        return 0;
    int64_t now = self->core->now, deadline = next_deadline (self), idle = now + spare_age (now);
    if (deadline > idle)
        deadline = idle;
    return deadline > now ? (long) (deadline - now) : 0;
}

/*  A handler calls when somebody waits for it, or the actor has stopped looking. */
static inbox_call_t
wanted_call (const loop_t *self)
{
    const listener_core_t *core = self->core;
    if (self->slow || core->phase == LISTENER_DRAINING)
        return INBOX_EACH_MESSAGE;
    return INBOX_EACH_BATCH;
}

static int
sockets_to_poll (const loop_t *self)
{
    if (self->core->phase == LISTENER_ENDED)
        return POLL_PIPE + 1;
    return intake_is_open (self->core) ? POLL_COUNT : POLL_PULL;
}

void
listener_actor (zsock_t *pipe, void *argument)
{
    loop_t self = { .core = argument, .pipe = pipe };
    listener_core_t *core = self.core;
    init_set (&self);
    core->now = monotonic_ms ();
    zsock_signal (pipe, 0);
    while (!self.terminated) {
        roster_lock (&core->roster);
        long timeout = poll_timeout (&self);
        int count = sockets_to_poll (&self);
        inbox_set_call (core->inbox, wanted_call (&self));
        roster_unlock (&core->roster);

        pollset_wait (&self.set, count, timeout);
        if (pollset_is_ready (&self.set, POLL_WAKE))
            wake_heard (core->wake);
        roster_lock (&core->roster);
        core->now = monotonic_ms ();
        take_pipe (&self);
        if (core->phase != LISTENER_ENDED)
            work (&self);
        roster_unlock (&core->roster);
    }
    roster_lock (&core->roster);
    if (core->phase != LISTENER_ENDED) {
        inbox_give_up (core->inbox);
        end_listening (core);
    }
    roster_unlock (&core->roster);
}
