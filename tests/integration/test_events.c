/*  test_events.c - workers that come and go: what the system handler is told

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

/*  A scene whose messages and events are kept in one row, in the order handled. */
static scene_t
begin_in_one_row (void)
{
    scene_t scene = scene_begin ();
    MUST (muster_listener_register_default_handler (scene.listener, collector_handler, scene.events) == 0);
    return scene;
}

static void
expect_story (const scene_t *scene, const char *expected)
{
    char *story = collector_story (scene->events);
    cr_assert_str_eq (story, expected, "%s", story);
    free (story);
}

/*  --------------------------------------------------------------------------
    Joined, left */

Test (events, joined_comes_before_the_first_message_and_left_after_the_last)
{
    scene_t scene = begin_in_one_row ();
    muster_worker_t *worker = scene_worker (&scene, "a");
    for (int i = 0; i < 500; i++)
        cr_assert_eq (muster_worker_send (worker, "X", "{s:i}", "n", i), 0);
    scene_dismiss (worker);
    cr_assert (collector_wait (scene.events, 502));
    cr_assert_str_eq (collector_cmd (scene.events, 0), "JOINED");
    cr_assert_str_eq (collector_about (scene.events, 0), "a");
    cr_assert_str_eq (collector_source (scene.events, 0), muster_listener_source (scene.listener));
    for (int i = 0; i < 500; i++)
        cr_assert_eq (collector_number (scene.events, 1 + i), i);
    cr_assert_str_eq (collector_cmd (scene.events, 501), "LEFT");
    cr_assert_str_eq (collector_about (scene.events, 501), "a");
    scene_close (&scene);
}

static char joined_session [40];

static int
keep_session (const muster_message_t *message, void *argument)
{
    const char *text = "";
    muster_message_unpack (message, "{s:s}", "session", &text);
    snprintf (joined_session, sizeof joined_session, "%s", text);
    return collector_handler (message, argument);
}

Test (events, joined_names_the_session_that_the_messages_come_in)
{
    scene_t scene = scene_open (scene_tcp ());
    muster_listener_register_system_handler (scene.listener, keep_session, scene.events);
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    muster_worker_send (worker, "X", NULL);
    muster_message_t *message = scene_next (&scene);
    cr_assert_str_eq (joined_session, muster_message_session (message));
    cr_assert_eq (strlen (joined_session), 32);
    muster_message_done (&message, 0);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (events, each_presence_of_many_begins_and_ends_exactly_once)
{
    scene_t scene = scene_begin ();
    muster_worker_t *workers [20];
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 20; i++) {
            char source [16];
            snprintf (source, sizeof source, "w%d", i);
            workers [i] = scene_worker (&scene, source);
            muster_worker_send (workers [i], "X", NULL);
        }
        for (int i = 0; i < 20; i++)
            scene_dismiss (workers [i]);
    }
    cr_assert (collector_wait (scene.events, 200));
    int present [20] = { 0 };
    for (int i = 0; i < 200; i++) {
        int worker = atoi (collector_about (scene.events, i) + 1);
        const char *cmd = collector_cmd (scene.events, i);
        present [worker] += strcmp (cmd, "JOINED") == 0 ? 1 : strcmp (cmd, "LEFT") == 0 ? -1 : 99;
        cr_assert (present [worker] == 0 || present [worker] == 1, "%s %d", cmd, worker);
    }
    for (int i = 0; i < 20; i++)
        cr_assert_eq (present [i], 0);
    cr_assert_eq (collector_count (scene.events), 200);
    cr_assert_eq (scene_stats (&scene).joined, 100);
    cr_assert_eq (scene_stats (&scene).sessions, 0);
    scene_close (&scene);
}

