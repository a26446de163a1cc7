/*  session.c - what two peers share so that nothing is lost: a state machine

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "model/session.h"

#include <stdio.h>
#include <string.h>

#define BACK_OFF_LEAST 20
#define BACK_OFF_MOST 100

/*  How long a worker that was told of the listener's stop stays connected, so
    that its goodbye arrives. */
#define FAREWELL_MS 250

static int64_t
earlier (int64_t one, int64_t other)
{
    return one < other ? one : other;
}

static void
init (session_t *self, session_role_t role, const session_id_t *id, const char *source,
    const session_limits_t *limits, credit_t *credit)
{
    memset (self, 0, sizeof *self);
    self->role = role;
    self->id = *id;
    self->in.credit = credit;
    self->back_off = BACK_OFF_LEAST;
    session_set_limits (self, limits);
    snprintf (self->source, sizeof self->source, "%s", source);
}

void
session_init_worker (session_t *self, const session_id_t *id, const char *source, uint32_t stream,
    const session_limits_t *limits, credit_t *credit, int64_t now)
{
    init (self, SESSION_WORKER, id, source, limits, credit);
    outbox_init (&self->out.box, (position_t) { 0, 0 });
    self->out.stream = stream;
    self->out.chunk = FRAME_CHUNK_BYTES;
    self->retry_at = now;
}

/*  The worker may have commands of a session that this listener has forgotten:
    those to come must not be taken for them. */
static void
begin_another_stream (session_t *self, uint32_t epoch)
{
    self->out.stream ^= epoch;
    for (int i = 0; i < 4; i++)
        self->listener.bytes [12 + i] ^= (uint8_t) (epoch >> 8 * i);
}

void
session_init_listener (session_t *self, const frame_t *frame, const session_id_t *listener,
    const char *listener_source, uint32_t stream, const session_limits_t *limits, credit_t *credit)
{
    const frame_hello_t *hello = &frame->hello;
    init (self, SESSION_LISTENER, &frame->session, hello->source, limits, credit);
    outbox_init (&self->out.box, (position_t) { 0, 0 });
    self->out.stream = stream;
    self->out.chunk = FRAME_COMMAND_CHUNK_BYTES;
    self->listener = *listener;
    if (!hello->fresh)
        begin_another_stream (self, frame->epoch);
    self->in.received = self->in.handled = hello->handled;
    self->in.account = (credit_account_t) { .handled = hello->handled.bytes, .limit = hello->handled.bytes };
    self->in.account.owner = self;
    snprintf (self->listener_source, sizeof self->listener_source, "%s", listener_source);
}

void
session_clear (session_t *self)
{
    session_drop_partial (self);
    credit_close (self->in.credit, &self->in.account);
    outbox_clear (&self->out.box);
}

void
session_set_limits (session_t *self, const session_limits_t *limits)
{
    self->limits = *limits;
    self->heartbeat = limits->liveness / 4;
}

/*  Heartbeats fall on so many points in the time of one: those of all workers of a host come
    together, and their listener wakes once for many. */
#define BEATS 16

int64_t
session_beat_at (const session_t *self)
{
    int64_t latest = self->sent_at + self->heartbeat, step = self->heartbeat / BEATS;
    return step > 1 ? latest - latest % step : latest;
}

/*  --------------------------------------------------------------------------
    Greeting */

static void
begin_epoch (session_t *self, int64_t now)
{
    self->heard_at = self->sent_at = self->out.moved_at = now;
    self->out.credit = 0;
    self->out.wanted = 0;
    self->out.awaited_sent = 0;
    self->out.flags = 0;
    self->out.paused = false;
    self->in.gap = false;
    self->in.awaited = 0;
    self->in.want_waits = false;
    self->leaving_kept = false;
    self->goodbyes = 0;
    self->stamp_at = 0;
    self->stamp = self->round_trip_us = 0;
    session_drop_partial (self);
}

