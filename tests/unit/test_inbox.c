/*  test_inbox.c - how messages go through an inbox, above all in runs of the dispatch thread

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    The test is the dispatch thread and the actor in turns: between two exchanges a run
    is in its midst. Both at once are in tests/threads/private/runs.c.
*/
#include <criterion/criterion.h>

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <muster/data.h>

#include "actor/backlog.h"
#include "actor/event.h"
#include "actor/inbox.h"
#include "base/alloc.h"
#include "numbered.h"
#include "scene.h"

static const message_origin_t origin;

static wake_t *wake;
static inbox_t *inbox;
static muster_message_t *message;   /* in the hand of the dispatch thread */

static void
begin (void)
{
    wake = wake_new ();
    inbox = inbox_new (wake, &origin, NULL);
    cr_assert_eq (inbox_decide (inbox, INBOX_HANDLERS), 0);
    inbox_open (inbox);
    message = NULL;
}

static void
end (void)
{
    cr_assert_null (message);
    inbox_leave (&inbox);
    wake_release (&wake);
}

/*  A batch that is put; the caller shares it. */
static batch_t *
put (uint64_t first, uint32_t count)
{
    batch_t *batch = numbered_batch (first, count);
    inbox_put (inbox, batch);
    return batch;
}

static void
put_and_forget (uint64_t first, uint32_t count)
{
    batch_t *batch = put (first, count);
    batch_release (&batch);
}

/*  A lone message that a round has. */
static place_t *
put_diverted (uint64_t number)
{
    batch_t *batch = numbered_batch (number, 1);
    cr_assert (batch_mark (batch, 0, BATCH_DIVERTED));
    inbox_put (inbox, batch);
    place_t *place = place_new (batch, 0, 0);
    batch_release (&batch);
    return place;
}

static muster_error_t
exchange (bool failed)
{
    bool event;
    muster_error_t error = inbox_exchange (inbox, &message, failed, &event);
    cr_assert_eq (message == NULL, error != 0);
    cr_assert_not (event);
    return error;
}

static void
assert_holds (uint64_t number)
{
    char cmd [32];
    snprintf (cmd, sizeof cmd, "C%llu", (unsigned long long) number);
    cr_assert_not_null (message);
    cr_assert_str_eq (message->cmd, cmd);
    cr_assert_eq (message->position, number);
    cr_assert_eq (scene_number (message), (int64_t) number);
    cr_assert_str_eq (message->source, "a");
    cr_assert_str_eq (message->session, "5e551011");
    cr_assert_eq (message->stream, 7);
    cr_assert_eq (message->context, inbox);
    cr_assert_eq (message->origin, &origin);
    cr_assert_not (message->asked);
}

/*  What the dispatch thread gets when the one it has is handled. */
static void
assert_next (uint64_t number)
{
    cr_assert_eq (exchange (false), 0);
    assert_holds (number);
    cr_assert_not (message->late);
}

static void
assert_next_is_late (uint64_t number)
{
    cr_assert_eq (exchange (false), 0);
    assert_holds (number);
    cr_assert (message->late);
}

static void
assert_nothing (void)
{
    cr_assert_eq (exchange (false), MUSTER_TIMEOUT);
}

static inbox_counts_t
counts_now (void)
{
    inbox_counts_t counts;
    inbox_count (inbox, &counts);
    return counts;
}

static void
assert_counts (uint64_t received, uint64_t handled, uint64_t failed, uint64_t queued)
{
    inbox_counts_t counts = counts_now ();
    cr_assert_eq (counts.received, received);
    cr_assert_eq (counts.handled, handled, "%llu handled", (unsigned long long) counts.handled);
    cr_assert_eq (counts.failed, failed);
    cr_assert_eq (counts.queued, queued, "%llu queued", (unsigned long long) counts.queued);
    cr_assert_eq (counts.queued_bytes == 0, queued == 0);
}

static bool
is_called (void)
{
    struct pollfd item = { .fd = wake->descriptor, .events = POLLIN };
    return poll (&item, 1, 0) == 1;
}

static bool
take_call (void)
{
    bool called = is_called ();
    wake_heard (wake);
    return called;
}

