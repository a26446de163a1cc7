/*  test_ask.c - rounds: a command to several workers, and their replies

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <muster/muster.h>

#include "collector.h"
#include "scene.h"
#include "tally.h"

#define CREW_MOST 8

/*  A scene with workers w0, w1 ... that are here. */
typedef struct {
    scene_t scene;
    muster_worker_t *workers [CREW_MOST];
    int count;
} crew_t;

static crew_t
begin_crew_of (scene_t scene, int count)
{
    crew_t crew = { .scene = scene, .count = count };
    for (int i = 0; i < count; i++) {
        char source [16];
        snprintf (source, sizeof source, "w%d", i);
        crew.workers [i] = scene_worker (&crew.scene, source);
        MUST (muster_listener_wait_for_workers (crew.scene.listener, i + 1, PATIENCE_MS) == 0);
    }
    return crew;
}

static crew_t
begin_crew (int count)
{
    return begin_crew_of (scene_begin (), count);
}

static void
end_crew (crew_t *crew)
{
    for (int i = 0; i < crew->count; i++)
        if (crew->workers [i])
            scene_dismiss (crew->workers [i]);
    scene_close (&crew->scene);
}

static muster_ask_t *
begin_ask (crew_t *crew)
{
    muster_ask_t *ask = muster_ask_new (crew->scene.listener);
    MUST (ask);
    return ask;
}

/*  A worker takes its next command and replies with a number. */
static void
answer (crew_t *crew, int worker, int number)
{
    muster_message_t *command = scene_recv (crew->workers [worker]);
    MUST (muster_message_reply (command, "UPDATE", "{s:i}", "n", number) == 0);
    MUST (muster_message_done (&command, 0) == 0);
}

/*  The next reply is from this worker, with this number. */
static void
expect_reply (muster_ask_t *ask, const char *source, int number)
{
    muster_message_t *reply = NULL;
    muster_error_t error = muster_ask_next (ask, &reply);
    cr_assert_eq (error, 0, "%s", muster_error_name (error));
    cr_assert_str_eq (muster_message_source (reply), source);
    cr_assert_str_eq (muster_message_cmd (reply), "UPDATE");
    cr_assert_eq (scene_number (reply), number);
    cr_assert_not (muster_message_late (reply));
    cr_assert_eq (muster_message_done (&reply, 0), 0);
}

static void
expect_end (muster_ask_t *ask)
{
    muster_message_t *reply = (muster_message_t *) ask;
    for (int i = 0; i < 2; i++) {
        muster_error_t error = muster_ask_next (ask, &reply);
        cr_assert_eq (error, MUSTER_END, "%s", muster_error_name (error));
        cr_assert_null (reply);
    }
}

/*  "w1 LATE, w2 LOST" */
static void
expect_missing (const muster_ask_t *ask, const char *expected)
{
    char text [500] = "";
    const char *source;
    muster_error_t why;
    for (size_t i = 0; muster_ask_missing (ask, i, &source, &why) == 0; i++)
        snprintf (text + strlen (text), sizeof text - strlen (text), "%s%s %s", i ? ", " : "", source, muster_error_name (why));
    cr_assert_str_eq (text, expected, "%s", text);
}

/*  --------------------------------------------------------------------------
    When it ends */

Test (ask, ends_when_all_that_are_here_have_replied)
{
    crew_t crew = begin_crew (4);
    muster_ask_t *ask = begin_ask (&crew);
    cr_assert_eq (muster_ask_send (ask, "TRAIN", "{s:i}", "round", 1), 0);
    cr_assert_eq (muster_ask_asked (ask), 4);
    cr_assert_eq (muster_ask_replied (ask), 0);
    for (int i = 3; i >= 0; i--) {
        char source [16];
        snprintf (source, sizeof source, "w%d", i);
        answer (&crew, i, i * 10);
        expect_reply (ask, source, i * 10);
    }
    cr_assert_eq (muster_ask_replied (ask), 4);
    expect_end (ask);
    expect_missing (ask, "");
    cr_assert_eq (collector_count (crew.scene.messages), 0, "replies go to the round alone");
    muster_ask_destroy (&ask);
    cr_assert_null (ask);
    end_crew (&crew);
}

