/*  test_session.c - both sides of a session, without a network

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "model/session.h"

#define LIVENESS 1000
#define LIMIT 5000000

/*  A worker and a listener whose frames reach each other at once. */
typedef struct {
    credit_t listener_credit, worker_credit;
    session_t worker, listener;
    bool met;               /* the listener knows the session */
    bool cut;               /* frames of the worker are lost */
    int64_t now;
    uint64_t last;          /* number of the last message delivered */
    uint64_t frames;        /* data frames that the listener got */
    bool handling;          /* the listener handles what it gets at once */
    uint64_t command_last;
    session_t *refused_hello;
} pair_t;

static const session_id_t WORKER_ID = { { 1, 2, 3 } };
static const session_id_t LISTENER_ID = { { 9, 9, 9 } };

static pair_t *
pair_new (uint64_t budget, uint64_t floor)
{
    pair_t *self = calloc (1, sizeof *self);
    session_limits_t limits = { .liveness = LIVENESS, .message_limit = LIMIT };
    credit_init (&self->listener_credit, budget, floor, 0);
    credit_init (&self->worker_credit, 1 << 20, 1 << 16, 0);
    self->now = 1000;
    self->handling = true;
    session_init_worker (&self->worker, &WORKER_ID, "worker-1", 77, &limits, &self->worker_credit, self->now);
    return self;
}

static void
pair_destroy (pair_t *self)
{
    session_clear (&self->worker);
    if (self->met)
        session_clear (&self->listener);
    free (self);
}

/*  Each message is its number in eight bytes, then padding. */
static void
deliver (pair_t *self, const uint8_t *bytes, size_t size, uint64_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t number;
        memcpy (&number, bytes + i * (size / count), sizeof number);
        cr_assert_eq (number, self->last + 1, "message %lu after %lu", number, self->last);
        cr_assert_eq (number, first + i);
        self->last = number;
    }
    session_received (&self->listener, count, size, self->now);
    if (self->handling)
        session_handled (&self->listener, count, size, false, self->now);
}

static void
take_piece (pair_t *self, const frame_t *frame, const outbox_piece_t *piece)
{
    self->frames++;
    if (frame->kind == FRAME_DATA) {
        uint32_t skip = 0;
        if (session_data (&self->listener, frame, piece->size, &skip, self->now) == ARRIVAL_TAKE) {
            size_t each = piece->size / frame->data.count;
            deliver (self, piece->body + skip * each, piece->size - skip * each,
                frame->data.first + skip, frame->data.count - skip);
        }
    }
    else
    if (session_chunk (&self->listener, frame, piece->body, piece->size, 0, self->now) == ARRIVAL_TAKE) {
        uint64_t size;
        uint8_t *message = session_take_partial (&self->listener, &size);
        deliver (self, message, size, frame->chunk.position, 1);
        alloc_block_free (message);
    }
}

static void
greet (pair_t *self, const frame_t *hello)
{
    session_limits_t limits = { .liveness = LIVENESS, .message_limit = LIMIT };
    if (!self->met)
        session_init_listener (&self->listener, hello, &LISTENER_ID, "listener", 88, &limits, &self->listener_credit);
    self->met = true;
    cr_assert_eq (session_greet (&self->listener, hello, self->now), 0);
}

static void
from_worker (pair_t *self)
{
    frame_t frame;
    outbox_piece_t piece;
    while (session_next_control (&self->worker, self->now, &frame)) {
        if (self->cut)
            continue;
        if (frame.kind == FRAME_HELLO)
            greet (self, &frame);
        else
            cr_assert (session_control (&self->listener, &frame, self->now));
    }
    while (session_next_piece (&self->worker, true, &piece, &frame)) {
        if (!self->cut)
            take_piece (self, &frame, &piece);
        blob_release (&piece.blob);
    }
}

static void
from_listener (pair_t *self)
{
    frame_t frame;
    outbox_piece_t piece;
    if (!self->met)
        return;
    while (session_next_control (&self->listener, self->now, &frame))
        session_control (&self->worker, &frame, self->now);
    while (session_next_piece (&self->listener, true, &piece, &frame)) {
        uint32_t skip = 0;
        cr_assert_eq (session_data (&self->worker, &frame, piece.size, &skip, self->now), ARRIVAL_TAKE);
        session_received (&self->worker, frame.data.count, piece.size, self->now);
        session_handled (&self->worker, frame.data.count, piece.size, false, self->now);
        self->command_last = frame.data.first + frame.data.count - 1;
        blob_release (&piece.blob);
    }
}