/*  How far the batch that has progressed is; -1 if none has. */
static int64_t
progress (void)
{
    batch_t *batch = inbox_take_progress (inbox);
    int64_t done = batch ? (int64_t) batch->done : -1;
    batch_release (&batch);
    return done;
}

static bool
is_that (const batch_t *batch, const void *argument)
{
    return batch == argument;
}

static bool
is_any (const batch_t *batch, const void *argument)
{
    (void) batch, (void) argument;
    return true;
}

/*  --------------------------------------------------------------------------
    Messages and counts */

Test (runs, all_messages_of_all_batches_come_once_and_in_order, .init = begin, .fini = end)
{
    put_and_forget (1, 100);
    put_and_forget (101, 1);
    put_and_forget (102, 1);
    put_and_forget (103, 37);
    for (uint64_t number = 1; number < 140; number++) {
        assert_next (number);
        cr_assert_eq (message->index, number <= 100 ? number - 1 : number <= 102 ? 0 : number - 103);
    }
    assert_nothing ();
    assert_nothing ();
    assert_counts (139, 139, 0, 0);
}

Test (runs, only_the_first_message_of_a_run_may_be_of_another_source, .init = begin, .fini = end)
{
    put_and_forget (1, 3);
    put_and_forget (4, 2);
    for (uint64_t number = 1; number <= 5; number++) {
        assert_next (number);
        cr_assert_eq (message->same_source, number != 1 && number != 4);
    }
    assert_nothing ();
}

Test (runs, what_is_put_in_the_midst_comes_after_the_run, .init = begin, .fini = end)
{
    put_and_forget (1, 3);
    assert_next (1);
    put_and_forget (4, 2);
    for (uint64_t number = 2; number <= 5; number++)
        assert_next (number);
    assert_nothing ();
    assert_counts (5, 5, 0, 0);
}

Test (runs, a_batch_that_came_in_part_before_begins_after_that_part, .init = begin, .fini = end)
{
    batch_t *batch = numbered_batch (1, 6);
    batch_skip (batch, 4);
    inbox_put (inbox, batch);
    assert_counts (2, 0, 0, 2);
    assert_next (5);
    assert_next (6);
    cr_assert_eq (batch->done, 5 - 1 + 1);
    assert_nothing ();
    cr_assert_eq (batch->done, 6);
    assert_counts (2, 2, 0, 0);
    batch_release (&batch);
}

Test (runs, counts_are_right_in_the_midst, .init = begin, .fini = end)
{
    batch_t *batch = put (95, 10);
    put_and_forget (105, 4);
    uint64_t bytes = counts_now ().queued_bytes;
    cr_assert_eq (counts_now ().received_bytes, bytes);
    for (uint32_t done = 0; done < 10; done++) {
        assert_next (95 + done);
        assert_counts (14, done, 0, 14 - done);
        cr_assert_eq (counts_now ().queued_bytes, bytes, "what is in hand is queued");
        cr_assert_eq (batch->done, done);
        bytes -= batch_size_of (batch, done);
    }
    for (uint32_t done = 10; done < 14; done++)
        assert_next (95 + done);
    assert_nothing ();
    assert_counts (14, 14, 0, 0);
    batch_release (&batch);
}

Test (runs, counts_that_nobody_asked_for_in_the_midst_are_right_afterwards, .init = begin, .fini = end)
{
    put_and_forget (1, 1000);
    for (uint64_t number = 1; number <= 1000; number++)
        assert_next (number);
    assert_nothing ();
    assert_counts (1000, 1000, 0, 0);
}

Test (runs, a_failing_handler_is_counted_and_nothing_is_lost, .init = begin, .fini = end)
{
    put_and_forget (1, 10);
    cr_assert_eq (exchange (false), 0);
    for (uint64_t number = 1; number <= 10; number++) {
        assert_holds (number);
        assert_counts (10, number - 1, number / 3 - (number % 3 == 0), 11 - number);
        cr_assert_eq (exchange (number % 3 == 0), number == 10 ? MUSTER_TIMEOUT : 0);
    }
    assert_counts (10, 10, 3, 0);
}