Test (ask, goes_to_those_named_alone)
{
    crew_t crew = begin_crew (3);
    muster_ask_t *ask = begin_ask (&crew);
    const char *named [] = { "w2", "w0" };
    cr_assert_eq (muster_ask_set_workers (ask, named, 2), 0);
    cr_assert_eq (muster_ask_send_raw (ask, "TRAIN", "\x80", 1), 0);
    cr_assert_eq (muster_ask_asked (ask), 2);
    answer (&crew, 0, 1);
    answer (&crew, 2, 2);
    muster_message_t *reply;
    for (int i = 0; i < 2; i++) {
        cr_assert_eq (muster_ask_next (ask, &reply), 0);
        muster_message_done (&reply, 0);
    }
    expect_end (ask);
    muster_message_t *command;
    cr_assert_eq (muster_worker_recv (crew.workers [1], &command, 0), MUSTER_TIMEOUT);
    muster_ask_destroy (&ask);
    end_crew (&crew);
}

Test (ask, ends_at_once_when_enough_have_replied_and_no_grace_is_given)
{
    crew_t crew = begin_crew (3);
    muster_ask_t *ask = begin_ask (&crew);
    muster_ask_set_at_least (ask, 2);
    muster_ask_set_timeout (ask, -1);
    cr_assert_eq (muster_ask_send (ask, "TRAIN", NULL), 0);
    answer (&crew, 0, 1);
    expect_reply (ask, "w0", 1);
    answer (&crew, 2, 3);
    expect_reply (ask, "w2", 3);
    expect_end (ask);
    expect_missing (ask, "w1 LATE");
    muster_ask_destroy (&ask);
    end_crew (&crew);
}

Test (ask, waits_for_more_within_the_grace)
{
    crew_t crew = begin_crew (3);
    muster_ask_t *ask = begin_ask (&crew);
    muster_ask_set_at_least (ask, 1);
    muster_ask_set_grace (ask, 0.2);
    muster_ask_send (ask, "TRAIN", NULL);
    answer (&crew, 0, 1);
    expect_reply (ask, "w0", 1);
    answer (&crew, 1, 2);
    expect_reply (ask, "w1", 2);
    int64_t began = scene_now_ms ();
    expect_end (ask);
    cr_assert_geq (scene_now_ms () - began, 50, "the grace");
    cr_assert_leq (scene_now_ms () - began, 10000);
    expect_missing (ask, "w2 LATE");
    muster_ask_destroy (&ask);
    end_crew (&crew);
}

Test (ask, a_grace_is_over_when_all_have_replied)
{
    crew_t crew = begin_crew (2);
    muster_ask_t *ask = begin_ask (&crew);
    muster_ask_set_at_least (ask, 1);
    muster_ask_set_grace (ask, 3600);
    muster_ask_set_timeout (ask, -1);
    muster_ask_send (ask, "TRAIN", NULL);
    answer (&crew, 0, 1);
    expect_reply (ask, "w0", 1);
    answer (&crew, 1, 2);
    expect_reply (ask, "w1", 2);
    expect_end (ask);
    muster_ask_destroy (&ask);
    end_crew (&crew);
}