/*  Let ms milliseconds pass, everything in between happening at once. */
static void
run (pair_t *self, int ms)
{
    for (int i = 0; i <= ms; i++) {
        if (session_step (&self->worker, self->now) == SESSION_CONNECT)
            session_connected (&self->worker, self->now);
        for (int j = 0; j < 4; j++) {
            from_worker (self);
            if (self->met)
                while (credit_grant (&self->listener_credit))
                    session_report (&self->listener, self->now);
            from_listener (self);
        }
        self->now++;
    }
    self->now--;
}

static void
send (pair_t *self, uint64_t count, size_t size)
{
    uint8_t *bytes = calloc (1, size);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t number = self->worker.out.box.accepted.messages + 1;
        memcpy (bytes, &number, sizeof number);
        cr_assert_eq (outbox_append (&self->worker.out.box, bytes, size), 0);
    }
    free (bytes);
}

Test (session, what_was_sent_before_the_welcome_arrives_in_order)
{
    pair_t *pair = pair_new (1 << 20, 1 << 16);
    send (pair, 1000, 8);
    run (pair, 0);
    cr_assert_eq (pair->worker.state, SESSION_OPEN);
    cr_assert_eq (pair->last, 1000);
    pair_destroy (pair);
}

Test (session, handled_is_reported_within_ten_milliseconds)
{
    pair_t *pair = pair_new (1 << 20, 1 << 16);
    run (pair, 20);
    send (pair, 1, 8);
    run (pair, REPORT_DELAY_MS - 1);
    cr_assert_eq (pair->worker.out.box.handled.messages, 0);
    run (pair, 2);
    cr_assert_eq (pair->worker.out.box.handled.messages, 1);
    pair_destroy (pair);
}

Test (session, handled_is_reported_at_once_to_one_who_waits_for_it)
{
    pair_t *pair = pair_new (1 << 20, 1 << 16);
    run (pair, 20);
    send (pair, 3, 8);
    session_await (&pair->worker);
    run (pair, 0);
    cr_assert_eq (pair->worker.out.box.handled.messages, 3);
    pair_destroy (pair);
}

Test (session, handled_is_reported_after_a_thousand_messages)
{
    pair_t *pair = pair_new (1 << 20, 1 << 20);
    run (pair, 20);
    send (pair, REPORT_MESSAGES, 8);
    run (pair, 0);
    cr_assert_eq (pair->worker.out.box.handled.messages, REPORT_MESSAGES);
    pair_destroy (pair);
}

Test (session, a_slow_handler_bounds_what_is_sent)
{
    pair_t *pair = pair_new (10000, 1000);
    pair->handling = false;
    send (pair, 5000, 10);
    run (pair, 100);
    cr_assert_leq (pair->listener.in.received.bytes, 10000);
    cr_assert_geq (pair->listener.in.received.bytes, 1000);
    cr_assert (pair->worker.out.flags & POSITIONS_BUSY);
    cr_assert (pair->worker.out.flags & POSITIONS_QUEUED);
    pair_destroy (pair);
}

Test (session, credit_is_asked_for_and_granted_until_all_is_sent)
{
    pair_t *pair = pair_new (1 << 22, 100);
    send (pair, 20000, 100);
    run (pair, 100);
    cr_assert_eq (pair->last, 20000);
    cr_assert_eq (pair->worker.out.box.handled.messages, 20000);
    pair_destroy (pair);
}

Test (session, a_message_larger_than_a_frame_arrives_whole)
{
    pair_t *pair = pair_new (1 << 23, 1 << 16);
    send (pair, 1, 3500000);
    send (pair, 2, 8);
    run (pair, 30);
    cr_assert_eq (pair->last, 3);
    pair_destroy (pair);
}

Test (session, after_a_cut_nothing_is_lost_and_nothing_comes_twice)
{
    pair_t *pair = pair_new (1 << 20, 1 << 16);
    run (pair, 5);
    send (pair, 100, 8);
    run (pair, 0);
    pair->cut = true;
    send (pair, 100, 8);
    run (pair, 5);
    cr_assert_eq (pair->last, 100);
    session_disconnected (&pair->worker, pair->now);
    pair->cut = false;
    run (pair, 50);
    cr_assert_eq (pair->last, 200);
    cr_assert_eq (pair->worker.out.box.handled.messages, 200);
    cr_assert_eq (pair->worker.epoch, 2);
    pair_destroy (pair);
}

