/*  presence.c - workers that come and go: what comes in at a listener's ROUTER

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/presence.h"

#include <stdio.h>
#include <string.h>

#include <utlist.h>
#include <zmq.h>

#include "actor/gate.h"
#include "actor/monotonic.h"
#include "actor/observers.h"
#include "actor/pump.h"
#include "actor/round.h"
#include "actor/trace.h"
#include "model/hello.h"
#include "wire/frame.h"

#define BURST_FRAMES 100

#define REPLACED_TEXT "another worker took the source"

/*  Events that wait for their handler: a worker that comes and goes makes more, and
    beyond so many nobody is let in until some are handled. */
#define EVENTS_MOST 10000

/*  Who sent a frame. */
typedef struct {
    route_t route;
    caller_t caller;
} sender_t;

/*  --------------------------------------------------------------------------
    Hello */

/*  A worker that has a session is not told that there is no room: it would give up
    what it keeps. It hears nothing and tries again. */
static void
refuse_hello (listener_core_t *self, const sender_t *sender, const frame_t *hello,
    muster_error_t error, const char *reason)
{
    if (hello->hello.fresh || (error != MUSTER_FULL && error != MUSTER_NOMEM))
        pump_refusal (self, &sender->route, hello, error, reason);
    listener_note_refused (self, sender->caller.address, hello->hello.source, reason, 1);
}

static void
set_why_absent (peer_t *peer, bool absent)
{
    if (absent)
        round_peer_absent (peer);
    else
        round_peer_back (peer);
}

static void
forget (listener_core_t *self, peer_t *peer, muster_error_t why)
{
    round_peer_gone (peer, why);
    roster_forget (&self->roster, peer);
}

/*  ZeroMQ gives a routing id to whoever asks for it once its connection has ended. What
    ended before this frame came is learned first, since a descriptor is used again. */
static void
attach (listener_core_t *self, peer_t *peer, const sender_t *sender)
{
    listener_watch (self);
    peer->route = sender->route;
    memcpy (peer->address, sender->caller.address, sizeof peer->address);
    peer->descriptor = sender->caller.descriptor;
    peer->connection = binding_connection (self->binding, peer->descriptor);
    peer->data_known = false;
    peer->data_connection = 0;
}

/*  The session is known: it goes on under a new epoch, with the limits of this
    start. What is under way on the connection before may stay there for long. */
static void
welcome_back (listener_core_t *self, peer_t *peer, const sender_t *sender, const frame_t *hello)
{
    flight_t *flight = flight_new (self->wake);
    session_set_limits (&peer->session, &self->roster.limits);
    muster_error_t error = flight ? session_greet (&peer->session, hello, self->now) : MUSTER_NOMEM;
    if (error) {
        flight_release (&flight);
        refuse_hello (self, sender, hello, error, muster_error_text (error));
        return;
    }
    flight_release (&peer->flight);
    peer->flight = flight;
    attach (self, peer, sender);
    if (!peer->present) {
        roster_arrive (&self->roster, peer);
        set_why_absent (peer, false);
        listener_tell (self, MUSTER_EVENT_RETURNED, peer, NULL);
    }
    roster_heard (&self->roster, peer);
    roster_due (&self->roster, peer);
}

static uint32_t
stream_tag (const listener_core_t *self, const frame_t *hello)
{
    uint32_t tag, other;
    memcpy (&tag, self->id.bytes, sizeof tag);
    memcpy (&other, hello->session.bytes, sizeof other);
    return tag ^ other;
}

static peer_t *
new_peer (listener_core_t *self, const sender_t *sender, const frame_t *hello)
{
    session_t session;
    session_init_listener (&session, hello, &self->id, self->source, stream_tag (self, hello),
        &self->roster.limits, &self->roster.credit);
    peer_t *peer = peer_new (hello, &session, sender->caller.key, self->wake);
    if (peer) {
        attach (self, peer, sender);
        if (!roster_add (&self->roster, peer))
            peer_destroy (&peer);
    }
    return peer;
}

