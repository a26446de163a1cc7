/*  session_out.c - the half of a session that sends: control frames and data, credit

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "model/session.h"

#include <string.h>

/*  More credit is asked for while so many bytes are left, so that the answer is
    here before they are used up. */
#define WANT_AHEAD ((uint64_t) 4 * FRAME_RUN_BYTES)

void
session_await (session_t *self)
{
    self->out.awaited = self->out.box.accepted.messages;
}

uint64_t
session_progress (const session_t *self)
{
    const session_out_t *out = &self->out;
    return out->box.handled.messages + out->peer_received + out->farthest;
}

bool
session_is_excused (const session_t *self)
{
    return self->state == SESSION_OPEN
        && (self->out.flags & (POSITIONS_BUSY | POSITIONS_QUEUED | POSITIONS_HELD));
}

static bool
credit_is_wanted (const session_out_t *out)
{
    const outbox_t *box = &out->box;
    if (box->accepted.bytes <= out->credit)
        return false;
    uint64_t need = outbox_need (box);
    if (need > out->credit)
        return need > out->wanted || out->wanted <= out->credit || out->ahead;
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

void
session_ask_again (session_t *self)
{
    session_out_t *out = &self->out;
    if (outbox_need (&out->box) > out->credit)
        out->wanted = 0;
    out->awaited_sent = 0;
}

/*  Once in a heartbeat. */
static void
rest_if_idle (session_out_t *out)
{
    if (out->rested == out->box.accepted.messages)
        outbox_rest (&out->box);
    out->rested = out->box.accepted.messages;
}

static void
fill_hello (const session_t *self, frame_hello_t *hello)
{
    memset (hello, 0, sizeof *hello);
    memcpy (hello->source, self->source, sizeof hello->source);
    hello->fresh = !session_has_met (self);
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
    welcome->liveness_ms = (uint32_t) (self->limits.liveness < UINT32_MAX ? self->limits.liveness : UINT32_MAX);
}

/*  A worker's once in a heartbeat, not with each report on the way. */
static bool
stamp_is_due (const session_t *self, int64_t now)
{
    return self->role == SESSION_WORKER ? now >= self->stamp_at : self->stamp > 0;
}

static void
fill_positions (session_t *self, int64_t now, frame_positions_t *positions)
{
    session_in_t *in = &self->in;
    *positions = (frame_positions_t) {
        .received = in->received.messages, .handled = in->handled.messages, .refused = in->refused,
        .credit = in->account.limit, .stamped = stamp_is_due (self, now) };
    if (positions->stamped)
        self->stamp_at = now + self->heartbeat / 2;
    if (in->handled.messages < in->received.messages)
        positions->flags |= POSITIONS_BUSY;
    if (in->account.in_line)
        positions->flags |= POSITIONS_QUEUED;
    if (in->gap)
        positions->flags |= POSITIONS_GAP;
    if (in->credit->held)
        positions->flags |= POSITIONS_HELD;
    in->reported = positions->handled;
    in->reported_credit = positions->credit;
    in->report_at = 0;
}

static void
fill_want (session_out_t *out, frame_want_t *want)
{
    uint64_t need = outbox_need (&out->box);
    *want = (frame_want_t) { .need = need, .want = out->box.accepted.bytes };
    out->ahead = need <= out->credit;
    want->use = need > out->credit ? out->box.sent.bytes : out->credit;
    if (out->awaited > out->box.handled.messages)
        want->handled = out->awaited;
    out->wanted = want->want;
    out->awaited_sent = out->awaited;
}

static void
fill_goodbye (session_t *self, frame_goodbye_t *goodbye)
{
    *goodbye = (frame_goodbye_t) { .last = self->out.box.sent.messages, .keep = !self->leaving };
    self->goodbyes_due--;
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
        || (self->role == SESSION_WORKER && now >= session_beat_at (self)))
        return FRAME_POSITIONS;
    if (want_is_due (&self->out))
        return FRAME_WANT;
    if (self->goodbyes_due > 0)
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
            fill_positions (self, now, &frame->positions);
            if (now >= session_beat_at (self)) {
                session_ask_again (self);
                rest_if_idle (&self->out);
            }
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
    if (self->state != SESSION_OPEN || out->paused || self->greeting_due || (self->leaving && self->goodbyes_due == 0)
        || (!filling_too && outbox_is_filling (&out->box))
        || !outbox_next (&out->box, out->credit, out->chunk, piece))
        return false;
    if (out->box.sent.bytes + out->box.piece_offset > out->farthest)
        out->farthest = out->box.sent.bytes + out->box.piece_offset;
    frame->kind = piece->kind;
    frame->session = self->id;
    frame->epoch = self->epoch;
    if (piece->kind == FRAME_DATA)
        frame->data = piece->data;
    else
        frame->chunk = piece->chunk;
    return true;
}

/*  What goes out on a connection that is dead, while the one for control frames is
    not, is missed by nobody but its sender. */
bool
session_out_stalls (session_t *self, int64_t now)
{
    session_out_t *out = &self->out;
    uint64_t moved = out->peer_received + out->box.sent.bytes + out->box.piece_offset;
    bool under_way = out->box.sent.messages > out->peer_received || out->box.piece_offset > 0;
    if (!under_way || moved != out->moved || (out->flags & POSITIONS_HELD))
        out->moved_at = now;
    out->moved = moved;
    return now - out->moved_at >= session_patience (self);
}

void
session_take_smaller_pieces (session_t *self)
{
    if (self->out.chunk / 2 >= FRAME_RUN_BYTES)
        self->out.chunk /= 2;
}

/*  It is tried again with the next report. */
void
session_unsent (session_t *self, const frame_t *frame, int64_t now)
{
    switch (frame->kind) {
        case FRAME_HELLO:
        case FRAME_WELCOME:
            self->greeting_due = true;
            break;
        case FRAME_POSITIONS:
            self->stamp_at = 0;
            if (self->role == SESSION_LISTENER && frame->positions.stamped)
                self->stamp = frame->positions.stamp;
            break;
        case FRAME_WANT:
            self->out.wanted = self->out.awaited_sent = 0;
            break;
        case FRAME_GOODBYE:
            self->goodbyes_due++;
            break;
        case FRAME_END:
            self->end_due = true;
            break;
        default:
            break;
    }
    session_report (self, now + REPORT_DELAY_MS);
}
