/*  pump.c - what a listener sends to its workers

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/pump.h"

#include <stdio.h>
#include <string.h>

#include <utlist.h>

#include "actor/monotonic.h"
#include "actor/round.h"
#include "actor/trace.h"
#include "actor/wall.h"

/*  Pieces of commands under way to one worker: what is sent next, a heartbeat
    say, waits behind no more than these. */
#define PIECES_MOST 2

static const char *
event_of (muster_error_t error)
{
    switch (error) {
        case MUSTER_LEFT: return MUSTER_EVENT_LEFT;
        case MUSTER_REPLACED: return MUSTER_EVENT_REPLACED;
        case MUSTER_REVOKED: return MUSTER_EVENT_REVOKED;
        default: return MUSTER_EVENT_LOST;
    }
}

static void
finish_peer (listener_core_t *self, peer_t *peer)
{
    muster_error_t error = peer->session.error;
    const char *event = event_of (error);
    if (peer->present)
        listener_tell (self, event, peer, error == MUSTER_LEFT ? NULL : peer->session.reason);
    if (error != MUSTER_LEFT)
        ended_keep (&self->roster.ended, &peer->session.id, error, self->now);
    self->again = true;     /* its credit is free for others */
    round_peer_gone (peer, error == MUSTER_REJECTED ? MUSTER_LOST : error);
    roster_forget (&self->roster, peer);
}

/*  Has the connection that its route was learned from ended? Another one may have the
    route by now. */
static bool
is_cut_off (const listener_core_t *self, const peer_t *peer)
{
    return peer->connection && binding_connection (self->binding, peer->descriptor) != peer->connection;
}

bool
pump_reaches (const listener_core_t *self, const peer_t *peer)
{
    return !peer->unreachable && !is_cut_off (self, peer);
}

/*  False if the socket takes no more for this peer. */
static bool
send_controls (listener_core_t *self, peer_t *peer)
{
    frame_t frame;
    while (session_next_control (&peer->session, self->now, &frame)) {
        if (frame_is_stamped (&frame))
            session_stamp (&peer->session, &frame, monotonic_us ());
        flight_result_t result = is_cut_off (self, peer) ? FLIGHT_FAILED
            : flight_send_control (binding_router (self->binding), &peer->route, &frame, self->writer);
        peer->unreachable = result == FLIGHT_FAILED;
        if (result == FLIGHT_FULL) {
            session_unsent (&peer->session, &frame, self->now);
            return false;
        }
        trace_frame (peer->session.source, &frame, TRACE_SENT, &self->sent_log, self->now);
    }
    return true;
}

/*  DONE with a peer that cannot be reached, too: it says hello if it returns. */
typedef enum { PUMP_DONE, PUMP_AWAITS_LANDING, PUMP_FULL } pump_result_t;

static pump_result_t
send_pieces (listener_core_t *self, peer_t *peer)
{
    frame_t frame;
    outbox_piece_t piece;
    if (is_cut_off (self, peer)) {
        peer->unreachable = true;
        return PUMP_DONE;
    }
    for (;;) {
        int count = flight_count (peer->flight);
        int left = peer->session.out.box.piece_offset > 0 ? PIECES_MOST / 2 : 0;
        if (count >= PIECES_MOST && flight_await (peer->flight, left))
            return PUMP_AWAITS_LANDING;
        if (!session_next_piece (&peer->session, count == 0, &piece, &frame))
            return outbox_is_filling (&peer->session.out.box) && flight_await (peer->flight, 0)
                ? PUMP_AWAITS_LANDING : PUMP_DONE;
        flight_result_t result = flight_send (
            peer->flight, binding_router (self->binding), &peer->route, &frame, &piece);
        peer->unreachable = result == FLIGHT_FAILED;
        if (result != FLIGHT_SENT) {
            outbox_untake (&peer->session.out.box, &piece);
            return result == FLIGHT_FULL ? PUMP_FULL : PUMP_DONE;
        }
        if (frame.kind == FRAME_CHUNK && self->limits.progress.fn)
            transfers_note (&peer->transfers, &frame.chunk, piece.size);
    }
}

void
pump_end (listener_core_t *self, peer_t *peer, muster_error_t error, const char *reason)
{
    session_end (&peer->session, error, reason);
    send_controls (self, peer);
    finish_peer (self, peer);
}

/*  A peer that does not read is tried again with the next report, not in each
    round of the loop. */
void
pump_peer (listener_core_t *self, peer_t *peer)
{
    session_t *session = &peer->session;
    if (session->leaving && session->state == SESSION_OPEN && !session->end_due && session_is_complete (session))
        session_end (session, MUSTER_LEFT, "");
    pump_result_t result = send_controls (self, peer) ? PUMP_DONE : PUMP_FULL;
    if (session->state == SESSION_ENDED) {
        finish_peer (self, peer);
        return;
    }
    if (result == PUMP_DONE)
        result = send_pieces (self, peer);
    if (peer->transfers.list && self->limits.progress.fn)
        transfers_tell (&peer->transfers, &self->limits.progress, session->source, session->out.peer_received, self->now);
    if (result == PUMP_FULL)
        session_report (session, self->now + REPORT_DELAY_MS);
    if (result != PUMP_AWAITS_LANDING)
        roster_not_due (&self->roster, peer);
    roster_schedule (&self->roster, peer, self->now);
}

static void
gather_reports (listener_core_t *self)
{
    peer_t *peer;
    while ((peer = self->roster.report) && peer->session.in.report_at <= self->now) {
        roster_not_report (&self->roster, peer);
        roster_due (&self->roster, peer);
    }
}

/*  A peer may leave the list, and others with it, while it is pumped; it goes
    to the end if it stays. So each is pumped once. */
void
pump_due (listener_core_t *self)
{
    gather_reports (self);
    if (self->roster.due)
        listener_watch (self);
    peer_t *list = self->roster.due;
    self->roster.due = NULL;
    while (list) {
        peer_t *peer = list;
        DL_DELETE2 (list, peer, due_prev, due_next);
        peer->in_due = false;
        roster_due (&self->roster, peer);
        pump_peer (self, peer);
    }
}

int64_t
pump_deadline (const listener_core_t *self)
{
    return self->roster.report ? self->roster.report->session.in.report_at : INT64_MAX;
}

void
pump_refusal (listener_core_t *self, const route_t *route, const frame_t *hello,
    muster_error_t error, const char *reason)
{
    frame_t frame = { .kind = FRAME_END, .session = hello->session, .epoch = hello->epoch };
    frame.end.error = error;
    snprintf (frame.end.text, sizeof frame.end.text, "%s", reason);
    frame.end.time_ms = error == MUSTER_VERSION ? wall_ms () : 0;
    flight_send_control (binding_router (self->binding), route, &frame, self->writer);
    trace_frame ("", &frame, TRACE_SENT, &self->sent_log, self->now);
}
