/*  test_session_review.c - what a reviewer of the protocol asked of sessions and credit

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "model/hello.h"
#include "model/session.h"

#define LIVENESS 1000
#define LIMIT 5000000
#define FLOOR 65536
#define MIB 1048576

static const session_id_t WORKER_ID = { { 1, 2, 3 } };
static const session_id_t LISTENER_ID = { { 9, 9, 9 } };
static const session_id_t OTHER_LISTENER_ID = { { 7, 7, 7 } };

/*  Both sides of a session; frames go by hand. */
typedef struct {
    credit_t listener_credit, worker_credit;
    session_t worker, listener;
    session_limits_t limits;
    int64_t now;
} pair_t;

static pair_t *
pair_new (uint64_t budget)
{
    pair_t *self = calloc (1, sizeof *self);
    cr_assert_not_null (self);
    self->limits = (session_limits_t) { .liveness = LIVENESS, .message_limit = LIMIT };
    self->now = 1000;
    credit_init (&self->listener_credit, budget, FLOOR, 0);
    credit_init (&self->worker_credit, MIB, FLOOR, 0);
    session_init_worker (&self->worker, &WORKER_ID, "worker-1", 77, &self->limits, &self->worker_credit, self->now);
    return self;
}

static void
pair_destroy (pair_t *self)
{
    session_clear (&self->worker);
    session_clear (&self->listener);
    free (self);
}

/*  The worker connects; its HELLO. */
static frame_t
hello_of (pair_t *self)
{
    frame_t frame;
    cr_assert_eq (session_step (&self->worker, self->now), SESSION_CONNECT);
    session_connected (&self->worker, self->now);
    cr_assert (session_next_control (&self->worker, self->now, &frame));
    cr_assert_eq (frame.kind, FRAME_HELLO);
    return frame;
}

static void
init_listener (pair_t *self, const frame_t *hello, const session_id_t *id)
{
    session_init_listener (&self->listener, hello, id, "listener", 88, &self->limits, &self->listener_credit);
}

/*  A new session, welcomed. */
static void
meet (pair_t *self, const session_id_t *id)
{
    frame_t hello = hello_of (self);
    frame_t welcome;
    init_listener (self, &hello, id);
    cr_assert_eq (session_greet (&self->listener, &hello, self->now), 0);
    cr_assert (session_next_control (&self->listener, self->now, &welcome));
    cr_assert (session_control (&self->worker, &welcome, self->now));
    cr_assert_eq (self->worker.state, SESSION_OPEN);
}

/*  Control frames that are due go across, both ways, until none is. */
static void
exchange_controls (pair_t *self)
{
    frame_t frame;
    bool any = true;
    for (int round = 0; any && round < 100; round++) {
        any = false;
        for (int count = 0; count < 100 && session_next_control (&self->worker, self->now, &frame); count++) {
            session_control (&self->listener, &frame, self->now);
            any = true;
        }
        while (credit_grant (&self->listener_credit))
            session_report (&self->listener, self->now);
        for (int count = 0; count < 100 && session_next_control (&self->listener, self->now, &frame); count++) {
            session_control (&self->worker, &frame, self->now);
            any = true;
        }
    }
}

static void
accept (outbox_t *box, size_t size)
{
    uint8_t *bytes = calloc (1, size);
    cr_assert_not_null (bytes);
    cr_assert_eq (outbox_append (box, bytes, size), 0);
    free (bytes);
}

/*  All that the worker may send is received, and handled at once. */
static void
send_data (pair_t *self)
{
    frame_t frame;
    outbox_piece_t piece;
    uint32_t skip;
    while (session_next_piece (&self->worker, true, &piece, &frame)) {
        cr_assert_eq (frame.kind, FRAME_DATA);
        cr_assert_eq (session_data (&self->listener, &frame, piece.size, &skip, self->now), ARRIVAL_TAKE);
        session_received (&self->listener, frame.data.count, piece.size, self->now);
        session_handled (&self->listener, frame.data.count, piece.size, false, self->now);
        blob_release (&piece.blob);
    }
}