Test (ask, a_fraction_of_those_asked_is_rounded_up)
{
    static const struct {
        double fraction;
        int replies;
    } cases [] = { { 0.01, 1 }, { 0.2, 1 }, { 0.21, 2 }, { 0.6, 3 }, { 0.61, 4 }, { 1, 5 } };
    crew_t crew = begin_crew (5);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        muster_ask_t *ask = begin_ask (&crew);
        muster_ask_set_at_least_fraction (ask, cases [i].fraction);
        muster_ask_set_timeout (ask, -1);
        cr_assert_eq (muster_ask_send (ask, "TRAIN", NULL), 0);
        for (int j = 0; j < cases [i].replies; j++) {
            char source [16];
            snprintf (source, sizeof source, "w%d", j);
            answer (&crew, j, j);
            expect_reply (ask, source, j);
        }
        expect_end (ask);
        cr_expect_eq (muster_ask_replied (ask), (size_t) cases [i].replies, "%g", cases [i].fraction);
        muster_ask_destroy (&ask);
        for (int j = cases [i].replies; j < 5; j++) {
            muster_message_t *command = scene_recv (crew.workers [j]);
            muster_message_done (&command, 0);
        }
    }
    end_crew (&crew);
}

Test (ask, ends_at_its_timeout_and_those_who_are_silent_are_late)
{
    crew_t crew = begin_crew (2);
    muster_ask_t *ask = begin_ask (&crew);
    muster_ask_set_timeout (ask, 0.1);
    int64_t began = scene_now_ms ();
    muster_ask_send (ask, "TRAIN", NULL);
    answer (&crew, 1, 7);
    expect_reply (ask, "w1", 7);
    expect_end (ask);
    cr_assert_geq (scene_now_ms () - began, 100);
    expect_missing (ask, "w0 LATE");
    muster_ask_destroy (&ask);
    end_crew (&crew);
}

Test (ask, an_ask_of_nobody_ends_at_once)
{
    crew_t crew = begin_crew (0);
    muster_ask_t *ask = begin_ask (&crew);
    muster_ask_set_timeout (ask, -1);
    cr_assert_eq (muster_ask_send (ask, "TRAIN", NULL), 0);
    cr_assert_eq (muster_ask_asked (ask), 0);
    expect_end (ask);
    expect_missing (ask, "");
    muster_ask_destroy (&ask);
    ask = begin_ask (&crew);
    muster_ask_set_workers (ask, NULL, 0);
    cr_assert_eq (muster_ask_send (ask, "TRAIN", NULL), 0);
    expect_end (ask);
    muster_ask_destroy (&ask);
    end_crew (&crew);
}

/*  --------------------------------------------------------------------------
    Who is missing */

Test (ask, one_that_is_not_here_is_missing_and_holds_nothing_up)
{
    crew_t crew = begin_crew (1);
    muster_ask_t *ask = begin_ask (&crew);
    const char *named [] = { "nobody", "w0", "nowhere" };
    muster_ask_set_workers (ask, named, 3);
    muster_ask_set_timeout (ask, -1);
    cr_assert_eq (muster_ask_send (ask, "TRAIN", NULL), 0);
    cr_assert_eq (muster_ask_asked (ask), 3);
    answer (&crew, 0, 1);
    expect_reply (ask, "w0", 1);
    expect_end (ask);
    expect_missing (ask, "nobody NOTFOUND, nowhere NOTFOUND");
    muster_ask_destroy (&ask);
    end_crew (&crew);
}

Test (ask, one_that_says_goodbye_meanwhile_is_missing_left)
{
    crew_t crew = begin_crew (2);
    muster_ask_t *ask = begin_ask (&crew);
    muster_ask_set_timeout (ask, -1);
    muster_ask_send (ask, "TRAIN", NULL);
    scene_dismiss (crew.workers [0]);
    crew.workers [0] = NULL;
    answer (&crew, 1, 1);
    expect_reply (ask, "w1", 1);
    expect_end (ask);
    expect_missing (ask, "w0 LEFT");
    muster_ask_destroy (&ask);
    end_crew (&crew);
}

Test (ask, one_that_replies_and_then_says_goodbye_has_replied)
{
    crew_t crew = begin_crew (1);
    muster_ask_t *ask = begin_ask (&crew);
    muster_ask_send (ask, "TRAIN", NULL);
    answer (&crew, 0, 5);
    cr_assert_eq (muster_worker_send (crew.workers [0], "X", NULL), 0);
    AWAIT (muster_ask_replied (ask) == 1);
    expect_reply (ask, "w0", 5);
    scene_dismiss (crew.workers [0]);
    crew.workers [0] = NULL;
    expect_end (ask);
    expect_missing (ask, "");
    muster_ask_destroy (&ask);
    end_crew (&crew);
}

