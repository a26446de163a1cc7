/*  test_observe.c - asking a running listener what it counts

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <muster/muster.h>
#include <zmq.h>

#include "collector.h"
#include "raw.h"
#include "scene.h"

#define OBSERVE 9
#define REPORT 10
#define WAIT_MS 60000

TestSuite (observe, .init = scene_hush, .timeout = 300);

static scene_t
begin (void)
{
    scene_t scene = scene_open (scene_tcp ());
    MUST (muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages) == 0);
    scene_start (&scene);
    return scene;
}

/*  The number behind key, which is at the map's top. */
static uint64_t
number_of (const void *map, size_t size, const char *key)
{
    muster_reader_t reader;
    muster_value_t value;
    muster_reader_init (&reader, map, size);
    MUST (muster_reader_next (&reader, &value) == 0 && value.type == MUSTER_VALUE_MAP);
    for (uint32_t pairs = value.count; pairs > 0; pairs--) {
        MUST (muster_reader_next (&reader, &value) == 0);
        if (value.size == strlen (key) && memcmp (value.bytes, key, value.size) == 0) {
            MUST (muster_reader_next (&reader, &value) == 0 && value.type == MUSTER_VALUE_UINT);
            return value.u;
        }
        MUST (muster_reader_skip (&reader) == 0);
    }
    MUST (!"a key is missing");
    return 0;
}

Test (observe, an_observer_gets_what_the_listener_counts)
{
    scene_t scene = begin ();
    muster_worker_t *worker = scene_worker (&scene, "a");
    MUST (muster_worker_send (worker, "C", "{}") == 0);
    MUST (muster_worker_flush (worker, WAIT_MS) == 0);
    void *map;
    size_t size;
    char reason [MUSTER_OBSERVE_REASON_ROOM];
    cr_assert_eq (muster_observe (scene_endpoint (&scene), NULL, NULL, WAIT_MS, &map, &size, reason, sizeof reason), 0);
    cr_assert_eq (number_of (map, size, "handled"), 1);
    cr_assert_eq (number_of (map, size, "workers"), 1);
    muster_free (map);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (observe, the_owner_sees_each_worker_by_its_source)
{
    scene_t scene = begin ();
    muster_worker_t *second = scene_worker (&scene, "b");
    muster_worker_t *first = scene_worker (&scene, "a");
    MUST (muster_worker_send (first, "C", "{}") == 0);
    MUST (muster_worker_flush (first, WAIT_MS) == 0);
    AWAIT (scene_stats (&scene).workers == 2);
    muster_worker_stats_t *workers;
    size_t count;
    cr_assert_eq (muster_listener_worker_stats (scene.listener, &workers, &count), 0);
    cr_assert_eq (count, 2);
    cr_assert_str_eq (workers [0].source, "a");
    cr_assert_str_eq (workers [1].source, "b");
    cr_assert_eq (workers [0].handled, 1);
    cr_assert_eq (workers [1].handled, 0);
    cr_assert (workers [0].present);
    cr_assert_str_eq (workers [0].address, "127.0.0.1");
    muster_free (workers);
    scene_dismiss (first);
    scene_dismiss (second);
    scene_close (&scene);
}

Test (observe, a_handler_s_time_is_counted_once_for_each_message)
{
    scene_t scene = begin ();
    muster_worker_t *worker = scene_worker (&scene, "a");
    for (int i = 0; i < 1000; i++)
        MUST (muster_worker_send (worker, "C", "{}") == 0);
    MUST (muster_worker_close (worker, NULL) == 0);
    muster_worker_destroy (&worker);
    MUST (muster_listener_stop (scene.listener, NULL) == 0);
    muster_stats_t stats;
    uint64_t sum = 0;
    MUST (muster_listener_stats (scene.listener, &stats) == 0);
    for (int i = 0; i < MUSTER_TIMES_COUNT; i++)
        sum += stats.times [i];
    cr_assert_eq (stats.timed, 1000);
    cr_assert_eq (sum, 1000);
    scene_close (&scene);
}

static raw_t
observe_frame (void)
{
    static const uint8_t header [] = { 0xc7, 22, 0x4d, 1, OBSERVE };
    static const uint8_t nobody [4 + 16] = { 0 };
    static const uint8_t body [] = { 0x91, 1 };
    raw_t frame = { .size = 0 };
    raw_put (&frame, header, sizeof header);
    raw_put (&frame, nobody, sizeof nobody);
    raw_put (&frame, body, sizeof body);
    return frame;
}

/*  The kind of the next frame, which may be large; 0 if none comes. */
static int
next_kind (const raw_socket_t *dealer, int timeout_ms)
{
    zmq_msg_t msg;
    zmq_msg_init (&msg);
    zmq_setsockopt (dealer->socket, ZMQ_RCVTIMEO, &timeout_ms, sizeof timeout_ms);
    int size = zmq_msg_recv (&msg, dealer->socket, 0);
    int kind = size > 4 ? ((const uint8_t *) zmq_msg_data (&msg)) [4] : 0;
    zmq_msg_close (&msg);
    return kind;
}

Test (observe, a_flood_of_questions_gets_few_answers_and_delays_no_worker)
{
    scene_t scene = begin ();
    raw_socket_t dealer = raw_connect (ZMQ_DEALER, raw_return_endpoint (scene_endpoint (&scene)));
    raw_t question = observe_frame ();
    int64_t began = scene_now_ms ();
    for (int i = 0; i < 5000; i++)
        raw_send (&dealer, question.bytes, question.size);
    muster_worker_t *worker = scene_worker (&scene, "a");
    for (int i = 0; i < 100; i++)
        MUST (muster_worker_send (worker, "C", "{}") == 0);
    MUST (muster_worker_flush (worker, WAIT_MS) == 0);
    int answers = 0;
    while (next_kind (&dealer, answers == 0 ? WAIT_MS : 300) == REPORT)
        answers++;
    int64_t most = (scene_now_ms () - began) / 100 + 1;
    cr_assert_geq (answers, 1);
    cr_assert_leq (answers, most);
    raw_close (&dealer);
    scene_dismiss (worker);
    scene_close (&scene);
}
