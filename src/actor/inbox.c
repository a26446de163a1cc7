/*  inbox.c - messages received and not yet handled

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/inbox_core.h"

#include <stdatomic.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <utlist.h>

#include "actor/inbox_progress.h"
#include "actor/monotonic.h"
#include "base/alloc.h"
#include "base/process.h"

inbox_t *
inbox_new (wake_t *wake, const message_origin_t *origin, void *context)
{
    inbox_t *self = alloc_zero (sizeof *self);
    if (!self)
        return NULL;
    self->descriptor = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->descriptor < 0) {
        alloc_free (self);
        return NULL;
    }
    pthread_mutex_init (&self->lock, NULL);
    monotonic_cond_init (&self->changed);
    self->generation = process_generation ();
    self->owners = 1;
    self->wake = wake_share (wake);
    self->origin = origin;
    self->context = context;
    return self;
}

void
inbox_drop_owner (inbox_t *self)
{
    bool last = --self->owners == 0;
    pthread_mutex_unlock (&self->lock);
    if (!last)
        return;
    inbox_drop_progress (self);
    close (self->descriptor);
    wake_release (&self->wake);
    pthread_cond_destroy (&self->changed);
    pthread_mutex_destroy (&self->lock);
    alloc_free (self);
}

void
inbox_leave (inbox_t **self_p)
{
    inbox_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    inbox_give_up (self);
    pthread_mutex_lock (&self->lock);
    while (self->queue) {
        batch_t *event = self->queue;
        DL_DELETE (self->queue, event);
        batch_release (&event);
    }
    while (self->late) {
        place_t *late = self->late;
        DL_DELETE (self->late, late);
        place_destroy (&late);
    }
    inbox_drop_owner (self);
}

/*  --------------------------------------------------------------------------
    What may be taken, and the descriptor that tells */

batch_t *
inbox_head_for (const inbox_t *self, inbox_taker_t taker)
{
    batch_t *head = self->queue;
    if (!head)
        return NULL;
    if (taker == INBOX_CALLER)
        return self->mode == INBOX_CALLERS ? head : NULL;
    if (self->mode == INBOX_HANDLERS || (self->mode == INBOX_UNDECIDED && (head->event || self->draining)))
        return head;
    return NULL;
}

place_t *
inbox_late_for (const inbox_t *self, inbox_taker_t taker)
{
    if (!self->open)
        return NULL;
    if (taker == INBOX_CALLER)
        return self->mode == INBOX_CALLERS ? self->late : NULL;
    return self->mode == INBOX_HANDLERS || (self->mode == INBOX_UNDECIDED && self->draining) ? self->late : NULL;
}

void
inbox_show (inbox_t *self)
{
    bool readable = inbox_head_for (self, INBOX_CALLER) || inbox_late_for (self, INBOX_CALLER)
        || (self->mode == INBOX_CALLERS && !self->open);
    if (readable == self->readable)
        return;
    self->readable = readable;
    uint64_t count = 1;
    ssize_t rc = readable ? write (self->descriptor, &count, sizeof count)
                          : read (self->descriptor, &count, sizeof count);
    (void) rc;      /* a counter of 0 or 1 neither overflows nor is empty here */
}

void
inbox_tell (inbox_t *self)
{
    pthread_cond_broadcast (&self->changed);
    inbox_show (self);
}

void
inbox_expect (inbox_t *self)
{
    atomic_store (&self->expected, self->call == INBOX_EACH_MESSAGE || self->late || self->run_stopped);
}

muster_error_t
inbox_may_decide (inbox_t *self, inbox_mode_t mode)
{
    pthread_mutex_lock (&self->lock);
    bool otherwise = self->mode != INBOX_UNDECIDED && self->mode != mode;
    pthread_mutex_unlock (&self->lock);
    return otherwise ? MUSTER_BUSY : 0;
}

muster_error_t
inbox_decide (inbox_t *self, inbox_mode_t mode)
{
    pthread_mutex_lock (&self->lock);
    if (self->mode == INBOX_UNDECIDED) {
        self->mode = mode;
        inbox_tell (self);
    }
    muster_error_t error = self->mode == mode ? 0 : MUSTER_BUSY;
    pthread_mutex_unlock (&self->lock);
    return error;
}

static void
set_state (inbox_t *self, bool open, bool draining)
{
    pthread_mutex_lock (&self->lock);
    self->open = open;
    self->draining = draining;
    inbox_tell (self);
    pthread_mutex_unlock (&self->lock);
}

void
inbox_open (inbox_t *self)
{
    set_state (self, true, false);
}

void
inbox_drain (inbox_t *self)
{
    set_state (self, true, true);
}

void
inbox_close (inbox_t *self)
{
    set_state (self, false, false);
}

/*  --------------------------------------------------------------------------
    Putting */

/*  Is the next message one that goes another way? */
static bool
next_is_diverted (const batch_t *batch)
{
    return batch_marks (batch, batch->taken) & BATCH_DIVERTED;
}

void
inbox_pass_over_diverted (batch_t *batch)
{
    while (batch->taken < batch->count && next_is_diverted (batch))
        batch->offset += batch_size_of (batch, batch->taken++);
}

static void
count_received (inbox_t *self, const batch_t *batch)
{
    self->counts.received += batch->count - batch->taken;
    self->counts.received_bytes += batch->size - batch->offset;
    self->counts.queued += batch->count - batch->taken;
    self->counts.queued_bytes += batch->size - batch->offset;
}

void
inbox_put (inbox_t *self, batch_t *batch)
{
    bool first = false;
    pthread_mutex_lock (&self->lock);
    if (!batch->event)
        count_received (self, batch);
    else
        self->events++;
    inbox_pass_over_diverted (batch);
    if (batch->taken < batch->count) {
        batch_t *queued = batch_share (batch);
        DL_APPEND (self->queue, queued);
        first = self->queue == batch;
        inbox_show (self);
    }
    pthread_mutex_unlock (&self->lock);
    /*  Who wakes up wants the lock. */
    if (first)
        pthread_cond_broadcast (&self->changed);
}

bool
inbox_join (inbox_t *self, batch_t *waiting, const batch_t *batch)
{
    pthread_mutex_lock (&self->lock);
    bool joined = waiting->taken == 0 && batch_join (waiting, batch);
    if (joined)
        count_received (self, batch);
    pthread_mutex_unlock (&self->lock);
    return joined;
}

void
inbox_put_late (inbox_t *self, place_t *place)
{
    pthread_mutex_lock (&self->lock);
    batch_mark (place->batch, place->index, BATCH_LATE);     /* what was diverted has marks */
    DL_APPEND (self->late, place);
    inbox_expect (self);
    inbox_tell (self);
    pthread_mutex_unlock (&self->lock);
}

/*  --------------------------------------------------------------------------
    What it is */

int
inbox_descriptor (inbox_t *self)
{
    return self->descriptor;
}

bool
inbox_is_foreign (const inbox_t *self)
{
    return self->generation != process_generation ();
}

void *
inbox_context (inbox_t *self)
{
    return self->context;
}

uint64_t
inbox_events (inbox_t *self)
{
    pthread_mutex_lock (&self->lock);
    uint64_t events = self->events;
    pthread_mutex_unlock (&self->lock);
    return events;
}