Test (runs, the_last_message_may_fail_as_well, .init = begin, .fini = end)
{
    put_and_forget (1, 2);
    put_and_forget (3, 1);
    assert_next (1);
    assert_next (2);
    cr_assert_eq (exchange (true), 0);
    assert_holds (3);
    cr_assert_eq (exchange (true), MUSTER_TIMEOUT);
    assert_counts (3, 3, 2, 0);
}

Test (runs, what_a_message_lent_is_returned_before_the_next_one, .init = begin, .fini = end)
{
    put_and_forget (1, 3);
    for (uint64_t number = 1; number <= 3; number++) {
        assert_next (number);
        cr_assert_null (message->loans);
        cr_assert_not_null (message_lend (message, 100));
    }
    assert_nothing ();
}

Test (runs, without_memory_nothing_is_lost_and_a_run_needs_none, .init = begin, .fini = end)
{
    put_and_forget (1, 3);
    alloc_fail_from (1);
    cr_assert_eq (exchange (false), MUSTER_NOMEM);
    alloc_fail_from (0);
    assert_counts (3, 0, 0, 3);
    assert_next (1);
    alloc_fail_from (1);
    cr_assert_eq (exchange (false), 0);
    cr_assert_eq (exchange (true), MUSTER_NOMEM);
    alloc_fail_from (0);
    assert_counts (3, 2, 1, 1);
    assert_next (3);
    assert_nothing ();
}

Test (runs, an_event_comes_in_its_turn, .init = begin, .fini = end)
{
    put_and_forget (1, 2);
    batch_t *batch = event_new ("me", MUSTER_EVENT_JOINED, &(event_t) { .source = "a" });
    inbox_put (inbox, batch);
    batch_release (&batch);
    put_and_forget (3, 1);
    assert_next (1);
    assert_next (2);
    cr_assert_eq (inbox_events (inbox), 1);
    bool event;
    cr_assert_eq (inbox_exchange (inbox, &message, false, &event), 0);
    cr_assert (event);
    cr_assert_str_eq (message->cmd, "JOINED");
    cr_assert_eq (inbox_events (inbox), 0);
    assert_counts (3, 2, 0, 1);
    assert_next (3);
    assert_nothing ();
    assert_counts (3, 3, 0, 0);
}

/*  --------------------------------------------------------------------------
    Progress */

Test (runs, the_actor_learns_of_progress_in_the_midst, .init = begin, .fini = end)
{
    batch_t *batch = put (1, 10);
    backlog_t backlog = { .first = NULL };
    settled_t settled;
    backlog_keep (&backlog, batch);
    assert_next (1);
    cr_assert_eq (progress (), -1);
    cr_assert_not (backlog_settle (&backlog, &settled));
    for (uint64_t number = 2; number <= 5; number++)
        assert_next (number);
    cr_assert_eq (progress (), 4);
    cr_assert_eq (progress (), -1);
    cr_assert (backlog_settle (&backlog, &settled));
    cr_assert_eq (settled.count, 4);
    cr_assert_eq (settled.size, batch->settled_offset);
    cr_assert_not (backlog_settle (&backlog, &settled));
    assert_next (6);
    cr_assert_eq (progress (), 5);
    for (uint64_t number = 7; number <= 10; number++)
        assert_next (number);
    assert_nothing ();
    cr_assert_eq (progress (), 10);
    cr_assert (backlog_settle (&backlog, &settled));
    cr_assert_eq (settled.count, 6);
    cr_assert_eq (batch->settled_offset, batch->size);
    cr_assert_null (backlog.first);
    cr_assert_eq (progress (), -1);
    batch_release (&batch);
}

Test (runs, who_wants_to_be_called_by_each_message_is_called_once_and_the_run_goes_on, .init = begin, .fini = end)
{
    put_and_forget (1, 6);
    assert_next (1);
    inbox_set_call (inbox, INBOX_EACH_MESSAGE);
    cr_assert_not (is_called (), "nothing is done");
    assert_next (2);
    cr_assert (take_call ());
    cr_assert_eq (progress (), 1);
    assert_next (3);
    cr_assert_not (is_called (), "it was asked for once");
    inbox_set_call (inbox, INBOX_EACH_MESSAGE);
    cr_assert (take_call (), "one was done meanwhile");
    cr_assert_eq (progress (), 2);
    for (uint64_t number = 4; number <= 6; number++) {
        inbox_set_call (inbox, INBOX_EACH_MESSAGE);
        assert_next (number);
        cr_assert (take_call ());
        cr_assert_eq (progress (), (int64_t) number - 1);
    }
    inbox_set_call (inbox, INBOX_EACH_MESSAGE);
    assert_nothing ();
    cr_assert (take_call ());
    assert_counts (6, 6, 0, 0);
}

