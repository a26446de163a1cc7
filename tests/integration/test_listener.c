/*  test_listener.c - what a listener does with messages, row by row of the protocol's table

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <muster/muster.h>

#include "collector.h"
#include "joining.h"
#include "producer.h"
#include "scene.h"

/*  --------------------------------------------------------------------------
    Who gets a message */

Test (listener, a_message_whose_source_has_a_handler_goes_to_that_handler)
{
    scene_t scene = scene_begin ();
    collector_t *own = collector_new ();
    cr_assert_eq (muster_listener_register_handler (scene.listener, "a", collector_handler, own, false), 0);
    muster_worker_t *a = scene_worker (&scene, "a"), *b = scene_worker (&scene, "b");
    cr_assert_eq (muster_worker_send (a, "ONE", "{s:i}", "n", 1), 0);
    cr_assert_eq (muster_worker_send (b, "TWO", "{s:i}", "n", 2), 0);
    cr_assert (collector_wait (own, 1));
    cr_assert (collector_wait (scene.messages, 1));
    cr_assert_str_eq (collector_cmd (own, 0), "ONE");
    cr_assert_eq (collector_number (own, 0), 1);
    cr_assert_str_eq (collector_source (scene.messages, 0), "b");
    scene_dismiss (a);
    scene_dismiss (b);
    scene_close (&scene);
    collector_destroy (&own);
}

Test (listener, a_plain_producers_message_is_handled_the_same_way)
{
    scene_t scene = scene_begin ();
    producer_t *producer = producer_new (muster_listener_endpoint (scene.listener));
    for (int i = 0; i < 1000; i++)
        producer_send_number (producer, "plain", "PROGRESS", i);
    cr_assert (collector_wait (scene.messages, 1000));
    for (int i = 0; i < 1000; i++)
        cr_assert_eq (collector_number (scene.messages, i), i);
    cr_assert_str_eq (collector_source (scene.messages, 0), "plain");
    producer_destroy (&producer);
    scene_close (&scene);
}

Test (listener, a_message_without_any_handler_is_counted_and_handled)
{
    scene_t scene = scene_open (scene_tcp ());
    collector_t *other = collector_new ();
    muster_listener_register_handler (scene.listener, "other", collector_handler, other, false);
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    scene_hush ();
    cr_assert_eq (muster_worker_send (worker, "X", NULL), 0);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert_eq (scene_stats (&scene).unhandled, 1);
    cr_assert_eq (scene_stats (&scene).handled, 1);
    scene_dismiss (worker);
    scene_close (&scene);
    collector_destroy (&other);
}

Test (listener, messages_wait_until_it_is_decided_who_takes_them)
{
    scene_t scene = scene_open (scene_tcp ());
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    cr_assert_eq (muster_worker_send (worker, "X", NULL), 0);
    cr_assert (collector_wait (scene.events, 1));
    cr_assert_eq (muster_worker_flush (worker, 50), MUSTER_TIMEOUT);
    muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages);
    cr_assert (collector_wait (scene.messages, 1));
    scene_dismiss (worker);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    Registering */

Test (listener, a_source_that_has_a_handler_keeps_it_unless_overwritten)
{
    scene_t scene = scene_begin ();
    collector_t *one = collector_new (), *two = collector_new ();
    muster_worker_t *worker = scene_worker (&scene, "a");
    cr_assert_eq (muster_listener_register_handler (scene.listener, "a", collector_handler, one, false), 0);
    cr_assert_eq (muster_listener_register_handler (scene.listener, "a", collector_handler, two, false), MUSTER_EXISTS);
    muster_worker_send (worker, "X", NULL);
    cr_assert (collector_wait (one, 1));
    cr_assert_eq (muster_listener_register_handler (scene.listener, "a", collector_handler, two, true), 0);
    muster_worker_send (worker, "Y", NULL);
    cr_assert (collector_wait (two, 1));
    cr_assert_eq (collector_count (one), 1);
    cr_assert_eq (muster_listener_unregister_handler (scene.listener, "a"), 0);
    cr_assert_eq (muster_listener_unregister_handler (scene.listener, "a"), MUSTER_NOTFOUND);
    muster_worker_send (worker, "Z", NULL);
    cr_assert (collector_wait (scene.messages, 1));
    scene_dismiss (worker);
    scene_close (&scene);
    collector_destroy (&one);
    collector_destroy (&two);
}

Test (listener, its_own_source_cannot_be_registered)
{
    scene_t scene = scene_begin ();
    const char *own = muster_listener_source (scene.listener);
    cr_assert_eq (strlen (own), 36);
    cr_assert_eq (muster_listener_register_handler (scene.listener, own, collector_handler, scene.messages, true),
        MUSTER_RESERVED);
    scene_close (&scene);
}

