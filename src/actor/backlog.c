/*  backlog.c - batches received and not yet reported handled, oldest first

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/backlog.h"

#include "base/alloc.h"

/*  Bytes of batches that join: with those a frame's own cost is small beside its messages. */
#define JOINED_MOST 8192

/*  Of refused messages only number and bytes are of use: a peer needs no credit, or hardly
    any, for one more frame of them. */
static bool
join_refused (backlog_t *self, const batch_t *batch)
{
    batch_t *last = self->first ? self->last : NULL;
    if (!last || !last->refused || !batch->refused
        || last->stream != batch->stream || batch->count > UINT32_MAX - last->count)
        return false;
    last->count += batch->count;
    last->done = last->count;
    last->size += batch->size;
    return true;
}

bool
backlog_keep (backlog_t *self, batch_t *batch)
{
    if (join_refused (self, batch))
        return true;
    if (batch->refused && self->refused >= BACKLOG_REFUSED_MOST)
        return false;
    self->refused += batch->refused;
    batch_share (batch);
    batch->backlog_next = NULL;
    if (self->first)
        self->last->backlog_next = batch;
    else
        self->first = batch;
    self->last = batch;
    return true;
}

bool
backlog_join (backlog_t *self, inbox_t *inbox, const batch_t *batch)
{
    batch_t *last = self->first ? self->last : NULL;
    return last && last->size + batch->size <= JOINED_MOST && inbox_join (inbox, last, batch);
}

static void
forget_first (backlog_t *self)
{
    batch_t *batch = self->first;
    self->first = batch->backlog_next;
    self->refused -= batch->refused;
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
backlog_settle (backlog_t *self, settled_t *settled)
{
    batch_t *batch = self->first;
    uint32_t done = batch ? batch->done : 0;
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

void
backlog_settle_complete (backlog_t *self, uint64_t *count, uint64_t *size)
{
    backlog_t old = *self;
    *self = (backlog_t) { .first = NULL };
    while (old.first) {
        batch_t *batch = batch_share (old.first);
        void *owner = batch->owner;
        forget_first (&old);
        if (batch->done == batch->count) {
            *count += batch->count - batch->settled;
            *size += batch->size - batch->settled_offset;
        }
        else {
            backlog_keep (self, batch);
            batch->owner = owner;
        }
        batch_release (&batch);
    }
}

/*  The messages of a batch that somebody has, from its first on; the batch ends
    there. Returns whether these are all. */
static bool
keep_beginning (backlog_t *self, inbox_t *inbox, batch_t *batch, position_t *kept)
{
    uint32_t all = batch->count;
    uint32_t count = batch->refused ? all : inbox_cut (inbox, batch);
    kept->messages += count - batch->settled;
    if (batch->refused)
        kept->bytes += batch->size;
    for (uint32_t index = batch->settled; index < count && !batch->refused; index++)
        kept->bytes += batch_size_of (batch, index);
    if (count > batch->settled)
        backlog_keep (self, batch);
    return count == all;
}

/*  What was diverted is known when it comes again; without memory for that it is a
    late reply then. */
static void
note_diverted (ahead_t *self, const batch_t *batch, uint32_t from, uint32_t to)
{
    for (uint32_t index = from; index < to && batch->marks; index++) {
        if (!(batch_marks (batch, index) & BATCH_DIVERTED))
            continue;
        uint64_t *positions = alloc_resize (self->positions, (self->count + 1) * sizeof *positions);
        if (!positions)
            return;
        positions [self->count++] = batch->first + index;
        self->positions = positions;
    }
}

/*  Messages are taken in order, those that are diverted excepted: one before them
    may have been given up, and be what the kept ones end at. */
void
backlog_keep_taken (backlog_t *self, inbox_t *inbox, position_t *kept, ahead_t *ahead)
{
    backlog_t old = *self;
    bool unbroken = true;
    *self = (backlog_t) { .first = NULL };
    while (old.first) {
        batch_t *batch = batch_share (old.first);
        void *owner = batch->owner;
        uint32_t all = batch->count, end = 0;
        forget_first (&old);
        if (unbroken) {
            unbroken = keep_beginning (self, inbox, batch, kept);
            end = batch->count;
        }
        else
            inbox_cut (inbox, batch);
        note_diverted (ahead, batch, end, all);
        if (self->last == batch)
            batch->owner = owner;
        batch_release (&batch);
    }
}

bool
ahead_has (const ahead_t *self, uint64_t position)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->positions [i] == position)
            return true;
    return false;
}

void
ahead_drop_before (ahead_t *self, uint64_t position)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->count; i++)
        if (self->positions [i] >= position)
            self->positions [kept++] = self->positions [i];
    self->count = kept;
    if (kept == 0)
        ahead_clear (self);
}

void
ahead_clear (ahead_t *self)
{
    alloc_free (self->positions);
    *self = (ahead_t) { NULL, 0 };
}

void
backlog_clear (backlog_t *self)
{
    while (self->first)
        forget_first (self);
}