Test (events, come_to_whoever_takes_the_next_message_too)
{
    scene_t scene = scene_open (scene_tcp ());
    scene_start (&scene);
    muster_message_t *message;
    cr_assert_eq (muster_listener_next (scene.listener, &message, 0), MUSTER_TIMEOUT);
    muster_worker_t *worker = scene_worker (&scene, "a");
    muster_worker_send (worker, "X", NULL);
    message = scene_next (&scene);
    cr_assert_eq (collector_count (scene.events), 1);
    muster_message_done (&message, 0);
    scene_dismiss (worker);
    while (collector_count (scene.events) < 2)
        cr_assert_eq (muster_listener_next (scene.listener, &message, 1), MUSTER_TIMEOUT);
    expect_story (&scene, "JOINED a, LEFT a");
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    Replaced */

Test (events, a_fresh_worker_takes_over_the_source_and_the_old_ones_messages_are_handled_first)
{
    scene_t scene = begin_in_one_row ();
    muster_worker_t *old = scene_worker (&scene, "a");
    cr_assert (collector_wait (scene.events, 1));
    collector_block (scene.events);
    for (int i = 0; i < 100; i++)
        cr_assert_eq (muster_worker_send (old, "OLD", "{s:i}", "n", i), 0);
    AWAIT (scene_stats (&scene).received == 100);
    muster_worker_t *fresh = scene_worker (&scene, "a");
    cr_assert_eq (muster_worker_send (fresh, "FRESH", NULL), 0);
    AWAIT (scene_stats (&scene).received == 101);
    collector_unblock (scene.events);
    cr_assert_eq (muster_worker_flush (fresh, PATIENCE_MS), 0);
    cr_assert_eq (collector_count (scene.events), 104);
    for (int i = 0; i < 100; i++)
        cr_assert_eq (collector_number (scene.events, 1 + i), i);
    cr_assert_str_eq (collector_cmd (scene.events, 101), "REPLACED");
    cr_assert_str_eq (collector_cmd (scene.events, 102), "JOINED");
    cr_assert_str_eq (collector_cmd (scene.events, 103), "FRESH");
    muster_message_t *message;
    cr_assert_eq (muster_worker_recv (old, &message, PATIENCE_MS), MUSTER_REPLACED);
    cr_assert_eq (muster_worker_send (old, "X", NULL), MUSTER_REPLACED);
    cr_assert_neq (strlen (muster_worker_reason (old)), 0);
    muster_worker_destroy (&old);
    scene_dismiss (fresh);
    scene_close (&scene);
}

Test (events, all_calls_of_a_replaced_worker_say_so_those_that_wait_too)
{
    scene_t scene = scene_begin ();
    collector_block (scene.messages);
    muster_worker_t *old = scene_worker (&scene, "a");
    muster_worker_send (old, "X", NULL);
    cr_assert (collector_wait (scene.messages, 1));
    muster_worker_t *fresh = scene_worker (&scene, "a");
    cr_assert_eq (muster_worker_flush (old, PATIENCE_MS), MUSTER_REPLACED);
    cr_assert_eq (muster_worker_send (old, "Y", NULL), MUSTER_REPLACED);
    uint64_t unconfirmed = 0;
    cr_assert_eq (muster_worker_close (old, &unconfirmed), MUSTER_REPLACED);
    cr_assert_eq (unconfirmed, 1);
    cr_assert_eq (muster_worker_send (old, "Z", NULL), MUSTER_REPLACED);
    muster_worker_destroy (&old);
    collector_unblock (scene.messages);
    scene_dismiss (fresh);
    cr_assert (collector_wait (scene.events, 4));
    expect_story (&scene, "JOINED a, REPLACED a, JOINED a, LEFT a");
    scene_close (&scene);
}

Test (events, commands_go_to_the_worker_that_took_over)
{
    scene_t scene = scene_begin ();
    muster_worker_t *old = scene_worker (&scene, "a");
    cr_assert (collector_wait (scene.events, 1));
    muster_worker_t *fresh = scene_worker (&scene, "a");
    cr_assert (collector_wait (scene.events, 3));
    cr_assert_eq (muster_listener_send (scene.listener, "a", "HELLO", NULL), 0);
    muster_message_t *command = scene_recv (fresh);
    cr_assert_str_eq (muster_message_cmd (command), "HELLO");
    muster_message_done (&command, 0);
    cr_assert_eq (muster_worker_recv (old, &command, PATIENCE_MS), MUSTER_REPLACED);
    muster_worker_destroy (&old);
    scene_dismiss (fresh);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    Lost, returned */

static scene_t
begin_impatient (void)
{
    scene_t scene = scene_open (scene_tcp ());
    muster_listener_set_liveness (scene.listener, 0.2);
    muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages);
    scene_start (&scene);
    return scene;
}

Test (events, a_worker_that_goes_without_goodbye_is_lost_when_liveness_has_passed)
{
    scene_t scene = begin_impatient ();
    muster_worker_t *worker = scene_worker (&scene, "a");
    cr_assert_eq (muster_worker_send (worker, "X", NULL), 0);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    int64_t gone = scene_now_ms ();
    muster_worker_destroy (&worker);
    cr_assert (collector_wait (scene.events, 2));
    cr_assert_geq (scene_now_ms () - gone, 100);
    expect_story (&scene, "JOINED a, LOST a");
    cr_assert_eq (scene_stats (&scene).workers, 0);
    cr_assert_eq (scene_stats (&scene).sessions, 1, "it might come back");
    cr_assert_eq (muster_listener_send (scene.listener, "a", "X", NULL), MUSTER_NOTFOUND);
    muster_worker_t *fresh = scene_worker (&scene, "a");
    cr_assert (collector_wait (scene.events, 3));
    cr_assert_str_eq (collector_cmd (scene.events, 2), "JOINED");
    scene_dismiss (fresh);
    scene_close (&scene);
}

Test (events, a_worker_that_only_waits_is_not_lost)
{
    scene_t scene = begin_impatient ();
    muster_worker_t *worker = scene_worker (&scene, "a");
    muster_message_t *message;
    cr_assert_eq (muster_worker_recv (worker, &message, 700), MUSTER_TIMEOUT);
    expect_story (&scene, "JOINED a");
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (events, a_worker_is_not_lost_while_a_handler_works_for_longer_than_liveness)
{
    scene_t scene = begin_impatient ();
    collector_block (scene.messages);
    muster_worker_t *worker = scene_worker (&scene, "a");
    muster_worker_send (worker, "X", NULL);
    cr_assert (collector_wait (scene.messages, 1));
    muster_message_t *message;
    cr_assert_eq (muster_worker_recv (worker, &message, 500), MUSTER_TIMEOUT);
    collector_unblock (scene.messages);
    scene_dismiss (worker);
    cr_assert (collector_wait (scene.events, 2));
    expect_story (&scene, "JOINED a, LEFT a");
    scene_close (&scene);
}

Test (events, after_stop_and_start_the_workers_return)
{
    scene_t scene = scene_begin ();
    muster_worker_t *a = scene_worker (&scene, "a"), *b = scene_worker (&scene, "b");
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 2, PATIENCE_MS), 0);
    for (int round = 0; round < 3; round++) {
        cr_assert_eq (muster_listener_stop (scene.listener, NULL), 0);
        cr_assert_eq (muster_worker_send (a, "X", "{s:i}", "n", round), 0);
        scene_start (&scene);
        const char *both [] = { "a", "b" };
        cr_assert_eq (muster_listener_wait_for_sources (scene.listener, both, 2, PATIENCE_MS), 0);
        cr_assert_eq (muster_worker_flush (a, PATIENCE_MS), 0);
        cr_assert_eq (collector_number (scene.messages, round), round);
    }
    scene_dismiss (a);
    scene_dismiss (b);
    cr_assert (collector_wait (scene.events, 10));
    int joined = 0, returned = 0, left = 0;
    for (int i = 0; i < 10; i++) {
        joined += strcmp (collector_cmd (scene.events, i), "JOINED") == 0;
        returned += strcmp (collector_cmd (scene.events, i), "RETURNED") == 0;
        left += strcmp (collector_cmd (scene.events, i), "LEFT") == 0;
    }
    cr_assert (joined == 2 && returned == 6 && left == 2);
    scene_close (&scene);
}

