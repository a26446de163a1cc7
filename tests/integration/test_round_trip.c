/*  test_round_trip.c - how far a worker is away, as it measures and its listener tells

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <string.h>

#include <muster/muster.h>
#include <zmq.h>

#include "raw.h"
#include "scene.h"

#define SECONDS_US 1000000

TestSuite (round_trip, .init = scene_hush, .timeout = 300);

/*  Of the one worker that there is; false if there is none. */
static bool
only_worker (const scene_t *scene, muster_worker_stats_t *worker)
{
    muster_worker_stats_t *workers;
    size_t count;
    MUST (muster_listener_worker_stats (scene->listener, &workers, &count) == 0);
    MUST (count <= 1);
    if (count == 1)
        *worker = workers [0];
    muster_free (workers);
    return count == 1;
}

static uint64_t
round_trip (const scene_t *scene)
{
    muster_worker_stats_t worker = { .present = false };
    return only_worker (scene, &worker) ? worker.round_trip_us : 0;
}

/*  Heartbeats are so rare that none comes. */
static scene_t
begin (void)
{
    scene_t scene = scene_open (scene_tcp ());
    muster_listener_set_liveness (scene.listener, 3600);
    scene_start (&scene);
    return scene;
}

Test (round_trip, a_worker_s_is_known_soon_after_it_joined_and_is_plausible)
{
    scene_t scene = begin ();
    muster_worker_t *worker = scene_new_worker (&scene, "a");
    muster_worker_set_liveness (worker, 3600);
    scene_start_worker (worker);
    AWAIT (round_trip (&scene) > 0);
    cr_assert_lt (round_trip (&scene), 5 * SECONDS_US);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (round_trip, it_is_measured_again_with_heartbeats)
{
    scene_t scene = scene_open (scene_tcp ());
    muster_listener_set_liveness (scene.listener, 0.4);
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    AWAIT (round_trip (&scene) > 0);
    uint64_t first = round_trip (&scene);
    AWAIT (round_trip (&scene) != first);
    cr_assert_gt (round_trip (&scene), 0);
    muster_worker_destroy (&worker);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    Workers that are not muster's */

static raw_socket_t
join (const scene_t *scene)
{
    raw_t frame;
    raw_socket_t dealer = raw_connect (ZMQ_DEALER, raw_return_endpoint (scene_endpoint (scene)));
    frame = raw_hello (raw_peer (1), "a");
    raw_send (&dealer, frame.bytes, frame.size);
    MUST (raw_recv (&dealer, NULL, &frame, PATIENCE_MS) && raw_kind (&frame, NULL) == RAW_WELCOME);
    return dealer;
}

/*  The next POSITIONS; the question is asked again as long as there is none, for one that came
    within 10 ms of another has no answer. */
static raw_t
answer_to (raw_socket_t *dealer, const raw_t *question)
{
    raw_t frame;
    do
        raw_send (dealer, question->bytes, question->size);
    while (!raw_recv (dealer, NULL, &frame, 100));
    MUST (raw_kind (&frame, NULL) == RAW_POSITIONS);
    return frame;
}

#define BODY 25

Test (round_trip, a_worker_without_stamps_is_answered_without_and_has_none)
{
    scene_t scene = begin ();
    raw_socket_t dealer = join (&scene);
    raw_t question = raw_positions (raw_peer (1), 0, 0, 0, 0);
    raw_t answer = answer_to (&dealer, &question);
    cr_assert_eq (answer.bytes [BODY], 0x95);
    cr_assert_eq (round_trip (&scene), 0);
    raw_close (&dealer);
    scene_close (&scene);
}

Test (round_trip, a_stamp_goes_back_once_as_it_came)
{
    scene_t scene = begin ();
    raw_socket_t dealer = join (&scene);
    raw_t stamped = raw_stamped (raw_peer (1), UINT64_MAX - 6, 0), plain = raw_positions (raw_peer (1), 0, 0, 0, 0);
    raw_t answer = answer_to (&dealer, &stamped);
    static const uint8_t stamp [] = { 0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf9 };
    cr_assert_eq (answer.bytes [BODY], 0x97);
    cr_assert_not_null (memmem (answer.bytes + BODY, answer.size - BODY, stamp, sizeof stamp));
    answer = answer_to (&dealer, &plain);
    cr_assert_eq (answer.bytes [BODY], 0x95);
    raw_close (&dealer);
    scene_close (&scene);
}

Test (round_trip, what_a_hostile_worker_says_is_a_number)
{
    scene_t scene = begin ();
    raw_socket_t dealer = join (&scene);
    raw_t question = raw_stamped (raw_peer (1), UINT64_MAX, UINT64_MAX);
    (void) answer_to (&dealer, &question);
    cr_assert_eq (round_trip (&scene), UINT64_MAX);
    cr_assert_eq (scene_stats (&scene).rejected, 0);
    raw_close (&dealer);
    scene_close (&scene);
}
