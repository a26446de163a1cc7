/*  test_revoke.c - another allow list while a listener runs: who goes, and what becomes of it

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <muster/muster.h>
#include <zmq.h>

#include "collector.h"
#include "keyring.h"
#include "scene.h"

static keyring_t keyring;

static void
set_up (void)
{
    keyring = keyring_open ();
    scene_hush ();
}

static void
tear_down (void)
{
    keyring_close (&keyring);
}

TestSuite (revoke, .init = set_up, .fini = tear_down, .timeout = 300);

/*  With keys "a" and "b", whose messages and events are kept apart. */
static scene_t
begin (void)
{
    scene_t scene = scene_open (scene_tcp ());
    MUST (muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages) == 0);
    keyring_admit (&keyring, "a");
    keyring_admit (&keyring, "b");
    keyring_arm_listener (&keyring, scene.listener);
    scene_start (&scene);
    return scene;
}

static muster_worker_t *
begin_worker (const scene_t *scene, const char *key, const char *source)
{
    muster_worker_t *worker = scene_new_worker (scene, source);
    keyring_arm_worker (&keyring, worker, key);
    scene_start_worker (worker);
    return worker;
}

static void
revoke (const scene_t *scene, const char *name)
{
    keyring_revoke (&keyring, name);
    cr_assert_eq (muster_listener_reload (scene->listener), 0, "%s", muster_listener_reason (scene->listener));
}

static muster_error_t
end_of (muster_worker_t *worker)
{
    muster_message_t *message;
    muster_error_t error = muster_worker_recv (worker, &message, PATIENCE_MS);
    cr_assert (error, "a message");
    return error;
}

Test (revoke, a_live_worker_is_told_and_what_no_handler_has_taken_is_dropped_and_counted)
{
    scene_t scene = begin ();
    muster_worker_t *worker = begin_worker (&scene, "a", "a");
    collector_block (scene.messages);
    for (int i = 0; i < 100; i++)
        cr_assert_eq (muster_worker_send (worker, "X", "{s:i}", "n", i), 0);
    AWAIT (scene_stats (&scene).received == 100);
    cr_assert (collector_wait (scene.messages, 1));
    revoke (&scene, "a");
    cr_expect_eq (scene_stats (&scene).dropped, 99);
    cr_expect_eq (scene_stats (&scene).queued, 1);
    cr_expect_eq (scene_stats (&scene).workers, 0);
    cr_expect_eq (scene_stats (&scene).sessions, 0);
    cr_expect_eq (end_of (worker), MUSTER_REVOKED);
    collector_unblock (scene.messages);
    AWAIT (scene_stats (&scene).handled == 1);
    size_t event = collector_find (scene.events, 0, MUSTER_EVENT_REVOKED);
    cr_expect_str_eq (collector_about (scene.events, event), "a");
    cr_expect_eq (collector_count (scene.messages), 1);
    muster_worker_destroy (&worker);
    scene_close (&scene);
}

Test (revoke, who_was_revoked_does_not_get_in_again)
{
    scene_t scene = begin ();
    muster_worker_t *worker = begin_worker (&scene, "a", "a");
    collector_find (scene.events, 0, MUSTER_EVENT_JOINED);
    revoke (&scene, "a");
    cr_expect_eq (end_of (worker), MUSTER_REVOKED);
    cr_expect_eq (muster_worker_send (worker, "X", NULL), MUSTER_REVOKED);
    muster_worker_destroy (&worker);
    worker = begin_worker (&scene, "a", "a");
    cr_expect_eq (end_of (worker), MUSTER_ACCESS);
    muster_worker_destroy (&worker);
    cr_expect_eq (collector_count (scene.messages), 0);
    scene_close (&scene);
}

Test (revoke, the_others_go_on)
{
    scene_t scene = begin ();
    muster_worker_t *a = begin_worker (&scene, "a", "a");
    muster_worker_t *b = begin_worker (&scene, "b", "b");
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 2, PATIENCE_MS), 0);
    for (int i = 0; i < 1000; i++) {
        cr_assert_eq (muster_worker_send (b, "X", "{s:i}", "n", i), 0);
        if (i == 500)
            revoke (&scene, "a");
    }
    cr_assert_eq (muster_worker_flush (b, PATIENCE_MS), 0);
    cr_expect_eq (end_of (a), MUSTER_REVOKED);
    cr_expect_eq (collector_count (scene.messages), 1000);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq (collector_number (scene.messages, i), i);
    muster_worker_destroy (&a);
    scene_dismiss (b);
    scene_close (&scene);
}