Test (runs, who_wants_to_be_called_by_each_batch_is_called_at_its_end, .init = begin, .fini = end)
{
    put_and_forget (1, 3);
    put_and_forget (4, 2);
    inbox_set_call (inbox, INBOX_EACH_BATCH);
    for (uint64_t number = 1; number <= 3; number++) {
        assert_next (number);
        cr_assert_not (is_called ());
    }
    cr_assert_eq (exchange (true), 0);
    cr_assert (take_call ());
    assert_next (5);
    assert_nothing ();
    cr_assert_not (is_called ());
    inbox_set_call (inbox, INBOX_EACH_BATCH);
    cr_assert (take_call (), "nothing is left that would call");
}

Test (runs, a_failure_in_the_midst_is_not_the_end_of_a_batch, .init = begin, .fini = end)
{
    put_and_forget (1, 3);
    inbox_set_call (inbox, INBOX_EACH_BATCH);
    assert_next (1);
    cr_assert_eq (exchange (true), 0);
    cr_assert_not (is_called ());
    assert_next (3);
    assert_nothing ();
    cr_assert (is_called ());
}

Test (runs, who_is_quiet_is_not_called, .init = begin, .fini = end)
{
    put_and_forget (1, 3);
    inbox_set_call (inbox, INBOX_QUIET);
    for (uint64_t number = 1; number <= 3; number++)
        assert_next (number);
    assert_nothing ();
    cr_assert_not (is_called ());
    cr_assert_eq (progress (), 3);
}

/*  --------------------------------------------------------------------------
    Giving up */

Test (runs, giving_up_leaves_the_message_in_hand_and_tells_the_number_of_the_rest, .init = begin, .fini = end)
{
    for (uint32_t in_hand = 1; in_hand <= 10; in_hand++) {
        inbox_counts_t before = counts_now ();
        batch_t *batch = put (1, 10);
        for (uint64_t number = 1; number <= in_hand; number++)
            assert_next (number);
        cr_assert_eq (inbox_give_up (inbox), 10 - in_hand);
        cr_assert_eq (inbox_give_up (inbox), 0);
        assert_counts (before.received + 10, before.handled + in_hand - 1, 0, 1);
        cr_assert_eq (counts_now ().queued_bytes, batch_size_of (batch, in_hand - 1));
        cr_assert_eq (inbox_cut (inbox, batch), in_hand);
        cr_assert_eq (batch->count, in_hand);
        assert_nothing ();
        assert_counts (before.received + 10, before.handled + in_hand, 0, 0);
        cr_assert_eq (batch->done, in_hand);
        cr_assert_eq (inbox_cut (inbox, batch), in_hand);
        while (progress () >= 0)
            continue;
        batch_release (&batch);
    }
}

Test (runs, what_is_cut_after_the_run_is_cut_at_the_same_message, .init = begin, .fini = end)
{
    batch_t *batch = put (1, 10);
    assert_next (1);
    assert_next (2);
    cr_assert_eq (inbox_give_up (inbox), 8);
    assert_nothing ();
    cr_assert_eq (inbox_cut (inbox, batch), 2);
    cr_assert_eq (batch->done, 2);
    batch_release (&batch);
}

Test (runs, the_message_in_hand_when_the_rest_is_given_up_may_fail, .init = begin, .fini = end)
{
    batch_t *batch = put (1, 10);
    assert_next (1);
    cr_assert_eq (inbox_give_up (inbox), 9);
    cr_assert_eq (exchange (true), MUSTER_TIMEOUT);
    assert_counts (10, 1, 1, 0);
    cr_assert_eq (inbox_cut (inbox, batch), 1);
    batch_release (&batch);
}

