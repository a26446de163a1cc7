/*  intake.c - what comes in at a listener's PULL

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/intake.h"

#include <errno.h>
#include <string.h>

#include <zmq.h>

#include "actor/gate.h"
#include "actor/round.h"
#include "base/alloc.h"
#include "wire/frame.h"
#include "wire/placement.h"

/*  A burst ends with either: heartbeats wait for its end. */
#define BURST_FRAMES 64
#define BURST_BYTES (8 << 20)

/*  --------------------------------------------------------------------------
    Plain producers */

bool
intake_is_open (const listener_core_t *self)
{
    return self->plain_bytes == 0 || self->plain_bytes < self->limits.plain_share;
}

uint64_t
intake_plain_cost (uint64_t messages, uint64_t size)
{
    return size + messages * BATCH_COST;
}

static muster_refusal_t
take_plain (listener_core_t *self, const caller_t *caller, zmq_msg_t *msg)
{
    size_t size = zmq_msg_size (msg);
    if (!gate_knows (self, caller))
        return MUSTER_REFUSAL_ACCESS;
    if (size > self->limits.frame_limit)
        return MUSTER_REFUSAL_SIZE;
    batch_t *batch = batch_new_msg (msg, zmq_msg_data (msg), size, SCAN_PLAIN);
    if (!batch)
        return MUSTER_REFUSAL_MEMORY;
    scan_limits_t limits = { .depth = MUSTER_DEPTH_MAX, .message_size = self->limits.message_limit };
    muster_refusal_t refusal = batch_scan (batch, &limits, self->source);
    if (!refusal && caller->secure && !batch_set_key (batch, caller->key))
        refusal = MUSTER_REFUSAL_MEMORY;
    if (!refusal && !gate_admits_batch (self, caller, batch))
        refusal = MUSTER_REFUSAL_ACCESS;
    if (!refusal) {
        backlog_keep (&self->plain, batch);
        self->plain_bytes += intake_plain_cost (batch->count, batch->size);
        inbox_put (self->inbox, batch);
    }
    batch_release (&batch);
    return refusal;
}

/*  --------------------------------------------------------------------------
    Settling one peer */

static void
settle_peer (listener_core_t *self, peer_t *peer)
{
    settled_t settled;
    while (backlog_settle (&peer->backlog, &settled))
        session_handled (&peer->session, settled.count, settled.size, settled.refused, self->now);
    if (peer->forgotten)
        roster_bury (&self->roster, peer);
    else
        roster_schedule (&self->roster, peer, self->now);
}

/*  --------------------------------------------------------------------------
    Sessions */

/*  Replies to rounds under way go to them, the others through the queue. */
static void
divert_replies (peer_t *peer, batch_t *batch)
{
    size_t offset = batch->offset;
    for (uint32_t index = batch->taken; index < batch->count; index++) {
        scan_message_t parts;
        size_t size = batch_size_of (batch, index);
        scan_split (batch->bytes + offset, size, SCAN_SESSION, &parts);
        if (ahead_has (&peer->ahead, batch->first + index)) {
            batch_mark (batch, index, BATCH_DIVERTED | BATCH_KNOWN);
            batch->fixed = true;
        }
        else
        if ((parts.kind & MESSAGE_KIND_REPLY) && (parts.kind & MESSAGE_KIND_ASKED)
            && (parts.stream != peer->session.out.stream
            || !round_divert (peer, batch, index, offset, parts.position)))
            batch_mark (batch, index, BATCH_LATE);
        offset += size;
    }
}

/*  What comes again after a stop, because a message before it was given up, and
    has gone to its round before, is done with. */
static void
pass_over_known (listener_core_t *self, peer_t *peer, batch_t *batch)
{
    if (peer->ahead.count == 0)
        return;
    for (uint32_t index = 0; index < batch->count; index++)
        if (batch_marks (batch, index) & BATCH_KNOWN)
            inbox_pass (self->inbox, batch, index);
    ahead_drop_before (&peer->ahead, batch->first + batch->count);
}

/*  No memory for a batch: as if the frame had been lost on the way. */
static void
lose_batch (listener_core_t *self, peer_t *peer)
{
    listener_refuse (self, MUSTER_REFUSAL_MEMORY);
    session_miss (&peer->session, self->now);
    self->again = true;     /* its credit is free for others */
}

/*  A frame that breaks a rule is not asked for again: the position moves past. */
static void
refuse_batch (listener_core_t *self, peer_t *peer, batch_t *batch, uint32_t count, muster_refusal_t reason)
{
    batch->refused = true;
    batch->count = count;
    batch->done = count;
    batch->settled = 0;
    batch->settled_offset = 0;
    if (!peer_keep (peer, batch)) {
        lose_batch (self, peer);
        return;
    }
    listener_refuse (self, reason);
    session_received (&peer->session, count, batch->size, self->now);
    settle_peer (self, peer);
}