/*  One command, received and handled by the worker. */
static void
send_command (pair_t *self)
{
    frame_t frame;
    outbox_piece_t piece;
    uint32_t skip;
    accept (&self->listener.out.box, 8);
    exchange_controls (self);
    cr_assert (session_next_piece (&self->listener, true, &piece, &frame));
    cr_assert_eq (session_data (&self->worker, &frame, piece.size, &skip, self->now), ARRIVAL_TAKE);
    session_received (&self->worker, 1, piece.size, self->now);
    session_handled (&self->worker, 1, piece.size, false, self->now);
    blob_release (&piece.blob);
    self->now += REPORT_DELAY_MS;
    exchange_controls (self);
    cr_assert_eq (self->listener.out.box.handled.messages, 1);
}

/*  --------------------------------------------------------------------------
    Hostile and unlucky numbers */

Test (session_review, a_welcome_with_a_liveness_of_nothing_does_not_make_the_worker_send_without_end)
{
    pair_t *pair = pair_new (MIB);
    frame_t hello = hello_of (pair);
    frame_t frame = { .kind = FRAME_WELCOME, .session = WORKER_ID, .epoch = hello.epoch,
        .welcome = { .source = "listener", .listener = LISTENER_ID, .credit = FLOOR, .liveness_ms = 0 } };
    init_listener (pair, &hello, &LISTENER_ID);
    session_control (&pair->worker, &frame, pair->now);
    int count = 0;
    while (count < 100 && session_next_control (&pair->worker, pair->now, &frame))
        count++;
    cr_assert_lt (count, 100, "one heartbeat after the other at the same time");
    pair_destroy (pair);
}

Test (session_review, a_liveness_of_more_than_32_bits_is_announced_as_the_largest_there_is)
{
    pair_t *pair = pair_new (MIB);
    frame_t hello = hello_of (pair);
    frame_t welcome;
    pair->limits.liveness = (int64_t) UINT32_MAX + 1;
    init_listener (pair, &hello, &LISTENER_ID);
    cr_assert_eq (session_greet (&pair->listener, &hello, pair->now), 0);
    cr_assert (session_next_control (&pair->listener, pair->now, &welcome));
    cr_assert_eq (welcome.welcome.liveness_ms, UINT32_MAX);
    pair_destroy (pair);
}

Test (session_review, a_frame_that_came_before_in_part_is_held_to_the_credit_too)
{
    pair_t *pair = pair_new (MIB);
    meet (pair, &LISTENER_ID);
    accept (&pair->worker.out.box, 8);
    send_data (pair);
    frame_t frame = { .kind = FRAME_DATA, .session = WORKER_ID, .epoch = 1, .data = { .first = 1, .count = 2 } };
    uint32_t skip;
    cr_assert_eq (session_data (&pair->listener, &frame, 64 * MIB, &skip, pair->now), ARRIVAL_CREDIT);
    pair_destroy (pair);
}

/*  It would hold memory that is granted to others. */
Test (session_review, a_want_amid_a_message_in_pieces_gives_back_nothing_of_what_is_coming)
{
    static const uint8_t piece [100];
    pair_t *pair = pair_new (MIB);
    meet (pair, &LISTENER_ID);
    frame_t want = { .kind = FRAME_WANT, .session = WORKER_ID, .epoch = 1,
        .want = { .need = 500000, .want = 500000 } };
    frame_t chunk = { .kind = FRAME_CHUNK, .session = WORKER_ID, .epoch = 1, .chunk = { .position = 1, .total = 500000 } };
    cr_assert (session_control (&pair->listener, &want, pair->now));
    cr_assert_not_null (credit_grant (&pair->listener_credit));
    cr_assert_eq (session_chunk (&pair->listener, &chunk, piece, sizeof piece, 0, pair->now), ARRIVAL_PART);
    want.want.need = want.want.want = 500001;
    cr_assert (session_control (&pair->listener, &want, pair->now));
    uint64_t committed = pair->listener_credit.committed;
    pair_destroy (pair);
    cr_assert_geq (committed, 500000);
}