static void
welcome_new (listener_core_t *self, const sender_t *sender, const frame_t *hello)
{
    peer_t *peer = new_peer (self, sender, hello);
    if (!peer) {
        refuse_hello (self, sender, hello, MUSTER_NOMEM, muster_error_text (MUSTER_NOMEM));
        return;
    }
    muster_error_t error = session_greet (&peer->session, hello, self->now);
    if (error) {
        roster_forget (&self->roster, peer);
        refuse_hello (self, sender, hello, error, muster_error_text (error));
        return;
    }
    roster_arrive (&self->roster, peer);
    listener_tell (self, MUSTER_EVENT_JOINED, peer, NULL);
    roster_due (&self->roster, peer);
}

static const char *
refusal_text (muster_error_t error)
{
    switch (error) {
        case MUSTER_ACCESS: return "the session belongs to another source";
        case MUSTER_REPLACED: return REPLACED_TEXT;
        default: return muster_error_text (error);
    }
}

static void
replace (listener_core_t *self, peer_t *holder)
{
    if (holder->present) {
        pump_end (self, holder, MUSTER_REPLACED, REPLACED_TEXT);
        return;
    }
    ended_keep (&self->roster.ended, &holder->session.id, MUSTER_REPLACED, self->now);
    forget (self, holder, MUSTER_REPLACED);
}

/*  A session is its key's alone, whoever may use the source. */
static const char *
why_not_admitted (const listener_core_t *self, const sender_t *sender, const frame_t *hello, const peer_t *known)
{
    if (!gate_admits (self, &sender->caller, hello->hello.source))
        return "the key may not use this source";
    if (known && strcmp (known->key, sender->caller.key) != 0)
        return "the session belongs to another key";
    return NULL;
}

static void
answer_hello (listener_core_t *self, const sender_t *sender, const frame_t *hello)
{
    peer_t *known = roster_find (&self->roster, &hello->session);
    const char *not_admitted = why_not_admitted (self, sender, hello, known);
    if (not_admitted) {
        refuse_hello (self, sender, hello, MUSTER_ACCESS, not_admitted);
        return;
    }
    peer_t *holder = roster_find_source (&self->roster, hello->hello.source);
    muster_error_t error;
    switch (hello_judge (hello, known ? &known->session : NULL,
        ended_why (&self->roster.ended, &hello->session),
        holder ? &holder->session : NULL, holder && holder->present, &error)) {
        case HELLO_RESUME:
            welcome_back (self, known, sender, hello);
            return;
        case HELLO_STALE:
            self->stale++;
            return;
        case HELLO_REFUSE:
            refuse_hello (self, sender, hello, error, refusal_text (error));
            return;
        case HELLO_BEGIN_ANEW:
            if (known->present)
                listener_tell (self, MUSTER_EVENT_LOST, known, "another listener went on with its session");
            forget (self, known, MUSTER_LOST);
            break;
        case HELLO_BEGIN:
            if (holder && !holder->present && credit_is_full (&self->roster.credit)) {
                refuse_hello (self, sender, hello, MUSTER_FULL, muster_error_text (MUSTER_FULL));
                return;
            }
            if (holder)
                replace (self, holder);
            break;
    }
    welcome_new (self, sender, hello);
}

static void
take_hello (listener_core_t *self, const sender_t *sender, const frame_t *hello)
{
    trace_frame (hello->hello.source, hello, TRACE_RECEIVED, &self->received_log, self->now);
    if (self->phase != LISTENER_RUNNING || inbox_events (self->inbox) > EVENTS_MOST)
        return;
    if (strcmp (hello->hello.source, self->source) == 0) {
        listener_refuse (self, MUSTER_REFUSAL_FORGED);
        refuse_hello (self, sender, hello, MUSTER_RESERVED, "the source is the listener's own");
        return;
    }
    answer_hello (self, sender, hello);
}

/*  Whoever is let in may ask, as often as he likes: it takes an answer that is hardly larger. He is nobody
    that was refused. */
static void
answer_question (listener_core_t *self, const sender_t *sender, const frame_t *question)
{
    if (self->phase == LISTENER_RUNNING)
        pump_refusal (self, &sender->route, question, MUSTER_VERSION, muster_error_text (MUSTER_VERSION));
    else
        pump_refusal (self, &sender->route, question, MUSTER_CLOSED, "the listener stops");
}