Test (listener, registering_nothing_is_invalid_and_changes_nothing)
{
    scene_t scene = scene_begin ();
    muster_listener_t *listener = scene.listener;
    cr_assert_eq (muster_listener_register_handler (listener, "a", NULL, NULL, true), MUSTER_INVAL);
    cr_assert_eq (muster_listener_register_handler (listener, NULL, collector_handler, NULL, true), MUSTER_INVAL);
    cr_assert_eq (muster_listener_register_handler (listener, "", collector_handler, NULL, true), MUSTER_INVAL);
    cr_assert_eq (muster_listener_register_handler (listener, "a\n", collector_handler, NULL, true), MUSTER_INVAL);
    cr_assert_eq (muster_listener_register_default_handler (listener, NULL, NULL), MUSTER_INVAL);
    cr_assert_eq (muster_listener_register_system_handler (listener, NULL, NULL), MUSTER_INVAL);
    muster_worker_t *worker = scene_worker (&scene, "a");
    muster_worker_send (worker, "X", NULL);
    cr_assert (collector_wait (scene.messages, 1));
    scene_dismiss (worker);
    scene_close (&scene);
}

typedef struct {
    muster_listener_t *listener;
    collector_t *next;
    muster_error_t registered, unregistered;
} switching_t;

static int
switch_over (const muster_message_t *message, void *arg)
{
    switching_t *self = arg;
    self->registered = muster_listener_register_handler (
        self->listener, muster_message_source (message), collector_handler, self->next, true);
    return 0;
}

Test (listener, a_handler_may_replace_itself)
{
    scene_t scene = scene_begin ();
    switching_t switching = { .listener = scene.listener, .next = collector_new (), .registered = MUSTER_BUSY };
    muster_listener_register_handler (scene.listener, "a", switch_over, &switching, false);
    muster_worker_t *worker = scene_worker (&scene, "a");
    muster_worker_send (worker, "X", NULL);
    muster_worker_send (worker, "Y", NULL);
    cr_assert (collector_wait (switching.next, 1));
    cr_assert_eq (switching.registered, 0);
    cr_assert_str_eq (collector_cmd (switching.next, 0), "Y");
    scene_dismiss (worker);
    scene_close (&scene);
    collector_destroy (&switching.next);
}

static void *
unregister (void *arg)
{
    switching_t *self = arg;
    self->unregistered = muster_listener_unregister_handler (self->listener, "a");
    return NULL;
}

Test (listener, unregister_returns_once_the_handler_is_not_running)
{
    scene_t scene = scene_begin ();
    collector_t *own = collector_new ();
    collector_block (own);
    muster_listener_register_handler (scene.listener, "a", collector_handler, own, false);
    muster_worker_t *worker = scene_worker (&scene, "a");
    muster_worker_send (worker, "X", NULL);
    cr_assert (collector_wait (own, 1));
    switching_t switching = { .listener = scene.listener, .unregistered = MUSTER_BUSY };
    pthread_t thread;
    pthread_create (&thread, NULL, unregister, &switching);
    cr_assert_not (joining_within (thread, 50), "it must wait for the handler");
    collector_unblock (own);
    pthread_join (thread, NULL);
    cr_assert_eq (switching.unregistered, 0);
    scene_dismiss (worker);
    scene_close (&scene);
    collector_destroy (&own);
}

/*  --------------------------------------------------------------------------
    Handlers that fail, and what they may call */

Test (listener, a_failing_handler_is_counted_and_the_message_is_handled)
{
    scene_t scene = scene_begin ();
    scene_hush ();
    collector_fail (scene.messages, -1);
    muster_worker_t *worker = scene_worker (&scene, "a");
    muster_worker_send (worker, "X", NULL);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert_eq (scene_stats (&scene).failed, 1);
    cr_assert_eq (scene_stats (&scene).handled, 1);
    collector_fail (scene.messages, 0);
    muster_worker_send (worker, "Y", NULL);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert_eq (scene_stats (&scene).failed, 1);
    scene_dismiss (worker);
    scene_close (&scene);
}

typedef struct {
    muster_listener_t *listener;
    collector_t *then;
    muster_error_t start, stop, destroy, next, wait, send_here, send_nowhere, reply;
} inside_t;

static int
call_everything (const muster_message_t *message, void *arg)
{
    inside_t *self = arg;
    muster_message_t *next;
    muster_listener_t *listener = self->listener;
    self->start = muster_listener_start (listener);
    self->destroy = muster_listener_destroy (&listener);
    self->next = muster_listener_next (self->listener, &next, 1000);
    self->wait = muster_listener_wait_for_workers (self->listener, 5, 1000);
    self->send_here = muster_listener_send (self->listener, "a", "COMMAND", NULL);
    self->send_nowhere = muster_listener_send (self->listener, "nobody", "COMMAND", NULL);
    self->reply = muster_message_reply (message, "REPLY", "{s:i}", "n", 7);
    self->stop = muster_listener_stop (self->listener, NULL);
    return collector_handler (message, self->then);
}

