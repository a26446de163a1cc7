/*  test_backlog.c - what waits to be reported handled, above all what was refused

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include "actor/backlog.h"
#include "actor/wake.h"

static const message_origin_t origin;
static backlog_t backlog;

static void
end (void)
{
    backlog_clear (&backlog);
}

TestSuite (backlog, .fini = end);

static batch_t *
keep (uint32_t count, size_t size, uint32_t stream, bool refused)
{
    batch_t *batch = batch_new_memory (NULL, NULL, size, SCAN_SESSION);
    cr_assert (batch);
    batch->count = count;
    batch->stream = stream;
    batch->refused = refused;
    batch->done = refused ? count : 0;
    backlog_keep (&backlog, batch);
    return batch;
}

static void
refuse (uint32_t count, size_t size, uint32_t stream)
{
    batch_t *batch = keep (count, size, stream, true);
    batch_release (&batch);
}

static size_t
batches (void)
{
    size_t count = 0;
    for (const batch_t *batch = backlog.first; batch; batch = batch->backlog_next)
        count++;
    return count;
}

static void
expect_settled (uint64_t count, uint64_t size, bool refused)
{
    settled_t settled;
    cr_assert (backlog_settle (&backlog, &settled));
    cr_expect_eq (settled.count, count, "%llu", (unsigned long long) settled.count);
    cr_expect_eq (settled.size, size, "%llu", (unsigned long long) settled.size);
    cr_expect_eq (settled.refused, refused);
}

Test (backlog, refused_frames_that_follow_each_other_take_the_memory_of_one)
{
    batch_t *good = keep (1, 10, 7, false);
    for (int i = 0; i < 1000; i++)
        refuse (3, 5, 7);
    for (int i = 0; i < 1000; i++)
        refuse (1, 0, 7);
    cr_expect_eq (batches (), 2);
    settled_t settled;
    cr_assert_not (backlog_settle (&backlog, &settled), "what stands before them is not handled");
    good->done = 1;
    expect_settled (1, 10, false);
    expect_settled (4000, 5000, true);
    cr_assert_not (backlog_settle (&backlog, &settled));
    cr_assert_null (backlog.first);
    batch_release (&good);
}

Test (backlog, a_refused_frame_joins_none_that_is_good_or_of_another_listener)
{
    batch_t *good = keep (1, 10, 7, false);
    refuse (1, 1, 7);
    batch_t *better = keep (1, 20, 7, false);
    refuse (1, 2, 7);
    refuse (1, 3, 8);
    cr_expect_eq (batches (), 5);
    good->done = better->done = 1;
    expect_settled (1, 10, false);
    expect_settled (1, 1, true);
    expect_settled (1, 20, false);
    expect_settled (1, 2, true);
    expect_settled (1, 3, true);
    batch_release (&good);
    batch_release (&better);
}

Test (backlog, refused_frames_that_count_beyond_32_bits_are_more_than_one)
{
    batch_t *good = keep (1, 10, 7, false);
    refuse (UINT32_MAX - 1, 1, 7);
    refuse (1, 1, 7);
    cr_expect_eq (batches (), 2);
    refuse (1, 1, 7);
    cr_expect_eq (batches (), 3);
    good->done = 1;
    expect_settled (1, 10, false);
    expect_settled (UINT32_MAX, 2, true);
    expect_settled (1, 1, true);
    batch_release (&good);
}

/*  It says so in its header, and has one byte. To look for each takes seconds a frame. */
Test (backlog, giving_up_refused_frames_looks_for_none_of_the_messages_that_they_say_they_have, .timeout = 60)
{
    wake_t *wake = wake_new ();
    inbox_t *inbox = inbox_new (wake, &origin, NULL);
    position_t kept = { 0, 0 };
    ahead_t ahead = { NULL, 0 };
    batch_t *good = keep (1, 10, 7, false);
    batch_release (&good);
    for (int i = 0; i < 100; i++)
        refuse (UINT32_MAX, 1, 7);
    cr_expect_eq (inbox_give_up (inbox), 0);
    backlog_keep_taken (&backlog, inbox, &kept, &ahead);
    cr_expect_eq (kept.messages, 0);
    cr_expect_eq (ahead.count, 0);
    cr_expect_null (backlog.first);
    inbox_leave (&inbox);
    wake_release (&wake);
}

Test (backlog, refused_frames_between_good_ones_are_not_kept_without_bound)
{
    batch_t *good, *refused = NULL;
    for (size_t i = 0; i < BACKLOG_REFUSED_MOST; i++) {
        refuse (1, 1, 7);
        good = keep (1, 1, 7, false);
        batch_release (&good);
    }
    refused = batch_new_memory (NULL, NULL, 1, SCAN_SESSION);
    refused->count = 1;
    refused->done = 1;
    refused->stream = 7;
    refused->refused = true;
    cr_assert_not (backlog_keep (&backlog, refused));
    expect_settled (1, 1, true);
    cr_assert (backlog_keep (&backlog, refused));
    batch_release (&refused);
}