Test (ask, one_whose_source_is_taken_over_meanwhile_is_missing_replaced)
{
    crew_t crew = begin_crew (1);
    muster_ask_t *ask = begin_ask (&crew);
    muster_ask_set_timeout (ask, -1);
    muster_ask_send (ask, "TRAIN", NULL);
    muster_worker_t *fresh = scene_worker (&crew.scene, "w0");
    expect_end (ask);
    expect_missing (ask, "w0 REPLACED");
    muster_worker_destroy (&crew.workers [0]);
    muster_ask_destroy (&ask);
    scene_dismiss (fresh);
    end_crew (&crew);
}

Test (ask, one_that_is_silent_is_lost_at_the_timeout)
{
    scene_t scene = scene_open (scene_tcp ());
    muster_listener_set_liveness (scene.listener, 0.1);
    muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages);
    scene_start (&scene);
    crew_t crew = begin_crew_of (scene, 1);
    muster_ask_t *ask = begin_ask (&crew);
    muster_ask_set_timeout (ask, 0.5);
    muster_ask_send (ask, "TRAIN", NULL);
    muster_worker_destroy (&crew.workers [0]);
    expect_end (ask);
    expect_missing (ask, "w0 LOST");
    muster_ask_destroy (&ask);
    end_crew (&crew);
}

Test (ask, one_whose_command_buffer_is_full_is_missing_again)
{
    scene_t scene = scene_open (scene_tcp ());
    muster_listener_set_command_buffer (scene.listener, 100);
    muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages);
    scene_start (&scene);
    crew_t crew = begin_crew_of (scene, 1);
    static const char bytes [1000];
    cr_assert_eq (muster_listener_send (scene.listener, "w0", "X", "{s:y}", "b", bytes, sizeof bytes), 0);
    muster_ask_t *ask = begin_ask (&crew);
    muster_ask_set_timeout (ask, -1);
    cr_assert_eq (muster_ask_send (ask, "TRAIN", NULL), 0);
    expect_end (ask);
    expect_missing (ask, "w0 AGAIN");
    muster_ask_destroy (&ask);
    muster_message_t *command = scene_recv (crew.workers [0]);
    muster_message_done (&command, 0);
    end_crew (&crew);
}

/*  --------------------------------------------------------------------------
    Which replies belong to it */

Test (ask, a_reply_that_comes_after_the_end_goes_to_the_handler_marked_late)
{
    scene_t scene = scene_begin ();
    tally_t *tally = tally_new ();
    muster_listener_register_handler (scene.listener, "w0", tally_handler, tally, false);
    crew_t crew = begin_crew_of (scene, 1);
    muster_ask_t *ask = begin_ask (&crew);
    muster_ask_set_timeout (ask, 0);
    muster_ask_send (ask, "TRAIN", NULL);
    expect_end (ask);
    expect_missing (ask, "w0 LATE");
    answer (&crew, 0, 0);
    cr_assert (tally_wait (tally, 1));
    cr_assert_eq (tally_late (tally), 1);
    cr_assert_eq (tally_wrong (tally), 0);
    muster_ask_destroy (&ask);
    end_crew (&crew);
    tally_destroy (&tally);
}

Test (ask, replies_that_were_not_taken_when_it_is_destroyed_go_to_the_handler_marked_late)
{
    scene_t scene = scene_begin ();
    tally_t *tally = tally_new ();
    muster_listener_register_default_handler (scene.listener, tally_handler, tally);
    crew_t crew = begin_crew_of (scene, 3);
    muster_ask_t *ask = begin_ask (&crew);
    muster_ask_send (ask, "TRAIN", NULL);
    for (int i = 0; i < 3; i++)
        answer (&crew, i, 0);
    AWAIT (muster_ask_replied (ask) == 3);
    muster_ask_destroy (&ask);
    cr_assert (tally_wait (tally, 3));
    cr_assert_eq (tally_late (tally), 3);
    for (int i = 0; i < 3; i++)
        cr_assert_eq (muster_worker_flush (crew.workers [i], PATIENCE_MS), 0);
    end_crew (&crew);
    tally_destroy (&tally);
}