Test (runs, giving_up_takes_the_queue_behind_the_run_too, .init = begin, .fini = end)
{
    batch_t *first = put (1, 10), *second = put (11, 5);
    assert_next (1);
    assert_next (2);
    assert_next (3);
    cr_assert_eq (inbox_give_up (inbox), 7 + 5);
    cr_assert_eq (inbox_cut (inbox, first), 3);
    cr_assert_eq (inbox_cut (inbox, second), 0);
    put_and_forget (16, 2);
    assert_next (16);
    assert_next (17);
    assert_nothing ();
    assert_counts (17, 5, 0, 0);
    batch_release (&first);
    batch_release (&second);
}

Test (runs, what_is_kept_of_a_run_settles_and_the_rest_comes_again, .init = begin, .fini = end)
{
    batch_t *batch = put (1, 10);
    backlog_t backlog = { .first = NULL };
    position_t kept = { 0, 0 };
    ahead_t ahead = { NULL, 0 };
    settled_t settled;
    size_t size = 0;
    backlog_keep (&backlog, batch);
    for (uint64_t number = 1; number <= 4; number++) {
        assert_next (number);
        size += batch_size_of (batch, (uint32_t) number - 1);
    }
    cr_assert_eq (inbox_give_up (inbox), 6);
    backlog_keep_taken (&backlog, inbox, &kept, &ahead);
    cr_assert_eq (kept.messages, 4);
    cr_assert_eq (kept.bytes, size);
    cr_assert_eq (progress (), 3);
    cr_assert (backlog_settle (&backlog, &settled));
    cr_assert_eq (settled.count, 3);
    assert_nothing ();
    cr_assert_eq (progress (), 4);
    cr_assert (backlog_settle (&backlog, &settled));
    cr_assert_eq (settled.count, 1);
    cr_assert_null (backlog.first);
    ahead_clear (&ahead);
    batch_release (&batch);
}

/*  --------------------------------------------------------------------------
    Dropping */

Test (runs, what_is_dropped_counts_as_done_once_the_message_in_hand_is, .init = begin, .fini = end)
{
    for (uint32_t in_hand = 1; in_hand <= 10; in_hand++) {
        inbox_counts_t before = counts_now ();
        batch_t *batch = put (1, 10);
        backlog_t backlog = { .first = NULL };
        settled_t settled;
        uint64_t count = 0;
        backlog_keep (&backlog, batch);
        for (uint64_t number = 1; number <= in_hand; number++)
            assert_next (number);
        cr_assert_eq (inbox_drop (inbox, is_that, batch), 10 - in_hand);
        cr_assert_eq (inbox_drop (inbox, is_that, batch), 0);
        assert_counts (before.received + 10, before.handled + in_hand - 1, 0, 1);
        while (backlog_settle (&backlog, &settled))
            count += settled.count;
        cr_assert_eq (count, in_hand - 1, "none passes the one in hand");
        assert_nothing ();
        assert_counts (before.received + 10, before.handled + in_hand, 0, 0);
        cr_assert_eq (batch->done, 10);
        while (progress () >= 0)
            continue;
        while (backlog_settle (&backlog, &settled))
            count += settled.count;
        cr_assert_eq (count, 10);
        cr_assert_eq (batch->settled_offset, batch->size);
        cr_assert_null (backlog.first);
        batch_release (&batch);
    }
}

Test (runs, dropping_calls_who_waits_for_the_end_of_the_batch, .init = begin, .fini = end)
{
    batch_t *batch = put (1, 10);
    inbox_set_call (inbox, INBOX_EACH_BATCH);
    assert_next (1);
    cr_assert_eq (inbox_drop (inbox, is_that, batch), 9);
    cr_assert_not (is_called ());
    assert_nothing ();
    cr_assert (is_called ());
    cr_assert_eq (progress (), 10);
    batch_release (&batch);
}

Test (runs, what_does_not_match_goes_on, .init = begin, .fini = end)
{
    batch_t *first = put (1, 3), *second = put (4, 3);
    assert_next (1);
    cr_assert_eq (inbox_drop (inbox, is_that, second), 3);
    assert_next (2);
    assert_next (3);
    assert_nothing ();
    assert_counts (6, 3, 0, 0);
    cr_assert_eq (second->done, 3);
    batch_release (&first);
    batch_release (&second);
}