Test (listener, inside_a_handler_nothing_waits_for_itself)
{
    scene_t scene = scene_open (scene_tcp ());
    inside_t inside = { .listener = scene.listener, .then = scene.messages };
    muster_listener_register_handler (scene.listener, "a", call_everything, &inside, false);
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    muster_worker_send (worker, "X", NULL);
    cr_assert (collector_wait (scene.messages, 1));
    cr_assert_eq (inside.start, MUSTER_DEADLOCK);
    cr_assert_eq (inside.destroy, MUSTER_BUSY);
    cr_assert_eq (inside.next, MUSTER_DEADLOCK);
    cr_assert_eq (inside.wait, MUSTER_DEADLOCK);
    cr_assert_eq (inside.send_here, 0);
    cr_assert_eq (inside.send_nowhere, MUSTER_NOTFOUND);
    cr_assert_eq (inside.reply, 0);
    cr_assert_eq (inside.stop, 0);
    uint64_t dropped = 9;
    cr_assert_eq (muster_listener_stop (scene.listener, &dropped), 0);
    cr_assert_eq (dropped, 0);
    muster_worker_destroy (&worker);
    scene_close (&scene);
}

Test (listener, a_reply_says_which_message_it_answers)
{
    scene_t scene = scene_open (scene_tcp ());
    inside_t inside = { .listener = scene.listener, .then = scene.messages };
    muster_listener_register_handler (scene.listener, "a", call_everything, &inside, false);
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    muster_worker_send (worker, "X", NULL);
    muster_message_t *command = NULL;
    cr_assert_eq (muster_worker_recv (worker, &command, PATIENCE_MS), 0);
    cr_assert_str_eq (muster_message_cmd (command), "COMMAND");
    cr_assert_str_eq (muster_message_source (command), muster_listener_source (scene.listener));
    cr_assert_eq (muster_message_answers (command), 0);
    muster_message_done (&command, 0);
    cr_assert_eq (muster_worker_recv (worker, &command, PATIENCE_MS), 0);
    cr_assert_str_eq (muster_message_cmd (command), "REPLY");
    cr_assert_eq (muster_message_answers (command), 1);
    int n = 0;
    cr_assert_eq (muster_message_unpack (command, "{s:i}", "n", &n), 0);
    cr_assert_eq (n, 7);
    muster_message_done (&command, 0);
    muster_worker_destroy (&worker);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    Copies of messages */

static uint8_t *
large_bytes (size_t size)
{
    uint8_t *bytes = malloc (size);
    for (size_t i = 0; i < size; i++)
        bytes [i] = (uint8_t) (i * 131 >> 3);
    return bytes;
}

static bool
has_bytes (const muster_message_t *message, const uint8_t *expected, size_t expected_size)
{
    const void *bytes;
    size_t size;
    return muster_message_unpack (message, "{s:y}", "b", &bytes, &size) == 0
        && size == expected_size && memcmp (bytes, expected, size) == 0;
}

static void *
destroy_copy (void *copy)
{
    muster_message_destroy ((muster_message_t **) &copy);
    return NULL;
}

/*  Bytes that come as one frame, or in pieces. */
static void
check_copy (size_t size)
{
    scene_t scene = scene_open (scene_tcp ());
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    uint8_t *bytes = large_bytes (size);
    cr_assert_eq (muster_worker_send (worker, "X", "{s:y}", "b", bytes, size), 0);
    muster_message_t *message = scene_next (&scene);
    muster_message_t *copy = muster_message_dup (message);
    cr_assert_eq (muster_message_data (copy, NULL), muster_message_data (message, NULL), "not copied");
    cr_assert_eq (muster_message_done (&copy, 0), MUSTER_INVAL, "a copy is not the message");
    cr_assert_eq (muster_message_done (&message, 0), 0);
    cr_assert (has_bytes (copy, bytes, size));
    muster_message_t *second = muster_message_dup (copy);
    muster_message_destroy (&copy);
    scene_dismiss (worker);
    scene_close (&scene);
    cr_assert (has_bytes (second, bytes, size));
    cr_assert_str_eq (muster_message_source (second), "a");
    pthread_t thread;
    pthread_create (&thread, NULL, destroy_copy, second);
    pthread_join (thread, NULL);
    free (bytes);
}

Test (listener, a_copy_of_a_large_message_has_the_same_bytes_and_outlives_its_listener)
{
    check_copy (100000);
}

Test (listener, a_copy_of_a_message_in_pieces_has_the_same_bytes_and_outlives_its_listener)
{
    check_copy (5000000);
}

static int
copy_event (const muster_message_t *message, void *copy)
{
    *(muster_message_t **) copy = muster_message_dup (message);
    return 0;
}

Test (listener, a_copy_of_an_event_outlives_its_listener)
{
    muster_message_t *copy = NULL;
    scene_t scene = scene_open (scene_tcp ());
    muster_listener_register_system_handler (scene.listener, copy_event, &copy);
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 1, PATIENCE_MS), 0);
    muster_listener_set_drain (scene.listener, 0.01);
    scene_close (&scene);
    cr_assert_str_eq (muster_message_cmd (copy), MUSTER_EVENT_JOINED);
    const char *source = "";
    cr_assert_eq (muster_message_unpack (copy, "{s:s}", "source", &source), 0);
    cr_assert_str_eq (source, "a");
    muster_message_destroy (&copy);
    muster_worker_destroy (&worker);
}