Test (revoke, of_one_source_of_a_key_ends_that_one_alone)
{
    scene_t scene = begin ();
    char key [41], text [256];
    keyring_read (&keyring, "a", ".pub", "public-key", key);
    keyring_enrol (&keyring, "a", "a2");
    cr_assert_eq (muster_listener_reload (scene.listener), 0);
    muster_worker_t *first = begin_worker (&scene, "a", "a");
    muster_worker_t *second = begin_worker (&scene, "a", "a2");
    collector_find (scene.events, 0, MUSTER_EVENT_JOINED);
    cr_assert (collector_wait (scene.events, 2));
    snprintf (text, sizeof text, "curve %s a2\n", key);
    keyring_write (&keyring, "allow", "", text);
    cr_assert_eq (muster_listener_reload (scene.listener), 0, "%s", muster_listener_reason (scene.listener));
    cr_expect_eq (end_of (first), MUSTER_REVOKED);
    cr_expect_eq (muster_worker_send (second, "X", NULL), 0);
    cr_expect_eq (muster_worker_flush (second, PATIENCE_MS), 0);
    muster_worker_destroy (&first);
    scene_dismiss (second);
    scene_close (&scene);
}

Test (revoke, a_file_with_a_fault_leaves_the_old_list_in_force_and_names_the_line)
{
    scene_t scene = begin ();
    muster_worker_t *worker = begin_worker (&scene, "a", "a");
    keyring_write (&keyring, "allow", "", "# nobody\ncurve what\n");
    cr_expect_eq (muster_listener_reload (scene.listener), MUSTER_FORMAT);
    const char *reason = muster_listener_reason (scene.listener);
    cr_expect (strstr (reason, "allow") && strstr (reason, "line 2"), "%s", reason);
    muster_worker_send (worker, "X", NULL);
    cr_expect_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    muster_worker_t *other = begin_worker (&scene, "b", "b");
    muster_worker_send (other, "X", NULL);
    cr_expect_eq (muster_worker_flush (other, PATIENCE_MS), 0);
    scene_dismiss (worker);
    scene_dismiss (other);
    scene_close (&scene);
}

Test (revoke, a_list_that_was_never_given_cannot_be_read_again)
{
    scene_t scene = scene_begin ();
    cr_expect_eq (muster_listener_reload (scene.listener), MUSTER_INVAL);
    cr_expect_eq (muster_listener_reload (NULL), MUSTER_INVAL);
    scene_close (&scene);
}

Test (revoke, who_is_enrolled_while_the_listener_runs_gets_in)
{
    scene_t scene = begin ();
    keyring_admit (&keyring, "c");
    muster_worker_t *worker = begin_worker (&scene, "c", "c");
    cr_expect_eq (end_of (worker), MUSTER_ACCESS);
    muster_worker_destroy (&worker);
    cr_assert_eq (muster_listener_reload (scene.listener), 0);
    worker = begin_worker (&scene, "c", "c");
    muster_worker_send (worker, "X", NULL);
    cr_expect_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (revoke, frees_the_credit_that_the_worker_held)
{
    scene_t scene = scene_open (scene_tcp ());
    keyring_admit (&keyring, "a");
    keyring_admit (&keyring, "b");
    keyring_arm_listener (&keyring, scene.listener);
    muster_listener_set_receive_budget (scene.listener, 4 << 20);
    muster_listener_set_plain_share (scene.listener, 1 << 20);
    muster_listener_set_message_limit (scene.listener, 2 << 20);
    MUST (muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages) == 0);
    scene_start (&scene);
    collector_block (scene.messages);
    muster_worker_t *a = begin_worker (&scene, "a", "a");
    muster_worker_t *b = begin_worker (&scene, "b", "b");
    static char bytes [900 * 1000];
    for (int i = 0; i < 4; i++)
        cr_assert_eq (muster_worker_send (a, "X", "{s:y}", "bytes", bytes, sizeof bytes), 0);
    AWAIT (scene_stats (&scene).received >= 2);
    for (int i = 0; i < 2; i++)
        cr_assert_eq (muster_worker_send (b, "Y", "{s:y}", "bytes", bytes, sizeof bytes), 0);
    revoke (&scene, "a");
    AWAIT (scene_stats (&scene).queued == 3);
    collector_unblock (scene.messages);
    cr_expect_eq (muster_worker_flush (b, PATIENCE_MS), 0);
    cr_expect_eq (end_of (a), MUSTER_REVOKED);
    muster_worker_destroy (&a);
    scene_dismiss (b);
    scene_close (&scene);
}