/*  A worker that hears of a new listener in time need not wait for what the old one promised. */
Test (events, a_worker_that_waits_for_a_command_is_told_of_a_new_listener_though_that_sends_none)
{
    char endpoint [100];
    scene_private_endpoint (endpoint, sizeof endpoint);
    scene_t first = scene_open (endpoint), second = scene_open (endpoint);
    scene_start (&first);
    muster_worker_t *worker = scene_worker (&first, "a");
    cr_assert_eq (muster_listener_wait_for_workers (first.listener, 1, PATIENCE_MS), 0);
    muster_message_t *news;
    cr_assert_eq (muster_worker_recv (worker, &news, 0), MUSTER_TIMEOUT);
    scene_close (&first);
    scene_start (&second);
    news = scene_recv (worker);
    cr_assert_str_eq (muster_message_cmd (news), MUSTER_EVENT_RESTARTED);
    cr_assert_eq (muster_message_done (&news, 0), 0);
    cr_assert_eq (muster_worker_recv (worker, &news, 0), MUSTER_TIMEOUT);
    scene_dismiss (worker);
    scene_close (&second);
}

/*  Remembers the session and the position of the last message, whose arg it is. */
typedef struct {
    char session [100];
    uint64_t position;
} origin_t;

static int
note_origin (const muster_message_t *message, void *arg)
{
    origin_t *self = arg;
    snprintf (self->session, sizeof self->session, "%s", muster_message_session (message));
    self->position = muster_message_position (message);
    return 0;
}

