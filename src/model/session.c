/*  session.c - what two peers share so that nothing is lost: a state machine

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "model/session.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

#define BACK_OFF_LEAST 20
#define BACK_OFF_MOST 1000

/*  How long a worker that was told of the listener's stop stays connected, so
    that its goodbye arrives. */
#define FAREWELL_MS 250

/*  More credit is asked for while so many bytes are left, so that the answer is
    here before they are used up. */
#define WANT_AHEAD (4 * FRAME_RUN_BYTES)

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
    self->limits = *limits;
    self->in.credit = credit;
    self->back_off = BACK_OFF_LEAST;
    self->heartbeat = limits->liveness / 4;
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
    self->in.received = self->in.handled = hello->handled;
    self->in.account = (credit_account_t) { .handled = hello->handled.bytes, .limit = hello->handled.bytes };
    self->in.account.owner = self;
    snprintf (self->listener_source, sizeof self->listener_source, "%s", listener_source);
}

static void
drop_partial (session_t *self)
{
    alloc_free (self->in.partial);
    self->in.partial = NULL;
    self->in.partial_size = self->in.partial_filled = 0;
}

void
session_clear (session_t *self)
{
    drop_partial (self);
    credit_close (self->in.credit, &self->in.account);
    outbox_clear (&self->out.box);
}

/*  --------------------------------------------------------------------------
    Greeting */

static void
begin_epoch (session_t *self, int64_t now)
{
    self->heard_at = self->sent_at = now;
    self->out.credit = 0;
    self->out.wanted = 0;
    self->out.awaited_sent = 0;
    self->out.flags = 0;
    self->out.paused = false;
    self->in.gap = false;
    self->in.awaited = 0;
    self->want_due = false;
    self->leaving_kept = false;
    drop_partial (self);
}

static bool
is_same (const session_id_t *one, const session_id_t *other)
{
    return memcmp (one->bytes, other->bytes, sizeof one->bytes) == 0;
}

muster_error_t
session_greet (session_t *self, const frame_t *frame, int64_t now)
{
    const frame_hello_t *hello = &frame->hello;
    bool known = is_same (&hello->listener, &self->listener);
    uint64_t received = known ? hello->received_commands : 0;
    uint64_t handled = known ? hello->handled_commands : 0;
    if (!outbox_rewind (&self->out.box, received) || !outbox_handled (&self->out.box, handled))
        return MUSTER_REJECTED;
    muster_error_t error = credit_return (self->in.credit, &self->in.account);
    if (error)
        return error;
    begin_epoch (self, now);
    self->epoch = frame->epoch;
    self->in.stream = hello->stream;
    self->state = SESSION_OPEN;
    self->greeting_due = true;
    return 0;
}

/*  Commands of another listener than before are another stream. */
static void
meet_listener (session_t *self, const frame_welcome_t *welcome)
{
    if (is_same (&welcome->listener, &self->listener))
        return;
    credit_close (self->in.credit, &self->in.account);
    self->in.received = self->in.handled = (position_t) { 0, 0 };
    self->in.reported = self->in.refused = 0;
    self->in.stream = welcome->stream;
    credit_open (self->in.credit, &self->in.account, 0, self);
    self->listener = welcome->listener;
    memcpy (self->listener_source, welcome->source, sizeof self->listener_source);
}