Test (runs, what_is_dropped_is_passed_over_and_the_next_batch_follows, .init = begin, .fini = end)
{
    batch_t *first = put (1, 3), *second = put (4, 3);
    assert_next (1);
    cr_assert_eq (inbox_drop (inbox, is_that, first), 2);
    assert_next (4);
    assert_next (5);
    assert_next (6);
    assert_nothing ();
    assert_counts (6, 4, 0, 0);
    cr_assert_eq (first->done, 3);
    batch_release (&first);
    batch_release (&second);
}

Test (runs, what_was_dropped_is_not_cut_off_by_a_stop, .init = begin, .fini = end)
{
    batch_t *run = put (1, 10), *queued = put (11, 10);
    assert_next (1);
    cr_assert_eq (inbox_drop (inbox, is_any, NULL), 9 + 10);
    cr_assert_eq (inbox_give_up (inbox), 0);
    cr_assert_eq (inbox_cut (inbox, queued), 10);
    cr_assert_eq (inbox_cut (inbox, run), 10, "in the midst");
    assert_nothing ();
    cr_assert_eq (inbox_cut (inbox, run), 10, "afterwards");
    cr_assert_eq (run->done, run->count);
    cr_assert_eq (queued->done, queued->count);
    batch_release (&run);
    batch_release (&queued);
}

/*  --------------------------------------------------------------------------
    Late replies, marks */

Test (runs, a_late_reply_comes_before_the_rest_which_follows_in_order, .init = begin, .fini = end)
{
    place_t *one = put_diverted (100), *two = put_diverted (101);
    put_and_forget (1, 5);
    assert_next (1);
    assert_next (2);
    inbox_put_late (inbox, one);
    inbox_put_late (inbox, two);
    assert_counts (7, 1, 0, 6);
    assert_next_is_late (100);
    assert_counts (7, 2, 0, 5);
    assert_next_is_late (101);
    for (uint64_t number = 3; number <= 5; number++)
        assert_next (number);
    assert_nothing ();
    assert_counts (7, 7, 0, 0);
}

Test (runs, a_late_reply_while_the_last_message_is_in_hand_is_next, .init = begin, .fini = end)
{
    place_t *place = put_diverted (100);
    put_and_forget (1, 2);
    put_and_forget (3, 1);
    assert_next (1);
    assert_next (2);
    inbox_put_late (inbox, place);
    assert_next_is_late (100);
    assert_next (3);
    assert_nothing ();
    assert_counts (4, 4, 0, 0);
}

Test (runs, while_a_late_reply_is_in_hand_the_rest_may_be_given_up, .init = begin, .fini = end)
{
    place_t *place = put_diverted (100);
    batch_t *batch = put (1, 5);
    assert_next (1);
    assert_next (2);
    inbox_put_late (inbox, place);
    assert_next_is_late (100);
    cr_assert_eq (inbox_give_up (inbox), 3);
    cr_assert_eq (inbox_cut (inbox, batch), 2);
    assert_nothing ();
    assert_counts (6, 3, 0, 0);
    batch_release (&batch);
}

Test (runs, a_late_reply_outlives_that_the_rest_is_given_up, .init = begin, .fini = end)
{
    place_t *place = put_diverted (100);
    put_and_forget (1, 5);
    assert_next (1);
    inbox_put_late (inbox, place);
    cr_assert_eq (inbox_give_up (inbox), 4);
    assert_next_is_late (100);
    assert_nothing ();
    assert_counts (6, 2, 0, 0);
}

Test (runs, a_late_reply_that_is_dropped_does_not_hold_the_run_up, .init = begin, .fini = end)
{
    place_t *place = put_diverted (100);
    batch_t *late = batch_share (place->batch);
    put_and_forget (1, 5);
    assert_next (1);
    inbox_put_late (inbox, place);
    cr_assert_eq (inbox_drop (inbox, is_that, late), 1);
    for (uint64_t number = 2; number <= 5; number++)
        assert_next (number);
    assert_nothing ();
    assert_counts (6, 5, 0, 0);
    cr_assert_eq (late->done, 1);
    batch_release (&late);
}