/*  --------------------------------------------------------------------------
    Sessions that are not what one side remembers */

Test (session_review, a_worker_with_commands_whose_session_was_forgotten_is_welcomed_as_new)
{
    pair_t *pair = pair_new (MIB);
    meet (pair, &LISTENER_ID);
    send_command (pair);
    session_disconnected (&pair->worker, pair->now);
    session_clear (&pair->listener);
    frame_t hello = hello_of (pair);
    init_listener (pair, &hello, &LISTENER_ID);
    cr_assert_eq (session_greet (&pair->listener, &hello, pair->now), 0);
    frame_t frame;
    cr_assert (session_next_control (&pair->listener, pair->now, &frame));
    cr_assert (session_control (&pair->worker, &frame, pair->now));
    cr_assert_eq (pair->worker.in.received.messages, 0, "the commands are another stream");
    cr_assert_neq (pair->worker.in.stream, 88, "whose tag tells it from the one before");
    send_command (pair);
    pair_destroy (pair);
}

/*  It has messages handled by another that this listener never received: going
    on from here, the worker would find the welcome wrong for ever. */
Test (session_review, a_listener_that_is_behind_what_its_worker_knows_to_be_handled_says_so)
{
    pair_t *pair = pair_new (MIB);
    meet (pair, &LISTENER_ID);
    session_t first = pair->listener;
    session_leave (&first);
    session_disconnected (&pair->worker, pair->now);
    credit_t other_credit = pair->listener_credit;
    meet (pair, &OTHER_LISTENER_ID);
    accept (&pair->worker.out.box, 8);
    send_data (pair);
    pair->now += REPORT_DELAY_MS;
    exchange_controls (pair);
    cr_assert_eq (pair->worker.out.box.handled.messages, 1);
    session_disconnected (&pair->worker, pair->now);
    frame_t hello = hello_of (pair);
    first.in.credit = &other_credit;
    muster_error_t error = session_greet (&first, &hello, pair->now);
    session_clear (&first);
    pair_destroy (pair);
    cr_assert_eq (error, MUSTER_REJECTED);
}

/*  It may have had commands of the first one that were not handled yet. */
Test (session_review, a_worker_that_was_with_another_listener_in_between_gets_no_command_of_the_first_again)
{
    pair_t *pair = pair_new (MIB);
    meet (pair, &LISTENER_ID);
    exchange_controls (pair);
    accept (&pair->listener.out.box, 8);
    frame_t frame;
    outbox_piece_t piece;
    cr_assert (session_next_piece (&pair->listener, true, &piece, &frame));
    blob_release (&piece.blob);
    session_t first = pair->listener;
    session_leave (&first);
    session_disconnected (&pair->worker, pair->now);
    credit_t other_credit = pair->listener_credit;
    meet (pair, &OTHER_LISTENER_ID);
    session_disconnected (&pair->worker, pair->now);
    frame_t hello = hello_of (pair);
    first.in.credit = &other_credit;
    muster_error_t error;
    hello_verdict_t verdict = hello_judge (&hello, &first, 0, &first, false, &error);
    session_clear (&first);
    pair_destroy (pair);
    cr_assert_eq (verdict, HELLO_BEGIN_ANEW);
}

/*  As when a listener stops: what it gives up of an absent worker's it receives anew. */
Test (session_review, an_absent_session_whose_messages_are_given_up_holds_no_credit)
{
    pair_t *pair = pair_new (MIB);
    meet (pair, &LISTENER_ID);
    session_received (&pair->listener, 1, 50000, pair->now);
    session_leave (&pair->listener);
    cr_assert_eq (pair->listener_credit.committed, 50000);
    pair->listener.in.received = pair->listener.in.handled;
    session_leave (&pair->listener);
    cr_assert_eq (pair->listener_credit.committed, 0);
    pair_destroy (pair);
}