Test (session, a_gap_is_reported_and_mended_under_the_next_epoch)
{
    pair_t *pair = pair_new (1 << 20, 1 << 16);
    run (pair, 5);
    pair->cut = true;
    send (pair, 10, 8);
    run (pair, 1);
    pair->cut = false;
    send (pair, 10, 8);
    run (pair, 50);
    cr_assert_eq (pair->last, 20);
    cr_assert_gt (pair->worker.epoch, 1);
    pair_destroy (pair);
}

Test (session, a_frame_of_an_older_epoch_is_stale)
{
    pair_t *pair = pair_new (1 << 20, 1 << 16);
    run (pair, 5);
    frame_t frame = { .kind = FRAME_DATA, .session = WORKER_ID, .epoch = 0, .data = { .first = 1, .count = 1 } };
    uint32_t skip;
    cr_assert_eq (session_data (&pair->listener, &frame, 8, &skip, pair->now), ARRIVAL_STALE);
    frame.epoch = 1;
    cr_assert_eq (session_data (&pair->listener, &frame, 8, &skip, pair->now), ARRIVAL_TAKE);
    pair_destroy (pair);
}

Test (session, a_frame_that_came_before_is_a_duplicate_and_one_in_part_is_skipped)
{
    pair_t *pair = pair_new (1 << 20, 1 << 16);
    run (pair, 5);
    send (pair, 10, 8);
    run (pair, 0);
    frame_t frame = { .kind = FRAME_DATA, .session = WORKER_ID, .epoch = 1, .data = { .first = 1, .count = 10 } };
    uint32_t skip;
    cr_assert_eq (session_data (&pair->listener, &frame, 80, &skip, pair->now), ARRIVAL_DUPLICATE);
    frame.data.first = 8;
    cr_assert_eq (session_data (&pair->listener, &frame, 80, &skip, pair->now), ARRIVAL_TAKE);
    cr_assert_eq (skip, 3);
    pair_destroy (pair);
}

Test (session, more_than_the_credit_is_refused)
{
    pair_t *pair = pair_new (1 << 20, 1000);
    run (pair, 5);
    frame_t frame = { .kind = FRAME_DATA, .session = WORKER_ID, .epoch = 1, .data = { .first = 1, .count = 1 } };
    uint32_t skip;
    cr_assert_eq (session_data (&pair->listener, &frame, 1000, &skip, pair->now), ARRIVAL_TAKE);
    cr_assert_eq (session_data (&pair->listener, &frame, 1001, &skip, pair->now), ARRIVAL_CREDIT);
    frame.kind = FRAME_CHUNK;
    frame.chunk = (frame_chunk_t) { .position = 1, .total = 1001, .offset = 0 };
    cr_assert_eq (session_chunk (&pair->listener, &frame, (uint8_t *) "x", 1, 0, pair->now), ARRIVAL_CREDIT);
    cr_assert_null (pair->listener.in.partial);
    pair_destroy (pair);
}

Test (session, a_silent_listener_is_left_and_tried_again_with_back_off)
{
    pair_t *pair = pair_new (1 << 20, 1 << 16);
    run (pair, 5);
    pair->cut = true;
    run (pair, LIVENESS + 2);
    cr_assert_gt (pair->worker.epoch, 1);
    cr_assert_neq (pair->worker.state, SESSION_OPEN);
    pair->cut = false;
    send (pair, 5, 8);
    run (pair, 3 * LIVENESS);
    cr_assert_eq (pair->last, 5);
    pair_destroy (pair);
}

/*  A worker that is not let in finds out by its third connection: these are all the pauses before it. */
Test (session, two_connections_that_fail_at_once_are_followed_by_a_third_within_60_ms)
{
    pair_t *pair = pair_new (1 << 20, 1 << 16);
    session_t *worker = &pair->worker;
    int64_t began = pair->now;
    for (uint32_t epoch = 1; epoch <= 3; epoch++) {
        while (session_step (worker, pair->now) != SESSION_CONNECT)
            pair->now = session_deadline (worker);
        cr_assert_eq (worker->epoch, epoch);
        cr_expect_leq (pair->now - began, epoch == 1 ? 0 : epoch == 2 ? 20 : 60);
        session_disconnected (worker, pair->now);
    }
    pair_destroy (pair);
}