Test (revoke, an_absent_worker_finds_its_session_gone)
{
    scene_t scene = begin ();
    muster_worker_t *worker = scene_new_worker (&scene, "a");
    muster_worker_set_liveness (worker, 1);
    keyring_arm_worker (&keyring, worker, "a");
    scene_start_worker (worker);
    muster_worker_send (worker, "X", NULL);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert_eq (muster_listener_stop (scene.listener, NULL), 0);
    cr_expect_eq (scene_stats (&scene).sessions, 1);
    keyring_revoke (&keyring, "a");
    scene_start (&scene);
    AWAIT (scene_stats (&scene).sessions == 0);
    cr_expect_eq (end_of (worker), MUSTER_ACCESS);
    muster_worker_destroy (&worker);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    Rounds */

Test (revoke, a_round_misses_who_was_revoked)
{
    scene_t scene = begin ();
    muster_worker_t *a = begin_worker (&scene, "a", "a");
    muster_worker_t *b = begin_worker (&scene, "b", "b");
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 2, PATIENCE_MS), 0);
    muster_ask_t *ask = muster_ask_new (scene.listener);
    muster_ask_set_timeout (ask, 60);
    cr_assert_eq (muster_ask_send (ask, "GO", NULL), 0);
    muster_message_t *command = scene_recv (a);
    cr_assert_eq (muster_message_reply (command, "DONE", NULL), 0);
    muster_message_done (&command, 0);
    cr_assert_eq (muster_worker_flush (a, 0), MUSTER_TIMEOUT);
    AWAIT (scene_stats (&scene).received == 1);
    revoke (&scene, "a");
    command = scene_recv (b);
    cr_assert_eq (muster_message_reply (command, "DONE", NULL), 0);
    muster_message_done (&command, 0);

    muster_message_t *reply;
    cr_assert_eq (muster_ask_next (ask, &reply), 0);
    cr_expect_str_eq (muster_message_source (reply), "b");
    muster_message_done (&reply, 0);
    cr_expect_eq (muster_ask_next (ask, &reply), MUSTER_END);
    const char *source;
    muster_error_t why;
    cr_assert_eq (muster_ask_missing (ask, 0, &source, &why), 0);
    cr_expect_str_eq (source, "a");
    cr_expect_eq (why, MUSTER_REVOKED);
    cr_expect_eq (scene_stats (&scene).dropped, 1);
    cr_expect_eq (scene_stats (&scene).queued, 0);
    muster_ask_destroy (&ask);
    muster_worker_destroy (&a);
    scene_dismiss (b);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    In a handler */

static int
reload_in_handler (const muster_message_t *message, void *argument)
{
    (void) message;
    scene_t *scene = argument;
    keyring_revoke (&keyring, "a");
    return muster_listener_reload (scene->listener);
}

Test (revoke, may_be_done_by_a_handler)
{
    scene_t scene = begin ();
    MUST (muster_listener_register_handler (scene.listener, "b", reload_in_handler, &scene, false) == 0);
    muster_worker_t *a = begin_worker (&scene, "a", "a");
    muster_worker_t *b = begin_worker (&scene, "b", "b");
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 2, PATIENCE_MS), 0);
    muster_worker_send (b, "REVOKE", NULL);
    cr_expect_eq (muster_worker_flush (b, PATIENCE_MS), 0);
    cr_expect_eq (end_of (a), MUSTER_REVOKED);
    cr_expect_eq (scene_stats (&scene).failed, 0);
    muster_worker_destroy (&a);
    scene_dismiss (b);
    scene_close (&scene);
}