Test (listener, a_copy_of_a_small_message_has_bytes_of_its_own)
{
    scene_t scene = scene_open (scene_tcp ());
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    cr_assert_eq (muster_worker_send (worker, "X", "{s:i}", "n", 5), 0);
    muster_message_t *message = scene_next (&scene);
    muster_message_t *copy = muster_message_dup (message);
    cr_assert_neq (muster_message_data (copy, NULL), muster_message_data (message, NULL));
    muster_message_done (&message, 0);
    scene_dismiss (worker);
    scene_close (&scene);
    cr_assert_eq (scene_number (copy), 5);
    muster_message_t *second = muster_message_dup (copy);
    muster_message_destroy (&copy);
    cr_assert_eq (scene_number (second), 5);
    muster_message_destroy (&second);
}

Test (listener, a_copy_of_a_large_plain_message_keeps_no_frame_of_many)
{
    scene_t scene = scene_open (scene_tcp ());
    scene_start (&scene);
    static uint8_t frame [3 * 100000];
    for (int i = 0; i < 3; i++) {
        static const uint8_t head [] = { 0x93, 0xa1, 'p', 0xa1, 'X', 0x81, 0xa1, 'b', 0xc6, 0x00, 0x01, 0x86, 0x93 };
        memcpy (frame + (size_t) i * 100000, head, sizeof head);
    }
    producer_t *producer = producer_new (muster_listener_endpoint (scene.listener));
    producer_send (producer, frame, sizeof frame);
    for (int i = 0; i < 3; i++) {
        muster_message_t *message = scene_next (&scene);
        muster_message_t *copy = muster_message_dup (message);
        cr_assert_neq (muster_message_data (copy, NULL), muster_message_data (message, NULL));
        muster_message_done (&message, 0);
        cr_assert (has_bytes (copy, frame + 13, 99987));
        muster_message_destroy (&copy);
    }
    producer_destroy (&producer);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    The hook around handlers */

#define MOMENTS_MOST 200

typedef struct {
    char text [MOMENTS_MOST + 1];   /* R, P, E, and h for a handler */
    atomic_int count;
} moments_t;

static void
note_moment (moments_t *self, char letter)
{
    int count = atomic_load (&self->count);
    MUST (count < MOMENTS_MOST);
    self->text [count] = letter;
    atomic_store (&self->count, count + 1);
}

static void
note_dispatch (muster_dispatch_moment_t moment, void *moments)
{
    note_moment (moments, moment == MUSTER_DISPATCH_RESUME ? 'R' : moment == MUSTER_DISPATCH_PAUSE ? 'P' : 'E');
}

static int
note_handler (const muster_message_t *message, void *moments)
{
    (void) message;
    note_moment (moments, 'h');
    return 0;
}

/*  RhhPRhPE: handlers run between a RESUME and a PAUSE; the end comes last. */
static void
check_moments (const moments_t *self, int handlers)
{
    bool resumed = false;
    const char *next = self->text;
    for (; *next == 'R' || *next == 'P' || *next == 'h'; next++) {
        cr_assert_eq (resumed, *next != 'R', "%s", self->text);
        resumed = *next != 'P';
        handlers -= *next == 'h';
    }
    cr_assert_str_eq (next, "E", "%s", self->text);
    cr_assert_not (resumed, "%s", self->text);
    cr_assert_eq (handlers, 0, "%s", self->text);
}

Test (listener, the_dispatch_hook_is_called_around_handlers_and_at_the_end)
{
    moments_t moments = { .count = 0 };
    scene_t scene = scene_open (scene_tcp ());
    muster_listener_register_system_handler (scene.listener, note_handler, &moments);
    muster_listener_register_default_handler (scene.listener, note_handler, &moments);
    muster_listener_set_dispatch_hook (scene.listener, note_dispatch, &moments);
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    for (int i = 0; i < 10; i++)
        muster_worker_send (worker, "X", NULL);
    scene_dismiss (worker);
    cr_assert_eq (muster_listener_stop (scene.listener, NULL), 0);
    check_moments (&moments, 12);
    scene_close (&scene);
}

Test (listener, the_dispatch_hook_is_told_of_no_pause_while_messages_wait)
{
    moments_t moments = { .count = 0 };
    scene_t scene = scene_begin ();
    muster_listener_stop (scene.listener, NULL);
    muster_listener_set_dispatch_hook (scene.listener, note_dispatch, &moments);
    scene_start (&scene);
    collector_block (scene.messages);
    muster_worker_t *worker = scene_worker (&scene, "a");
    for (int i = 0; i < 50; i++)
        muster_worker_send (worker, "X", NULL);
    cr_assert (collector_wait (scene.messages, 1));
    AWAIT (scene_stats (&scene).received == 50);
    int before = atomic_load (&moments.count);
    collector_unblock (scene.messages);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    AWAIT (moments.text [atomic_load (&moments.count) - 1] == 'P');
    cr_assert_eq (atomic_load (&moments.count), before + 1, "one pause after fifty messages");
    scene_dismiss (worker);
    scene_close (&scene);
    cr_assert_eq (moments.text [strlen (moments.text) - 1], 'E');
}

Test (listener, a_listener_without_messages_ends_its_dispatch_without_a_pause)
{
    moments_t moments = { .count = 0 };
    scene_t scene = scene_open (scene_tcp ());
    muster_listener_set_dispatch_hook (scene.listener, note_dispatch, &moments);
    scene_start (&scene);
    muster_listener_stop (scene.listener, NULL);
    cr_assert_str_eq (moments.text, "E");
    muster_listener_set_dispatch_hook (scene.listener, NULL, NULL);
    scene_start (&scene);
    muster_listener_stop (scene.listener, NULL);
    cr_assert_str_eq (moments.text, "E", "the hook holds from the next start");
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    next, done and the descriptor */

Test (listener, next_gives_messages_in_order_and_done_confirms_them)
{
    scene_t scene = scene_open (scene_tcp ());
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    for (int i = 0; i < 100; i++)
        cr_assert_eq (muster_worker_send (worker, "X", "{s:i}", "n", i), 0);
    for (int i = 0; i < 100; i++) {
        muster_message_t *message;
        int n;
        cr_assert_eq (muster_listener_next (scene.listener, &message, PATIENCE_MS), 0);
        cr_assert_eq (muster_message_unpack (message, "{s:i}", "n", &n), 0);
        cr_assert_eq (n, i);
        cr_assert_eq (muster_message_position (message), (uint64_t) i + 1);
        cr_assert_eq (strlen (muster_message_session (message)), 32);
        cr_assert_eq (muster_message_done (&message, 0), 0);
        cr_assert_null (message);
    }
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    muster_message_t *message;
    cr_assert_eq (muster_listener_next (scene.listener, &message, 0), MUSTER_TIMEOUT);
    cr_assert_eq (muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages), MUSTER_BUSY);
    cr_assert_eq (muster_listener_register_handler (scene.listener, "a", collector_handler, NULL, false), MUSTER_BUSY);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (listener, messages_done_out_of_order_are_confirmed_once_those_before_them_are)
{
    scene_t scene = scene_open (scene_tcp ());
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    muster_message_t *messages [3];
    for (int i = 0; i < 3; i++)
        muster_worker_send (worker, "X", NULL);
    for (int i = 0; i < 3; i++)
        cr_assert_eq (muster_listener_next (scene.listener, &messages [i], PATIENCE_MS), 0);
    muster_message_done (&messages [2], 0);
    muster_message_done (&messages [1], 0);
    cr_assert_eq (muster_worker_flush (worker, 50), MUSTER_TIMEOUT);
    muster_message_done (&messages [0], 0);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    scene_dismiss (worker);
    scene_close (&scene);
}

static bool
is_readable (int descriptor, int timeout_ms)
{
    struct pollfd item = { .fd = descriptor, .events = POLLIN };
    return poll (&item, 1, timeout_ms) == 1;
}

Test (listener, the_descriptor_is_readable_while_there_is_a_message)
{
    scene_t scene = scene_open (scene_tcp ());
    int descriptor;
    cr_assert_eq (muster_listener_descriptor (scene.listener, &descriptor), MUSTER_CLOSED);
    scene_start (&scene);
    cr_assert_eq (muster_listener_descriptor (scene.listener, &descriptor), 0);
    muster_message_t *message;
    cr_assert_not (is_readable (descriptor, 0));
    muster_worker_t *worker = scene_worker (&scene, "a");
    cr_assert (is_readable (descriptor, PATIENCE_MS), "JOINED is something to do");
    cr_assert_eq (muster_listener_next (scene.listener, &message, 0), MUSTER_TIMEOUT);
    cr_assert_eq (collector_count (scene.events), 1);
    cr_assert_not (is_readable (descriptor, 0));
    muster_worker_send (worker, "X", NULL);
    cr_assert (is_readable (descriptor, PATIENCE_MS));
    cr_assert_eq (muster_listener_next (scene.listener, &message, 0), 0);
    cr_assert_not (is_readable (descriptor, 0));
    muster_message_done (&message, 0);
    scene_dismiss (worker);
    muster_listener_stop (scene.listener, NULL);
    cr_assert (is_readable (descriptor, 0), "next has CLOSED to say");
    scene_close (&scene);
}

Test (listener, where_handlers_are_registered_next_is_busy)
{
    scene_t scene = scene_begin ();
    muster_message_t *message;
    int descriptor;
    cr_assert_eq (muster_listener_next (scene.listener, &message, 0), MUSTER_BUSY);
    cr_assert_eq (muster_listener_descriptor (scene.listener, &descriptor), MUSTER_BUSY);
    scene_close (&scene);
}

Test (listener, a_message_taken_outlives_the_listener_that_gave_it)
{
    scene_t scene = scene_open (scene_tcp ());
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    muster_listener_set_drain (scene.listener, 0.01);
    muster_worker_send (worker, "X", "{s:i}", "n", 5);
    muster_message_t *message;
    cr_assert_eq (muster_listener_next (scene.listener, &message, PATIENCE_MS), 0);
    muster_worker_destroy (&worker);
    scene_close (&scene);
    int n = 0;
    cr_assert_eq (muster_message_unpack (message, "{s:i}", "n", &n), 0);
    cr_assert_eq (n, 5);
    cr_assert_eq (muster_message_done (&message, 0), 0);
}

/*  --------------------------------------------------------------------------
    Start and stop */

Test (listener, stop_is_harmless_before_start_and_twice)
{
    scene_t scene = scene_begin ();
    muster_listener_t *idle = muster_listener_new ("tcp://127.0.0.1:*");
    uint64_t dropped = 3;
    cr_assert_eq (muster_listener_stop (idle, &dropped), 0);
    cr_assert_eq (dropped, 0);
    cr_assert_eq (muster_listener_destroy (&idle), 0);
    cr_assert_eq (muster_listener_stop (scene.listener, &dropped), 0);
    cr_assert_eq (muster_listener_stop (scene.listener, &dropped), 0);
    scene_close (&scene);
}

Test (listener, start_twice_is_busy)
{
    scene_t scene = scene_begin ();
    cr_assert_eq (muster_listener_start (scene.listener), MUSTER_BUSY);
    cr_assert_neq (strlen (muster_listener_reason (scene.listener)), 0);
    scene_close (&scene);
}

Test (listener, after_a_failed_start_stop_is_harmless_and_start_may_be_tried_again)
{
    muster_listener_t *listener = muster_listener_new ("tcp://127.0.0.1:*");
    muster_listener_set_liveness (listener, -1);
    cr_assert_eq (muster_listener_start (listener), MUSTER_INVAL);
    cr_assert_neq (strlen (muster_listener_reason (listener)), 0);
    cr_assert_eq (muster_listener_stop (listener, NULL), 0);
    muster_listener_set_liveness (listener, 10);
    cr_assert_eq (muster_listener_start (listener), 0);
    cr_assert_eq (strlen (muster_listener_reason (listener)), 0);
    cr_assert_eq (muster_listener_destroy (&listener), 0);
}

Test (listener, stop_handles_what_has_arrived)
{
    scene_t scene = scene_begin ();
    collector_block (scene.messages);
    muster_worker_t *worker = scene_worker (&scene, "a");
    for (int i = 0; i < 500; i++)
        muster_worker_send (worker, "X", "{s:i}", "n", i);
    cr_assert (collector_wait (scene.messages, 1));
    collector_unblock (scene.messages);
    uint64_t dropped = 9;
    cr_assert_eq (muster_listener_stop (scene.listener, &dropped), 0);
    cr_assert_eq (dropped, 0);
    cr_assert_eq (muster_worker_destroy (&worker), 0);
    scene_close (&scene);
}

Test (listener, start_after_stop_has_the_endpoint_the_handlers_and_the_sessions)
{
    scene_t scene = scene_begin ();
    char endpoint [200];
    snprintf (endpoint, sizeof endpoint, "%s", muster_listener_endpoint (scene.listener));
    muster_worker_t *worker = scene_worker (&scene, "a");
    for (int i = 0; i < 10; i++)
        muster_worker_send (worker, "X", "{s:i}", "n", i);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert_eq (muster_listener_stop (scene.listener, NULL), 0);
    for (int i = 10; i < 20; i++)
        cr_assert_eq (muster_worker_send (worker, "X", "{s:i}", "n", i), 0);
    scene_start (&scene);
    cr_assert_str_eq (muster_listener_endpoint (scene.listener), endpoint);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert_eq (collector_count (scene.messages), 20);
    for (int i = 0; i < 20; i++)
        cr_assert_eq (collector_number (scene.messages, i), i);
    scene_dismiss (worker);
    cr_assert (collector_wait (scene.events, 3));
    char *story = collector_story (scene.events);
    cr_assert_str_eq (story, "JOINED a, RETURNED a, LEFT a");
    free (story);
    scene_close (&scene);
}

typedef struct {
    muster_listener_t *listener;
    uint64_t dropped;
} stopping_t;

static void *
stop (void *argument)
{
    stopping_t *self = argument;
    cr_expect_eq (muster_listener_stop (self->listener, &self->dropped), 0);
    return NULL;
}

Test (listener, a_drain_limit_that_is_set_while_a_stop_drains_holds_at_once)
{
    pthread_t stopper;
    scene_t scene = scene_open (scene_tcp ());
    muster_listener_set_drain (scene.listener, 3600);
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    for (int i = 0; i < 2; i++)
        cr_assert_eq (muster_worker_send (worker, "X", "{}"), 0);
    muster_message_t *message = scene_next (&scene);
    muster_message_done (&message, 0);
    while (scene_stats (&scene).received < 2)
        sched_yield ();
    stopping_t stopping = { .listener = scene.listener };
    pthread_create (&stopper, NULL, stop, &stopping);
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 99, PATIENCE_MS), MUSTER_CLOSED);
    muster_listener_set_drain (scene.listener, 0);
    pthread_join (stopper, NULL);
    cr_assert_eq (stopping.dropped, 1);
    muster_worker_set_drain (worker, 0);
    muster_worker_destroy (&worker);
    scene_close (&scene);
}

