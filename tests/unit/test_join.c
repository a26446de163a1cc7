/*  test_join.c - what many small frames take that wait, and that they come as if each were alone

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include <muster/data.h>

#include "actor/backlog.h"
#include "actor/inbox.h"
#include "base/alloc.h"
#include "numbered.h"
#include "scene.h"

static const message_origin_t origin;

static wake_t *wake;
static inbox_t *inbox;
static backlog_t backlog;

static void
begin (void)
{
    wake = wake_new ();
    inbox = inbox_new (wake, &origin, NULL);
    cr_assert_eq (inbox_decide (inbox, INBOX_HANDLERS), 0);
    inbox_open (inbox);
    backlog = (backlog_t) { .first = NULL };
}

static void
end (void)
{
    backlog_clear (&backlog);
    inbox_leave (&inbox);
    wake_release (&wake);
}

TestSuite (join, .init = begin, .fini = end);

/*  As an actor takes it. True if it joined another. */
static bool
arrive (batch_t *batch)
{
    bool joined = backlog_join (&backlog, inbox, batch);
    if (!joined) {
        cr_assert (backlog_keep (&backlog, batch));
        inbox_put (inbox, batch);
    }
    batch_release (&batch);
    return joined;
}

static muster_message_t *
take (void)
{
    muster_message_t *message = NULL;
    bool event;
    cr_assert_eq (inbox_take (inbox, INBOX_DISPATCH, 0, &message, &event), 0);
    cr_assert_not (event);
    return message;
}

static void
expect (const muster_message_t *message, uint64_t number)
{
    char cmd [32];
    snprintf (cmd, sizeof cmd, "C%llu", (unsigned long long) number);
    cr_assert_str_eq (message->cmd, cmd);
    cr_assert_eq (message->position, number);
    cr_assert_eq (scene_number (message), (int64_t) number);
    cr_assert_str_eq (message->source, "a");
    cr_assert_eq (message->stream, 7);
}

/*  Hand out and handle all that is there, from number on; one is in hand, or NULL. Returns what comes next. */
static uint64_t
handle_all (muster_message_t *message, uint64_t number)
{
    bool event;
    muster_error_t error;
    while (!(error = inbox_exchange (inbox, &message, false, &event)))
        expect (message, number++);
    cr_assert_eq (error, MUSTER_TIMEOUT);
    return number;
}

static uint64_t
settle_all (uint64_t *size)
{
    uint64_t count = 0;
    settled_t settled;
    batch_t *batch;
    while ((batch = inbox_take_progress (inbox)))
        batch_release (&batch);
    *size = 0;
    while (backlog_settle (&backlog, &settled)) {
        count += settled.count;
        *size += settled.size;
    }
    return count;
}

static size_t
batches (void)
{
    size_t count = 0;
    for (const batch_t *batch = backlog.first; batch; batch = batch->backlog_next)
        count++;
    return count;
}

Test (join, a_hundred_thousand_frames_that_wait_take_little_more_than_their_messages)
{
    enum { FRAMES = 100000 };
    size_t size = 0, before = mallinfo2 ().uordblks;
    for (uint64_t number = 1; number <= FRAMES; number++) {
        batch_t *batch = numbered_batch (number, 1);
        size += batch->size;
        arrive (batch);
    }
    size_t taken = mallinfo2 ().uordblks - before;
    /*  Four bytes for the size of each message; blocks and lists that double. */
    cr_expect_lt (taken, 2 * (size + 4 * FRAMES), "%zu for %zu", taken, size);
    cr_assert_eq (handle_all (NULL, 1), FRAMES + 1);
    uint64_t settled;
    cr_assert_eq (settle_all (&settled), FRAMES);
    cr_assert_eq (settled, size);
    cr_assert_null (backlog.first);
}

Test (join, frames_of_one_message_and_of_several_come_in_order_and_are_counted)
{
    static const uint32_t counts [] = { 1, 3, 1, 1, 7, 2, 64, 1 };
    uint64_t number = 1, size = 0;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        batch_t *batch = numbered_batch (number, counts [i]);
        size += batch->size;
        cr_assert_eq (arrive (batch), i > 0);
        number += counts [i];
    }
    inbox_counts_t seen;
    inbox_count (inbox, &seen);
    cr_assert_eq (seen.received, number - 1);
    cr_assert_eq (seen.received_bytes, size);
    cr_assert_eq (seen.queued, number - 1);
    cr_assert_eq (seen.queued_bytes, size);
    cr_assert_eq (handle_all (NULL, 1), number);
    inbox_count (inbox, &seen);
    cr_assert_eq (seen.handled, number - 1);
    cr_assert_eq (seen.queued, 0);
    cr_assert_eq (seen.queued_bytes, 0);
}

Test (join, nothing_joins_a_frame_that_somebody_has_begun)
{
    arrive (numbered_batch (1, 2));
    muster_message_t *message = take ();
    expect (message, 1);
    cr_assert_not (arrive (numbered_batch (3, 1)));
    cr_assert (arrive (numbered_batch (4, 1)));
    cr_assert_eq (batches (), 2);
    cr_assert_eq (handle_all (message, 2), 5);
}