Test (events, session_and_position_go_on_at_another_listener)
{
    char endpoint [100];
    scene_private_endpoint (endpoint, sizeof endpoint);
    scene_t first = scene_open (endpoint), second = scene_open (endpoint);
    origin_t here, there;
    muster_listener_register_default_handler (first.listener, note_origin, &here);
    muster_listener_register_default_handler (second.listener, note_origin, &there);
    scene_start (&first);
    muster_worker_t *worker = scene_worker (&first, "a");
    muster_worker_send (worker, "ONE", NULL);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    scene_close (&first);
    muster_worker_send (worker, "TWO", NULL);
    scene_start (&second);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert_neq (strlen (here.session), 0);
    cr_assert_str_eq (there.session, here.session);
    cr_assert_eq (here.position, 1);
    cr_assert_eq (there.position, 2);
    scene_dismiss (worker);
    scene_close (&second);
}

Test (events, a_worker_finds_a_new_listener_and_its_unconfirmed_messages_are_handled_there)
{
    char endpoint [100];
    scene_private_endpoint (endpoint, sizeof endpoint);
    scene_t first = scene_open (endpoint), second = scene_open (endpoint);
    muster_listener_register_default_handler (first.listener, collector_handler, first.messages);
    muster_listener_register_default_handler (second.listener, collector_handler, second.messages);
    scene_start (&first);
    muster_worker_t *worker = scene_worker (&first, "a");
    muster_worker_send (worker, "ONE", NULL);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    scene_close (&first);
    muster_worker_send (worker, "TWO", NULL);
    scene_start (&second);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert_eq (collector_count (second.messages), 1);
    cr_assert_str_eq (collector_cmd (second.messages, 0), "TWO");
    cr_assert_eq (muster_listener_send (second.listener, "a", "HELLO", NULL), 0);
    muster_message_t *news = scene_recv (worker);
    cr_assert_str_eq (muster_message_cmd (news), MUSTER_EVENT_RESTARTED);
    cr_assert_str_eq (muster_message_source (news), muster_listener_source (second.listener));
    cr_assert_eq (muster_message_position (news), 0);
    cr_assert_neq (muster_message_reply (news, "X", NULL), 0);
    const char *source;
    cr_assert_eq (muster_message_unpack (news, "{s:s}", "source", &source), 0);
    cr_assert_str_eq (source, muster_listener_source (second.listener));
    cr_assert_eq (muster_message_done (&news, 0), 0);
    muster_message_t *command = scene_recv (worker);
    cr_assert_str_eq (muster_message_source (command), muster_listener_source (second.listener));
    cr_assert_eq (muster_message_position (command), 1);
    muster_message_done (&command, 0);
    scene_dismiss (worker);
    scene_close (&second);
}

/*  --------------------------------------------------------------------------
    Refused */

Test (events, a_worker_that_takes_the_listeners_own_source_is_refused)
{
    scene_t scene = scene_begin ();
    scene_hush ();
    muster_worker_t *worker = scene_worker (&scene, muster_listener_source (scene.listener));
    muster_message_t *message;
    cr_assert_eq (muster_worker_recv (worker, &message, PATIENCE_MS), MUSTER_RESERVED);
    cr_assert_eq (muster_worker_send (worker, "X", NULL), MUSTER_RESERVED);
    cr_assert_neq (strlen (muster_worker_reason (worker)), 0);
    muster_worker_destroy (&worker);
    cr_assert (collector_wait (scene.events, 1));
    cr_assert_str_eq (collector_cmd (scene.events, 0), "REFUSED");
    cr_assert_str_eq (collector_about (scene.events, 0), muster_listener_source (scene.listener));
    cr_assert_neq (strlen (collector_reason (scene.events, 0)), 0);
    cr_assert_eq (scene_stats (&scene).joined, 0);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    Waiting for workers */

Test (events, wait_for_workers_returns_when_so_many_are_here)
{
    scene_t scene = scene_begin ();
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 0, 0), 0);
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 1, 0), MUSTER_TIMEOUT);
    muster_worker_t *a = scene_worker (&scene, "a");
    int64_t began = scene_now_ms ();
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 2, 100), MUSTER_TIMEOUT);
    cr_assert_geq (scene_now_ms () - began, 100);
    muster_worker_t *b = scene_worker (&scene, "b");
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 2, -1), 0);
    scene_dismiss (a);
    scene_dismiss (b);
    scene_close (&scene);
}

