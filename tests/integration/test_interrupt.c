/*  test_interrupt.c - a host ends calls that wait

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <stdatomic.h>

#include <muster/muster.h>

#include "scene.h"

static atomic_bool wanted;
static muster_listener_t *stopped_inside;
static muster_error_t stopped_with;

static bool
is_wanted (void)
{
    return atomic_load (&wanted);
}

static void
begin_interrupts (void)
{
    atomic_store (&wanted, true);
    muster_interrupt_set (is_wanted);
}

static void
end_interrupts (void)
{
    atomic_store (&wanted, false);
}

static void
forget (void)
{
    muster_interrupt_set (NULL);
}

/*  A listener whose handler is at work on a message of w0. */
static scene_t
begin_busy (muster_worker_t **worker)
{
    scene_t scene = scene_begin ();
    collector_block (scene.messages);
    *worker = scene_worker (&scene, "w0");
    MUST (muster_worker_send (*worker, "WORK", NULL) == 0);
    MUST (collector_wait (scene.messages, 1));
    return scene;
}

static void
end_busy (scene_t *scene, muster_worker_t *worker)
{
    end_interrupts ();
    collector_unblock (scene->messages);
    scene_dismiss (worker);
    scene_close (scene);
}

#define INTERRUPTED(call) cr_assert_eq ((call), MUSTER_INTERRUPTED, #call)

Test (interrupt, ends_waits_for_messages_commands_and_workers, .fini = forget)
{
    scene_t scene = scene_open (scene_tcp ());
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "w0");
    muster_message_t *message;
    begin_interrupts ();
    INTERRUPTED (muster_listener_next (scene.listener, &message, -1));
    INTERRUPTED (muster_worker_recv (worker, &message, -1));
    INTERRUPTED (muster_listener_wait_for_workers (scene.listener, 2, -1));
    const char *names [] = { "nobody" };
    INTERRUPTED (muster_listener_wait_for_sources (scene.listener, names, 1, -1));
    end_interrupts ();
    MUST (muster_worker_send (worker, "HELLO", NULL) == 0);
    message = scene_next (&scene);
    cr_assert_str_eq (muster_message_cmd (message), "HELLO");
    MUST (muster_message_done (&message, 0) == 0);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (interrupt, ends_a_wait_for_replies_and_the_round_goes_on, .fini = forget)
{
    scene_t scene = scene_begin ();
    muster_worker_t *worker = scene_worker (&scene, "w0");
    MUST (muster_listener_wait_for_workers (scene.listener, 1, PATIENCE_MS) == 0);
    muster_ask_t *ask = muster_ask_new (scene.listener);
    MUST (muster_ask_send (ask, "TRAIN", NULL) == 0);
    muster_message_t *reply;
    begin_interrupts ();
    INTERRUPTED (muster_ask_next (ask, &reply));
    end_interrupts ();
    cr_assert_eq (muster_ask_next_within (ask, &reply, 0), MUSTER_TIMEOUT);
    muster_message_t *command = scene_recv (worker);
    MUST (muster_message_reply (command, "DONE", NULL) == 0);
    MUST (muster_message_done (&command, 0) == 0);
    cr_assert_eq (muster_ask_next (ask, &reply), 0);
    MUST (muster_message_done (&reply, 0) == 0);
    cr_assert_eq (muster_ask_next (ask, &reply), MUSTER_END);
    muster_ask_destroy (&ask);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (interrupt, ends_a_flush_and_a_close_that_may_be_made_again, .fini = forget)
{
    muster_worker_t *worker;
    scene_t scene = begin_busy (&worker);
    begin_interrupts ();
    INTERRUPTED (muster_worker_flush (worker, -1));
    uint64_t unconfirmed = 7;
    INTERRUPTED (muster_worker_close (worker, &unconfirmed));
    cr_assert_eq (unconfirmed, 0);
    cr_assert_eq (muster_worker_send (worker, "MORE", NULL), 0);
    end_busy (&scene, worker);
}

Test (interrupt, ends_a_send_that_waits_for_room, .fini = forget)
{
    scene_t scene = scene_begin ();
    collector_block (scene.messages);
    muster_worker_t *worker = scene_new_worker (&scene, "w0");
    muster_worker_set_send_buffer (worker, 1);
    scene_start_worker (worker);
    MUST (muster_worker_send (worker, "WORK", NULL) == 0);
    begin_interrupts ();
    INTERRUPTED (muster_worker_send (worker, "MORE", NULL));
    end_busy (&scene, worker);
}

Test (interrupt, ends_a_command_that_waits_for_room, .fini = forget)
{
    scene_t scene = scene_open (scene_tcp ());
    muster_listener_set_command_buffer (scene.listener, 1);
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "w0");
    MUST (muster_listener_wait_for_workers (scene.listener, 1, PATIENCE_MS) == 0);
    begin_interrupts ();
    muster_error_t error = 0;
    while (!error)
        error = muster_listener_send (scene.listener, "w0", "TRAIN", NULL);
    INTERRUPTED (error);
    end_interrupts ();
    muster_worker_destroy (&worker);
    scene_close (&scene);
}

Test (interrupt, ends_a_stop_that_goes_on_all_the_same, .fini = forget)
{
    muster_worker_t *worker;
    scene_t scene = begin_busy (&worker);
    begin_interrupts ();
    INTERRUPTED (muster_listener_stop (scene.listener, NULL));
    end_interrupts ();
    collector_unblock (scene.messages);
    uint64_t dropped = 7;
    cr_assert_eq (muster_listener_stop (scene.listener, &dropped), 0);
    cr_assert_eq (dropped, 0);
    muster_worker_destroy (&worker);
    scene_close (&scene);
}

Test (interrupt, ends_the_wait_for_a_replaced_handler, .fini = forget)
{
    muster_worker_t *worker;
    scene_t scene = begin_busy (&worker);
    collector_t *other = collector_new ();
    begin_interrupts ();
    INTERRUPTED (muster_listener_register_default_handler (scene.listener, collector_handler, other));
    end_interrupts ();
    MUST (muster_worker_send (worker, "MORE", NULL) == 0);
    collector_unblock (scene.messages);
    cr_assert (collector_wait (other, 1));
    end_busy (&scene, worker);
    collector_destroy (&other);
}

static bool
stop_inside (void)
{
    if (stopped_inside)
        stopped_with = muster_listener_stop (stopped_inside, NULL);
    stopped_inside = NULL;
    return false;
}

Test (interrupt, finds_that_a_stop_inside_a_stop_would_wait_for_itself, .fini = forget)
{
    muster_worker_t *worker;
    scene_t scene = begin_busy (&worker);
    muster_listener_set_drain (scene.listener, 0.2);
    stopped_inside = scene.listener;
    muster_interrupt_set (stop_inside);
    cr_assert_eq (muster_listener_stop (scene.listener, NULL), MUSTER_TIMEOUT);
    cr_assert_eq (stopped_with, MUSTER_DEADLOCK);
    collector_unblock (scene.messages);
    muster_worker_destroy (&worker);
    scene_close (&scene);
}
