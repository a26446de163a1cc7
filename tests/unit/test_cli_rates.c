/*  test_cli_rates.c - tests of reading what a listener counts, and of what changed

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <muster/data.h>

#include "cli/rates.h"
#include "cli/rows.h"
#include "cli/snapshot.h"

/*  --------------------------------------------------------------------------
    Reading */

static void
put_text (muster_writer_t *writer, const char *name, const char *text)
{
    muster_writer_str (writer, name, strlen (name));
    muster_writer_str (writer, text, strlen (text));
}

static void
put_count (muster_writer_t *writer, const char *name, uint64_t count)
{
    muster_writer_str (writer, name, strlen (name));
    muster_writer_uint (writer, count);
}

static const char *const counts [] = { "received", "received_bytes", "handled", "failed", "unhandled", "rejected",
    "workers", "sessions", "queued", "queued_bytes", "budget", "committed", "roster_more" };
static const char *const worker_counts [] = {
    "present", "received", "received_bytes", "handled", "coming", "coming_bytes", "silent_ms", "round_trip_us" };

#define COUNT(list) (sizeof (list) / sizeof (list) [0])

static void
put_worker (muster_writer_t *writer, const char *source, const char *session, size_t left_out)
{
    muster_writer_map (writer, 3 + COUNT (worker_counts) - (left_out < COUNT (worker_counts)));
    put_text (writer, "source", source);
    put_text (writer, "address", "127.0.0.1");
    put_text (writer, "session", session);
    for (size_t i = 0; i < COUNT (worker_counts); i++)
        if (i != left_out)
            put_count (writer, worker_counts [i], i);
}

/*  A report of as many workers, without the counts that are left out (one behind the last: none). */
static muster_writer_t *
report_without (size_t workers, const char *source, size_t left_out, size_t worker_left_out)
{
    muster_writer_t *writer = muster_writer_new ();
    muster_writer_map (writer, 4 + COUNT (counts) - (left_out < COUNT (counts)));
    put_text (writer, "source", "listener");
    for (size_t i = 0; i < COUNT (counts); i++)
        if (i != left_out)
            put_count (writer, counts [i], 100 + i);
    muster_writer_str (writer, "refused", 7);
    muster_writer_map (writer, 2);
    put_count (writer, "UTF8", 7);
    put_count (writer, "SOMETHING_NEW", 8);
    muster_writer_str (writer, "times", 5);
    muster_writer_seq (writer, 2);
    muster_writer_uint (writer, 1);
    muster_writer_uint (writer, 2);
    muster_writer_str (writer, "roster", 6);
    muster_writer_seq (writer, workers);
    for (size_t i = 0; i < workers; i++)
        put_worker (writer, source, i % 2 ? "a" : "b", worker_left_out);
    return writer;
}

static muster_writer_t *
report (size_t workers, const char *source, size_t left_out)
{
    return report_without (workers, source, left_out, COUNT (worker_counts));
}

static muster_error_t
read_report (muster_writer_t *writer, snapshot_t **snapshot)
{
    const void *bytes;
    size_t size;
    cr_assert_eq (muster_writer_bytes (writer, &bytes, &size), MUSTER_OK);
    muster_error_t error = snapshot_read (snapshot, bytes, size, 1000);
    cr_assert_eq (error != 0, *snapshot == NULL);
    muster_writer_destroy (&writer);
    return error;
}

Test (snapshot, has_what_the_report_says)
{
    snapshot_t *snapshot;
    cr_assert_eq (read_report (report (2, "worker-1", COUNT (counts)), &snapshot), MUSTER_OK);
    cr_assert_str_eq (snapshot->source, "listener");
    cr_assert_eq (snapshot->stats.received, 100);
    cr_assert_eq (snapshot->stats.committed, 111);
    cr_assert_eq (snapshot->more, 112);
    cr_assert_eq (snapshot->stats.refused [MUSTER_REFUSAL_UTF8], 7);
    cr_assert_eq (snapshot->stats.times [1], 2);
    cr_assert_eq (snapshot->count, 2);
    cr_assert_str_eq (snapshot->workers [0].session, "a");
    cr_assert_eq (snapshot_find (snapshot, "b"), &snapshot->workers [1]);
    cr_assert_null (snapshot_find (snapshot, "c"));
    cr_assert_eq (snapshot->workers [0].silent_ms, 6);
    cr_assert_eq (snapshot->workers [0].round_trip_us, 7);
    snapshot_destroy (&snapshot);
}