/*  --------------------------------------------------------------------------
    Credit */

Test (session_review, a_message_over_the_limit_accepted_before_the_welcome_takes_nobodys_credit)
{
    pair_t *pair = pair_new (10 * MIB);
    credit_account_t other;
    accept (&pair->worker.out.box, 20 * MIB);
    meet (pair, &LISTENER_ID);
    cr_assert_eq (credit_open (&pair->listener_credit, &other, 0, NULL), 0);
    for (int beat = 0; beat < 20; beat++) {
        exchange_controls (pair);
        pair->now += LIVENESS / 4;
    }
    credit_want (&pair->listener_credit, &other, 0, 4 * MIB, 4 * MIB);
    while (credit_grant (&pair->listener_credit))
        continue;
    uint64_t limit = other.limit;
    credit_close (&pair->listener_credit, &other);
    pair_destroy (pair);
    cr_assert_eq (limit, 4 * MIB);
}

/*  One who sends messages of one size, as its session would: it asks for the end
    of the next and of all, and sends whole messages only. */
typedef struct {
    credit_account_t account;
    uint64_t size, count, sent;
} sender_t;

static bool
sender_goes_on (sender_t *self, credit_t *credit)
{
    bool moved = false;
    while (self->sent < self->count && (self->sent + 1) * self->size <= self->account.limit) {
        self->sent++;
        credit_handled (credit, &self->account, self->sent * self->size);
        moved = true;
    }
    if (self->sent < self->count && !self->account.in_line)
        credit_want (credit, &self->account, self->sent * self->size,
            (self->sent + 1) * self->size, self->count * self->size);
    return moved;
}

/*  The grants of those that send middling messages end inside a message: what is
    left over must not be what the largest message lacks. */
Test (session_review, credit_left_over_by_many_never_blocks_a_large_message_for_ever)
{
    enum { SENDERS = 5 };
    credit_t credit;
    sender_t senders [SENDERS] = { 0 };
    credit_init (&credit, 4 * MIB, FLOOR, 3 * MIB);
    for (int i = 0; i < SENDERS; i++) {
        cr_assert_eq (credit_open (&credit, &senders [i].account, 0, NULL), 0);
        bool large = i == SENDERS - 1;
        senders [i].size = large ? 3 * MIB : 6 * MIB / 10;
        senders [i].count = large ? 1 : 3;
    }
    bool moved = true;
    while (moved) {
        moved = false;
        for (int i = 0; i < SENDERS; i++)
            moved = sender_goes_on (&senders [i], &credit) || moved;
        while (credit_grant (&credit))
            moved = true;
    }
    for (int i = 0; i < SENDERS; i++)
        cr_assert_eq (senders [i].sent, senders [i].count, "sender %d stands still after %lu of %lu, with all handled",
            i, senders [i].sent, senders [i].count);
}

/*  Crowded or not, and however often it changes: what was sent is handled, so all are let on. */
Test (session_review, one_who_is_passed_over_in_a_crowd_never_stands_still_for_ever)
{
    enum { SENDERS = 6 };
    static const uint64_t sizes [SENDERS] = { 50, 1000, FLOOR - 1, FLOOR, FLOOR + 1, MIB };
    for (unsigned crowding = 1; crowding < 5; crowding++) {
        credit_t credit;
        sender_t senders [SENDERS] = { 0 };
        credit_init (&credit, 4 * MIB, FLOOR, MIB);
        for (int i = 0; i < SENDERS; i++) {
            cr_assert_eq (credit_open (&credit, &senders [i].account, 0, NULL), 0);
            senders [i].size = sizes [i];
            senders [i].count = 3 * MIB / sizes [i];
        }
        bool moved = true;
        for (unsigned round = 0; moved; round++) {
            moved = false;
            credit_crowd (&credit, crowding == 4 || round % crowding);
            for (int i = 0; i < SENDERS; i++)
                moved = sender_goes_on (&senders [i], &credit) || moved;
            while (credit_grant (&credit))
                moved = true;
        }
        for (int i = 0; i < SENDERS; i++)
            cr_assert_eq (senders [i].sent, senders [i].count, "sender %d stands still", i);
    }
}