Test (session, heartbeats_keep_an_idle_session_alive)
{
    pair_t *pair = pair_new (1 << 20, 1 << 16);
    run (pair, 20 * LIVENESS);
    cr_assert_eq (pair->worker.epoch, 1);
    cr_assert_lt (pair->now - pair->listener.heard_at, LIVENESS);
    cr_assert_lt (pair->now - pair->worker.heard_at, LIVENESS);
    pair_destroy (pair);
}

Test (session, heartbeats_of_workers_that_came_at_different_times_fall_on_the_same_ones)
{
    pair_t *one = pair_new (1 << 20, 1 << 16), *other = pair_new (1 << 20, 1 << 16);
    run (one, 5);
    other->now += 7;
    run (other, 5);
    cr_assert_neq (one->worker.sent_at, other->worker.sent_at);
    int64_t beat = session_beat_at (&one->worker);
    cr_assert_eq (session_beat_at (&other->worker), beat);
    cr_assert_gt (beat, one->now);
    cr_assert_leq (beat, one->worker.sent_at + one->worker.heartbeat);
    run (one, 3 * LIVENESS);
    run (other, (int) (one->now - other->now) - 1);
    cr_assert_eq (other->worker.sent_at, one->worker.sent_at);
    pair_destroy (one);
    pair_destroy (other);
}

/*  Large messages have come and gone: their memory waits. */
static pair_t *
pair_with_memory_that_waits (void)
{
    pair_t *pair = pair_new (64 << 20, 1 << 20);
    run (pair, 5);
    send (pair, 20, 100000);
    run (pair, 20);
    cr_assert_eq (pair->worker.out.box.handled.messages, 20);
    cr_assert_gt (pair->worker.out.box.spares, 0);
    return pair;
}

Test (session, an_idle_session_frees_memory_that_waits_after_two_heartbeats)
{
    pair_t *pair = pair_with_memory_that_waits ();
    run (pair, (int) (2 * pair->worker.heartbeat + 2));
    cr_assert_eq (pair->worker.out.box.spares, 0);
    send (pair, 20, 100000);
    run (pair, 20);
    cr_assert_eq (pair->last, 40);
    pair_destroy (pair);
}

Test (session, a_session_that_says_something_between_heartbeats_keeps_memory_that_waits)
{
    pair_t *pair = pair_with_memory_that_waits ();
    for (int i = 0; i < 10; i++) {
        send (pair, 1, 8);
        run (pair, (int) pair->worker.heartbeat);
        cr_assert_gt (pair->worker.out.box.spares, 0, "after %d heartbeats", i);
    }
    pair_destroy (pair);
}

Test (session, commands_go_back_under_the_same_rules)
{
    pair_t *pair = pair_new (1 << 20, 1 << 16);
    run (pair, 5);
    uint64_t number = 1;
    for (int i = 0; i < 50; i++)
        cr_assert_eq (outbox_append (&pair->listener.out.box, &number, sizeof number), 0);
    run (pair, 20);
    cr_assert_eq (pair->command_last, 50);
    cr_assert_eq (pair->listener.out.box.handled.messages, 50);
    pair_destroy (pair);
}

Test (session, goodbye_is_complete_once_all_that_was_sent_has_come)
{
    pair_t *pair = pair_new (1 << 20, 1 << 16);
    send (pair, 7, 8);
    run (pair, 20);
    session_goodbye (&pair->worker);
    from_worker (pair);
    cr_assert (pair->listener.leaving);
    cr_assert (session_is_complete (&pair->listener));
    session_end (&pair->listener, MUSTER_LEFT, "");
    from_listener (pair);
    cr_assert_eq (pair->worker.state, SESSION_ENDED);
    cr_assert_eq (pair->worker.error, MUSTER_CLOSED);
    cr_assert_eq (pair->listener.state, SESSION_ENDED);
    pair_destroy (pair);
}

