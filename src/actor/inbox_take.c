/*  inbox_take.c - handing out the messages of an inbox, and taking them back

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/inbox_core.h"

#include <utlist.h>

#include "actor/inbox_progress.h"
#include "actor/inbox_run.h"
#include "actor/monotonic.h"
#include "actor/patience.h"
#include "base/alloc.h"

/*  --------------------------------------------------------------------------
    Taking. With the lock. */

static muster_message_t *
make_message (inbox_t *self, batch_t *batch, uint32_t index, size_t offset)
{
    /*  Taken out of order it may be done out of order: the mark must not fail then. */
    if (index > batch->done && !batch_mark (batch, index, 0))
        return NULL;
    muster_message_t *message = alloc_new (sizeof *message);
    if (!message)
        return NULL;
    batch_fill (batch_share (batch), index, offset, message);
    message->origin = self->origin;
    message->context = self;
    self->owners++;
    return message;
}

static muster_message_t *
take_late (inbox_t *self, place_t *late)
{
    muster_message_t *message = make_message (self, late->batch, late->index, late->offset);
    if (!message)
        return NULL;
    DL_DELETE (self->late, late);
    place_destroy (&late);
    inbox_expect (self);
    return message;
}

static muster_message_t *
take_next (inbox_t *self, inbox_taker_t taker, batch_t *batch)
{
    muster_message_t *message = make_message (self, batch, batch->taken, batch->offset);
    if (!message)
        return NULL;
    batch->offset += batch_size_of (batch, batch->taken++);
    inbox_pass_over_diverted (batch);
    self->events -= batch->event;
    if (inbox_may_run (self, taker, batch))
        inbox_begin_run (self, batch);
    else
    if (batch->taken == batch->count) {
        DL_DELETE (self->queue, batch);
        batch_release (&batch);
    }
    return message;
}

/*  False if there is nothing for this taker. */
static bool
try_take (inbox_t *self, inbox_taker_t taker, muster_message_t **message, bool *event)
{
    place_t *late = inbox_late_for (self, taker);
    batch_t *batch = late ? late->batch : inbox_head_for (self, taker);
    if (!batch)
        return false;
    *event = batch->event;
    *message = late ? take_late (self, late) : take_next (self, taker, batch);
    if (*message)
        inbox_show (self);
    return true;
}

/*  The dispatch thread is the library's own: its host is not asked. */
static muster_error_t
wait_for_change (inbox_t *self, inbox_taker_t taker, int64_t deadline_ms)
{
    if (taker == INBOX_CALLER)
        return patience_wait (&self->changed, &self->lock, deadline_ms);
    return monotonic_cond_wait (&self->changed, &self->lock, deadline_ms) ? 0 : MUSTER_TIMEOUT;
}

muster_error_t
inbox_take (inbox_t *self, inbox_taker_t taker, int64_t deadline_ms, muster_message_t **message, bool *event)
{
    muster_error_t error = 0;
    pthread_mutex_lock (&self->lock);
    while (!error && !try_take (self, taker, message, event)) {
        if (!self->open)
            error = MUSTER_CLOSED;
        else
            error = wait_for_change (self, taker, deadline_ms);
    }
    if (!error && taker == INBOX_DISPATCH)
        self->began = monotonic_ns ();
    pthread_mutex_unlock (&self->lock);
    return error ? error : *message ? 0 : MUSTER_NOMEM;
}

muster_message_t *
inbox_take_diverted (inbox_t *self, const place_t *place)
{
    pthread_mutex_lock (&self->lock);
    muster_message_t *message = make_message (self, place->batch, place->index, place->offset);
    pthread_mutex_unlock (&self->lock);
    return message;
}

/*  --------------------------------------------------------------------------
    Done */

static void
free_message (muster_message_t *message)
{
    message_return_loans (message);
    alloc_free (message);
}

/*  The dispatch thread, with the lock: one that was in no run. */
static void
count_alone (inbox_t *self, const muster_message_t *message, bool failed, int64_t now)
{
    const batch_t *batch = message->ticket;
    if (!batch->event)
        times_add (&self->counts.times, 1, now - self->began);
    inbox_count_handled (self, message, failed);
}

/*  Without it. */
static void
free_handled (muster_message_t *message)
{
    batch_t *batch = message->ticket;
    free_message (message);
    batch_release (&batch);
}

void
inbox_done (muster_message_t **message_p, bool failed)
{
    muster_message_t *message = *message_p;
    *message_p = NULL;
    inbox_t *self = message->context;
    pthread_mutex_lock (&self->lock);
    inbox_count_handled (self, message, failed);
    inbox_drop_owner (self);
    free_handled (message);
}

muster_error_t
inbox_exchange (inbox_t *self, muster_message_t **message_p, bool failed, bool *event)
{
    muster_message_t *message = *message_p;
    bool running = message && message->ticket == self->run;
    *event = false;
    if (running && inbox_go_on (self, message, failed))
        return 0;
    pthread_mutex_lock (&self->lock);
    int64_t now = monotonic_ns ();
    if (running && inbox_come_back (self, message, failed, now)) {
        pthread_mutex_unlock (&self->lock);
        return 0;
    }
    *message_p = NULL;
    if (message && !running)
        count_alone (self, message, failed, now);
    if (message)
        self->owners--;     /* never the last: the actor's side is there */
    bool taken = try_take (self, INBOX_DISPATCH, message_p, event);
    self->began = now;
    bool open = self->open;
    pthread_mutex_unlock (&self->lock);
    if (message)
        free_handled (message);
    if (taken)
        return *message_p ? 0 : MUSTER_NOMEM;
    return open ? MUSTER_TIMEOUT : MUSTER_CLOSED;
}
