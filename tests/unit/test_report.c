/*  test_report.c - what a listener counts, as the frame that observers get

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <string.h>

#include "actor/listener.h"
#include "actor/report.h"
#include "model/blob.h"
#include "wire/frame.h"

#define ROSTER_MOST 1000

/*  A worker all of whose texts are as long, and most of whose numbers as large, as they get. */
static void
add_peer (listener_core_t *core, uint32_t number)
{
    session_t session;
    frame_t hello = { .kind = FRAME_HELLO, .epoch = 1 };
    memcpy (hello.session.bytes, &number, sizeof number);
    memset (hello.hello.source, 'x', MUSTER_NAME_MAX);
    memcpy (hello.hello.source, (char []) { 'a' + number / 676, 'a' + number / 26 % 26, 'a' + number % 26 }, 3);
    session_init_listener (&session, &hello, &core->id, core->source, number, &core->roster.limits, &core->roster.credit);
    session.in.received.messages = session.in.received.bytes = UINT64_MAX;
    session.in.handled.messages = session.in.handled.bytes = UINT64_MAX;
    session.round_trip_us = UINT64_MAX;
    peer_t *peer = peer_new (&hello, &session, "", core->wake);
    cr_assert_not_null (peer);
    memset (peer->address, 'x', sizeof peer->address - 1);
    cr_assert (roster_add (&core->roster, peer));
}

static blob_t *
report_of (muster_listener_t *listener, frame_t *frame, size_t *size)
{
    const uint8_t *body;
    size_t body_size;
    uint8_t version;
    listener->core.now = INT64_MAX;
    blob_t *report = report_new (&listener->core, size);
    cr_assert_not_null (report);
    cr_assert_eq (frame_read (report->bytes, *size, frame, &body, &body_size, &version), MUSTER_REFUSAL_NONE);
    cr_assert_eq (frame->kind, FRAME_REPORT);
    return report;
}

/*  The value behind a key at the top. */
static muster_value_t
find (const frame_t *frame, const char *key)
{
    muster_reader_t reader;
    muster_value_t value = { .type = MUSTER_VALUE_NIL };
    muster_reader_init (&reader, frame->report.map, frame->report.size);
    cr_assert_eq (muster_reader_next (&reader, &value), 0);
    for (uint32_t pairs = value.count; pairs > 0; pairs--) {
        cr_assert_eq (muster_reader_next (&reader, &value), 0);
        bool found = value.size == strlen (key) && memcmp (value.bytes, key, value.size) == 0;
        if (found) {
            cr_assert_eq (muster_reader_next (&reader, &value), 0);
            return value;
        }
        cr_assert_eq (muster_reader_skip (&reader), 0);
    }
    cr_assert_fail ("no %s", key);
    return value;
}

/*  Those numbers that the test leaves small take a few bytes more at their largest. */
#define MORE (ROSTER_MOST * 5 * 8 + 1000)

Test (report, a_thousand_workers_fit_a_frame_however_long_their_names_and_numbers_are)
{
    frame_t frame;
    size_t size;
    muster_listener_t *listener = muster_listener_new ("tcp://127.0.0.1:*");
    for (uint32_t i = 0; i < ROSTER_MOST + 100; i++)
        add_peer (&listener->core, i);
    blob_t *report = report_of (listener, &frame, &size);
    cr_assert_leq (size + MORE, REPORT_MOST);
    cr_assert_eq (find (&frame, "roster").count, ROSTER_MOST);
    cr_assert_eq (find (&frame, "roster_more").u, 100);
    blob_release (&report);
    muster_listener_destroy (&listener);
}

Test (report, a_listener_that_has_counted_nothing_reports_that)
{
    frame_t frame;
    size_t size;
    muster_listener_t *listener = muster_listener_new ("tcp://127.0.0.1:*");
    blob_t *report = report_of (listener, &frame, &size);
    cr_assert_eq (find (&frame, "received").u, 0);
    cr_assert_eq (find (&frame, "roster").count, 0);
    cr_assert_eq (find (&frame, "roster_more").u, 0);
    blob_release (&report);
    muster_listener_destroy (&listener);
}
