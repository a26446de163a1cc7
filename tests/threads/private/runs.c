/*  runs.c - a dispatch thread that goes through an inbox while its actor counts, drops and gives up

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    For ThreadSanitizer, and for the sums: whatever the actor does at whatever moment, each
    message is handled, dropped or given up, and that once, in order; and who asks to be
    called by each message is called, though the handler then stands still in the next
    one. An argument is the seed; each run has another.
*/
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "actor/inbox.h"
#include "base/alloc.h"
#include "scene.h"

#define ROUNDS 20000
#define ROUND_MS 3000       /* all rounds end then */
#define BATCHES 12          /* of a round at most */
#define MESSAGES 60         /* of a batch at most */
#define CALL_MS 60000       /* nobody who is right waits so long for a call */

#define SIZE 4              /* ["c", {}] */

static const message_origin_t origin;
static wake_t *wake;
static inbox_t *inbox;

/*  --------------------------------------------------------------------------
    Luck */

static uint64_t
next_luck (uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint32_t
below (uint64_t *state, uint32_t most)
{
    return (uint32_t) (next_luck (state) >> 32) % most;
}

/*  --------------------------------------------------------------------------
    The dispatch thread */

/*  A handler that stands still says so, until it may go on. */
static atomic_bool may_stand;
static atomic_ulong handled_before;
static int stands;
static sem_t may_go_on;

static void
stand_still (uint64_t handled)
{
    uint64_t one = 1;
    atomic_store (&handled_before, handled);
    MUST (write (stands, &one, sizeof one) == sizeof one);
    while (sem_wait (&may_go_on))
        continue;
}

typedef struct {
    uint64_t luck;
    uint64_t last;          /* position handled */
    uint64_t handled, late, failed;
} handler_t;

static bool
handle (handler_t *self, const muster_message_t *message)
{
    if (message->late)
        self->late++;
    else {
        MUST (message->position > self->last);
        self->last = message->position;
    }
    MUST (message->cmd [0] == 'c' && message->size == 1 && message->data [0] == 0x80);
    for (volatile uint32_t turn = below (&self->luck, 64) == 0 ? below (&self->luck, 3000) : 0; turn > 0; turn--)
        continue;
    if (atomic_load (&may_stand) && below (&self->luck, 8) == 0)
        stand_still (self->handled);
    bool failed = below (&self->luck, 50) == 0;
    self->handled++;
    self->failed += failed;
    return failed;
}

static void *
dispatch (void *argument)
{
    handler_t *self = argument;
    muster_message_t *message = NULL;
    bool event, failed = false;
    muster_error_t error;
    do {
        error = inbox_exchange (inbox, &message, failed, &event);
        if (error == MUSTER_TIMEOUT)
            error = inbox_take (inbox, INBOX_DISPATCH, INT64_MAX, &message, &event);
        failed = !error && handle (self, message);
    } while (!error);
    MUST (error == MUSTER_CLOSED);
    return NULL;
}

/*  --------------------------------------------------------------------------
    The actor */

typedef struct {
    uint64_t luck;
    uint64_t position;          /* of the last message put */
    uint64_t received;
    uint64_t gone;              /* dropped or given up */
    uint64_t taken;             /* by a round, which is done with them */
    uint64_t given_up, dropped, calls, joined;
    bool stopped;               /* it has given up in this round, and puts nothing more */
    batch_t *batches [BATCHES];
    unsigned count;
    place_t *place;             /* in the hands of a round */
} actor_t;

static batch_t *
batch_of (uint32_t count)
{
    uint8_t *memory = alloc_block (SIZE * count);
    for (uint32_t index = 0; index < count; index++)
        memcpy (memory + SIZE * index, "\x92\xa1" "c\x80", SIZE);
    batch_t *batch = batch_new_memory (memory, memory, SIZE * count, SCAN_SESSION);
    MUST (batch_scan (batch, &(scan_limits_t) { .depth = 8 }, NULL) == MUSTER_REFUSAL_NONE);
    batch->source = batch->session = "a";
    return batch;
}

static void
put (actor_t *self)
{
    if (self->stopped || self->count == BATCHES)
        return;
    uint32_t count = 1 + below (&self->luck, below (&self->luck, 3) ? MESSAGES : 2);
    batch_t *batch = batch_of (count);
    batch->first = self->position + 1;
    batch->stream = below (&self->luck, 2);
    if (!self->place && below (&self->luck, 6) == 0) {
        MUST (batch_mark (batch, 0, BATCH_DIVERTED));
        self->place = place_new (batch, 0, 0);
    }
    self->position += count;
    self->received += count;
    if (self->count > 0 && inbox_join (inbox, self->batches [self->count - 1], batch)) {
        batch_release (&batch);
        self->joined++;
        return;
    }
    self->batches [self->count++] = batch;
    inbox_put (inbox, batch);
}

static void
look (const actor_t *self)
{
    inbox_counts_t counts;
    inbox_count (inbox, &counts);
    MUST (counts.received == self->received);
    MUST (counts.handled + counts.queued + self->gone == self->received);
    MUST (counts.queued_bytes == SIZE * counts.queued);
    MUST (counts.failed <= counts.handled);
}

static bool
is_of_stream (const batch_t *batch, const void *stream)
{
    return batch->stream == *(const uint32_t *) stream;
}

static void
drop (actor_t *self)
{
    uint32_t stream = below (&self->luck, 2);
    uint64_t count = inbox_drop (inbox, is_of_stream, &stream);
    self->gone += count;
    self->dropped += count;
}

static void
give_up (actor_t *self)
{
    if (self->stopped)
        return;
    uint64_t count = inbox_give_up (inbox), left = 0;
    self->stopped = true;
    self->gone += count;
    self->given_up += count;
    for (unsigned i = 0; i < self->count; i++) {
        uint32_t all = self->batches [i]->count;
        uint32_t kept = inbox_cut (inbox, self->batches [i]);
        MUST (kept <= all);
        left += all - kept;
    }
    MUST (left == count);
}

static void
end_place (actor_t *self)
{
    place_t *place = self->place;
    if (!place)
        return;
    self->place = NULL;
    switch (below (&self->luck, 4)) {
        case 0:
            inbox_drop_place (inbox, place);
            self->gone++;
            break;
        case 1: {
            muster_message_t *message = inbox_take_diverted (inbox, place);
            place_destroy (&place);
            inbox_done (&message, false);
            self->taken++;
            break;
        }
        default:
            inbox_put_late (inbox, place);
    }
}

static void
take_progress (void)
{
    batch_t *batch;
    while ((batch = inbox_take_progress (inbox))) {
        MUST (batch->done <= batch->count);
        batch_release (&batch);
    }
}

static void
act (actor_t *self)
{
    switch (below (&self->luck, 16)) {
        case 0 ... 4: put (self); break;
        case 5 ... 8: look (self); break;
        case 9: drop (self); break;
        case 10: end_place (self); break;
        case 11: take_progress (); break;
        case 12: inbox_set_call (inbox, (inbox_call_t) below (&self->luck, INBOX_EACH_MESSAGE + 1)); break;
        case 13:
            if (below (&self->luck, 4) == 0)
                give_up (self);
            break;
        case 14: wake_heard (wake); break;
        default: sched_yield ();
    }
}

static bool
all_are_done (const actor_t *self)
{
    for (unsigned i = 0; i < self->count; i++)
        if (self->batches [i]->done != self->batches [i]->count)
            return false;
    return true;
}

/*  What the actor knows to be handled, those of rounds excepted. */
static uint64_t
learn (actor_t *self)
{
    inbox_counts_t counts;
    take_progress ();
    look (self);
    inbox_count (inbox, &counts);
    return counts.handled - self->taken;
}

static void
let_go_on (void)
{
    uint64_t count;
    MUST (read (stands, &count, sizeof count) == sizeof count);
    sem_post (&may_go_on);
}

/*  As an actor waits that has stopped looking: who is not called waits in vain. A handler
    stands still until the actor was called for all that it has handled. */
static void
settle (actor_t *self)
{
    struct pollfd items [2] = { { .fd = wake->descriptor, .events = POLLIN }, { .fd = stands, .events = POLLIN } };
    end_place (self);
    uint64_t known = learn (self);
    atomic_store (&may_stand, true);
    while (!all_are_done (self)) {
        inbox_set_call (inbox, INBOX_EACH_MESSAGE);
        MUST (poll (items, 2, CALL_MS) > 0);
        if (items [1].revents && known == atomic_load (&handled_before)) {
            let_go_on ();
            continue;
        }
        MUST (poll (items, 1, CALL_MS) == 1);
        wake_heard (wake);
        self->calls++;
        known = learn (self);
    }
    atomic_store (&may_stand, false);
}

static void
play_round (actor_t *self)
{
    uint32_t acts = 10 + below (&self->luck, 40);
    self->stopped = false;
    put (self);
    while (acts-- > 0)
        act (self);
    settle (self);
    while (self->count > 0)
        batch_release (&self->batches [--self->count]);
}

static uint64_t
seed_of (int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull (argv [1], NULL, 0) : (uint64_t) scene_now_ms ();
    printf ("seed %" PRIu64 "\n", seed);
    fflush (stdout);
    return seed * 2 + 1;
}

int
main (int argc, char **argv)
{
    uint64_t luck = seed_of (argc, argv);
    handler_t handler = { .luck = luck ^ 0x9e3779b97f4a7c15 };
    actor_t actor = { .luck = luck };
    pthread_t thread;
    int rounds = 0;
    wake = wake_new ();
    inbox = inbox_new (wake, &origin, NULL);
    MUST (inbox_decide (inbox, INBOX_HANDLERS) == 0);
    inbox_open (inbox);
    stands = eventfd (0, EFD_CLOEXEC);
    MUST (stands >= 0 && sem_init (&may_go_on, 0, 0) == 0);
    MUST (pthread_create (&thread, NULL, dispatch, &handler) == 0);
    for (int64_t began = scene_now_ms (); rounds < ROUNDS && scene_now_ms () - began < ROUND_MS; rounds++)
        play_round (&actor);
    inbox_close (inbox);
    pthread_join (thread, NULL);
    inbox_counts_t counts;
    inbox_count (inbox, &counts);
    MUST (counts.received == actor.received);
    MUST (counts.queued == 0 && counts.queued_bytes == 0);
    MUST (counts.handled == handler.handled + actor.taken);
    MUST (counts.failed == handler.failed);
    MUST (counts.handled + actor.gone == actor.received);
    inbox_leave (&inbox);
    wake_release (&wake);
    close (stands);
    printf ("%d rounds: %" PRIu64 " messages, %" PRIu64 " handled, %" PRIu64 " of them late, %" PRIu64 " dropped, %"
        PRIu64 " given up, %" PRIu64 " calls, %" PRIu64 " frames joined\n", rounds, actor.received, counts.handled,
        handler.late, actor.dropped, actor.given_up, actor.calls, actor.joined);
    return 0;
}