Test (session, a_listener_that_stops_keeps_the_session)
{
    pair_t *pair = pair_new (1 << 20, 1 << 16);
    send (pair, 7, 8);
    run (pair, 20);
    session_pause (&pair->listener);
    run (pair, 1);
    cr_assert (session_is_complete (&pair->listener));
    send (pair, 3, 8);
    run (pair, 1);
    cr_assert_eq (pair->last, 7, "a paused worker sends nothing more");
    session_end (&pair->listener, MUSTER_CLOSED, "stopped");
    from_listener (pair);
    session_leave (&pair->listener);
    cr_assert_eq (session_step (&pair->worker, pair->now), SESSION_WAIT);
    run (pair, 1000);
    cr_assert_eq (pair->last, 10);
    pair_destroy (pair);
}

Test (session, a_worker_answers_goodbye_and_end_that_come_at_once_both)
{
    pair_t *pair = pair_new (1 << 20, 1 << 16);
    send (pair, 7, 8);
    run (pair, 20);
    session_pause (&pair->listener);
    session_end (&pair->listener, MUSTER_CLOSED, "stopped");
    from_listener (pair);
    cr_assert_not (session_has_parted (&pair->listener));
    from_worker (pair);
    cr_assert (session_is_complete (&pair->listener));
    cr_assert (session_has_parted (&pair->listener));
    pair_destroy (pair);
}

Test (session, a_worker_that_is_told_the_end_knows_why)
{
    pair_t *pair = pair_new (1 << 20, 1 << 16);
    run (pair, 5);
    session_end (&pair->listener, MUSTER_REPLACED, "another worker took the source");
    from_listener (pair);
    cr_assert_eq (pair->worker.state, SESSION_ENDED);
    cr_assert_eq (pair->worker.error, MUSTER_REPLACED);
    cr_assert_str_eq (pair->worker.reason, "another worker took the source");
    pair_destroy (pair);
}

Test (session, a_refused_message_counts_as_handled_and_is_told)
{
    pair_t *pair = pair_new (1 << 20, 1 << 16);
    pair->handling = false;
    send (pair, 2, 8);
    run (pair, 5);
    session_handled (&pair->listener, 1, 8, true, pair->now);
    session_handled (&pair->listener, 1, 8, false, pair->now);
    run (pair, 20);
    cr_assert_eq (pair->worker.out.box.handled.messages, 2);
    cr_assert_eq (pair->worker.out.refused, 1);
    pair_destroy (pair);
}

Test (session, positions_that_cannot_be_are_refused)
{
    pair_t *pair = pair_new (1 << 20, 1 << 16);
    run (pair, 5);
    frame_t frame = { .kind = FRAME_POSITIONS, .session = WORKER_ID, .epoch = 1,
        .positions = { .received = 5, .handled = 5 } };
    cr_assert_not (session_control (&pair->listener, &frame, pair->now));
    frame.kind = FRAME_END;
    cr_assert_not (session_control (&pair->listener, &frame, pair->now), "only a listener ends a session");
    pair_destroy (pair);
}

/*  --------------------------------------------------------------------------
    Round trips */

/*  Their clocks, in microseconds, are not the same one. */
#define WORKER_US(pair) ((uint64_t) (pair)->now * 1000)
#define LISTENER_US(pair) ((uint64_t) (pair)->now * 1000 + 777777)

/*  The next POSITIONS of a side, stamped as its owner does; other control frames are lost. */
static bool
positions_of (pair_t *self, session_t *session, frame_t *frame)
{
    while (session_next_control (session, self->now, frame)) {
        if (frame_is_stamped (frame))
            session_stamp (session, frame, session == &self->worker ? WORKER_US (self) : LISTENER_US (self));
        if (frame->kind == FRAME_POSITIONS)
            return true;
    }
    return false;
}

static void
give_positions (pair_t *self, session_t *session, const frame_t *frame)
{
    cr_assert (session_control (session, frame, self->now));
    if (frame_is_stamped (frame))
        session_take_stamp (session, frame, session == &self->worker ? WORKER_US (self) : LISTENER_US (self));
}

/*  A worker that was welcomed just now, and has its first report to make. */
static pair_t *
pair_welcomed (void)
{
    frame_t frame;
    pair_t *pair = pair_new (1 << 20, 1 << 16);
    cr_assert_eq (session_step (&pair->worker, pair->now), SESSION_CONNECT);
    session_connected (&pair->worker, pair->now);
    cr_assert (session_next_control (&pair->worker, pair->now, &frame));
    greet (pair, &frame);
    cr_assert (session_next_control (&pair->listener, pair->now, &frame));
    cr_assert (session_control (&pair->worker, &frame, pair->now));
    return pair;
}

