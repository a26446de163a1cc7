/*  test_send_writer.c - sending what a writer holds, and what becomes of the writer

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <muster/muster.h>

#include "collector.h"
#include "scene.h"

static scene_t scene;
static muster_worker_t *worker;
static muster_writer_t *writer;
static uint8_t *bytes;

#define BYTES_MOST 5000000

/*  A few bytes; one frame of one message; pieces. */
static const size_t sizes [] = { 5, 5000, 100000, BYTES_MOST };
#define EACH_SIZE(i) for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)

static void
set_up (void)
{
    scene = scene_open (scene_tcp ());
    scene_start (&scene);
    worker = scene_worker (&scene, "a");
    MUST (muster_listener_wait_for_workers (scene.listener, 1, PATIENCE_MS) == 0);
    writer = muster_writer_new ();
    bytes = malloc (BYTES_MOST);
    for (size_t i = 0; i < BYTES_MOST; i++)
        bytes [i] = (uint8_t) (i * 131 >> 3);
}

static void
tear_down (void)
{
    muster_writer_destroy (&writer);
    scene_dismiss (worker);
    scene_close (&scene);
    free (bytes);
}

TestSuite (send_writer, .init = set_up, .fini = tear_down);

static void
fill (size_t size)
{
    muster_writer_map (writer, 2);
    muster_writer_str (writer, "b", 1);
    muster_writer_bin (writer, bytes, size);
    muster_writer_str (writer, "n", 1);
    muster_writer_int (writer, 7);
}

static size_t
written (void)
{
    size_t size = 0;
    cr_assert_eq (muster_writer_bytes (writer, NULL, &size), 0);
    return size;
}

static bool
holds (const muster_message_t *message, size_t expected)
{
    const void *got;
    size_t size;
    return muster_message_unpack (message, "{s:y}", "b", &got, &size) == 0
        && size == expected && memcmp (got, bytes, size) == 0 && scene_number (message) == 7;
}

Test (send_writer, what_it_holds_arrives_and_it_is_empty_and_can_be_used_again)
{
    EACH_SIZE (i) {
        fill (sizes [i]);
        cr_assert_eq (muster_worker_send_writer (worker, "X", writer), 0);
        cr_assert_eq (written (), 0);
        fill (5);
        cr_assert_eq (muster_worker_send_writer (worker, "Y", writer), 0);
        for (int part = 0; part < 2; part++) {
            muster_message_t *message = scene_next (&scene);
            cr_assert_str_eq (muster_message_cmd (message), part ? "Y" : "X");
            cr_assert (holds (message, part ? 5 : sizes [i]));
            muster_message_done (&message, 0);
        }
    }
}

Test (send_writer, replies_go_both_ways)
{
    EACH_SIZE (i) {
        fill (sizes [i]);
        cr_assert_eq (muster_worker_send_writer (worker, "X", writer), 0);
        muster_message_t *message = scene_next (&scene);
        fill (sizes [i]);
        cr_assert_eq (muster_message_reply_writer (message, "REPLY", writer), 0);
        cr_assert_eq (written (), 0);
        uint64_t position = muster_message_position (message);
        muster_message_done (&message, 0);
        message = scene_recv (worker);
        cr_assert (holds (message, sizes [i]));
        cr_assert_eq (muster_message_answers (message), position);
        fill (sizes [i]);
        cr_assert_eq (muster_message_reply_writer (message, "BACK", writer), 0);
        position = muster_message_position (message);
        muster_message_done (&message, 0);
        message = scene_next (&scene);
        cr_assert (holds (message, sizes [i]));
        cr_assert_eq (muster_message_answers (message), position);
        muster_message_done (&message, 0);
    }
}

Test (send_writer, a_command_goes_to_one_or_to_all)
{
    muster_worker_t *other = scene_worker (&scene, "b");
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 2, PATIENCE_MS), 0);
    EACH_SIZE (i) {
        size_t sent = 0;
        char **sources = NULL;
        fill (sizes [i]);
        cr_assert_eq (muster_listener_send_writer (scene.listener, "a", "ONE", writer), 0);
        cr_assert_eq (written (), 0);
        fill (sizes [i]);
        cr_assert_eq (muster_listener_broadcast_writer (scene.listener, &sources, &sent, "ALL", writer), 0);
        cr_assert_eq (written (), 0);
        cr_assert_eq (sent, 2);
        cr_assert (sources [0] && sources [1] && !sources [2]);
        cr_assert_str_neq (sources [0], sources [1]);
        muster_free (sources);
        muster_message_t *messages [] = { scene_recv (worker), scene_recv (worker), scene_recv (other) };
        for (int part = 0; part < 3; part++) {
            cr_assert (holds (messages [part], sizes [i]));
            muster_message_done (&messages [part], 0);
        }
    }
    scene_dismiss (other);
}

