/*  inbox_drop.c - messages that nobody has taken of an inbox, given up or void

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/inbox_core.h"

#include <utlist.h>

#include "actor/inbox_progress.h"
#include "actor/inbox_run.h"

/*  With the lock: those that nobody has taken are queued no more, and how many they
    are. Those that are diverted are in the hands of a round. */
static uint64_t
uncount_rest (inbox_t *self, const batch_t *batch)
{
    uint64_t count = 0;
    for (uint32_t index = batch->taken; index < batch->count; index++)
        if (!(batch_marks (batch, index) & BATCH_DIVERTED)) {
            self->counts.queued_bytes -= batch_size_of (batch, index);
            count++;
        }
    self->counts.queued -= count;
    return count;
}

static uint64_t
give_up_batch (inbox_t *self, batch_t *batch)
{
    uint64_t count = uncount_rest (self, batch);
    DL_DELETE (self->queue, batch);
    batch_release (&batch);
    return count;
}

static uint32_t
give_up_run (inbox_t *self)
{
    uint32_t count = self->run ? inbox_stop_run (self) : 0;
    if (count > 0)
        self->run->given_up = true;
    return count;
}

/*  What was told of workers is true whatever becomes of their messages. */
uint64_t
inbox_give_up (inbox_t *self)
{
    uint64_t count = 0;
    batch_t *batch, *next;
    pthread_mutex_lock (&self->lock);
    DL_FOREACH_SAFE (self->queue, batch, next)
        if (!batch->event)
            count += give_up_batch (self, batch);
    count += give_up_run (self);
    inbox_tell (self);
    pthread_mutex_unlock (&self->lock);
    return count;
}

uint32_t
inbox_cut (inbox_t *self, batch_t *batch)
{
    pthread_mutex_lock (&self->lock);
    /*  What is dropped counts as taken, though its run may not be over. */
    uint32_t count = batch->dropped ? batch->count : batch->given_up ? batch->kept : batch->taken;
    batch->count = count;
    pthread_mutex_unlock (&self->lock);
    return count;
}

/*  --------------------------------------------------------------------------
    Dropping */

static uint64_t
drop_rest (inbox_t *self, batch_t *batch)
{
    uint64_t count = uncount_rest (self, batch);
    batch->kept = batch->taken;
    batch->dropped = true;
    batch->taken = batch->count;
    inbox_pass_over_done (batch);
    inbox_note_progress (self, batch);
    DL_DELETE (self->queue, batch);
    batch_release (&batch);
    return count;
}

/*  Its done ones move past the rest when the handler returns. */
static uint32_t
drop_run (inbox_t *self)
{
    uint32_t count = inbox_stop_run (self);
    if (count > 0)
        self->run->dropped = true;
    return count;
}

/*  With the lock. */
static void
drop_place (inbox_t *self, place_t *place)
{
    self->counts.queued--;
    self->counts.queued_bytes -= batch_size_of (place->batch, place->index);
    inbox_count_done (place->batch, place->index);
    inbox_note_progress (self, place->batch);
    place_destroy (&place);
}

uint64_t
inbox_drop (inbox_t *self, inbox_match_fn *match, const void *argument)
{
    uint64_t count = 0;
    batch_t *batch, *next;
    place_t *place, *next_place;
    pthread_mutex_lock (&self->lock);
    DL_FOREACH_SAFE (self->queue, batch, next)
        if (!batch->event && match (batch, argument))
            count += drop_rest (self, batch);
    if (self->run && match (self->run, argument))
        count += drop_run (self);
    DL_FOREACH_SAFE (self->late, place, next_place)
        if (match (place->batch, argument)) {
            DL_DELETE (self->late, place);
            inbox_expect (self);
            drop_place (self, place);
            count++;
        }
    inbox_tell (self);
    pthread_mutex_unlock (&self->lock);
    return count;
}

void
inbox_drop_place (inbox_t *self, place_t *place)
{
    pthread_mutex_lock (&self->lock);
    drop_place (self, place);
    pthread_mutex_unlock (&self->lock);
}
