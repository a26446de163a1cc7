/*  test_hello.c - what a listener makes of a worker that says hello

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <string.h>

#include "base/alloc.h"
#include "model/ended.h"
#include "model/hello.h"

static const session_id_t LISTENER = { { 9 } }, ANOTHER = { { 8 } };

static frame_t
hello_of (uint8_t id, const char *source, uint32_t epoch, bool fresh)
{
    frame_t frame = { .kind = FRAME_HELLO, .session = { { id } }, .epoch = epoch };
    strcpy (frame.hello.source, source);
    frame.hello.fresh = fresh;
    if (!fresh)
        frame.hello.listener = LISTENER;
    return frame;
}

/*  A session of a listener that has received and handled so many messages. */
static session_t
session_of (uint8_t id, const char *source, uint32_t epoch, uint64_t messages)
{
    session_t session;
    memset (&session, 0, sizeof session);
    session.id = (session_id_t) { { id } };
    session.listener = LISTENER;
    session.epoch = epoch;
    session.in.received.messages = session.in.handled.messages = messages;
    strcpy (session.source, source);
    return session;
}

static muster_error_t error;

Test (hello, of_a_stranger_begins_a_session)
{
    frame_t hello = hello_of (1, "a", 1, true);
    cr_assert_eq (hello_judge (&hello, NULL, 0, NULL, false, &error), HELLO_BEGIN);
}

Test (hello, of_a_known_session_resumes_it_under_a_later_epoch_only)
{
    session_t known = session_of (1, "a", 4, 10);
    frame_t hello = hello_of (1, "a", 5, false);
    cr_assert_eq (hello_judge (&hello, &known, 0, &known, true, &error), HELLO_RESUME);
    hello.epoch = 4;
    cr_assert_eq (hello_judge (&hello, &known, 0, &known, true, &error), HELLO_STALE);
}

Test (hello, of_a_known_session_under_another_source_is_refused)
{
    session_t known = session_of (1, "a", 4, 10);
    frame_t hello = hello_of (1, "b", 5, false);
    cr_assert_eq (hello_judge (&hello, &known, 0, NULL, false, &error), HELLO_REFUSE);
    cr_assert_eq (error, MUSTER_ACCESS);
}

Test (hello, that_knows_more_to_be_handled_than_was_received_here_comes_from_another_listener_or_is_wrong)
{
    session_t known = session_of (1, "a", 4, 10);
    frame_t hello = hello_of (1, "a", 5, false);
    hello.hello.handled.messages = 11;
    cr_assert_eq (hello_judge (&hello, &known, 0, &known, false, &error), HELLO_REFUSE);
    cr_assert_eq (error, MUSTER_REJECTED);
    hello.hello.listener = ANOTHER;
    cr_assert_eq (hello_judge (&hello, &known, 0, &known, false, &error), HELLO_BEGIN_ANEW);
}

Test (hello, a_fresh_one_takes_a_source_that_is_held_and_one_that_is_not_fresh_does_not)
{
    session_t holder = session_of (2, "a", 1, 0);
    frame_t hello = hello_of (1, "a", 1, true);
    cr_assert_eq (hello_judge (&hello, NULL, 0, &holder, true, &error), HELLO_BEGIN);
    hello = hello_of (1, "a", 7, false);
    cr_assert_eq (hello_judge (&hello, NULL, 0, &holder, true, &error), HELLO_REFUSE);
    cr_assert_eq (error, MUSTER_REPLACED);
    cr_assert_eq (hello_judge (&hello, NULL, 0, &holder, false, &error), HELLO_BEGIN);
}

Test (hello, of_a_session_that_is_over_is_refused_with_the_reason_whoever_has_the_source)
{
    session_t holder = session_of (2, "a", 1, 0);
    frame_t hello = hello_of (1, "a", 7, false);
    cr_assert_eq (hello_judge (&hello, NULL, MUSTER_REPLACED, &holder, false, &error), HELLO_REFUSE);
    cr_assert_eq (error, MUSTER_REPLACED);
    cr_assert_eq (hello_judge (&hello, NULL, MUSTER_REVOKED, NULL, false, &error), HELLO_REFUSE);
    cr_assert_eq (error, MUSTER_REVOKED);
}

/*  --------------------------------------------------------------------------
    Those that are over */

Test (ended, a_session_is_remembered_with_its_reason_until_its_time_is_over)
{
    ended_t ended = { 0 };
    session_id_t one = { { 1 } }, two = { { 2 } };
    ended_keep (&ended, &one, MUSTER_REPLACED, 100);
    ended_keep (&ended, &two, MUSTER_REVOKED, 200);
    cr_assert_eq (ended_why (&ended, &one), MUSTER_REPLACED);
    cr_assert_eq (ended_why (&ended, &two), MUSTER_REVOKED);
    ended_drop (&ended, 101, 10);
    cr_assert_eq (ended_why (&ended, &one), 0);
    cr_assert_eq (ended_why (&ended, &two), MUSTER_REVOKED);
    ended_clear (&ended);
    cr_assert_eq (ended_why (&ended, &two), 0);
}

Test (ended, no_more_are_remembered_than_allowed_and_each_once)
{
    ended_t ended = { 0 };
    for (uint8_t i = 0; i < 10; i++) {
        ended_keep (&ended, &(session_id_t) { { i } }, MUSTER_REPLACED, i);
        ended_keep (&ended, &(session_id_t) { { i } }, MUSTER_REVOKED, i);
    }
    cr_assert_eq (ended.count, 10);
    ended_drop (&ended, 0, 3);
    cr_assert_eq (ended.count, 3);
    cr_assert_eq (ended_why (&ended, &(session_id_t) { { 6 } }), 0);
    cr_assert_eq (ended_why (&ended, &(session_id_t) { { 7 } }), MUSTER_REVOKED);
    ended_clear (&ended);
}

Test (ended, without_memory_it_is_not_remembered_and_nothing_breaks)
{
    for (int allocation = 1; allocation <= 3; allocation++) {
        ended_t ended = { 0 };
        alloc_fail_from (allocation);
        ended_keep (&ended, &(session_id_t) { { 1 } }, MUSTER_REPLACED, 1);
        alloc_fail_from (0);
        ended_clear (&ended);
        cr_assert_eq (ended.count, 0);
    }
}
