/*  backlog.c - batches received and not yet reported handled, oldest first

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/backlog.h"

void
backlog_keep (backlog_t *self, batch_t *batch)
{
    batch_share (batch);
    batch->backlog_next = NULL;
    if (self->first)
        self->last->backlog_next = batch;
    else
        self->first = batch;
    self->last = batch;
}

static void
forget_first (backlog_t *self)
{
    batch_t *batch = self->first;
    self->first = batch->backlog_next;
    batch->owner = NULL;
    batch_release (&batch);
}

/*  The sizes of messages in a refused batch are not known: it settles as a whole. */
static size_t
offset_after (const batch_t *batch, uint32_t done)
{
    if (batch->refused)
        return batch->size;
    size_t offset = batch->settled_offset;
    for (uint32_t index = batch->settled; index < done; index++)
        offset += batch_size_of (batch, index);
    return offset;
}

bool
backlog_settle (backlog_t *self, inbox_t *inbox, settled_t *settled)
{
    batch_t *batch = self->first;
    uint32_t done = batch ? inbox_done_count (inbox, batch) : 0;
    if (!batch || done == batch->settled)
        return false;
    size_t offset = offset_after (batch, done);
    *settled = (settled_t) { .count = done - batch->settled, .size = offset - batch->settled_offset,
        .stream = batch->stream, .refused = batch->refused };
    batch->settled = done;
    batch->settled_offset = offset;
    if (done == batch->count)
        forget_first (self);
    return true;
}

/*  Messages are taken in order, so what was taken is a beginning of the backlog. */
void
backlog_keep_taken (backlog_t *self, inbox_t *inbox, position_t *kept)
{
    backlog_t taken = { NULL, NULL };
    while (self->first) {
        batch_t *batch = batch_share (self->first);
        void *owner = batch->owner;
        forget_first (self);
        uint32_t count = inbox_cut (inbox, batch) - batch->settled;
        for (uint32_t i = 0; i < count; i++)
            kept->bytes += batch_size_of (batch, batch->settled + i);
        kept->messages += count;
        if (count) {
            backlog_keep (&taken, batch);
            batch->owner = owner;
        }
        batch_release (&batch);
    }
    *self = taken;
}

void
backlog_clear (backlog_t *self)
{
    while (self->first)
        forget_first (self);
}
