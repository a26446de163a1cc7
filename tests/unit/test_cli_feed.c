/*  test_cli_feed.c - what becomes of a message that send does not get rid of

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include "cli/feed.h"

typedef struct {
    muster_error_t error;       /* of a send */
    bool over;
} target_t;

static muster_error_t
send_one (void *target, const void *bytes, size_t size)
{
    (void) bytes, (void) size;
    return ((const target_t *) target)->error;
}

static const char *
reason (void *target)
{
    (void) target;
    return "a reason";
}

static bool
is_over (void *target)
{
    return ((const target_t *) target)->over;
}

static feed_result_t
feed (target_t target)
{
    feed_t self = { .send = send_one, .reason = reason, .is_over = is_over, .target = &target };
    muster_writer_t *data = muster_writer_new ();
    muster_writer_map (data, 0);
    cr_redirect_stderr ();
    feed_result_t result = feed_run (&self, data);
    fflush (stderr);
    muster_writer_destroy (&data);
    return result;
}

Test (cli_feed, what_is_sent_is_sent)
{
    cr_assert_eq (feed ((target_t) { .error = MUSTER_OK }), FEED_SENT);
    cr_assert_stderr_eq_str ("");
}

Test (cli_feed, a_message_that_was_not_sent_is_told_with_the_reason)
{
    cr_assert_eq (feed ((target_t) { .error = MUSTER_TOOBIG }), FEED_FAILED);
    char line [200] = "";
    cr_assert_not_null (fgets (line, sizeof line, cr_get_redirected_stderr ()));
    cr_assert (strstr (line, "muster: not sent: ") && strstr (line, ", a reason"), "%s", line);
}

Test (cli_feed, where_none_can_be_sent_any_more_its_caller_says_why)
{
    cr_assert_eq (feed ((target_t) { .error = MUSTER_ACCESS, .over = true }), FEED_OVER);
    cr_assert_stderr_eq_str ("");
}