Test (join, callers_get_messages_whose_bytes_stay_where_they_are)
{
    inbox_t *other = inbox_new (wake, &origin, NULL);
    cr_assert_eq (inbox_decide (other, INBOX_CALLERS), 0);
    inbox_open (other);
    batch_t *batch = numbered_batch (1, 2);
    backlog_keep (&backlog, batch);
    inbox_put (other, batch);
    batch_release (&batch);
    muster_message_t *first = NULL, *second = NULL;
    bool event;
    cr_assert_eq (inbox_take (other, INBOX_CALLER, 0, &first, &event), 0);
    batch = numbered_batch (3, 1);
    cr_assert_not (backlog_join (&backlog, other, batch));
    batch_release (&batch);
    cr_assert_eq (inbox_take (other, INBOX_CALLER, 0, &second, &event), 0);
    expect (first, 1);
    expect (second, 2);
    inbox_done (&first, false);
    inbox_done (&second, false);
    inbox_leave (&other);
}

Test (join, large_frames_stay_alone)
{
    batch_t *large = numbered_batch (1, 1200);
    cr_assert_gt (large->size, 8192);
    arrive (large);
    cr_assert_not (arrive (numbered_batch (1201, 1)));
    cr_assert_not (arrive (numbered_batch (1202, 1200)));
    cr_assert_eq (handle_all (NULL, 1), 2402);
}

Test (join, only_what_follows_in_the_same_stream_under_the_same_names_joins)
{
    arrive (numbered_batch (1, 1));
    cr_assert_not (arrive (numbered_batch (3, 1)), "one is missing");
    batch_t *batch = numbered_batch (4, 1);
    batch->stream = 8;
    cr_assert_not (arrive (batch));
    batch = numbered_batch (5, 1);
    batch->names = blob_new (8);
    cr_assert_not (arrive (batch));
    cr_assert_not (arrive (numbered_batch (6, 1)));
    batch = numbered_batch (7, 2);
    batch_skip (batch, 1);
    cr_assert_not (arrive (batch), "its first message is known");
    cr_assert_eq (batches (), 6);
}

Test (join, a_frame_of_which_a_round_has_a_message_stays_alone)
{
    batch_t *batch = numbered_batch (1, 2);
    place_t *place = place_new (batch, 1, batch_size_of (batch, 0));
    cr_assert (batch_mark (batch, 1, BATCH_DIVERTED));
    cr_assert_not (arrive (batch));
    cr_assert_not (arrive (numbered_batch (3, 1)));
    muster_message_t *message = inbox_take_diverted (inbox, place);
    expect (message, 2);
    inbox_done (&message, false);
    place_destroy (&place);
    batch = numbered_batch (4, 1);
    place = place_new (batch, 0, 0);
    cr_assert (batch_mark (batch, 0, BATCH_DIVERTED));
    cr_assert_not (arrive (batch));
    inbox_drop_place (inbox, place);
}

Test (join, late_replies_join_and_stay_late)
{
    for (uint64_t number = 1; number <= 6; number++) {
        batch_t *batch = numbered_batch (number, 1);
        if (number % 2 == 0)
            cr_assert (batch_mark (batch, 0, BATCH_LATE));
        cr_assert_eq (arrive (batch), number > 1);
    }
    for (uint64_t number = 1; number <= 6; number++) {
        muster_message_t *message = take ();
        expect (message, number);
        cr_assert_eq (message->late, number % 2 == 0);
        inbox_done (&message, false);
    }
    uint64_t size;
    cr_assert_eq (settle_all (&size), 6);
}

Test (join, without_memory_each_frame_waits_alone_and_nothing_is_lost)
{
    for (size_t nth = 1; nth <= 3; nth++) {
        uint64_t number = 10 * nth;
        batch_t *first = numbered_batch (number, 1), *second = numbered_batch (number + 1, 1);
        cr_assert (batch_mark (second, 0, BATCH_LATE));
        cr_assert_not (arrive (first));
        alloc_fail_from (nth);      /* the room, the sizes, the marks */
        cr_assert_not (arrive (second));
        alloc_fail_from (0);
        cr_assert (arrive (numbered_batch (number + 2, 1)));
        cr_assert_eq (handle_all (NULL, number), number + 3);
    }
    uint64_t size;
    cr_assert_eq (settle_all (&size), 9);
    cr_assert_null (backlog.first);
}

Test (join, what_is_given_up_is_all_that_had_joined)
{
    for (uint64_t number = 1; number <= 10; number++)
        arrive (numbered_batch (number, 1));
    cr_assert_eq (inbox_give_up (inbox), 10);
    position_t kept = { 0, 0 };
    ahead_t ahead = { NULL, 0 };
    backlog_keep_taken (&backlog, inbox, &kept, &ahead);
    cr_assert_eq (kept.messages, 0);
    cr_assert_null (backlog.first);
}

static bool
match_all (const batch_t *batch, const void *argument)
{
    (void) batch;
    (void) argument;
    return true;
}

Test (join, nothing_joins_what_was_dropped)
{
    for (uint64_t number = 1; number <= 10; number++)
        arrive (numbered_batch (number, 1));
    cr_assert_eq (inbox_drop (inbox, match_all, NULL), 10);
    cr_assert_not (arrive (numbered_batch (11, 1)));
    cr_assert_eq (handle_all (NULL, 11), 12);
    uint64_t size;
    cr_assert_eq (settle_all (&size), 11);
}