Test (revoke, zz_a_flush_of_who_was_revoked_is_no_success)
{
    scene_t scene = begin ();
    muster_worker_t *a = begin_worker (&scene, "a", "a");
    muster_worker_t *b = begin_worker (&scene, "b", "b");
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 2, PATIENCE_MS), 0);
    collector_block (scene.messages);
    muster_worker_send (b, "X", NULL);
    cr_assert (collector_wait (scene.messages, 1));
    for (int i = 0; i < 10; i++)
        muster_worker_send (a, "X", "{s:i}", "n", i);
    AWAIT (scene_stats (&scene).received == 11);
    cr_assert_eq (muster_worker_flush (a, 200), MUSTER_TIMEOUT);
    revoke (&scene, "a");
    cr_expect_eq (scene_stats (&scene).dropped, 10);
    cr_expect_eq (end_of (a), MUSTER_REVOKED);
    int rc = muster_worker_flush (a, 1000);
    uint64_t unconfirmed = 99;
    int rc2 = muster_worker_close (a, &unconfirmed);
    cr_expect_neq (rc, 0, "flush %d close %d unconfirmed %d", rc, rc2, (int) unconfirmed);
    muster_worker_destroy (&a);
    collector_unblock (scene.messages);
    scene_dismiss (b);
    scene_close (&scene);
}

static void
late_after_stop (bool end_ask)
{
    scene_t scene = scene_open (scene_tcp ());
    muster_message_t *none, *reply = NULL;
    keyring_admit (&keyring, "a");
    keyring_arm_listener (&keyring, scene.listener);
    muster_listener_set_drain (scene.listener, 0.2);
    scene_start (&scene);
    muster_listener_next (scene.listener, &none, 0);
    muster_worker_t *a = begin_worker (&scene, "a", "a");
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 1, PATIENCE_MS), 0);
    muster_ask_t *ask = muster_ask_new (scene.listener);
    cr_assert_eq (muster_ask_send (ask, "GO", NULL), 0);
    muster_message_t *command = scene_recv (a);
    muster_worker_send (a, "X", NULL);
    AWAIT (scene_stats (&scene).received == 1);
    cr_assert_eq (muster_message_reply (command, "DONE", NULL), 0);
    muster_message_done (&command, 0);
    AWAIT (scene_stats (&scene).received == 2);
    muster_worker_destroy (&a);
    if (end_ask)
        muster_ask_destroy (&ask);
    uint64_t dropped;
    muster_listener_stop (scene.listener, &dropped);
    scene_start (&scene);
    revoke (&scene, "a");
    if (end_ask)
        muster_listener_next (scene.listener, &reply, 500);
    else
        muster_ask_next_within (ask, &reply, 500);
    cr_expect_null (reply, "got %s of %s after reload, stop dropped %d, queued %d",
        reply ? muster_message_cmd (reply) : "", reply ? muster_message_source (reply) : "",
        (int) dropped, (int) scene_stats (&scene).queued);
    if (reply)
        muster_message_done (&reply, 0);
    if (!end_ask)
        muster_ask_destroy (&ask);
    scene_close (&scene);
}

Test (revoke, zz_reply_in_round_over_a_stop)
{
    late_after_stop (false);
}
Test (revoke, zz_late_reply_over_a_stop)
{
    late_after_stop (true);
}

static volatile int entered, reloaded = -1;
static int64_t took;
static int
slow_reload (const muster_message_t *message, void *argument)
{
    (void) message;
    scene_t *scene = argument;
    entered = 1;
    struct timespec t = { 0, 500000000 };
    nanosleep (&t, NULL);
    int64_t began = scene_now_ms ();
    reloaded = muster_listener_reload (scene->listener);
    took = scene_now_ms () - began;
    return 0;
}
Test (revoke, zz_reload_in_a_handler_while_stop_waits_for_it)
{
    scene_t scene = begin ();
    MUST (muster_listener_register_handler (scene.listener, "b", slow_reload, &scene, false) == 0);
    muster_worker_t *b = begin_worker (&scene, "b", "b");
    muster_worker_send (b, "REVOKE", NULL);
    AWAIT (entered);
    muster_listener_set_drain (scene.listener, 5);
    int64_t began = scene_now_ms ();
    int rc = muster_listener_stop (scene.listener, NULL);
    int64_t ms = scene_now_ms () - began;
    AWAIT (reloaded >= 0);
    cr_expect (rc == 0 && ms < 3000, "stop %d after %d ms, reload %d waited %d ms", rc, (int) ms, reloaded, (int) took);
    muster_worker_destroy (&b);
    scene_close (&scene);
}