static void
accept_batch (listener_core_t *self, peer_t *peer, batch_t *batch, uint32_t count, uint32_t skip)
{
    scan_limits_t limits = { .depth = MUSTER_DEPTH_MAX, .message_size = self->limits.message_limit };
    muster_refusal_t refusal = batch_scan (batch, &limits, NULL);
    if (!refusal && batch->count != count)
        refusal = MUSTER_REFUSAL_MISCOUNT;
    if (refusal == MUSTER_REFUSAL_MEMORY) {
        lose_batch (self, peer);
        return;
    }
    if (refusal) {
        refuse_batch (self, peer, batch, count - skip, refusal);
        return;
    }
    batch_skip (batch, skip);
    session_received (&peer->session, count - skip, batch->size - batch->offset, self->now);
    if (batch->has_replies || peer->ahead.count > 0)
        divert_replies (peer, batch);
    if (!backlog_join (&peer->backlog, self->inbox, batch)) {
        peer_keep (peer, batch);
        inbox_put (self->inbox, batch);
    }
    pass_over_known (self, peer, batch);
}

static void
take_batch (listener_core_t *self, peer_t *peer, batch_t *batch, uint64_t first, uint32_t count, uint32_t skip)
{
    peer_name (peer, batch);
    batch->stream = peer->session.in.stream;
    batch->first = first;
    accept_batch (self, peer, batch, count, skip);
    batch_release (&batch);
}

/*  A peer that sends beyond its credit would not stop for being told. */
static void
expel (listener_core_t *self, peer_t *peer)
{
    listener_refuse (self, MUSTER_REFUSAL_CREDIT);
    session_end (&peer->session, MUSTER_REJECTED, "sent beyond its credit or the message limit");
    roster_due (&self->roster, peer);
}

static void
note_arrival (listener_core_t *self, peer_t *peer, const frame_t *frame, arrival_t arrival)
{
    switch (arrival) {
        case ARRIVAL_STALE:
            self->stale++;
            break;
        case ARRIVAL_GAP:
            self->gaps++;
            break;
        case ARRIVAL_DUPLICATE:
            self->duplicates += frame->kind == FRAME_DATA ? frame->data.count : 1;
            break;
        case ARRIVAL_CREDIT:
            expel (self, peer);
            break;
        case ARRIVAL_MEMORY:
            listener_refuse (self, MUSTER_REFUSAL_MEMORY);
            break;
        default:
            break;
    }
}

static void
take_data (listener_core_t *self, peer_t *peer, const frame_t *frame, zmq_msg_t *msg, const uint8_t *body, size_t size)
{
    uint32_t skip = 0;
    arrival_t arrival = session_data (&peer->session, frame, size, &skip, self->now);
    note_arrival (self, peer, frame, arrival);
    if (arrival != ARRIVAL_TAKE)
        return;
    batch_t *batch = batch_new_msg (msg, body, size, SCAN_SESSION);
    if (batch)
        take_batch (self, peer, batch, frame->data.first, frame->data.count, skip);
    else
        lose_batch (self, peer);
}

/*  A message over the limit, which its worker had accepted before it knew that. */
static void
take_withdrawn (listener_core_t *self, peer_t *peer)
{
    batch_t *batch = batch_new_memory (NULL, NULL, 0, SCAN_SESSION);
    if (!batch) {
        lose_batch (self, peer);
        return;
    }
    refuse_batch (self, peer, batch, 1, MUSTER_REFUSAL_SIZE);
    batch_release (&batch);
}

static void
take_chunk (listener_core_t *self, peer_t *peer, const frame_t *frame, const uint8_t *body, size_t size)
{
    size_t aligned = frame->chunk.offset == 0 ? placement_find (body, size) : 0;
    arrival_t arrival = session_chunk (&peer->session, frame, body, size, aligned, self->now);
    note_arrival (self, peer, frame, arrival);
    if (arrival == ARRIVAL_WITHDRAWN)
        take_withdrawn (self, peer);
    if (arrival != ARRIVAL_TAKE)
        return;
    uint64_t total;
    uint8_t *memory = session_take_partial (&peer->session, &total);
    batch_t *batch = batch_new_memory (memory, memory, total, SCAN_SESSION);
    if (batch)
        take_batch (self, peer, batch, frame->chunk.position, 1, 0);
    else {
        alloc_block_free (memory);
        lose_batch (self, peer);
    }
}

/*  Once in an epoch: a property costs as much as a small message. */
static void
note_connection (listener_core_t *self, peer_t *peer, zmq_msg_t *msg)
{
    listener_watch (self);
    peer->data_known = true;
    peer->data_descriptor = zmq_msg_get (msg, ZMQ_SRCFD);
    peer->data_connection = binding_data_connection (self->binding, peer->data_descriptor);
}