/*  It asked ahead, and is in line. What it has left it cannot use now, and no one
    else can before it says so. */
Test (session_review, one_who_asked_ahead_says_so_when_it_stands_still)
{
    pair_t *pair = pair_new (10 * MIB);
    credit_account_t other;
    meet (pair, &LISTENER_ID);
    cr_assert_eq (credit_open (&pair->listener_credit, &other, 0, NULL), 0);
    credit_want (&pair->listener_credit, &other, 0, 10 * MIB, 10 * MIB);
    for (int i = 0; i < 3; i++)
        accept (&pair->worker.out.box, 40000);
    exchange_controls (pair);
    cr_assert (pair->worker.out.flags & POSITIONS_QUEUED);
    send_data (pair);
    bool has_want = session_has_want (&pair->worker);
    uint64_t sent = pair->worker.out.box.sent.messages;
    credit_close (&pair->listener_credit, &other);
    pair_destroy (pair);
    cr_assert_eq (sent, 1);
    cr_assert (has_want);
}

/*  --------------------------------------------------------------------------
    Goodbye and the end */

Test (session_review, after_its_goodbye_for_good_a_worker_sends_nothing_more)
{
    pair_t *pair = pair_new (MIB);
    meet (pair, &LISTENER_ID);
    exchange_controls (pair);
    accept (&pair->worker.out.box, 8);
    session_goodbye (&pair->worker);
    frame_t frame;
    outbox_piece_t piece;
    cr_assert (session_next_control (&pair->worker, pair->now, &frame));
    cr_assert_eq (frame.kind, FRAME_GOODBYE);
    cr_assert_eq (frame.goodbye.last, 0);
    bool more = session_next_piece (&pair->worker, true, &piece, &frame);
    if (more)
        blob_release (&piece.blob);
    pair_destroy (pair);
    cr_assert_not (more);
}

Test (session_review, an_end_that_could_not_be_sent_is_due_again)
{
    pair_t *pair = pair_new (MIB);
    meet (pair, &LISTENER_ID);
    exchange_controls (pair);
    frame_t frame;
    session_end (&pair->listener, MUSTER_CLOSED, "the listener stopped");
    cr_assert (session_next_control (&pair->listener, pair->now, &frame));
    cr_assert_eq (frame.kind, FRAME_END);
    session_unsent (&pair->listener, &frame, pair->now);
    bool again = session_next_control (&pair->listener, pair->now, &frame);
    pair_destroy (pair);
    cr_assert (again);
}

/*  A message for which the listener has no memory is a gap each time. */
Test (session_review, a_gap_that_comes_back_in_each_epoch_is_not_tried_again_at_once_for_ever)
{
    pair_t *pair = pair_new (MIB);
    meet (pair, &LISTENER_ID);
    int epochs = 0;
    while (epochs < 20) {
        frame_t frame = { .kind = FRAME_POSITIONS, .session = WORKER_ID, .epoch = pair->worker.epoch,
            .positions = { .credit = FLOOR, .flags = POSITIONS_GAP } };
        session_control (&pair->worker, &frame, pair->now);
        cr_assert_eq (session_step (&pair->worker, pair->now), SESSION_DISCONNECT);
        if (pair->worker.retry_at > pair->now)
            break;
        frame_t hello = hello_of (pair);
        cr_assert_eq (session_greet (&pair->listener, &hello, pair->now), 0);
        cr_assert (session_next_control (&pair->listener, pair->now, &frame));
        cr_assert (session_control (&pair->worker, &frame, pair->now));
        epochs++;
    }
    pair_destroy (pair);
    cr_assert_lt (epochs, 20, "connected anew so often at one moment");
}