/*  A stamp goes there and back, ms each way, and lies with the listener for as long as that
    lets its answers wait. */
static void
measure (pair_t *pair, int ms)
{
    frame_t frame;
    cr_assert (positions_of (pair, &pair->worker, &frame));
    cr_assert (frame.positions.stamped);
    pair->now += ms;
    give_positions (pair, &pair->listener, &frame);
    pair->now += REPORT_DELAY_MS;
    cr_assert (positions_of (pair, &pair->listener, &frame));
    cr_assert (frame.positions.stamped);
    pair->now += ms;
    give_positions (pair, &pair->worker, &frame);
}

Test (session, a_round_trip_is_measured_after_the_welcome_and_told_at_once)
{
    frame_t frame;
    pair_t *pair = pair_welcomed ();
    measure (pair, 3);
    cr_assert_eq (pair->worker.round_trip_us, 6000);
    cr_assert_eq (pair->listener.round_trip_us, 0);
    cr_assert (positions_of (pair, &pair->worker, &frame), "it waits for a heartbeat");
    cr_assert_eq (frame.positions.span_us, 6000);
    give_positions (pair, &pair->listener, &frame);
    cr_assert_eq (pair->listener.round_trip_us, 6000);
    pair_destroy (pair);
}

Test (session, a_round_trip_is_measured_with_each_heartbeat)
{
    pair_t *pair = pair_welcomed ();
    measure (pair, 3);
    measure (pair, 2);
    for (unsigned ms = 4; ms < 8; ms++) {
        pair->now = session_beat_at (&pair->worker);
        measure (pair, ms);
        cr_assert_eq (pair->worker.round_trip_us, 2000 * ms);
        cr_assert_eq (pair->listener.round_trip_us, ms == 4 ? 4000 : 2000 * (ms - 1), "the one before");
    }
    pair_destroy (pair);
}

Test (session, what_goes_back_in_less_than_the_clock_can_tell_took_a_microsecond)
{
    pair_t *pair = pair_welcomed ();
    measure (pair, 0);
    cr_assert_eq (pair->worker.round_trip_us, 1);
    pair_destroy (pair);
}

Test (session, reports_between_heartbeats_carry_no_stamp)
{
    frame_t frame;
    pair_t *pair = pair_welcomed ();
    measure (pair, 0);
    measure (pair, 0);
    for (int i = 0; i < 5; i++) {
        pair->now += 10;
        session_report (&pair->worker, pair->now);
        cr_assert (positions_of (pair, &pair->worker, &frame));
        cr_assert_not (frame.positions.stamped);
        give_positions (pair, &pair->listener, &frame);
        session_report (&pair->listener, pair->now);
        cr_assert (positions_of (pair, &pair->listener, &frame));
        cr_assert_not (frame.positions.stamped);
    }
    pair_destroy (pair);
}

Test (session, a_worker_that_reports_all_the_time_measures_all_the_same)
{
    frame_t frame;
    unsigned stamps = 0;
    pair_t *pair = pair_welcomed ();
    int64_t end = pair->now + 4 * pair->worker.heartbeat;
    for (; pair->now < end; pair->now += 10) {
        session_report (&pair->worker, pair->now);
        cr_assert (positions_of (pair, &pair->worker, &frame));
        stamps += frame.positions.stamped;
    }
    cr_assert_geq (stamps, 4);
    cr_assert_leq (stamps, 9);
    pair_destroy (pair);
}

Test (session, a_peer_of_before_without_stamps_is_no_worse_off)
{
    frame_t frame;
    pair_t *pair = pair_welcomed ();
    cr_assert (positions_of (pair, &pair->worker, &frame));
    frame.positions.stamped = false;        /* as such a listener reads it, or a worker says it */
    pair->now += REPORT_DELAY_MS;
    give_positions (pair, &pair->listener, &frame);
    pair->now += REPORT_DELAY_MS;
    cr_assert (positions_of (pair, &pair->listener, &frame));
    cr_assert_not (frame.positions.stamped);
    give_positions (pair, &pair->worker, &frame);
    cr_assert_eq (pair->worker.round_trip_us, 0);
    cr_assert_eq (pair->listener.round_trip_us, 0);
    pair_destroy (pair);
}

