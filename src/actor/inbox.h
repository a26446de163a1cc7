/*  inbox.h - messages received and not yet handled

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    An actor puts batches in and learns what has been handled; the dispatch
    thread or callers take messages out one by one, and say when each is done.
    Locked inside. It lives until its owner has left it and every message
    taken from it is done.
*/
#ifndef ACTOR_INBOX_H_INCLUDED
#define ACTOR_INBOX_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include <muster/error.h>
#include <muster/message.h>

#include "actor/batch.h"
#include "actor/place.h"
#include "actor/times.h"
#include "actor/wake.h"

typedef struct inbox inbox_t;

/*  Who takes the messages. */
typedef enum {
    INBOX_UNDECIDED,    /* nobody yet; events only */
    INBOX_HANDLERS,     /* the dispatch thread */
    INBOX_CALLERS       /* whoever calls next or recv */
} inbox_mode_t;

typedef struct {
    uint64_t received, received_bytes;
    uint64_t handled, failed;
    uint64_t queued, queued_bytes;      /* received and not handled */
    times_t times;                      /* of what the dispatch thread handled */
} inbox_counts_t;

/*  wake is shared; origin and context go into each message. */
inbox_t *inbox_new (wake_t *wake, const message_origin_t *origin, void *context);

/*  The owner leaves: what nobody has taken is freed at once, the rest when it is done. */
void inbox_leave (inbox_t **self_p);

/*  Is it decided otherwise (MUSTER_BUSY) or not (0)? */
muster_error_t inbox_may_decide (inbox_t *self, inbox_mode_t mode);

/*  Decide who takes. Errors: MUSTER_BUSY if it is decided otherwise. */
muster_error_t inbox_decide (inbox_t *self, inbox_mode_t mode);

/*  Open and close for takers: a closed inbox gives CLOSED once nothing is
    left that the taker may have. While draining the dispatch thread takes
    what nobody has decided about. */
void inbox_open (inbox_t *self);
void inbox_close (inbox_t *self);
void inbox_drain (inbox_t *self);

/*  Put a batch at the end of the queue, which shares it. */
void inbox_put (inbox_t *self, batch_t *batch);

/*  Put the messages of batch at the end of one that was put and that nobody has begun. False
    when batch has to be put itself. */
bool inbox_join (inbox_t *self, batch_t *waiting, const batch_t *batch);

/*  Put a message that was diverted, and is not taken, into the queue after all, as
    late; takes its place over. It outlives a stop. */
void inbox_put_late (inbox_t *self, place_t *place);

typedef enum { INBOX_DISPATCH, INBOX_CALLER } inbox_taker_t;

/*  Take the next message; deadline_ms: monotonic, INT64_MAX: none. *event: it
    is of the listener itself. Errors: MUSTER_TIMEOUT, MUSTER_CLOSED, MUSTER_NOMEM. */
muster_error_t inbox_take (
    inbox_t *self, inbox_taker_t taker, int64_t deadline_ms, muster_message_t **message, bool *event);

/*  Make a message of a place; counts as taken. NULL when out of memory. */
muster_message_t *inbox_take_diverted (inbox_t *self, const place_t *place);

/*  A diverted message of a batch that was put is done with, and counts for nothing:
    it had come before. */
void inbox_pass (inbox_t *self, batch_t *batch, uint32_t index);

/*  A message that was taken is handled; it is freed. */
void inbox_done (muster_message_t **message, bool failed);

/*  The dispatch thread: the same for *message, unless it is NULL, and take the next one, without
    waiting; it may be the same piece of memory. Errors as inbox_take. */
muster_error_t inbox_exchange (inbox_t *self, muster_message_t **message, bool failed, bool *event);

/*  The actor: a batch that has progressed, shared with the caller, who releases
    it; NULL when there is none more. */
batch_t *inbox_take_progress (inbox_t *self);

/*  When the actor wants to be woken by done: never, when a batch is complete,
    or by each message. */
typedef enum { INBOX_QUIET, INBOX_EACH_BATCH, INBOX_EACH_MESSAGE } inbox_call_t;
void inbox_set_call (inbox_t *self, inbox_call_t call);

/*  The messages of matching batches that nobody has are void: they count as done, and not
    as handled. argument is the predicate's. Returns how many that were. */
typedef bool (inbox_match_fn) (const batch_t *batch, const void *argument);
uint64_t inbox_drop (inbox_t *self, inbox_match_fn *match, const void *argument);

/*  The same for the message of a place, which is taken over. */
void inbox_drop_place (inbox_t *self, place_t *place);

/*  A batch ends with what was taken of it, and returns how many messages these are. Only
    after inbox_give_up. */
uint32_t inbox_cut (inbox_t *self, batch_t *batch);

/*  Forget what nobody has taken, late replies and events excepted. Returns how many
    messages that were. */
uint64_t inbox_give_up (inbox_t *self);

/*  Readable while a caller's take would not wait. */
int inbox_descriptor (inbox_t *self);

/*  Does it belong to another process, from which this one was forked? Its lock may be
    held for ever then. */
bool inbox_is_foreign (const inbox_t *self);

/*  What was given to inbox_new. */
void *inbox_context (inbox_t *self);

void inbox_count (inbox_t *self, inbox_counts_t *counts);

/*  How many events wait. */
uint64_t inbox_events (inbox_t *self);

#endif