Test (ask, replies_to_two_rounds_at_once_do_not_mix)
{
    crew_t crew = begin_crew (3);
    muster_ask_t *one = begin_ask (&crew), *two = begin_ask (&crew);
    cr_assert_eq (muster_ask_send (one, "ONE", NULL), 0);
    cr_assert_eq (muster_ask_send (two, "TWO", NULL), 0);
    for (int i = 0; i < 3; i++) {
        muster_message_t *first = scene_recv (crew.workers [i]), *second = scene_recv (crew.workers [i]);
        cr_assert_str_eq (muster_message_cmd (first), "ONE");
        muster_message_reply (second, "UPDATE", "{s:i}", "n", 200 + i);
        muster_message_reply (first, "UPDATE", "{s:i}", "n", 100 + i);
        muster_message_done (&first, 0);
        muster_message_done (&second, 0);
        char source [16];
        snprintf (source, sizeof source, "w%d", i);
        expect_reply (one, source, 100 + i);
        expect_reply (two, source, 200 + i);
    }
    expect_end (two);
    expect_end (one);
    muster_ask_destroy (&one);
    muster_ask_destroy (&two);
    end_crew (&crew);
}

Test (ask, a_reply_to_a_plain_command_and_other_messages_are_not_the_rounds)
{
    crew_t crew = begin_crew (1);
    cr_assert_eq (muster_listener_send (crew.scene.listener, "w0", "PLAIN", NULL), 0);
    muster_ask_t *ask = begin_ask (&crew);
    muster_ask_send (ask, "TRAIN", NULL);
    muster_worker_send (crew.workers [0], "PROGRESS", "{s:i}", "n", 1);
    answer (&crew, 0, 2);
    answer (&crew, 0, 3);
    expect_reply (ask, "w0", 3);
    expect_end (ask);
    cr_assert (collector_wait (crew.scene.messages, 2));
    cr_assert_eq (collector_number (crew.scene.messages, 0), 1);
    cr_assert_eq (collector_number (crew.scene.messages, 1), 2);
    muster_ask_destroy (&ask);
    end_crew (&crew);
}

Test (ask, a_second_reply_to_the_same_command_goes_to_the_handler)
{
    crew_t crew = begin_crew (1);
    muster_ask_t *ask = begin_ask (&crew);
    muster_ask_send (ask, "TRAIN", NULL);
    muster_message_t *command = scene_recv (crew.workers [0]);
    muster_message_reply (command, "UPDATE", "{s:i}", "n", 1);
    muster_message_reply (command, "UPDATE", "{s:i}", "n", 2);
    muster_message_done (&command, 0);
    expect_reply (ask, "w0", 1);
    expect_end (ask);
    cr_assert (collector_wait (crew.scene.messages, 1));
    cr_assert_eq (collector_number (crew.scene.messages, 0), 2);
    muster_ask_destroy (&ask);
    end_crew (&crew);
}

Test (ask, a_source_that_is_named_twice_is_asked_once)
{
    crew_t crew = begin_crew (2);
    muster_ask_t *ask = begin_ask (&crew);
    const char *named [] = { "w1", "w0", "w1", "w0" };
    cr_assert_eq (muster_ask_set_workers (ask, named, 4), 0);
    cr_assert_eq (muster_ask_send (ask, "TRAIN", NULL), 0);
    cr_assert_eq (muster_ask_asked (ask), 2);
    answer (&crew, 0, 1);
    expect_reply (ask, "w0", 1);
    answer (&crew, 1, 2);
    expect_reply (ask, "w1", 2);
    expect_end (ask);
    muster_ask_destroy (&ask);
    end_crew (&crew);
}