static void
refuse_version (listener_core_t *self, const sender_t *sender, const frame_t *hello, uint8_t version)
{
    char reason [80];
    snprintf (reason, sizeof reason, "the worker speaks protocol version %u, the listener %u",
        version, PROTOCOL_VERSION);
    pump_refusal (self, &sender->route, hello, MUSTER_VERSION, reason);
    listener_note_refused (self, sender->caller.address, NULL, reason, 1);
}

/*  --------------------------------------------------------------------------
    The other control frames */

static bool
is_from (const peer_t *peer, const route_t *route)
{
    return peer->route.size == route->size && memcmp (peer->route.bytes, route->bytes, route->size) == 0;
}

static void
take_control (listener_core_t *self, const sender_t *sender, const frame_t *frame)
{
    peer_t *peer = roster_find (&self->roster, &frame->session);
    if (peer && strcmp (peer->key, sender->caller.key) != 0) {
        gate_refuse (self, &sender->caller, peer->session.source);
        return;
    }
    if (!peer || !is_from (peer, &sender->route) || frame->epoch != peer->session.epoch) {
        self->stale++;
        return;
    }
    trace_frame (peer->session.source, frame, TRACE_RECEIVED, &self->received_log, self->now);
    if (!session_control (&peer->session, frame, self->now))
        listener_refuse (self, MUSTER_REFUSAL_CONTROL);
    else
    if (frame_is_stamped (frame))
        session_take_stamp (&peer->session, frame, monotonic_us ());
    pthread_cond_broadcast (&self->roster.changed);
    roster_heard (&self->roster, peer);
    roster_due (&self->roster, peer);
}

static void
take_frame (listener_core_t *self, const sender_t *sender, const uint8_t *bytes, size_t size)
{
    frame_t frame;
    const uint8_t *body;
    size_t body_size;
    uint8_t version;
    muster_refusal_t refusal = frame_read (bytes, size, &frame, &body, &body_size, &version);
    if (!refusal && version == PROTOCOL_QUESTION)
        answer_question (self, sender, &frame);
    else
    if (!refusal && version != PROTOCOL_VERSION)
        refuse_version (self, sender, &frame, version);
    else
    if (refusal || frame.kind == FRAME_DATA || frame.kind == FRAME_CHUNK)
        listener_refuse (self, refusal ? refusal : MUSTER_REFUSAL_HEADER);
    else
    if (frame.kind == FRAME_HELLO)
        take_hello (self, sender, &frame);
    else
    if (frame.kind == FRAME_OBSERVE)
        observers_answer (self, &sender->caller, &sender->route, &frame);
    else
        take_control (self, sender, &frame);
}

/*  --------------------------------------------------------------------------
    The socket */

typedef enum { TAKEN_NOTHING, TAKEN_ONE, TAKEN_OTHER } taken_t;

/*  Take [route, frame] into route and msg; a message of another number of
    frames is taken, too, but is OTHER. */
static taken_t
take_message (void *socket, route_t *route, zmq_msg_t *msg)
{
    if (zmq_msg_recv (msg, socket, ZMQ_DONTWAIT) < 0)
        return TAKEN_NOTHING;
    size_t size = zmq_msg_size (msg);
    bool whole = size <= sizeof route->bytes && zmq_msg_more (msg);
    if (whole) {
        memcpy (route->bytes, zmq_msg_data (msg), size);
        route->size = (uint8_t) size;
    }
    int frames = 0;
    while (zmq_msg_more (msg) && zmq_msg_recv (msg, socket, ZMQ_DONTWAIT) >= 0)
        frames++;
    return whole && frames == 1 ? TAKEN_ONE : TAKEN_OTHER;
}

bool
presence_burst (listener_core_t *self)
{
    bool secure = binding_router_is_secure (self->binding);
    for (int frames = 0; frames < BURST_FRAMES; frames++) {
        sender_t sender;
        zmq_msg_t msg;
        zmq_msg_init (&msg);
        taken_t taken = take_message (binding_router (self->binding), &sender.route, &msg);
        if (taken == TAKEN_ONE) {
            sender.caller = gate_caller (&msg, secure);
            take_frame (self, &sender, zmq_msg_data (&msg), zmq_msg_size (&msg));
        }
        else
        if (taken == TAKEN_OTHER)
            listener_refuse (self, MUSTER_REFUSAL_MULTIPART);
        zmq_msg_close (&msg);
        if (taken == TAKEN_NOTHING)
            return false;
    }
    return true;
}