static bool
welcomed (session_t *self, const frame_welcome_t *welcome)
{
    if (self->role != SESSION_WORKER || self->state != SESSION_GREETING)
        return true;
    if (!outbox_rewind (&self->out.box, welcome->received.messages)
    ||  !outbox_handled (&self->out.box, welcome->handled.messages)) {
        self->down_due = true;
        return false;
    }
    meet_listener (self, welcome);
    self->out.credit = welcome->credit;
    self->out.peer_received = welcome->received.messages;
    self->out.message_limit = welcome->message_limit;
    self->heartbeat = earlier (self->limits.liveness, welcome->liveness_ms) / 4;
    self->state = SESSION_OPEN;
    self->back_off = BACK_OFF_LEAST;
    self->goodbye_due = self->leaving;
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

/*  A connection that was welcomed is worth another try at once. */
void
session_disconnected (session_t *self, int64_t now)
{
    if (self->state == SESSION_ENDED || self->state == SESSION_ABSENT)
        return;
    bool at_once = self->state == SESSION_OPEN && !self->leaving_kept;
    self->state = SESSION_ABSENT;
    self->down_due = false;
    self->greeting_due = false;
    self->in.report_at = 0;
    self->retry_at = at_once ? now : now + self->back_off;
    self->back_off = self->back_off * 2 < BACK_OFF_MOST ? self->back_off * 2 : BACK_OFF_MOST;
    drop_partial (self);
}

void
session_leave (session_t *self)
{
    if (self->state != SESSION_ENDED)
        self->state = SESSION_ABSENT;
    self->in.report_at = 0;
    self->greeting_due = self->goodbye_due = self->end_due = self->want_due = false;
    drop_partial (self);
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
        deadline = earlier (deadline, self->sent_at + self->heartbeat);
    if (self->in.report_at)
        deadline = earlier (deadline, self->in.report_at);
    if (self->leaving_kept)
        deadline = earlier (deadline, self->retry_at);
    return deadline;
}

/*  --------------------------------------------------------------------------
    Control frames that come in */

/*  The worker's positions are its heartbeat: the listener answers each, unless
    it has just sent its own. */
static bool
positions_came (session_t *self, const frame_positions_t *positions, int64_t now)
{
    if (self->role == SESSION_LISTENER && now - self->sent_at >= REPORT_DELAY_MS)
        session_report (self, now);
    if (!outbox_handled (&self->out.box, positions->handled) || positions->received > self->out.box.sent.messages)
        return false;
    self->out.peer_received = positions->received;
    self->out.flags = positions->flags;
    if (!(positions->flags & POSITIONS_QUEUED))
        self->out.wanted = 0;
    if (positions->credit > self->out.credit)
        self->out.credit = positions->credit;
    if (positions->refused > self->out.refused)
        self->out.refused = positions->refused;
    if (positions->flags & POSITIONS_GAP)
        self->down_due = true;
    return true;
}

/*  What is needed is never more than one message beyond what has come: nothing
    larger is granted, or it would block the line for ever. */
static bool
want_came (session_t *self, const frame_want_t *want, int64_t now)
{
    uint64_t most = self->in.received.bytes + self->limits.message_limit;
    credit_want (self->in.credit, &self->in.account, want->need < most ? want->need : most, want->want);
    if (want->handled > self->in.awaited)
        self->in.awaited = want->handled;
    if (self->in.account.in_line || self->in.account.limit > self->in.reported_credit
    ||  self->in.handled.messages >= self->in.awaited)
        session_report (self, now);
    return true;
}

static bool
goodbye_came (session_t *self, const frame_goodbye_t *goodbye, int64_t now)
{
    if (self->role == SESSION_LISTENER) {
        self->last = goodbye->last;
        if (goodbye->keep)
            self->leaving_kept = true;
        else
            self->leaving = true;
        return true;
    }
    self->out.paused = true;
    self->goodbye_due = true;
    (void) now;
    return true;
}

static bool
end_came (session_t *self, const frame_end_t *end, int64_t now)
{
    if (self->role != SESSION_WORKER)
        return false;
    if (end->error == MUSTER_CLOSED) {
        self->out.paused = true;
        self->goodbye_due = true;
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
    Data that comes in */

static arrival_t
found_gap (session_t *self, int64_t now)
{
    self->in.gap = true;
    session_report (self, now);
    return ARRIVAL_GAP;
}

static arrival_t
check_place (session_t *self, const frame_t *frame, uint64_t first, uint64_t end, int64_t now)
{
    if (frame->epoch != self->epoch || self->state != SESSION_OPEN)
        return ARRIVAL_STALE;
    self->heard_at = now;
    if (self->in.gap)
        return ARRIVAL_STALE;
    uint64_t next = self->in.received.messages + 1;
    if (end <= next)
        return ARRIVAL_DUPLICATE;
    if (first > next)
        return found_gap (self, now);
    return ARRIVAL_TAKE;
}

arrival_t
session_data (session_t *self, const frame_t *frame, uint64_t size, uint32_t *skip, int64_t now)
{
    uint64_t first = frame->data.first;
    arrival_t arrival = check_place (self, frame, first, first + frame->data.count, now);
    if (arrival != ARRIVAL_TAKE)
        return arrival;
    if (self->in.partial)
        return found_gap (self, now);
    *skip = (uint32_t) (self->in.received.messages + 1 - first);
    if (*skip == 0 && self->in.received.bytes + size > self->in.account.limit)
        return ARRIVAL_CREDIT;
    return ARRIVAL_TAKE;
}

static arrival_t
begin_partial (session_t *self, const frame_chunk_t *chunk)
{
    if (chunk->total > self->limits.message_limit
    ||  self->in.received.bytes + chunk->total > self->in.account.limit)
        return ARRIVAL_CREDIT;
    self->in.partial = alloc_new (chunk->total);
    if (!self->in.partial)
        return ARRIVAL_MEMORY;
    self->in.partial_size = chunk->total;
    self->in.partial_filled = 0;
    return ARRIVAL_TAKE;
}

arrival_t
session_chunk (session_t *self, const frame_t *frame, const uint8_t *body, size_t size, int64_t now)
{
    const frame_chunk_t *chunk = &frame->chunk;
    arrival_t arrival = check_place (self, frame, chunk->position, chunk->position + 1, now);
    if (arrival != ARRIVAL_TAKE)
        return arrival;
    if (!self->in.partial && chunk->offset == 0)
        arrival = begin_partial (self, chunk);
    if (arrival == ARRIVAL_MEMORY)
        found_gap (self, now);
    if (arrival != ARRIVAL_TAKE)
        return arrival;
    if (chunk->total != self->in.partial_size || chunk->offset != self->in.partial_filled)
        return found_gap (self, now);
    memcpy (self->in.partial + chunk->offset, body, size);
    self->in.partial_filled += size;
    return self->in.partial_filled == chunk->total ? ARRIVAL_TAKE : ARRIVAL_PART;
}

uint8_t *
session_take_partial (session_t *self, uint64_t *size)
{
    uint8_t *message = self->in.partial;
    *size = self->in.partial_size;
    self->in.partial = NULL;
    drop_partial (self);
    return message;
}

/*  --------------------------------------------------------------------------
    Reports */

static void
report_by (session_t *self, int64_t when)
{
    if (self->state == SESSION_OPEN && (self->in.report_at == 0 || when < self->in.report_at))
        self->in.report_at = when;
}

void
session_report (session_t *self, int64_t now)
{
    report_by (self, now);
}

void
session_received (session_t *self, uint64_t count, uint64_t size, int64_t now)
{
    self->in.received.messages += count;
    self->in.received.bytes += size;
    report_by (self, now + REPORT_DELAY_MS);
}

/*  At once, if the peer waits for it or would soon stand still without it. */
static bool
report_is_urgent (const session_in_t *in)
{
    return in->handled.messages - in->reported >= REPORT_MESSAGES
        || (in->awaited > in->reported && in->handled.messages >= in->awaited)
        || in->account.in_line
        || in->account.limit - in->reported_credit >= in->account.floor / 2;
}

void
session_handled (session_t *self, uint64_t count, uint64_t size, bool refused, int64_t now)
{
    self->in.handled.messages += count;
    self->in.handled.bytes += size;
    if (refused)
        self->in.refused += count;
    credit_handled (self->in.credit, &self->in.account, self->in.handled.bytes);
    report_by (self, report_is_urgent (&self->in) ? now : now + REPORT_DELAY_MS);
}

/*  --------------------------------------------------------------------------
    What goes out */

void
session_await (session_t *self)
{
    self->out.awaited = self->out.box.accepted.messages;
}

static bool
credit_is_wanted (const session_out_t *out)
{
    const outbox_t *box = &out->box;
    if (box->accepted.bytes <= out->credit)
        return false;
    uint64_t need = outbox_need (box);
    if (need > out->credit)
        return need > out->wanted || out->wanted <= out->credit;
    return out->credit - box->sent.bytes < WANT_AHEAD && out->wanted <= out->credit;
}

static bool
want_is_due (const session_out_t *out)
{
    return credit_is_wanted (out)
        || (out->awaited > out->awaited_sent && out->awaited > out->box.handled.messages);
}

bool
session_has_want (const session_t *self)
{
    return self->state == SESSION_OPEN && want_is_due (&self->out);
}

static void
fill_hello (const session_t *self, frame_hello_t *hello)
{
    memset (hello, 0, sizeof *hello);
    memcpy (hello->source, self->source, sizeof hello->source);
    hello->fresh = is_same (&self->listener, &(session_id_t) { { 0 } });
    hello->stream = self->out.stream;
    hello->handled = self->out.box.handled;
    hello->listener = self->listener;
    hello->received_commands = self->in.received.messages;
    hello->handled_commands = self->in.handled.messages;
}

static void
fill_welcome (const session_t *self, frame_welcome_t *welcome)
{
    memset (welcome, 0, sizeof *welcome);
    memcpy (welcome->source, self->listener_source, sizeof welcome->source);
    welcome->listener = self->listener;
    welcome->stream = self->out.stream;
    welcome->received = self->in.received;
    welcome->handled = self->in.handled;
    welcome->credit = self->in.account.limit;
    welcome->message_limit = self->limits.message_limit;
    welcome->liveness_ms = (uint32_t) self->limits.liveness;
}

static void
fill_positions (session_t *self, frame_positions_t *positions)
{
    session_in_t *in = &self->in;
    *positions = (frame_positions_t) {
        .received = in->received.messages, .handled = in->handled.messages, .refused = in->refused,
        .credit = in->account.limit };
    if (in->handled.messages < in->received.messages)
        positions->flags |= POSITIONS_BUSY;
    if (in->account.in_line)
        positions->flags |= POSITIONS_QUEUED;
    if (in->gap)
        positions->flags |= POSITIONS_GAP;
    in->reported = positions->handled;
    in->reported_credit = positions->credit;
    in->report_at = 0;
}

static void
fill_want (session_out_t *out, frame_want_t *want)
{
    *want = (frame_want_t) { .need = outbox_need (&out->box), .want = out->box.accepted.bytes };
    if (out->awaited > out->box.handled.messages)
        want->handled = out->awaited;
    out->wanted = want->want;
    out->awaited_sent = out->awaited;
}

static void
fill_goodbye (session_t *self, frame_goodbye_t *goodbye)
{
    *goodbye = (frame_goodbye_t) { .last = self->out.box.sent.messages, .keep = !self->leaving };
    self->goodbye_due = false;
}

static void
fill_end (session_t *self, frame_end_t *end)
{
    end->error = self->error;
    memcpy (end->text, self->reason, sizeof end->text);
    self->end_due = false;
    if (self->error != MUSTER_CLOSED)
        self->state = SESSION_ENDED;
}

static frame_kind_t
next_kind (const session_t *self, int64_t now)
{
    if (self->greeting_due)
        return self->role == SESSION_WORKER ? FRAME_HELLO : FRAME_WELCOME;
    if (self->state != SESSION_OPEN)
        return 0;
    if ((self->in.report_at && now >= self->in.report_at)
    ||  (self->role == SESSION_WORKER && now - self->sent_at >= self->heartbeat))
        return FRAME_POSITIONS;
    if (want_is_due (&self->out))
        return FRAME_WANT;
    if (self->goodbye_due)
        return FRAME_GOODBYE;
    return self->end_due ? FRAME_END : 0;
}

bool
session_next_control (session_t *self, int64_t now, frame_t *frame)
{
    frame->kind = next_kind (self, now);
    frame->session = self->id;
    frame->epoch = self->epoch;
    switch (frame->kind) {
        case FRAME_HELLO:
            fill_hello (self, &frame->hello);
            self->greeting_due = false;
            return true;
        case FRAME_WELCOME:
            fill_welcome (self, &frame->welcome);
            self->in.reported = self->in.handled.messages;
            self->in.reported_credit = self->in.account.limit;
            self->greeting_due = false;
            return true;
        case FRAME_POSITIONS:
            fill_positions (self, &frame->positions);
            self->sent_at = now;
            return true;
        case FRAME_WANT:
            fill_want (&self->out, &frame->want);
            return true;
        case FRAME_GOODBYE:
            fill_goodbye (self, &frame->goodbye);
            return true;
        case FRAME_END:
            fill_end (self, &frame->end);
            return true;
        default:
            return false;
    }
}

bool
session_next_piece (session_t *self, bool filling_too, outbox_piece_t *piece, frame_t *frame)
{
    session_out_t *out = &self->out;
    if (self->state != SESSION_OPEN || out->paused || self->greeting_due
    || (!filling_too && outbox_is_filling (&out->box))
    || !outbox_next (&out->box, out->credit, out->chunk, piece))
        return false;
    frame->kind = piece->kind;
    frame->session = self->id;
    frame->epoch = self->epoch;
    if (piece->kind == FRAME_DATA)
        frame->data = piece->data;
    else
        frame->chunk = piece->chunk;
    return true;
}

void
session_unsent (session_t *self, const frame_t *frame, int64_t now)
{
    switch (frame->kind) {
        case FRAME_HELLO:
        case FRAME_WELCOME:
            self->greeting_due = true;
            break;
        case FRAME_POSITIONS:
            report_by (self, now + REPORT_DELAY_MS);
            break;
        case FRAME_WANT:
            self->out.wanted = self->out.awaited_sent = 0;
            break;
        case FRAME_GOODBYE:
            self->goodbye_due = true;
            break;
        default:
            break;
    }
}

void
session_goodbye (session_t *self)
{
    self->leaving = true;
    self->goodbye_due = true;
    if (self->state == SESSION_ABSENT || self->state == SESSION_CONNECTING)
        end_leaving (self);
}

void
session_pause (session_t *self)
{
    self->goodbye_due = true;
    self->last = UINT64_MAX;
}

bool
session_is_complete (const session_t *self)
{
    return (self->leaving || self->leaving_kept) && self->in.received.messages >= self->last;
}

void
session_end (session_t *self, muster_error_t error, const char *reason)
{
    self->error = error;
    self->end_due = true;
    snprintf (self->reason, sizeof self->reason, "%s", reason);
}