Test (snapshot, refuses_a_report_without_one_of_its_numbers)
{
    snapshot_t *snapshot;
    for (size_t i = 0; i < COUNT (counts); i++)
        cr_assert_eq (read_report (report (1, "w", i), &snapshot), MUSTER_FORMAT, "%s", counts [i]);
}

Test (snapshot, of_an_older_listener_has_a_round_trip_that_is_not_known_and_refuses_all_else_that_is_missing)
{
    snapshot_t *snapshot;
    const size_t round_trip = COUNT (worker_counts) - 1;
    for (size_t i = 0; i < round_trip; i++)
        cr_assert_eq (read_report (report_without (1, "w", COUNT (counts), i), &snapshot), MUSTER_FORMAT, "%s", worker_counts [i]);
    cr_assert_eq (read_report (report_without (1, "w", COUNT (counts), round_trip), &snapshot), MUSTER_OK);
    cr_assert_eq (snapshot->workers [0].round_trip_us, 0);
    snapshot_destroy (&snapshot);
}

Test (snapshot, takes_1000_workers_and_not_one_more)
{
    snapshot_t *snapshot;
    cr_assert_eq (read_report (report (1000, "w", COUNT (counts)), &snapshot), MUSTER_OK);
    snapshot_destroy (&snapshot);
    cr_assert_eq (read_report (report (1001, "w", COUNT (counts)), &snapshot), MUSTER_FORMAT);
}

Test (snapshot, takes_a_source_of_255_bytes_and_not_one_more)
{
    char source [257] = "";
    snapshot_t *snapshot;
    memset (source, 'x', 255);
    cr_assert_eq (read_report (report (1, source, COUNT (counts)), &snapshot), MUSTER_OK);
    cr_assert_str_eq (snapshot->workers [0].source, source);
    snapshot_destroy (&snapshot);
    source [255] = 'x';
    cr_assert_eq (read_report (report (1, source, COUNT (counts)), &snapshot), MUSTER_FORMAT);
}

Test (snapshot, refuses_what_is_no_report)
{
    snapshot_t *snapshot;
    cr_assert_eq (snapshot_read (&snapshot, "\x80", 1, 0), MUSTER_FORMAT);
    cr_assert_eq (snapshot_read (&snapshot, "\x01", 1, 0), MUSTER_FORMAT);
    cr_assert_eq (snapshot_read (&snapshot, "", 0, 0), MUSTER_FORMAT);
}

/*  --------------------------------------------------------------------------
    What changed */

typedef struct {
    muster_worker_stats_t worker, worker_before;
    snapshot_t now, before;
} pair_t;

/*  Two seconds, in which 10 messages came, 8 were handled, and 1000 bytes came. */
static void
set_pair (pair_t *self)
{
    *self = (pair_t) {
        .worker = { .source = "w", .session = "s", .received = 110, .received_bytes = 6000, .handled = 98 },
        .worker_before = { .source = "w", .session = "s", .received = 100, .received_bytes = 5000, .handled = 90 },
        .now = { .source = "l", .workers = &self->worker, .count = 1, .taken_at = 3000,
            .stats = { .received = 110, .received_bytes = 6000, .handled = 98 } },
        .before = { .source = "l", .workers = &self->worker_before, .count = 1, .taken_at = 1000,
            .stats = { .received = 100, .received_bytes = 5000, .handled = 90 } } };
}

static void
assert_rate (rate_t rate, double messages, double bytes, double handled)
{
    cr_assert (rate.known);
    cr_assert_eq (rate.messages, messages);
    cr_assert_eq (rate.bytes, bytes);
    cr_assert_eq (rate.handled, handled);
}

Test (rates, are_by_the_second)
{
    pair_t pair;
    set_pair (&pair);
    assert_rate (rates_of_listener (&pair.now, &pair.before), 5, 500, 4);
    assert_rate (rates_of_worker (&pair.now, &pair.before, &pair.worker), 5, 500, 4);
}

Test (rates, count_a_message_in_pieces_as_its_bytes_come_and_not_again_when_it_is_whole)
{
    pair_t pair;
    set_pair (&pair);
    pair.worker.coming = 3000;
    assert_rate (rates_of_listener (&pair.now, &pair.before), 5, 2000, 4);
    assert_rate (rates_of_worker (&pair.now, &pair.before, &pair.worker), 5, 2000, 4);
    pair.worker.coming = 0;
    pair.worker_before.coming = 1000;
    assert_rate (rates_of_worker (&pair.now, &pair.before, &pair.worker), 5, 0, 4);
}

