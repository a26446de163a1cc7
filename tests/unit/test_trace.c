/*  test_trace.c - what is told of control frames, and how often

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "actor/trace.h"

typedef struct {
    unsigned lines;
    char last [1100];
} heard_t;

static heard_t heard;

static void
hear (muster_log_level_t level, const char *line, void *arg)
{
    (void) level, (void) arg;
    heard.lines++;
    snprintf (heard.last, sizeof heard.last, "%s", line);
}

static void
listen (void)
{
    muster_log_set (hear, NULL, MUSTER_LOG_DEBUG);
}

TestSuite (trace, .init = listen);

static void
trace_many (frame_kind_t kind, unsigned count, trace_limit_t *limit, int64_t now)
{
    frame_t frame = { .kind = kind, .epoch = 1 };
    for (unsigned i = 0; i < count; i++)
        trace_frame ("a", &frame, TRACE_RECEIVED, limit, now);
}

static const frame_kind_t once [] = { FRAME_HELLO, FRAME_WELCOME, FRAME_GOODBYE, FRAME_END };
static const frame_kind_t again [] = { FRAME_POSITIONS, FRAME_WANT };

Test (trace, a_peer_that_says_one_thing_without_end_writes_no_more_lines_than_the_limit)
{
    for (size_t i = 0; i < sizeof once / sizeof *once; i++) {
        trace_limit_t limit = { .lines = 0 };
        heard.lines = 0;
        trace_many (once [i], TRACE_MOST, &limit, 1000);
        cr_assert_eq (heard.lines, TRACE_MOST, "kind %d", once [i]);
        trace_many (once [i], 100000, &limit, 1999);
        cr_assert_eq (heard.lines, TRACE_MOST, "kind %d", once [i]);
        trace_many (once [i], 100000, &limit, 2000);
        cr_assert_eq (heard.lines, 2 * TRACE_MOST, "kind %d", once [i]);
    }
}

Test (trace, a_line_says_how_many_it_stands_for)
{
    trace_limit_t limit = { .lines = 0 };
    trace_many (FRAME_HELLO, TRACE_MOST + 10, &limit, 1000);
    cr_assert_str_eq (heard.last, "hello received: source=a epoch=1 fresh=0 handled=0");
    trace_many (FRAME_HELLO, 1, &limit, 2000);
    cr_assert_str_eq (heard.last, "hello received: source=a epoch=1 fresh=0 handled=0 count=11");
    trace_many (FRAME_HELLO, 1, &limit, 2000);
    cr_assert_str_eq (heard.last, "hello received: source=a epoch=1 fresh=0 handled=0");
}

Test (trace, the_kinds_that_come_once_share_a_limit)
{
    trace_limit_t limit = { .lines = 0 };
    for (unsigned i = 0; i < TRACE_MOST; i++)
        trace_many (once [i % 4], 100, &limit, 1000);
    cr_assert_eq (heard.lines, TRACE_MOST);
}

Test (trace, what_comes_again_and_again_is_told_once_a_second_and_takes_no_other_s_line)
{
    for (size_t i = 0; i < sizeof again / sizeof *again; i++) {
        trace_limit_t limit = { .lines = 0 };
        heard.lines = 0;
        trace_many (again [i], 1000, &limit, 1000);
        cr_assert_eq (heard.lines, 1, "kind %d", again [i]);
        trace_many (FRAME_HELLO, 1, &limit, 1000);
        cr_assert_eq (heard.lines, 2, "kind %d", again [i]);
        trace_many (again [i], 1, &limit, 2000);
        cr_assert_eq (heard.lines, 3, "kind %d", again [i]);
        cr_assert (strstr (heard.last, "count=1000"), "%s", heard.last);
    }
}

Test (trace, gaps_without_end_write_no_more_lines_than_the_limit)
{
    trace_limit_t limit = { .lines = 0 };
    frame_t frame = { .kind = FRAME_POSITIONS, .positions = { .flags = POSITIONS_GAP } };
    for (int i = 0; i < 10000; i++)
        trace_frame ("a", &frame, TRACE_RECEIVED, &limit, 1000);
    cr_assert_eq (heard.lines, TRACE_MOST);
}

Test (trace, nothing_is_counted_that_nobody_wants_to_hear)
{
    trace_limit_t limit = { .lines = 0 };
    muster_log_set (hear, NULL, MUSTER_LOG_INFO);
    trace_many (FRAME_HELLO, 1000, &limit, 1000);
    muster_log_set (hear, NULL, MUSTER_LOG_DEBUG);
    trace_many (FRAME_HELLO, 1, &limit, 1000);
    cr_assert_str_eq (heard.last, "hello received: source=a epoch=1 fresh=0 handled=0");
}