Test (listener, what_stop_leaves_undrained_is_counted_and_comes_with_the_next_start)
{
    scene_t scene = scene_begin ();
    muster_listener_set_drain (scene.listener, 0.05);
    muster_listener_stop (scene.listener, NULL);
    scene_start (&scene);
    collector_block (scene.messages);
    muster_worker_t *worker = scene_worker (&scene, "a");
    for (int i = 0; i < 10; i++)
        muster_worker_send (worker, "X", "{s:i}", "n", i);
    cr_assert (collector_wait (scene.messages, 1));
    while (scene_stats (&scene).received < 10)
        sched_yield ();
    uint64_t dropped = 0;
    cr_assert_eq (muster_listener_stop (scene.listener, &dropped), MUSTER_TIMEOUT);
    cr_assert_eq (dropped, 9);
    cr_assert_eq (muster_listener_start (scene.listener), MUSTER_BUSY);
    muster_listener_t *listener = scene.listener;
    cr_assert_eq (muster_listener_destroy (&listener), MUSTER_BUSY);
    collector_unblock (scene.messages);
    while (muster_listener_stop (scene.listener, NULL))
        sched_yield ();
    scene_start (&scene);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert_eq (collector_count (scene.messages), 10, "the one that outlived the stop is not handled again");
    for (int i = 0; i < 10; i++)
        cr_assert_eq (collector_number (scene.messages, i), i);
    scene_dismiss (worker);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    Bad frames */

Test (listener, a_session_that_resumes_has_the_limits_of_the_new_start)
{
    static const char bytes [5000];
    scene_t scene = scene_begin ();
    muster_worker_t *worker = scene_worker (&scene, "a");
    cr_assert_eq (muster_worker_send (worker, "CMD", "{s:y}", "b", bytes, sizeof bytes), 0);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert_eq (muster_listener_stop (scene.listener, NULL), 0);
    muster_listener_set_message_limit (scene.listener, 2000);
    scene_start (&scene);
    cr_assert (collector_wait (scene.events, 2));
    cr_assert_str_eq (collector_cmd (scene.events, 1), "RETURNED");
    cr_assert_eq (muster_worker_send (worker, "CMD", NULL), 0);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert_eq (muster_worker_send (worker, "CMD", "{s:y}", "b", bytes, sizeof bytes), MUSTER_TOOBIG);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (listener, stop_without_time_to_drain_waits_for_a_handler_that_is_about_to_return)
{
    for (int round = 0; round < 50; round++) {
        scene_t scene = scene_open (scene_tcp ());
        muster_listener_set_drain (scene.listener, 0);
        scene_start (&scene);
        muster_worker_t *worker = scene_worker (&scene, "a");
        cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 1, PATIENCE_MS), 0);
        cr_assert_eq (muster_listener_stop (scene.listener, NULL), 0);
        muster_worker_destroy (&worker);
        scene_close (&scene);
    }
}