Test (ask, works_where_messages_are_taken_with_next)
{
    scene_t scene = scene_open (scene_tcp ());
    scene_start (&scene);
    crew_t crew = begin_crew_of (scene, 2);
    muster_ask_t *ask = begin_ask (&crew);
    muster_ask_send (ask, "TRAIN", NULL);
    muster_worker_send (crew.workers [0], "PROGRESS", "{s:i}", "n", 9);
    answer (&crew, 0, 1);
    expect_reply (ask, "w0", 1);
    answer (&crew, 1, 2);
    expect_reply (ask, "w1", 2);
    expect_end (ask);
    muster_message_t *message = scene_next (&crew.scene);
    cr_assert_eq (scene_number (message), 9);
    muster_message_done (&message, 0);
    muster_ask_destroy (&ask);
    end_crew (&crew);
}

/*  --------------------------------------------------------------------------
    Inside a handler, and after stop */

typedef struct {
    crew_t *crew;
    int64_t replied;
    muster_error_t error;
} inner_t;

static int
ask_inside (const muster_message_t *message, void *argument)
{
    inner_t *self = argument;
    (void) message;
    muster_ask_t *ask = muster_ask_new (self->crew->scene.listener);
    const char *named [] = { "w1" };
    muster_ask_set_workers (ask, named, 1);
    muster_message_t *reply = NULL;
    self->error = muster_ask_send (ask, "TRAIN", NULL);
    if (!self->error)
        self->error = muster_ask_next (ask, &reply);
    if (reply) {
        self->replied = scene_number (reply);
        muster_message_done (&reply, 0);
    }
    muster_ask_destroy (&ask);
    return 0;
}

Test (ask, may_be_made_inside_a_handler)
{
    scene_t scene = scene_begin ();
    crew_t crew = begin_crew_of (scene, 2);
    inner_t inner = { .crew = &crew };
    muster_listener_register_handler (scene.listener, "w0", ask_inside, &inner, false);
    muster_worker_send (crew.workers [0], "GO", NULL);
    answer (&crew, 1, 42);
    cr_assert_eq (muster_worker_flush (crew.workers [0], PATIENCE_MS), 0);
    cr_assert_eq (inner.error, 0, "%s", muster_error_name (inner.error));
    cr_assert_eq (inner.replied, 42);
    end_crew (&crew);
}

typedef struct {
    muster_ask_t *ask;
    muster_error_t error;
} waiting_t;

static void *
wait_for_reply (void *argument)
{
    waiting_t *self = argument;
    muster_message_t *reply;
    self->error = muster_ask_next (self->ask, &reply);
    return NULL;
}

Test (ask, waiting_ends_with_closed_when_the_listener_stops)
{
    crew_t crew = begin_crew (1);
    waiting_t waiting = { .ask = begin_ask (&crew) };
    muster_ask_set_timeout (waiting.ask, -1);
    muster_ask_send (waiting.ask, "TRAIN", NULL);
    pthread_t thread;
    pthread_create (&thread, NULL, wait_for_reply, &waiting);
    muster_message_t *command = scene_recv (crew.workers [0]);
    cr_assert_eq (muster_listener_stop (crew.scene.listener, NULL), 0);
    pthread_join (thread, NULL);
    cr_assert_eq (waiting.error, MUSTER_CLOSED);
    muster_message_done (&command, 0);
    muster_ask_destroy (&waiting.ask);
    muster_worker_destroy (&crew.workers [0]);
    end_crew (&crew);
}

/*  --------------------------------------------------------------------------
    Replies across a stop */

/*  One worker, whose first message is at a handler that does not return. */
static crew_t
begin_crew_with_a_stuck_handler (void)
{
    crew_t crew = begin_crew (1);
    collector_block (crew.scene.messages);
    MUST (muster_worker_send (crew.workers [0], "FIRST", "{s:i}", "n", 1) == 0);
    MUST (collector_wait (crew.scene.messages, 1));
    return crew;
}