/*  --------------------------------------------------------------------------
    Silence */

static void
lose (listener_core_t *self, peer_t *peer)
{
    listener_tell (self, MUSTER_EVENT_LOST, peer, NULL);
    round_peer_absent (peer);
    session_leave (&peer->session);
    roster_depart (&self->roster, peer, self->now);
    self->again = true;     /* its credit is free for others */
}

void
presence_check (listener_core_t *self)
{
    peer_t *peer;
    while ((peer = self->roster.heard) && self->now - peer->session.heard_at >= self->roster.limits.liveness)
        lose (self, peer);
    while ((peer = self->roster.absent)
        && (self->now - peer->absent_since >= self->limits.retention_ms
        || self->roster.absent_count > self->limits.retained_sessions))
        forget (self, peer, MUSTER_LOST);
    ended_drop (&self->roster.ended, self->now - self->limits.retention_ms, self->limits.retained_sessions);
}

int64_t
presence_deadline (const listener_core_t *self)
{
    int64_t deadline = INT64_MAX;
    if (self->roster.heard)
        deadline = self->roster.heard->session.heard_at + self->roster.limits.liveness;
    if (self->roster.absent) {
        int64_t retained = self->roster.absent->absent_since + self->limits.retention_ms;
        if (retained < deadline)
            deadline = retained;
    }
    return deadline;
}

/*  --------------------------------------------------------------------------
    The listener stops */

void
presence_pause (listener_core_t *self)
{
    peer_t *peer;
    DL_FOREACH2 (self->roster.heard, peer, heard_next) {
        session_pause (&peer->session);
        roster_due (&self->roster, peer);
    }
}

/*  What a process that is gone had sent may lie in the kernel until its connection has been read
    to its end. */
static bool
may_send (const listener_core_t *self, const peer_t *peer)
{
    return peer->data_connection
        && binding_data_connection (self->binding, peer->data_descriptor) == peer->data_connection;
}

bool
presence_is_quiet (const listener_core_t *self)
{
    peer_t *peer;
    DL_FOREACH2 (self->roster.heard, peer, heard_next)
        if (!session_is_complete (&peer->session) && (pump_reaches (self, peer) || may_send (self, peer)))
            return false;
    return true;
}

/*  Whether it can be reached shows when it is sent something: its positions do no harm. */
static bool
probe (listener_core_t *self, peer_t *peer)
{
    if (peer->connection || peer->unreachable)
        return false;
    session_report (&peer->session, self->now);
    roster_due (&self->roster, peer);
    return true;
}

bool
presence_probe (listener_core_t *self)
{
    peer_t *peer;
    bool any = false;
    DL_FOREACH2 (self->roster.heard, peer, heard_next)
        any = probe (self, peer) || any;
    return any;
}

void
presence_part (listener_core_t *self)
{
    peer_t *peer;
    DL_FOREACH2 (self->roster.heard, peer, heard_next) {
        session_report (&peer->session, self->now);
        session_end (&peer->session, MUSTER_CLOSED, "the listener stopped");
        roster_due (&self->roster, peer);
    }
}

bool
presence_has_parted (const listener_core_t *self)
{
    peer_t *peer;
    DL_FOREACH2 (self->roster.heard, peer, heard_next)
        if (!session_has_parted (&peer->session) && pump_reaches (self, peer))
            return false;
    return true;
}

/*  What was received and given up is received anew when the session resumes;
    what a handler has taken stays received. */
void
presence_end (listener_core_t *self)
{
    peer_t *peer, *next;
    DL_FOREACH_SAFE2 (self->roster.heard, peer, next, heard_next) {
        round_peer_absent (peer);
        roster_depart (&self->roster, peer, self->now);
    }
    roster_bury_all (&self->roster);
    DL_FOREACH2 (self->roster.absent, peer, absent_next) {
        peer->session.in.received = peer->session.in.handled;
        backlog_keep_taken (&peer->backlog, self->inbox, &peer->session.in.received, &peer->ahead);
        session_leave (&peer->session);
    }
}