Test (runs, messages_that_a_round_has_are_passed_over_and_counted_when_they_are_done, .init = begin, .fini = end)
{
    batch_t *batch = numbered_batch (1, 5);
    batch_mark (batch, 1, BATCH_DIVERTED);
    batch_mark (batch, 4, BATCH_DIVERTED);
    inbox_put (inbox, batch);
    place_t *place = place_new (batch, 1, batch_size_of (batch, 0));
    place_t *last = place_new (batch, 4, batch->size - batch_size_of (batch, 4));
    assert_next (1);
    assert_next (3);
    assert_next (4);
    assert_nothing ();
    assert_counts (5, 3, 0, 2);
    cr_assert_eq (batch->done, 1);
    message = inbox_take_diverted (inbox, place);
    assert_holds (2);
    inbox_done (&message, false);
    cr_assert_eq (batch->done, 4);
    place_destroy (&place);
    inbox_drop_place (inbox, last);
    cr_assert_eq (batch->done, 5);
    assert_counts (5, 4, 0, 0);
    batch_release (&batch);
}

Test (runs, a_batch_with_marks_may_be_given_up_and_dropped_in_its_midst, .init = begin, .fini = end)
{
    batch_t *one = numbered_batch (1, 5), *two = numbered_batch (6, 5);
    batch_mark (one, 4, BATCH_LATE);
    batch_mark (two, 0, BATCH_LATE);
    inbox_put (inbox, one);
    assert_next (1);
    assert_next (2);
    cr_assert_eq (inbox_drop (inbox, is_that, one), 3);
    inbox_put (inbox, two);
    assert_next_is_late (6);
    cr_assert_eq (one->done, 5);
    assert_next (7);
    cr_assert_eq (inbox_give_up (inbox), 3);
    cr_assert_eq (inbox_cut (inbox, two), 2);
    assert_nothing ();
    assert_counts (10, 4, 0, 0);
    batch_release (&one);
    batch_release (&two);
}

/*  --------------------------------------------------------------------------
    The end */

Test (runs, a_closed_inbox_gives_what_is_left_of_a_run_and_of_the_queue, .init = begin, .fini = end)
{
    put_and_forget (1, 3);
    put_and_forget (4, 1);
    assert_next (1);
    inbox_close (inbox);
    for (uint64_t number = 2; number <= 4; number++)
        assert_next (number);
    cr_assert_eq (exchange (false), MUSTER_CLOSED);
    assert_counts (4, 4, 0, 0);
    inbox_open (inbox);
    put_and_forget (5, 1);
    assert_next (5);
    assert_nothing ();
}

Test (runs, a_stop_in_the_midst_drains_and_then_gives_up, .init = begin, .fini = end)
{
    put_and_forget (1, 6);
    assert_next (1);
    inbox_drain (inbox);
    assert_next (2);
    assert_next (3);
    cr_assert_eq (inbox_give_up (inbox), 3);
    inbox_close (inbox);
    cr_assert_eq (exchange (false), MUSTER_CLOSED);
    assert_counts (6, 3, 0, 0);
}

Test (runs, while_nobody_has_decided_a_drain_hands_out_one_by_one)
{
    begin ();
    inbox_leave (&inbox);
    inbox = inbox_new (wake, &origin, NULL);
    inbox_open (inbox);
    put_and_forget (1, 4);
    assert_nothing ();
    inbox_drain (inbox);
    assert_next (1);
    assert_next (2);
    cr_assert_eq (inbox_decide (inbox, INBOX_HANDLERS), 0);
    assert_next (3);
    assert_next (4);
    assert_nothing ();
    assert_counts (4, 4, 0, 0);
    end ();
}

Test (runs, an_owner_who_leaves_frees_what_nobody_took, .init = begin)
{
    batch_t *batch = put (1, 4);
    put_and_forget (5, 4);
    assert_next (1);
    assert_next (2);
    cr_assert_eq (inbox_give_up (inbox), 2 + 4);
    inbox_close (inbox);
    cr_assert_eq (exchange (false), MUSTER_CLOSED);
    end ();
    cr_assert_eq (batch->owners, 1);
    batch_release (&batch);
}