Test (events, wait_for_sources_returns_when_these_are_here)
{
    scene_t scene = scene_begin ();
    const char *wanted [] = { "a", "b" }, *bad [] = { "a", NULL };
    cr_assert_eq (muster_listener_wait_for_sources (scene.listener, wanted, 0, 0), 0);
    cr_assert_eq (muster_listener_wait_for_sources (scene.listener, bad, 2, 0), MUSTER_INVAL);
    cr_assert_eq (muster_listener_wait_for_sources (scene.listener, NULL, 1, 0), MUSTER_INVAL);
    muster_worker_t *a = scene_worker (&scene, "a"), *c = scene_worker (&scene, "c");
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 2, PATIENCE_MS), 0);
    cr_assert_eq (muster_listener_wait_for_sources (scene.listener, wanted, 2, 20), MUSTER_TIMEOUT);
    muster_worker_t *b = scene_worker (&scene, "b");
    cr_assert_eq (muster_listener_wait_for_sources (scene.listener, wanted, 2, PATIENCE_MS), 0);
    scene_dismiss (a);
    scene_dismiss (b);
    scene_dismiss (c);
    scene_close (&scene);
}

typedef struct {
    muster_listener_t *listener;
    muster_error_t error;
} waiter_t;

static void *
wait_for_ever (void *argument)
{
    waiter_t *self = argument;
    self->error = muster_listener_wait_for_workers (self->listener, 5, -1);
    return NULL;
}

Test (events, waiting_ends_with_closed_when_the_listener_stops_or_does_not_run)
{
    scene_t scene = scene_open (scene_tcp ());
    const char *wanted [] = { "a" };
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 1, -1), MUSTER_CLOSED);
    cr_assert_eq (muster_listener_wait_for_sources (scene.listener, wanted, 1, -1), MUSTER_CLOSED);
    scene_start (&scene);
    waiter_t waiter = { .listener = scene.listener };
    pthread_t thread;
    pthread_create (&thread, NULL, wait_for_ever, &waiter);
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 1, 30), MUSTER_TIMEOUT);
    cr_assert_eq (muster_listener_stop (scene.listener, NULL), 0);
    pthread_join (thread, NULL);
    cr_assert_eq (waiter.error, MUSTER_CLOSED);
    scene_close (&scene);
}

Test (events, the_list_of_workers_is_of_those_here)
{
    scene_t scene = scene_begin ();
    char **sources = NULL;
    size_t count = 9;
    cr_assert_eq (muster_listener_workers (scene.listener, &sources, &count), 0);
    cr_assert (count == 0 && sources [0] == NULL);
    muster_free (sources);
    muster_worker_t *a = scene_worker (&scene, "a");
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 1, PATIENCE_MS), 0);
    muster_worker_t *b = scene_worker (&scene, "b");
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 2, PATIENCE_MS), 0);
    cr_assert_eq (muster_listener_workers (scene.listener, &sources, NULL), 0);
    bool straight = strcmp (sources [0], "a") == 0;
    cr_assert_str_eq (sources [straight ? 0 : 1], "a");
    cr_assert_str_eq (sources [straight ? 1 : 0], "b");
    cr_assert_null (sources [2]);
    muster_free (sources);
    scene_dismiss (a);
    cr_assert_eq (muster_listener_workers (scene.listener, &sources, &count), 0);
    cr_assert_eq (count, 1);
    cr_assert_str_eq (sources [0], "b");
    muster_free (sources);
    muster_free (NULL);
    scene_dismiss (b);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    Many in one process */

Test (events, several_listeners_and_workers_in_one_process_do_not_mix)
{
    scene_t scenes [4];
    muster_worker_t *workers [4][3];
    for (int i = 0; i < 4; i++)
        scenes [i] = scene_begin ();
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 3; j++) {
            char source [16];
            snprintf (source, sizeof source, "w%d", j);
            workers [i][j] = scene_worker (&scenes [i], source);
            for (int k = 0; k < 100; k++)
                cr_assert_eq (muster_worker_send (workers [i][j], "X", "{s:i}", "n", i), 0);
        }
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 3; j++)
            scene_dismiss (workers [i][j]);
        cr_assert_eq (collector_count (scenes [i].messages), 300);
        for (int k = 0; k < 300; k++)
            cr_assert_eq (collector_number (scenes [i].messages, k), i);
        cr_assert (collector_wait (scenes [i].events, 6));
        scene_close (&scenes [i]);
    }
}

Test (events, what_was_told_before_a_stop_is_handled_though_the_handler_is_slow)
{
    scene_t scene = scene_begin ();
    collector_block (scene.events);
    muster_worker_t *worker = scene_worker (&scene, "a");
    cr_assert (collector_wait (scene.events, 1));
    scene_dismiss (worker);
    muster_listener_set_drain (scene.listener, 0);
    cr_assert_eq (muster_listener_stop (scene.listener, NULL), MUSTER_TIMEOUT);
    collector_unblock (scene.events);
    cr_assert (collector_wait (scene.events, 2));
    char *story = collector_story (scene.events);
    cr_assert_str_eq (story, "JOINED a, LEFT a");
    free (story);
    scene_close (&scene);
}