Test (listener, a_frame_that_claims_its_own_source_is_forged_and_stops_nothing)
{
    scene_t scene = scene_begin ();
    scene_hush ();
    producer_t *producer = producer_new (muster_listener_endpoint (scene.listener));
    producer_send_number (producer, muster_listener_source (scene.listener), "STOP", 1);
    producer_send_number (producer, muster_listener_source (scene.listener), "JOINED", 1);
    producer_send_number (producer, "a", "GOOD", 2);
    cr_assert (collector_wait (scene.messages, 1));
    cr_assert_str_eq (collector_cmd (scene.messages, 0), "GOOD");
    cr_assert_eq (collector_count (scene.events), 0);
    cr_assert_eq (scene_stats (&scene).refused [MUSTER_REFUSAL_FORGED], 2);
    cr_assert_eq (scene_stats (&scene).rejected, 2);
    producer_destroy (&producer);
    scene_close (&scene);
}

Test (listener, several_messages_may_share_a_plain_frame)
{
    scene_t scene = scene_begin ();
    producer_t *producer = producer_new (muster_listener_endpoint (scene.listener));
    static const char frame [] = "\x93\xa1" "a\xa1X\x81\xa1n\x01" "\x93\xa1" "b\xa1Y\x81\xa1n\x02" "\x93\xa1" "a\xa1Z\x80";
    producer_send (producer, frame, sizeof frame - 1);
    cr_assert (collector_wait (scene.messages, 3));
    cr_assert_str_eq (collector_source (scene.messages, 1), "b");
    cr_assert_eq (collector_number (scene.messages, 1), 2);
    cr_assert_str_eq (collector_cmd (scene.messages, 2), "Z");
    producer_destroy (&producer);
    scene_close (&scene);
}