static bool
is_same (const session_id_t *one, const session_id_t *other)
{
    return memcmp (one->bytes, other->bytes, sizeof one->bytes) == 0;
}

static bool
is_none (const session_id_t *id)
{
    return is_same (id, &(session_id_t) { { 0 } });
}

bool
session_has_met (const session_t *self)
{
    return !is_none (&self->listener);
}

/*  A worker that has met another listener since has none of ours any more, but may
    have had some: these must not come again. */

bool
session_hello_fits (const session_t *self, const frame_hello_t *hello)
{
    const outbox_t *box = &self->out.box;
    if (hello->handled.messages > self->in.received.messages)
        return false;
    if (!is_same (&hello->listener, &self->listener))
        return (is_none (&hello->listener) ? box->handled : box->sent).messages == 0;
    return hello->received_commands <= box->accepted.messages
        && hello->handled_commands >= box->handled.messages;
}

muster_error_t
session_greet (session_t *self, const frame_t *frame, int64_t now)
{
    const frame_hello_t *hello = &frame->hello;
    bool known = is_same (&hello->listener, &self->listener);
    if (!session_hello_fits (self, hello))
        return MUSTER_REJECTED;
    muster_error_t error = credit_return (self->in.credit, &self->in.account);
    if (error)
        return error;
    outbox_rewind (&self->out.box, known ? hello->received_commands : 0);
    outbox_handled (&self->out.box, known ? hello->handled_commands : 0);
    begin_epoch (self, now);
    self->epoch = frame->epoch;
    self->in.stream = hello->stream;
    self->state = SESSION_OPEN;
    self->greeting_due = true;
    if (self->in.handled.messages > hello->handled.messages)
        session_report (self, now);
    return 0;
}

/*  Commands of another listener than before are another stream. */
static void
meet_listener (session_t *self, const frame_welcome_t *welcome)
{
    if (is_same (&welcome->listener, &self->listener))
        return;
    self->met_another = session_has_met (self);
    self->out.refused_before = self->out.refused;
    credit_carry (self->in.credit, &self->in.account, self->in.received.bytes);
    self->in.received = self->in.handled = (position_t) { 0, 0 };
    self->in.reported = self->in.refused = 0;
    self->in.stream = welcome->stream;
    credit_open (self->in.credit, &self->in.account, 0, self);
    self->listener = welcome->listener;
    memcpy (self->listener_source, welcome->source, sizeof self->listener_source);
}

/*  What is handled counts with the next POSITIONS, which says how much of it was
    refused: a flush must not end without knowing. */
static bool
welcomed (session_t *self, const frame_welcome_t *welcome)
{
    if (self->role != SESSION_WORKER || self->state != SESSION_GREETING)
        return true;
    if (welcome->handled.messages < self->out.box.handled.messages
        || !outbox_rewind (&self->out.box, welcome->received.messages)) {
        self->down_due = true;
        return false;
    }
    meet_listener (self, welcome);
    self->out.credit = welcome->credit;
    self->out.peer_received = welcome->received.messages;
    self->out.message_limit = welcome->message_limit;
    outbox_withdraw (&self->out.box, welcome->message_limit);
    self->heartbeat = earlier (self->limits.liveness, welcome->liveness_ms) / 4;
    if (self->heartbeat < REPORT_DELAY_MS)
        self->heartbeat = REPORT_DELAY_MS;
    self->state = SESSION_OPEN;
    self->back_off = BACK_OFF_LEAST;
    self->goodbyes_due = self->leaving;
    session_report (self, self->heard_at);
    return true;
}

/*  --------------------------------------------------------------------------
    The connection */

/*  Nobody is left to say goodbye to. */
static void
end_leaving (session_t *self)
{
    self->state = SESSION_ENDED;
    self->error = MUSTER_CLOSED;
}