/*  One that was not sent, one that was answered before, and one that lay longer than it was away. */
Test (session, a_stamp_that_cannot_be_ours_measures_nothing)
{
    frame_t frame;
    pair_t *pair = pair_welcomed ();
    cr_assert (positions_of (pair, &pair->worker, &frame));
    uint64_t stamp = frame.positions.stamp;
    pair->now += 5;
    frame.positions.stamp = stamp + 1;
    give_positions (pair, &pair->worker, &frame);
    frame.positions.stamp = 0;
    give_positions (pair, &pair->worker, &frame);
    frame.positions.stamp = stamp;
    frame.positions.span_us = 5001;
    give_positions (pair, &pair->worker, &frame);
    cr_assert_eq (pair->worker.round_trip_us, 0);
    frame.positions.span_us = 0;
    give_positions (pair, &pair->worker, &frame);
    cr_assert_eq (pair->worker.round_trip_us, 5000);
    pair->now += 5;
    give_positions (pair, &pair->worker, &frame);
    cr_assert_eq (pair->worker.round_trip_us, 5000);
    pair_destroy (pair);
}

Test (session, a_round_trip_that_a_hostile_worker_says_is_a_number)
{
    frame_t frame;
    pair_t *pair = pair_welcomed ();
    cr_assert (positions_of (pair, &pair->worker, &frame));
    frame.positions.stamp = frame.positions.span_us = UINT64_MAX;
    give_positions (pair, &pair->listener, &frame);
    cr_assert_eq (pair->listener.round_trip_us, UINT64_MAX);
    pair->now += REPORT_DELAY_MS;
    cr_assert (positions_of (pair, &pair->listener, &frame));
    cr_assert_eq (frame.positions.stamp, UINT64_MAX);
    pair_destroy (pair);
}

Test (session, stamps_without_end_get_no_more_answers_than_reports_have_time)
{
    frame_t frame;
    unsigned answers = 0;
    pair_t *pair = pair_welcomed ();
    cr_assert (positions_of (pair, &pair->worker, &frame));
    for (int i = 0; i < 1000; i++) {
        frame_t answer;
        pair->now += i % 10 == 0;
        give_positions (pair, &pair->listener, &frame);
        answers += positions_of (pair, &pair->listener, &answer);
    }
    cr_assert_geq (answers, 5);
    cr_assert_leq (answers, 100 / REPORT_DELAY_MS);
    pair_destroy (pair);
}

Test (session, a_stamp_that_could_not_be_sent_back_goes_with_the_next_positions)
{
    frame_t frame;
    pair_t *pair = pair_welcomed ();
    cr_assert (positions_of (pair, &pair->worker, &frame));
    uint64_t stamp = frame.positions.stamp;
    give_positions (pair, &pair->listener, &frame);
    pair->now += REPORT_DELAY_MS;
    cr_assert (positions_of (pair, &pair->listener, &frame));
    session_unsent (&pair->listener, &frame, pair->now);
    pair->now += REPORT_DELAY_MS;
    cr_assert (positions_of (pair, &pair->listener, &frame));
    cr_assert (frame.positions.stamped);
    cr_assert_eq (frame.positions.stamp, stamp);
    cr_assert_eq (frame.positions.span_us, 2000 * REPORT_DELAY_MS);
    pair_destroy (pair);
}

Test (session, another_connection_has_another_round_trip)
{
    pair_t *pair = pair_welcomed ();
    measure (pair, 3);
    measure (pair, 3);
    cr_assert_eq (pair->listener.round_trip_us, 6000);
    session_disconnected (&pair->worker, pair->now);
    run (pair, 0);
    cr_assert_eq (pair->worker.state, SESSION_OPEN);
    cr_assert_eq (pair->worker.round_trip_us, 0);
    cr_assert_eq (pair->listener.round_trip_us, 0);
    pair_destroy (pair);
}

Test (session, another_listener_gets_all_that_was_not_reported_handled)
{
    pair_t *pair = pair_new (1 << 20, 1 << 16);
    send (pair, 100, 8);
    run (pair, 20);
    cr_assert_eq (pair->worker.out.box.handled.messages, 100);
    pair->cut = true;
    send (pair, 50, 8);
    run (pair, 1);
    session_clear (&pair->listener);
    pair->met = false;
    pair->cut = false;
    session_disconnected (&pair->worker, pair->now);
    run (pair, 50);
    cr_assert_eq (pair->last, 150);
    cr_assert_eq (pair->listener.in.received.messages, 150);
    pair_destroy (pair);
}
