/*  inbox_run.c - how the dispatch thread goes through a batch without the lock

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/inbox_run.h"

#include <stdatomic.h>

#include <utlist.h>

#include "actor/inbox_progress.h"

bool
inbox_may_run (const inbox_t *self, inbox_taker_t taker, const batch_t *batch)
{
    return taker == INBOX_DISPATCH && self->mode == INBOX_HANDLERS && !batch->event && !batch->marks;
}

void
inbox_begin_run (inbox_t *self, batch_t *batch)
{
    DL_DELETE (self->queue, batch);
    self->run = batch;
    self->run_end = batch->count;
    self->run_first = batch->done;
    self->run_counted = batch->done;
    self->run_stopped = false;
}

/*  The dispatch thread, with the lock. What it leaves is what is taken next. */
static void
end_run (inbox_t *self, int64_t now)
{
    batch_t *batch = self->run;
    bool rest = !self->run_stopped && batch->done < batch->count;
    inbox_count_run (self);
    times_add (&self->counts.times, batch->done - self->run_first, now - self->began);
    self->run = NULL;
    self->run_stopped = false;
    inbox_expect (self);
    batch->taken = batch->done;
    if (batch->dropped)
        inbox_pass_over_done (batch);
    inbox_note_progress (self, batch);
    if (rest)
        DL_PREPEND (self->queue, batch);
    else
        batch_release (&batch);
}

static void
hand_out_next (inbox_t *self, muster_message_t *message)
{
    batch_t *batch = self->run;
    uint32_t index = message->index + 1;
    message_return_loans (message);
    batch_fill_again (batch, index, batch->offset, message);
    batch->offset += batch_size_of (batch, index);
}

bool
inbox_go_on (inbox_t *self, muster_message_t *message, bool failed)
{
    batch_t *batch = self->run;
    uint32_t next = message->index + 1;
    atomic_store_explicit (&batch->done, next, memory_order_release);
    if (next == self->run_end || failed)
        return false;
    atomic_store (&batch->taken, next + 1);
    if (atomic_load (&self->expected))
        return false;
    hand_out_next (self, message);
    return true;
}

bool
inbox_come_back (inbox_t *self, muster_message_t *message, bool failed, int64_t now)
{
    batch_t *batch = self->run;
    self->counts.failed += failed;
    if (self->run_stopped && batch->kept > batch->done) {
        hand_out_next (self, message);
        return true;
    }
    end_run (self, now);
    return false;
}

uint32_t
inbox_stop_run (inbox_t *self)
{
    batch_t *run = self->run;
    if (self->run_stopped)
        return 0;
    self->run_stopped = true;
    inbox_expect (self);
    run->kept = atomic_load (&run->taken);
    for (uint32_t index = run->kept; index < run->count; index++)
        self->counts.queued_bytes -= batch_size_of (run, index);
    self->counts.queued -= run->count - run->kept;
    return run->count - run->kept;
}