/*  --------------------------------------------------------------------------
    Refusals */

/*  The next message is received, and handled as one that broke a rule. */
static void
send_one_refused (pair_t *pair)
{
    frame_t frame;
    outbox_piece_t piece;
    uint32_t skip;
    accept (&pair->worker.out.box, 100);
    cr_assert (session_next_piece (&pair->worker, true, &piece, &frame));
    cr_assert_eq (session_data (&pair->listener, &frame, piece.size, &skip, pair->now), ARRIVAL_TAKE);
    session_received (&pair->listener, 1, piece.size, pair->now);
    session_handled (&pair->listener, 1, piece.size, true, pair->now);
    blob_release (&piece.blob);
}

Test (session_review, a_message_is_not_known_to_be_handled_before_it_is_known_to_be_refused)
{
    pair_t *pair = pair_new (MIB);
    meet (pair, &LISTENER_ID);
    send_one_refused (pair);
    session_disconnected (&pair->worker, pair->now);
    frame_t hello = hello_of (pair), welcome;
    cr_assert_eq (session_greet (&pair->listener, &hello, pair->now), 0);
    cr_assert (session_next_control (&pair->listener, pair->now, &welcome));
    cr_assert_eq (welcome.welcome.handled.messages, 1);
    cr_assert (session_control (&pair->worker, &welcome, pair->now));
    cr_assert_eq (pair->worker.out.box.handled.messages, 0);
    exchange_controls (pair);
    cr_assert_eq (pair->worker.out.box.handled.messages, 1, "it is told at once");
    cr_assert_eq (pair->worker.out.refused, 1);
    pair_destroy (pair);
}

Test (session_review, what_another_listener_refuses_counts_beside_what_the_one_before_refused)
{
    pair_t *pair = pair_new (MIB);
    meet (pair, &LISTENER_ID);
    for (uint64_t listeners = 1; listeners <= 2; listeners++) {
        send_one_refused (pair);
        pair->now += REPORT_DELAY_MS;
        exchange_controls (pair);
        cr_assert_eq (pair->worker.out.refused, listeners);
        session_clear (&pair->listener);
        session_disconnected (&pair->worker, pair->now);
        meet (pair, &OTHER_LISTENER_ID);
    }
    pair_destroy (pair);
}

/*  --------------------------------------------------------------------------
    Connections that are dead in part */

/*  Both have open sessions; the worker's next control frame of a kind. */
static frame_t
next_of (session_t *session, frame_kind_t kind, int64_t now)
{
    frame_t frame;
    while (session_next_control (session, now, &frame))
        if (frame.kind == kind)
            return frame;
    cr_assert_fail ("no frame %d is due", kind);
    return frame;
}

Test (session_review, a_worker_without_credit_asks_again_with_each_heartbeat)
{
    pair_t *pair = pair_new (MIB);
    meet (pair, &LISTENER_ID);
    accept (&pair->worker.out.box, FLOOR + 1);
    next_of (&pair->worker, FRAME_WANT, pair->now);
    frame_t frame;
    cr_assert_not (session_next_control (&pair->worker, pair->now, &frame));
    pair->now += LIVENESS / 4;
    next_of (&pair->worker, FRAME_POSITIONS, pair->now);
    cr_assert (session_next_control (&pair->worker, pair->now, &frame));
    cr_assert_eq (frame.kind, FRAME_WANT);
    pair_destroy (pair);
}

Test (session_review, a_want_that_could_not_be_sent_is_tried_again_soon)
{
    pair_t *pair = pair_new (MIB);
    meet (pair, &LISTENER_ID);
    exchange_controls (pair);
    accept (&pair->worker.out.box, FLOOR + 1);
    frame_t want = next_of (&pair->worker, FRAME_WANT, pair->now);
    session_unsent (&pair->worker, &want, pair->now);
    cr_assert_leq (session_deadline (&pair->worker), pair->now + REPORT_DELAY_MS);
    next_of (&pair->worker, FRAME_WANT, pair->now + REPORT_DELAY_MS);
    pair_destroy (pair);
}