/*  Stop while the handler is stuck, let it go and start again. */
static void
stop_and_start (crew_t *crew)
{
    muster_listener_set_drain (crew->scene.listener, 0.05);
    MUST (muster_listener_stop (crew->scene.listener, NULL) == MUSTER_TIMEOUT);
    collector_unblock (crew->scene.messages);
    muster_listener_set_drain (crew->scene.listener, 10);
    scene_start (&crew->scene);
}

Test (ask, a_reply_that_overtook_what_a_stop_gave_up_comes_once_and_that_comes_again)
{
    crew_t crew = begin_crew_with_a_stuck_handler ();
    cr_assert_eq (muster_worker_send (crew.workers [0], "SECOND", "{s:i}", "n", 2), 0);
    muster_ask_t *ask = begin_ask (&crew);
    muster_ask_send (ask, "TRAIN", NULL);
    answer (&crew, 0, 7);
    expect_reply (ask, "w0", 7);
    cr_assert_eq (muster_worker_send (crew.workers [0], "THIRD", "{s:i}", "n", 3), 0);
    stop_and_start (&crew);
    cr_assert_eq (muster_worker_flush (crew.workers [0], PATIENCE_MS), 0);
    cr_assert_eq (collector_count (crew.scene.messages), 3);
    for (int i = 0; i < 3; i++)
        cr_assert_eq (collector_number (crew.scene.messages, i), i + 1);
    muster_ask_destroy (&ask);
    end_crew (&crew);
}

Test (ask, a_late_reply_that_nobody_had_taken_at_a_stop_comes_after_the_next_start)
{
    crew_t crew = begin_crew_with_a_stuck_handler ();
    muster_ask_t *ask = begin_ask (&crew);
    muster_ask_send (ask, "TRAIN", NULL);
    answer (&crew, 0, 7);
    AWAIT (muster_ask_replied (ask) == 1);
    muster_ask_destroy (&ask);
    stop_and_start (&crew);
    cr_assert_eq (muster_worker_flush (crew.workers [0], PATIENCE_MS), 0);
    cr_assert_eq (collector_count (crew.scene.messages), 2);
    cr_assert_eq (collector_number (crew.scene.messages, 1), 7);
    end_crew (&crew);
}

Test (ask, a_reply_of_a_worker_that_was_replaced_can_be_taken_after_the_stop)
{
    crew_t crew = begin_crew (1);
    muster_ask_t *ask = begin_ask (&crew);
    muster_ask_send (ask, "TRAIN", NULL);
    answer (&crew, 0, 7);
    AWAIT (muster_ask_replied (ask) == 1);
    muster_worker_t *other = scene_worker (&crew.scene, "w0");
    muster_message_t *command;
    cr_assert_eq (muster_worker_recv (crew.workers [0], &command, PATIENCE_MS), MUSTER_REPLACED);
    cr_assert_eq (muster_listener_stop (crew.scene.listener, NULL), 0);
    expect_reply (ask, "w0", 7);
    muster_ask_destroy (&ask);
    muster_worker_destroy (&other);
    muster_worker_destroy (&crew.workers [0]);
    end_crew (&crew);
}

Test (ask, where_the_listener_does_not_run_send_is_closed)
{
    crew_t crew = begin_crew (0);
    muster_ask_t *ask = begin_ask (&crew);
    cr_assert_eq (muster_listener_stop (crew.scene.listener, NULL), 0);
    cr_assert_eq (muster_ask_send (ask, "TRAIN", NULL), MUSTER_CLOSED);
    muster_message_t *reply;
    cr_assert_eq (muster_ask_next (ask, &reply), MUSTER_INVAL, "it was not sent");
    scene_start (&crew.scene);
    cr_assert_eq (muster_ask_send (ask, "TRAIN", NULL), 0);
    expect_end (ask);
    muster_ask_destroy (&ask);
    end_crew (&crew);
}