session_step_t
session_step (session_t *self, int64_t now)
{
    if (self->state == SESSION_ABSENT && self->leaving)
        end_leaving (self);
    if (self->state == SESSION_ABSENT && now >= self->retry_at) {
        self->epoch++;
        begin_epoch (self, now);
        self->state = SESSION_CONNECTING;
        return SESSION_CONNECT;
    }
    bool connected = self->state == SESSION_CONNECTING || self->state == SESSION_GREETING
        || self->state == SESSION_OPEN;
    if (connected
        && (self->down_due || self->in.gap || now - self->heard_at >= self->limits.liveness
        || (self->leaving_kept && now >= self->retry_at))) {
        session_disconnected (self, now);
        return SESSION_DISCONNECT;
    }
    return SESSION_WAIT;
}

void
session_connected (session_t *self, int64_t now)
{
    if (self->state != SESSION_CONNECTING)
        return;
    self->state = SESSION_GREETING;
    self->heard_at = now;
    self->greeting_due = true;
}

/*  Between half the time and the whole: workers that lost their listener
    together do not return together. */
static int64_t
back_off (const session_t *self)
{
    uint8_t luck = self->id.bytes [self->epoch % sizeof self->id.bytes];
    return self->back_off - self->back_off * luck / 512;
}

/*  A connection that was welcomed is worth another try at once. */
void
session_disconnected (session_t *self, int64_t now)
{
    if (self->state == SESSION_ENDED || self->state == SESSION_ABSENT)
        return;
    bool at_once = self->state == SESSION_OPEN && !self->leaving_kept && !self->down_due && !self->in.gap;
    self->state = SESSION_ABSENT;
    self->down_due = false;
    self->greeting_due = false;
    self->in.report_at = 0;
    self->retry_at = at_once ? now : now + back_off (self);
    self->back_off = self->back_off * 2 < BACK_OFF_MOST ? self->back_off * 2 : BACK_OFF_MOST;
    session_drop_partial (self);
}

void
session_postpone (session_t *self, int64_t when)
{
    if (self->retry_at < when)
        self->retry_at = when;
}

void
session_leave (session_t *self)
{
    if (self->state != SESSION_ENDED)
        self->state = SESSION_ABSENT;
    self->in.report_at = 0;
    self->greeting_due = self->end_due = false;
    self->goodbyes_due = 0;
    session_drop_partial (self);
    credit_leave (self->in.credit, &self->in.account, self->in.received.bytes);
}

int64_t
session_deadline (const session_t *self)
{
    switch (self->state) {
        case SESSION_ABSENT:
            return self->role == SESSION_WORKER ? self->retry_at : INT64_MAX;
        case SESSION_ENDED:
            return INT64_MAX;
        default:
            break;
    }
    int64_t deadline = self->heard_at + self->limits.liveness;
    if (self->state == SESSION_OPEN)
        deadline = earlier (deadline, session_beat_at (self));
    if (self->in.report_at)
        deadline = earlier (deadline, self->in.report_at);
    if (self->leaving_kept)
        deadline = earlier (deadline, self->retry_at);
    return deadline;
}

/*  --------------------------------------------------------------------------
    Control frames that come in */

/*  What was sent does not arrive. It is the worker that connects anew: a listener
    asks for it, as for a gap. */
static void
give_connection_up (session_t *self, int64_t now)
{
    session_take_smaller_pieces (self);
    if (self->role == SESSION_WORKER)
        self->down_due = true;
    else
        session_miss (self, now);
}

/*  The worker's positions are its heartbeat: the listener answers each, unless
    it has just sent its own, and together those that come in the time of a report. A
    stamp goes back in any case. */
static bool
positions_came (session_t *self, const frame_positions_t *positions, int64_t now)
{
    bool stamped = positions->stamped && positions->stamp > 0;
    if (self->role == SESSION_LISTENER && (stamped || now - self->sent_at >= REPORT_DELAY_MS))
        session_report (self, now + REPORT_DELAY_MS);
    if (!outbox_handled (&self->out.box, positions->handled) || positions->received > self->out.box.sent.messages)
        return false;
    self->out.peer_received = positions->received;
    self->out.flags = positions->flags;
    if (!(positions->flags & POSITIONS_QUEUED))
        self->out.wanted = 0;
    if (positions->credit > self->out.credit)
        self->out.credit = positions->credit;
    if (self->out.refused_before + positions->refused > self->out.refused)
        self->out.refused = self->out.refused_before + positions->refused;
    session_check_partial (self, now);
    if (session_out_stalls (self, now))
        give_connection_up (self, now);
    if (positions->flags & POSITIONS_GAP)
        self->down_due = true;
    return true;
}