Test (rates, of_a_counter_that_goes_back_are_0)
{
    pair_t pair;
    set_pair (&pair);
    pair.now.stats = (muster_stats_t) { .received = 1 };
    pair.worker.received = pair.worker.received_bytes = pair.worker.handled = 0;
    assert_rate (rates_of_listener (&pair.now, &pair.before), 0, 0, 0);
    assert_rate (rates_of_worker (&pair.now, &pair.before, &pair.worker), 0, 0, 0);
}

Test (rates, are_not_known_of_another_listener_or_session_or_of_one_snapshot)
{
    pair_t pair;
    set_pair (&pair);
    cr_assert_not (rates_of_listener (&pair.now, NULL).known);
    cr_assert_not (rates_of_worker (&pair.now, NULL, &pair.worker).known);
    strcpy (pair.worker.session, "t");
    cr_assert_not (rates_of_worker (&pair.now, &pair.before, &pair.worker).known);
    strcpy (pair.worker.session, "s");
    strcpy (pair.now.source, "m");
    cr_assert_not (rates_of_listener (&pair.now, &pair.before).known);
    cr_assert_not (rates_of_worker (&pair.now, &pair.before, &pair.worker).known);
    strcpy (pair.now.source, "l");
    pair.now.taken_at = pair.before.taken_at;
    cr_assert_not (rates_of_listener (&pair.now, &pair.before).known);
}

Test (rates, have_handlers_times_of_the_last_time_that_some_returned)
{
    pair_t pair;
    rates_times_t times = { .known = false };
    set_pair (&pair);
    rates_time (&times, &pair.now, NULL);
    cr_assert_not (times.known);
    pair.before.stats.times [3] = pair.now.stats.times [3] = 1000;
    rates_time (&times, &pair.now, NULL);
    cr_assert (times.known && times.half == 3 && times.most == 3);
    pair.now.stats.times [5] = 98;
    pair.now.stats.times [7] = 2;
    rates_time (&times, &pair.now, &pair.before);
    cr_assert (times.known && times.half == 5 && times.most == 7);
    pair.before.stats = pair.now.stats;
    rates_time (&times, &pair.now, &pair.before);
    cr_assert (times.known && times.half == 5 && times.most == 7);
}

Test (rates, forget_the_handlers_times_of_another_listener)
{
    pair_t pair;
    rates_times_t times = { .known = true };
    set_pair (&pair);
    strcpy (pair.now.source, "m");
    rates_time (&times, &pair.now, &pair.before);
    cr_assert_not (times.known);
}

/*  --------------------------------------------------------------------------
    Orders */

static void
assert_order (rows_order_t order, const char *expected)
{
    muster_worker_stats_t now [] = {
        { .source = "d", .session = "1", .received = 30, .handled = 30, .present = true, .silent_ms = 3 },
        { .source = "c", .session = "2", .received = 20, .handled = 0, .present = true, .silent_ms = 1 },
        { .source = "b", .session = "3", .received = 10, .handled = 5, .silent_ms = 9 },
        { .source = "a", .session = "4", .received = 10, .handled = 5, .silent_ms = 2 } };
    muster_worker_stats_t before [] = { { .session = "1" }, { .session = "2" }, { .session = "3" }, { .session = "4" } };
    snapshot_t one = { .workers = before, .count = 4, .taken_at = 1000 };
    snapshot_t other = { .workers = now, .count = 4, .taken_at = 2000 };
    char found [5] = "";
    row_t *rows = rows_new (&other, &one, order);
    cr_assert_not_null (rows);
    for (int i = 0; i < 4; i++)
        found [i] = rows [i].worker->source [0];
    cr_assert_str_eq (found, expected);
    free (rows);
}

Test (rows, are_in_the_order_that_is_asked_for)
{
    assert_order (ROWS_RATE, "dcab");
    assert_order (ROWS_QUEUE, "cabd");
    assert_order (ROWS_SOURCE, "abcd");
    assert_order (ROWS_SEEN, "bdac");
}

Test (rows, know_the_names_of_their_orders)
{
    rows_order_t order;
    for (int i = 0; i < ROWS_ORDERS; i++)
        cr_assert (rows_order_parse (rows_order_name ((rows_order_t) i), &order) && order == (rows_order_t) i);
    cr_assert_not (rows_order_parse ("rates", &order));
}
