/*  session_in.c - the half of a session that receives: positions, pieces, reports

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "model/session.h"

#include "base/alloc.h"
#include "base/copy.h"

void
session_drop_partial (session_t *self)
{
    alloc_block_free (self->in.partial);
    self->in.partial = NULL;
    self->in.partial_size = self->in.partial_filled = 0;
}

/*  Nothing more is taken in this epoch: what was granted for it is free. */
void
session_miss (session_t *self, int64_t now)
{
    self->in.gap = true;
    session_drop_partial (self);
    credit_give_back (self->in.credit, &self->in.account, self->in.received.bytes);
    session_report (self, now);
}

static arrival_t
found_gap (session_t *self, int64_t now)
{
    session_miss (self, now);
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
    if (self->in.received.bytes + size > self->in.account.limit)
        return ARRIVAL_CREDIT;
    return ARRIVAL_TAKE;
}

static arrival_t
begin_partial (session_t *self, const frame_chunk_t *chunk, size_t aligned)
{
    if (chunk->total > self->limits.message_limit
        || self->in.received.bytes + chunk->total > self->in.account.limit)
        return ARRIVAL_CREDIT;
    self->in.partial = alloc_block_aligned (chunk->total, aligned);
    if (!self->in.partial)
        return ARRIVAL_MEMORY;
    self->in.partial_size = chunk->total;
    self->in.partial_filled = 0;
    return ARRIVAL_TAKE;
}

arrival_t
session_chunk (
    session_t *self, const frame_t *frame, const uint8_t *body, size_t size, size_t aligned, int64_t now)
{
    const frame_chunk_t *chunk = &frame->chunk;
    arrival_t arrival = check_place (self, frame, chunk->position, chunk->position + 1, now);
    if (arrival != ARRIVAL_TAKE)
        return arrival;
    if (chunk->total == 0)
        return self->in.partial ? found_gap (self, now) : ARRIVAL_WITHDRAWN;
    if (!self->in.partial && chunk->offset == 0)
        arrival = begin_partial (self, chunk, aligned);
    if (arrival == ARRIVAL_MEMORY)
        found_gap (self, now);
    if (arrival != ARRIVAL_TAKE)
        return arrival;
    if (chunk->total != self->in.partial_size || chunk->offset != self->in.partial_filled)
        return found_gap (self, now);
    copy_past_caches (self->in.partial + chunk->offset, body, size);
    self->in.partial_filled += size;
    self->in.partial_at = now;
    return self->in.partial_filled == chunk->total ? ARRIVAL_TAKE : ARRIVAL_PART;
}

int64_t
session_patience (const session_t *self)
{
    int64_t half = self->limits.no_progress / 2;
    return half > self->limits.liveness ? half : self->limits.liveness;
}

void
session_check_partial (session_t *self, int64_t now)
{
    const session_in_t *in = &self->in;
    int64_t since = in->partial_at > in->credit->held_until ? in->partial_at : in->credit->held_until;
    if (!in->partial || in->credit->held || now - since < session_patience (self))
        return;
    session_miss (self, now);
}

uint8_t *
session_take_partial (session_t *self, uint64_t *size)
{
    uint8_t *message = self->in.partial;
    *size = self->in.partial_size;
    self->in.partial = NULL;
    session_drop_partial (self);
    return message;
}

/*  --------------------------------------------------------------------------
    Reports */

void
session_report (session_t *self, int64_t when)
{
    if (self->state == SESSION_OPEN && (self->in.report_at == 0 || when < self->in.report_at))
        self->in.report_at = when;
}

/*  What is needed is never more than one message beyond what has come: nothing
    larger is granted, or it would block the line for ever. What has come, and the
    whole of a message that is coming in pieces, takes memory whatever the peer says it
    will use. */
void
session_take_want (session_t *self)
{
    session_in_t *in = &self->in;
    uint64_t taken = in->received.bytes + in->partial_size;
    uint64_t most = in->received.bytes + self->limits.message_limit;
    in->want_waits = false;
    if (in->gap)
        return;
    credit_want (in->credit, &in->account, in->want.use > taken ? in->want.use : taken,
        in->want.need < most ? in->want.need : most, in->want.want);
}

void
session_received (session_t *self, uint64_t count, uint64_t size, int64_t now)
{
    self->in.received.messages += count;
    self->in.received.bytes += size;
    if (self->in.want_waits && self->in.received.bytes >= self->in.want.use)
        session_take_want (self);
    session_report (self, now + REPORT_DELAY_MS);
}

/*  At once, if the peer waits for it or would soon stand still without it. */
static bool
report_is_urgent (const session_in_t *in)
{
    return in->handled.messages - in->reported >= REPORT_MESSAGES
        || (in->awaited > in->reported && in->handled.messages >= in->awaited)
        || in->account.in_line
        || in->account.limit >= in->reported_credit + in->account.floor / 2;
}

void
session_handled (session_t *self, uint64_t count, uint64_t size, bool refused, int64_t now)
{
    self->in.handled.messages += count;
    self->in.handled.bytes += size;
    if (refused)
        self->in.refused += count;
    credit_handled (self->in.credit, &self->in.account, self->in.handled.bytes);
    session_report (self, report_is_urgent (&self->in) ? now : now + REPORT_DELAY_MS);
}

void
session_handled_before (session_t *self, uint64_t size)
{
    credit_carried_handled (self->in.credit, size);
}