/*  Messages and WANT come on two connections: a WANT that stands still at a
    position counts once what was sent before it has come. Until then it is not
    answered: its sender would ask again at once. */
static bool
want_came (session_t *self, const frame_want_t *want, int64_t now)
{
    self->in.want = *want;
    self->in.want_waits = want->need > self->in.account.limit && want->use > self->in.received.bytes;
    if (!self->in.want_waits)
        session_take_want (self);
    if (want->handled > self->in.awaited)
        self->in.awaited = want->handled;
    bool is_handled = want->handled > 0 && self->in.handled.messages >= want->handled;
    if (self->in.account.in_line || self->in.account.limit > self->in.reported_credit
        || self->in.account.limit >= want->want || is_handled)
        session_report (self, now);
    return true;
}

/*  The listener counts the answers: one to its goodbye, one to its end. */
static void
answer_goodbye (session_t *self)
{
    self->out.paused = true;
    if (self->goodbyes_due < 2)
        self->goodbyes_due++;
}

static bool
goodbye_came (session_t *self, const frame_goodbye_t *goodbye, int64_t now)
{
    if (self->role == SESSION_LISTENER) {
        self->last = goodbye->last;
        if (goodbye->keep)
            self->goodbyes++;
        else
            self->leaving = true;
        return true;
    }
    answer_goodbye (self);
    (void) now;
    return true;
}

static bool
end_came (session_t *self, const frame_end_t *end, int64_t now)
{
    if (self->role != SESSION_WORKER)
        return false;
    if (end->error == MUSTER_CLOSED) {
        answer_goodbye (self);
        self->leaving_kept = true;
        self->retry_at = now + FAREWELL_MS;
        return true;
    }
    self->state = SESSION_ENDED;
    self->error = end->error == MUSTER_LEFT || end->error == MUSTER_OK ? MUSTER_CLOSED : (muster_error_t) end->error;
    memcpy (self->reason, end->text, sizeof self->reason);
    return true;
}

bool
session_control (session_t *self, const frame_t *frame, int64_t now)
{
    if (frame->epoch != self->epoch || self->state == SESSION_ENDED || self->state == SESSION_ABSENT)
        return true;
    self->heard_at = now;
    switch (frame->kind) {
        case FRAME_WELCOME:
            return welcomed (self, &frame->welcome);
        case FRAME_POSITIONS:
            return positions_came (self, &frame->positions, now);
        case FRAME_WANT:
            return want_came (self, &frame->want, now);
        case FRAME_GOODBYE:
            return goodbye_came (self, &frame->goodbye, now);
        case FRAME_END:
            return end_came (self, &frame->end, now);
        default:
            return false;
    }
}

/*  --------------------------------------------------------------------------
    Ending */

void
session_goodbye (session_t *self)
{
    self->leaving = true;
    self->goodbyes_due++;
    if (self->state == SESSION_ABSENT || self->state == SESSION_CONNECTING)
        end_leaving (self);
}

void
session_pause (session_t *self)
{
    self->goodbyes_due = 1;
    self->goodbyes = 0;
}

bool
session_is_complete (const session_t *self)
{
    return (self->leaving || self->goodbyes > 0) && self->in.received.messages >= self->last;
}

bool
session_has_parted (const session_t *self)
{
    return self->leaving || self->goodbyes > 1;
}

void
session_end (session_t *self, muster_error_t error, const char *reason)
{
    self->error = error;
    self->end_due = true;
    snprintf (self->reason, sizeof self->reason, "%s", reason);
}
