/*  inbox_progress.c - what is handled of an inbox, counted, and told to its actor

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/inbox_progress.h"

#include <pthread.h>
#include <stdatomic.h>

void
inbox_pass_over_done (batch_t *batch)
{
    while (batch->done < batch->count
        && ((batch->dropped && batch->done >= batch->kept) || (batch_marks (batch, batch->done) & BATCH_DONE)))
        batch->done++;
}

void
inbox_count_done (batch_t *batch, uint32_t index)
{
    if (index != batch->done) {
        batch_mark (batch, index, BATCH_DONE);
        return;
    }
    batch->done++;
    inbox_pass_over_done (batch);
}

/*  --------------------------------------------------------------------------
    Telling the actor */

static void
list_progress (inbox_t *self, batch_t *batch)
{
    if (batch->progressed)
        return;
    batch->progressed = true;
    batch->progress_next = self->progress;
    self->progress = batch_share (batch);
}

void
inbox_note_progress (inbox_t *self, batch_t *batch)
{
    list_progress (self, batch);
    if (self->call == INBOX_EACH_MESSAGE || (self->call == INBOX_EACH_BATCH && batch->done == batch->count)) {
        self->call = INBOX_QUIET;
        inbox_expect (self);
        wake_call (self->wake);
    }
}

void
inbox_count_run (inbox_t *self)
{
    batch_t *run = self->run;
    if (!run)
        return;
    uint32_t first = self->run_counted;
    (void) atomic_load (&run->taken);       /* after which done is no older than that */
    uint32_t done = run->done;
    for (uint32_t index = first; index < done; index++)
        self->counts.queued_bytes -= batch_size_of (run, index);
    self->counts.handled += done - first;
    self->counts.queued -= done - first;
    self->run_counted = done;
    if (done > first)
        list_progress (self, run);
}

void
inbox_drop_progress (inbox_t *self)
{
    while (self->progress) {
        batch_t *batch = self->progress;
        self->progress = batch->progress_next;
        batch->progressed = false;
        batch_release (&batch);
    }
}

batch_t *
inbox_take_progress (inbox_t *self)
{
    pthread_mutex_lock (&self->lock);
    inbox_count_run (self);
    batch_t *batch = self->progress;
    if (batch) {
        self->progress = batch->progress_next;
        batch->progressed = false;
    }
    pthread_mutex_unlock (&self->lock);
    return batch;
}

void
inbox_set_call (inbox_t *self, inbox_call_t call)
{
    pthread_mutex_lock (&self->lock);
    self->call = call;
    inbox_expect (self);
    inbox_count_run (self);
    if (self->progress && (call == INBOX_EACH_MESSAGE || self->counts.queued == 0))
        wake_call (self->wake);
    pthread_mutex_unlock (&self->lock);
}

/*  --------------------------------------------------------------------------
    Counts */

void
inbox_count_handled (inbox_t *self, const muster_message_t *message, bool failed)
{
    batch_t *batch = message->ticket;
    if (batch->event)
        return;
    self->counts.handled++;
    self->counts.failed += failed;
    self->counts.queued--;
    self->counts.queued_bytes -= batch_size_of (batch, message->index);
    inbox_count_done (batch, message->index);
    inbox_note_progress (self, batch);
}

void
inbox_pass (inbox_t *self, batch_t *batch, uint32_t index)
{
    uint64_t size = batch_size_of (batch, index);
    pthread_mutex_lock (&self->lock);
    self->counts.received--;
    self->counts.received_bytes -= size;
    self->counts.queued--;
    self->counts.queued_bytes -= size;
    inbox_count_done (batch, index);
    inbox_note_progress (self, batch);
    pthread_mutex_unlock (&self->lock);
}

void
inbox_count (inbox_t *self, inbox_counts_t *counts)
{
    pthread_mutex_lock (&self->lock);
    inbox_count_run (self);
    *counts = self->counts;
    pthread_mutex_unlock (&self->lock);
}