Test (send_writer, a_round_may_ask_with_it)
{
    EACH_SIZE (i) {
        muster_ask_t *ask = muster_ask_new (scene.listener);
        fill (sizes [i]);
        cr_assert_eq (muster_ask_send_writer (ask, "ASK", writer), 0);
        cr_assert_eq (written (), 0);
        muster_message_t *message = scene_recv (worker);
        cr_assert (holds (message, sizes [i]));
        fill (sizes [i]);
        cr_assert_eq (muster_message_reply_writer (message, "REPLY", writer), 0);
        muster_message_done (&message, 0);
        muster_message_t *reply = NULL;
        cr_assert_eq (muster_ask_next (ask, &reply), 0);
        cr_assert (holds (reply, sizes [i]));
        muster_message_done (&reply, 0);
        muster_ask_destroy (&ask);
    }
}

Test (send_writer, after_an_error_it_is_as_it_was_and_may_be_sent_again)
{
    EACH_SIZE (i) {
        fill (sizes [i]);
        size_t size = written ();
        cr_assert_eq (muster_worker_send_writer (worker, "", writer), MUSTER_INVAL);
        cr_assert_eq (muster_listener_send_writer (scene.listener, "nobody", "X", writer), MUSTER_NOTFOUND);
        cr_assert_eq (written (), size);
        cr_assert_eq (muster_worker_send_writer (worker, "X", writer), 0);
        muster_message_t *message = scene_next (&scene);
        cr_assert (holds (message, sizes [i]));
        muster_message_done (&message, 0);
    }
}

Test (send_writer, where_the_send_buffer_is_full_a_try_leaves_it_as_it_was)
{
    muster_worker_t *other = scene_new_worker (&scene, "b");
    muster_worker_set_send_buffer (other, 1);
    scene_start_worker (other);
    EACH_SIZE (i) {
        fill (sizes [i]);
        AWAIT (muster_worker_try_send_writer (other, "X", writer) == 0);
        fill (sizes [i]);
        size_t size = written ();
        cr_assert_eq (muster_worker_try_send_writer (other, "Y", writer), MUSTER_AGAIN);
        cr_assert_eq (written (), size);
        muster_message_t *message = scene_next (&scene);
        cr_assert (holds (message, sizes [i]));
        muster_message_done (&message, 0);
        AWAIT (muster_worker_try_send_writer (other, "Y", writer) == 0);
        message = scene_next (&scene);
        cr_assert (holds (message, sizes [i]));
        cr_assert_str_eq (muster_message_cmd (message), "Y");
        muster_message_done (&message, 0);
        cr_assert_eq (muster_worker_flush (other, PATIENCE_MS), 0);
    }
    scene_dismiss (other);
}

Test (send_writer, its_own_error_and_what_is_no_map_are_told)
{
    muster_message_t *message, *copy;
    cr_assert_eq (muster_worker_send_writer (worker, "X", writer), MUSTER_FORMAT, "nothing is no map");
    muster_writer_seq (writer, 0);
    cr_assert_eq (muster_worker_send_writer (worker, "X", writer), MUSTER_FORMAT);
    muster_writer_clear (writer);
    fill (5);
    cr_assert_eq (muster_worker_send_writer (worker, "X", writer), 0);
    message = scene_next (&scene);
    copy = muster_message_dup (message);
    muster_message_done (&message, 0);
    muster_writer_bin (writer, NULL, 1);
    muster_ask_t *ask = muster_ask_new (scene.listener);
    cr_assert_eq (muster_worker_send_writer (worker, "X", writer), MUSTER_INVAL);
    cr_assert_eq (muster_worker_try_send_writer (worker, "X", writer), MUSTER_INVAL);
    cr_assert_eq (muster_listener_send_writer (scene.listener, "a", "X", writer), MUSTER_INVAL);
    cr_assert_eq (muster_listener_broadcast_writer (scene.listener, NULL, NULL, "X", writer), MUSTER_INVAL);
    cr_assert_eq (muster_ask_send_writer (ask, "X", writer), MUSTER_INVAL);
    cr_assert_eq (muster_message_reply_writer (copy, "X", writer), MUSTER_INVAL);
    muster_ask_destroy (&ask);
    muster_message_destroy (&copy);
}

Test (send_writer, nothing_to_send_or_to_send_from_is_invalid)
{
    cr_assert_eq (muster_worker_send_writer (NULL, "X", writer), MUSTER_INVAL);
    cr_assert_eq (muster_worker_send_writer (worker, NULL, writer), MUSTER_INVAL);
    cr_assert_eq (muster_worker_try_send_writer (worker, "X", NULL), MUSTER_INVAL);
    cr_assert_eq (muster_listener_send_writer (scene.listener, "a", "X", NULL), MUSTER_INVAL);
    cr_assert_eq (muster_listener_broadcast_writer (scene.listener, NULL, NULL, "X", NULL), MUSTER_INVAL);
    cr_assert_eq (muster_ask_send_writer (NULL, "X", writer), MUSTER_INVAL);
    cr_assert_eq (muster_message_reply_writer (NULL, "X", writer), MUSTER_INVAL);
}
