/*  test_meeting.c - what a worker keeps, and tells, of listeners that are another each time

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include <muster/muster.h>

#include "actor/event.h"
#include "actor/meeting.h"
#include "base/alloc.h"

static const message_origin_t origin;

static wake_t *wake;
static inbox_t *inbox;
static session_t session;
static meeting_t meeting;

static void
begin (void)
{
    wake = wake_new ();
    inbox = inbox_new (wake, &origin, NULL);
    cr_assert_eq (inbox_decide (inbox, INBOX_CALLERS), 0);
    inbox_open (inbox);
    session = (session_t) { .listener_source = "first" };
    meeting = (meeting_t) { .untold = 0 };
}

static void
end (void)
{
    meeting_clear (&meeting);
    inbox_leave (&inbox);
    wake_release (&wake);
}

TestSuite (meeting, .init = begin, .fini = end);

static void
meet (const char *listener)
{
    snprintf (session.listener_source, sizeof session.listener_source, "%s", listener);
    session.met_another = true;
    meeting_tell (&meeting, &session, inbox);
}

/*  The next event is of this listener, and stands for so many; 0: it does not say. */
static void
expect_event (const char *listener, int64_t stands_for)
{
    muster_message_t *message;
    const char *source;
    int64_t count = 0;
    bool event;
    cr_assert_eq (inbox_take (inbox, INBOX_CALLER, 0, &message, &event), 0);
    cr_assert (event);
    cr_expect_str_eq (muster_message_cmd (message), MUSTER_EVENT_RESTARTED);
    cr_expect_str_eq (muster_message_source (message), listener);
    cr_expect_eq (muster_message_unpack (message, "{s:s, s?I}", "source", &source, "count", &count), 0);
    cr_expect_str_eq (source, listener);
    cr_expect_eq (count, stands_for, "%lld", (long long) count);
    inbox_done (&message, false);
}

/*  --------------------------------------------------------------------------
    Events */

Test (meeting, a_listener_that_is_the_same_is_not_told_of)
{
    meeting_tell (&meeting, &session, inbox);
    cr_assert_eq (inbox_events (inbox), 0);
}

Test (meeting, each_listener_is_told_of_while_events_are_few)
{
    for (int i = 0; i < EVENTS_APART; i++)
        meet ("another");
    cr_assert_eq (inbox_events (inbox), EVENTS_APART);
    expect_event ("another", 0);
}

Test (meeting, beyond_so_many_events_one_stands_for_all_that_came_meanwhile)
{
    for (int i = 0; i < EVENTS_APART; i++)
        meet ("another");
    for (int i = 0; i < 1000; i++)
        meet ("one too many");
    cr_assert_eq (inbox_events (inbox), EVENTS_APART);
    expect_event ("another", 0);
    meet ("last");
    cr_assert_eq (inbox_events (inbox), EVENTS_APART);
    for (int i = 1; i < EVENTS_APART; i++)
        expect_event ("another", 0);
    expect_event ("last", 1001);
    meet ("next");
    expect_event ("next", 0);
    cr_assert_eq (inbox_events (inbox), 0);
}

Test (meeting, what_was_kept_back_is_told_though_nobody_new_is_met)
{
    for (int i = 0; i <= EVENTS_APART; i++)
        meet ("another");
    for (int i = 0; i < EVENTS_APART; i++)
        expect_event ("another", 0);
    meeting_tell (&meeting, &session, inbox);
    expect_event ("another", 0);
    meeting_tell (&meeting, &session, inbox);
    cr_assert_eq (inbox_events (inbox), 0);
}

Test (meeting, what_there_was_no_memory_for_is_told_later)
{
    alloc_fail_from (1);
    meet ("another");
    alloc_fail_from (0);
    cr_assert_eq (inbox_events (inbox), 0);
    meeting_tell (&meeting, &session, inbox);
    expect_event ("another", 0);
}

/*  --------------------------------------------------------------------------
    Names */

static batch_t *
batch_from (const char *listener)
{
    batch_t *batch = batch_new_memory (NULL, NULL, 0, SCAN_SESSION);
    cr_assert (batch);
    meeting_name (&meeting, listener, batch);
    return batch;
}

Test (meeting, a_name_is_kept_once_and_no_longer_than_a_batch_bears_it)
{
    batch_t *first = batch_from ("first"), *again = batch_from ("first"), *other = batch_from ("other");
    cr_expect_str_eq (first->source, "first");
    cr_expect_eq (again->source, first->source);
    cr_expect_str_eq (other->source, "other");
    batch_release (&again);
    cr_expect (blob_is_ours (first->names), "nobody but the batch keeps it");
    batch_release (&first);
    batch_release (&other);
    cr_expect (blob_is_ours (meeting.name), "the last one is the worker's");
}

Test (meeting, a_name_there_is_no_memory_for_is_empty_and_the_next_is_not)
{
    batch_t *batch = batch_from ("first");
    batch_t *other = batch_new_memory (NULL, NULL, 0, SCAN_SESSION);
    alloc_fail_from (1);
    meeting_name (&meeting, "other", other);
    alloc_fail_from (0);
    cr_expect_str_eq (other->source, "");
    cr_expect_str_eq (batch->source, "first");
    batch_release (&other);
    other = batch_from ("other");
    cr_expect_str_eq (other->source, "other");
    batch_release (&other);
    batch_release (&batch);
}