/*  It would be asked again and answered again, as fast as frames go. */
Test (session_review, a_want_that_overtakes_what_was_sent_before_it_is_not_answered_until_that_has_come)
{
    pair_t *pair = pair_new (MIB);
    meet (pair, &LISTENER_ID);
    exchange_controls (pair);
    accept (&pair->worker.out.box, FLOOR - 100);
    frame_t frame;
    outbox_piece_t piece;
    cr_assert (session_next_piece (&pair->worker, true, &piece, &frame));
    accept (&pair->worker.out.box, FLOOR);
    frame_t want = next_of (&pair->worker, FRAME_WANT, pair->now);
    cr_assert (session_control (&pair->listener, &want, pair->now));
    frame_t answer;
    cr_assert_not (session_next_control (&pair->listener, pair->now, &answer));
    uint32_t skip;
    cr_assert_eq (session_data (&pair->listener, &frame, piece.size, &skip, pair->now), ARRIVAL_TAKE);
    session_received (&pair->listener, 1, piece.size, pair->now);
    blob_release (&piece.blob);
    cr_assert_not_null (credit_grant (&pair->listener_credit));
    pair_destroy (pair);
}

/*  The worker's heartbeats come for so long. */
static void
hear_heartbeats (pair_t *pair, int64_t until)
{
    for (; pair->now < until; pair->now += LIVENESS / 4) {
        frame_t frame = { .kind = FRAME_POSITIONS, .session = WORKER_ID, .epoch = pair->worker.epoch };
        cr_assert (session_control (&pair->listener, &frame, pair->now));
    }
}

/*  The listener is alive and says so, for no-progress at most. */
static session_step_t
hear_of_nothing_received (pair_t *pair, uint8_t flags)
{
    session_step_t step = SESSION_WAIT;
    int64_t end = pair->now + pair->limits.no_progress;
    while (step == SESSION_WAIT && pair->now < end) {
        pair->now += LIVENESS / 4;
        frame_t frame = { .kind = FRAME_POSITIONS, .session = WORKER_ID, .epoch = pair->worker.epoch,
            .positions = { .credit = FLOOR, .flags = flags } };
        cr_assert (session_control (&pair->worker, &frame, pair->now));
        step = session_step (&pair->worker, pair->now);
    }
    return step;
}

static pair_t *
pair_with_a_message_under_way (void)
{
    pair_t *pair = pair_new (MIB);
    pair->limits.no_progress = 6 * LIVENESS;
    pair->worker.limits.no_progress = 6 * LIVENESS;
    meet (pair, &LISTENER_ID);
    accept (&pair->worker.out.box, 100);
    frame_t frame;
    outbox_piece_t piece;
    cr_assert (session_next_piece (&pair->worker, true, &piece, &frame));
    blob_release (&piece.blob);
    return pair;
}

Test (session_review, a_worker_whose_messages_go_nowhere_connects_anew_after_half_of_no_progress)
{
    pair_t *pair = pair_with_a_message_under_way ();
    int64_t since = pair->now;
    cr_assert_eq (hear_of_nothing_received (pair, 0), SESSION_DISCONNECT);
    cr_assert_geq (pair->now - since, 3 * LIVENESS);
    cr_assert_leq (pair->now - since, 4 * LIVENESS);
    pair_destroy (pair);
}

Test (session_review, a_worker_waits_for_a_listener_that_says_it_reads_nothing_at_the_moment)
{
    pair_t *pair = pair_with_a_message_under_way ();
    cr_assert_eq (hear_of_nothing_received (pair, POSITIONS_HELD | POSITIONS_BUSY), SESSION_WAIT);
    pair_destroy (pair);
}