Test (ask, is_sent_once_and_bad_arguments_are_invalid)
{
    crew_t crew = begin_crew (1);
    muster_ask_t *ask = begin_ask (&crew);
    const char *bad [] = { "a", NULL };
    cr_assert_null (muster_ask_new (NULL));
    cr_assert_eq (muster_ask_set_workers (ask, bad, 2), MUSTER_INVAL);
    cr_assert_eq (muster_ask_set_workers (ask, NULL, 2), MUSTER_INVAL);
    const char *named [] = { "w0" };
    cr_assert_eq (muster_ask_set_workers (ask, named, 1), 0);
    cr_assert_eq (muster_ask_send (ask, "", NULL), MUSTER_INVAL);
    cr_assert_eq (muster_ask_send (ask, "TRAIN", "{s:q}", "n", 1), MUSTER_INVAL);
    cr_assert_eq (muster_ask_send_raw (ask, "TRAIN", "\x90", 1), MUSTER_FORMAT);
    cr_assert_eq (muster_ask_send (ask, "TRAIN", NULL), 0);
    cr_assert_eq (muster_ask_send (ask, "TRAIN", NULL), MUSTER_BUSY);
    cr_assert_eq (muster_ask_set_workers (ask, named, 1), MUSTER_INVAL);
    answer (&crew, 0, 1);
    expect_reply (ask, "w0", 1);
    muster_ask_destroy (&ask);
    muster_ask_destroy (&ask);
    muster_ask_destroy (NULL);
    end_crew (&crew);
}

/*  --------------------------------------------------------------------------
    Large */

Test (ask, twenty_megabytes_go_to_four_workers_and_come_back)
{
    const size_t size = 20000000;
    uint8_t *bytes = malloc (size);
    for (size_t i = 0; i < size; i++)
        bytes [i] = (uint8_t) (i * 2654435761u >> 13);
    crew_t crew = begin_crew (4);
    muster_ask_t *ask = begin_ask (&crew);
    cr_assert_eq (muster_ask_send (ask, "TRAIN", "{s:y}", "w", bytes, size), 0);
    for (int i = 0; i < 4; i++) {
        muster_message_t *command = scene_recv (crew.workers [i]);
        const void *got;
        size_t got_size;
        MUST (muster_message_unpack (command, "{s:y}", "w", &got, &got_size) == 0);
        MUST (got_size == size && memcmp (got, bytes, size) == 0);
        MUST (muster_message_reply (command, "UPDATE", "{s:y}", "w", got, got_size) == 0);
        MUST (muster_message_done (&command, 0) == 0);
    }
    for (int i = 0; i < 4; i++) {
        muster_message_t *reply;
        const void *got;
        size_t got_size;
        MUST (muster_ask_next (ask, &reply) == 0);
        MUST (muster_message_unpack (reply, "{s:y}", "w", &got, &got_size) == 0);
        MUST (got_size == size && memcmp (got, bytes, size) == 0);
        muster_message_done (&reply, 0);
    }
    expect_end (ask);
    muster_ask_destroy (&ask);
    end_crew (&crew);
    free (bytes);
}

Test (ask, hundreds_of_rounds_one_after_the_other_all_end_with_all_replies)
{
    crew_t crew = begin_crew (3);
    for (int round = 0; round < 300; round++) {
        muster_ask_t *ask = begin_ask (&crew);
        MUST (muster_ask_send (ask, "TRAIN", NULL) == 0);
        for (int i = 0; i < 3; i++)
            answer (&crew, i, round);
        for (int i = 0; i < 3; i++) {
            muster_message_t *reply;
            MUST (muster_ask_next (ask, &reply) == 0);
            MUST (scene_number (reply) == round);
            muster_message_done (&reply, 0);
        }
        muster_message_t *reply;
        MUST (muster_ask_next (ask, &reply) == MUSTER_END);
        muster_ask_destroy (&ask);
    }
    end_crew (&crew);
}