Test (listener, a_frame_with_one_bad_message_is_dropped_whole)
{
    scene_t scene = scene_begin ();
    scene_hush ();
    producer_t *producer = producer_new (muster_listener_endpoint (scene.listener));
    static const char frame [] = "\x93\xa1" "a\xa1X\x80" "\x93\xa1" "b\xa1Y\x82\xa1n\x01\xa1n\x02";
    producer_send (producer, frame, sizeof frame - 1);
    producer_send_number (producer, "a", "GOOD", 2);
    cr_assert (collector_wait (scene.messages, 1));
    cr_assert_str_eq (collector_cmd (scene.messages, 0), "GOOD");
    cr_assert_eq (scene_stats (&scene).refused [MUSTER_REFUSAL_DUPLICATE], 1);
    producer_destroy (&producer);
    scene_close (&scene);
}

Test (listener, a_message_of_several_frames_is_refused)
{
    scene_t scene = scene_begin ();
    scene_hush ();
    producer_t *producer = producer_new (muster_listener_endpoint (scene.listener));
    producer_send_more (producer, "\x93\xa1" "a\xa1X\x80", 6);
    producer_send_more (producer, "", 0);
    producer_send (producer, "\x93\xa1" "a\xa1X\x80", 6);
    producer_send_number (producer, "a", "GOOD", 2);
    cr_assert (collector_wait (scene.messages, 1));
    cr_assert_str_eq (collector_cmd (scene.messages, 0), "GOOD");
    cr_assert_eq (scene_stats (&scene).refused [MUSTER_REFUSAL_MULTIPART], 1);
    producer_destroy (&producer);
    scene_close (&scene);
}

Test (listener, a_plain_frame_at_the_limit_is_handled_and_one_over_it_refused)
{
    scene_t scene = scene_open (scene_tcp ());
    scene_hush ();
    muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages);
    muster_listener_set_frame_limit (scene.listener, 8);
    scene_start (&scene);
    producer_t *producer = producer_new (muster_listener_endpoint (scene.listener));
    producer_send (producer, "\x93\xa1" "a\xa1X\x80", 6);
    producer_send (producer, "\x93\xa2" "aa\xa2XX\x80", 8);
    producer_send (producer, "\x93\xa2" "aa\xa3XXX\x80", 9);
    producer_send (producer, "\x93\xa1" "a\xa1Y\x80", 6);
    cr_assert (collector_wait (scene.messages, 3));
    cr_assert_str_eq (collector_cmd (scene.messages, 2), "Y");
    cr_assert_eq (scene_stats (&scene).refused [MUSTER_REFUSAL_SIZE], 1);
    producer_destroy (&producer);
    scene_close (&scene);
}