Test (session_review, a_listener_whose_commands_go_nowhere_asks_for_another_connection)
{
    pair_t *pair = pair_new (MIB);
    pair->limits.no_progress = 6 * LIVENESS;
    meet (pair, &LISTENER_ID);
    exchange_controls (pair);
    accept (&pair->listener.out.box, 100);
    frame_t frame;
    outbox_piece_t piece;
    cr_assert (session_next_piece (&pair->listener, true, &piece, &frame));
    blob_release (&piece.blob);
    hear_heartbeats (pair, pair->now + 3 * LIVENESS);
    cr_assert_not (next_of (&pair->listener, FRAME_POSITIONS, pair->now).positions.flags & POSITIONS_GAP);
    hear_heartbeats (pair, pair->now + LIVENESS / 2);
    frame = next_of (&pair->listener, FRAME_POSITIONS, pair->now);
    cr_assert (frame.positions.flags & POSITIONS_GAP);
    cr_assert (session_control (&pair->worker, &frame, pair->now));
    cr_assert_eq (session_step (&pair->worker, pair->now), SESSION_DISCONNECT);
    pair_destroy (pair);
}

/*  A message of three pieces, the first of which has come. */
static pair_t *
pair_with_a_message_in_pieces (void)
{
    pair_t *pair = pair_new (MIB);
    pair->limits.no_progress = 6 * LIVENESS;
    meet (pair, &LISTENER_ID);
    pair->worker.out.chunk = 10000;
    accept (&pair->worker.out.box, 300000);
    exchange_controls (pair);
    frame_t frame;
    outbox_piece_t piece;
    cr_assert (session_next_piece (&pair->worker, true, &piece, &frame));
    cr_assert_eq (session_chunk (&pair->listener, &frame, piece.body, piece.size, 0, pair->now), ARRIVAL_PART);
    blob_release (&piece.blob);
    return pair;
}

Test (session_review, a_message_in_pieces_that_stands_still_is_given_up_after_half_of_no_progress)
{
    pair_t *pair = pair_with_a_message_in_pieces ();
    hear_heartbeats (pair, pair->now + 3 * LIVENESS);
    cr_assert_not_null (pair->listener.in.partial);
    hear_heartbeats (pair, pair->now + LIVENESS / 2);
    cr_assert_null (pair->listener.in.partial);
    frame_t positions = next_of (&pair->listener, FRAME_POSITIONS, pair->now);
    cr_assert (positions.positions.flags & POSITIONS_GAP);
    cr_assert_eq (pair->listener_credit.committed, FLOOR, "its grant is still held");
    pair_destroy (pair);
}

Test (session_review, a_message_in_pieces_is_kept_while_the_listener_itself_does_not_read)
{
    pair_t *pair = pair_with_a_message_in_pieces ();
    credit_hold (&pair->listener_credit, true, pair->now);
    hear_heartbeats (pair, pair->now + 4 * LIVENESS);
    credit_hold (&pair->listener_credit, false, pair->now);
    hear_heartbeats (pair, pair->now + LIVENESS);
    cr_assert_not_null (pair->listener.in.partial);
    hear_heartbeats (pair, pair->now + 3 * LIVENESS);
    cr_assert_null (pair->listener.in.partial);
    pair_destroy (pair);
}

Test (session_review, progress_is_also_what_has_been_sent_of_a_large_message_but_only_the_first_time)
{
    pair_t *pair = pair_with_a_message_in_pieces ();
    uint64_t before = session_progress (&pair->worker);
    frame_t frame;
    outbox_piece_t piece;
    cr_assert (session_next_piece (&pair->worker, true, &piece, &frame));
    blob_release (&piece.blob);
    uint64_t after = session_progress (&pair->worker);
    cr_assert_gt (after, before);
    outbox_rewind (&pair->worker.out.box, 0);
    cr_assert (session_next_piece (&pair->worker, true, &piece, &frame));
    blob_release (&piece.blob);
    cr_assert_eq (session_progress (&pair->worker), after);
    pair_destroy (pair);
}