static muster_refusal_t
take_session (listener_core_t *self, const caller_t *caller, zmq_msg_t *msg)
{
    frame_t frame;
    const uint8_t *body;
    size_t size;
    uint8_t version;
    muster_refusal_t refusal = frame_read (zmq_msg_data (msg), zmq_msg_size (msg), &frame, &body, &size, &version);
    if (refusal)
        return refusal;
    if (frame.kind != FRAME_DATA && frame.kind != FRAME_CHUNK)
        return MUSTER_REFUSAL_HEADER;
    peer_t *peer = roster_find (&self->roster, &frame.session);
    if (!peer) {
        self->stale++;
        return MUSTER_REFUSAL_NONE;
    }
    if (strcmp (peer->key, caller->key) != 0) {
        gate_refuse (self, caller, peer->session.source);
        return MUSTER_REFUSAL_NONE;
    }
    if (!peer->data_known && frame.epoch == peer->session.epoch)
        note_connection (self, peer, msg);
    if (frame.kind == FRAME_DATA)
        take_data (self, peer, &frame, msg, body, size);
    else
        take_chunk (self, peer, &frame, body, size);
    if (peer->session.heard_at == self->now)
        roster_heard (&self->roster, peer);
    roster_schedule (&self->roster, peer, self->now);
    if (session_is_complete (&peer->session))
        roster_due (&self->roster, peer);
    return MUSTER_REFUSAL_NONE;
}

/*  --------------------------------------------------------------------------
    The socket */

static void
drop_rest (void *socket)
{
    int more = 1;
    size_t size = sizeof more;
    while (more) {
        zmq_msg_t msg;
        zmq_msg_init (&msg);
        if (zmq_msg_recv (&msg, socket, ZMQ_DONTWAIT) < 0 || zmq_getsockopt (socket, ZMQ_RCVMORE, &more, &size))
            more = 0;
        zmq_msg_close (&msg);
    }
}

static void
take_frame (listener_core_t *self, zmq_msg_t *msg)
{
    muster_refusal_t refusal;
    caller_t caller = { .secure = false };
    size_t size = zmq_msg_size (msg);
    if (binding_pull_is_secure (self->binding))
        caller = gate_caller (msg, true);
    if (zmq_msg_more (msg)) {
        drop_rest (binding_pull (self->binding));
        refusal = MUSTER_REFUSAL_MULTIPART;
    }
    else
    if (frame_is_session (zmq_msg_data (msg), zmq_msg_size (msg)))
        refusal = take_session (self, &caller, msg);
    else {
        refusal = take_plain (self, &caller, msg);
        gate_watch_plain (self, &caller, refusal ? size + 1 : 0);
    }
    if (refusal == MUSTER_REFUSAL_ACCESS)
        gate_refuse (self, &caller, NULL);
    else
    if (refusal)
        listener_refuse (self, refusal);
}

bool
intake_burst (listener_core_t *self)
{
    size_t bytes = 0;
    for (int frames = 0; frames < BURST_FRAMES && bytes < BURST_BYTES; frames++) {
        if (!intake_is_open (self))
            return false;
        zmq_msg_t msg;
        zmq_msg_init (&msg);
        if (zmq_msg_recv (&msg, binding_pull (self->binding), ZMQ_DONTWAIT) < 0) {
            zmq_msg_close (&msg);
            return false;
        }
        bytes += zmq_msg_size (&msg);
        take_frame (self, &msg);
        zmq_msg_close (&msg);
    }
    return true;
}

/*  --------------------------------------------------------------------------
    Settling */

static void
settle_plain (listener_core_t *self)
{
    settled_t settled;
    while (backlog_settle (&self->plain, &settled))
        self->plain_bytes -= intake_plain_cost (settled.count, settled.size);
}

/*  Batches of one peer settle together; one that is in no backlog any more has
    no owner. */
bool
intake_settle (listener_core_t *self)
{
    bool progress = false;
    batch_t *batch;
    while ((batch = inbox_take_progress (self->inbox))) {
        progress = true;
        if (batch->owner)
            settle_peer (self, batch->owner);
        batch_release (&batch);
    }
    settle_plain (self);
    credit_account_t *account;
    while ((account = credit_grant (&self->roster.credit))) {
        peer_t *peer = account->owner;
        session_report (&peer->session, self->now);
        roster_schedule (&self->roster, peer, self->now);
    }
    return progress;
}

/*  Bytes that wait for handlers when they have enough to do, and until they have not. */
#define CROWDED_MOST (2 << 20)
#define CROWDED_LEAST (1 << 20)

bool
intake_is_crowded (const listener_core_t *self)
{
    inbox_counts_t counts;
    inbox_count (self->inbox, &counts);
    return counts.queued_bytes > (self->roster.credit.crowded ? CROWDED_LEAST : CROWDED_MOST);
}

bool
intake_is_pending (const listener_core_t *self)
{
    inbox_counts_t counts;
    inbox_count (self->inbox, &counts);
    return counts.queued > 0;
}

void
intake_clear (listener_core_t *self)
{
    backlog_clear (&self->plain);
    self->plain_bytes = 0;
}
