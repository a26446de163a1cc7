/*  test_stop.c - whom a listener that stops waits for, and whom it does not

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Liveness and drain are an hour: a stop that waits for either does not end in time.
*/
#include <criterion/criterion.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <muster/muster.h>
#include <zmq.h>

#include "collector.h"
#include "producer.h"
#include "raw.h"
#include "scene.h"
#include "stopping.h"

#define HOUR 3600

TestSuite (stop, .init = scene_hush, .timeout = 120);

static scene_t
begin (const char *endpoint)
{
    scene_t scene = scene_open (endpoint);
    MUST (muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages) == 0);
    muster_listener_set_liveness (scene.listener, HOUR);
    muster_listener_set_drain (scene.listener, HOUR);
    return scene;
}

/*  --------------------------------------------------------------------------
    Workers by hand, which answer what they are told to */

static raw_socket_t
greet (const scene_t *scene, raw_peer_t peer, const char *source)
{
    raw_socket_t dealer = raw_connect (ZMQ_DEALER, raw_return_endpoint (scene_endpoint (scene)));
    raw_t frame = raw_hello (peer, source);
    raw_send (&dealer, frame.bytes, frame.size);
    MUST (raw_recv (&dealer, NULL, &frame, PATIENCE_MS));
    MUST (raw_kind (&frame, NULL) == RAW_WELCOME);
    return dealer;
}

static void
send_data (raw_socket_t *push, raw_peer_t peer, uint64_t position)
{
    raw_t message = raw_message ("C", position), data = raw_data (peer, position, 1, &message);
    raw_send (push, data.bytes, data.size);
}

Test (stop, does_not_wait_for_a_worker_whose_connection_ends_before_it_says_goodbye)
{
    scene_t scene = begin (scene_tcp ());
    scene_start (&scene);
    raw_socket_t dealer = greet (&scene, raw_peer (1), "a");
    pthread_t stopper = stopping_begin (scene.listener);
    raw_await (&dealer, RAW_GOODBYE);
    raw_close (&dealer);
    stopping_end (stopper);
    scene_close (&scene);
}

Test (stop, does_not_wait_for_a_worker_whose_connection_ended_before)
{
    scene_t scene = begin (scene_tcp ());
    scene_start (&scene);
    raw_socket_t dealer = greet (&scene, raw_peer (1), "a");
    raw_close (&dealer);
    AWAIT (scene_stats (&scene).disconnects == 1);
    stopping_end (stopping_begin (scene.listener));
    scene_close (&scene);
}

/*  Its host is gone, say, and only the one connection is known to have ended: on the other
    something may still come. */
Test (stop, does_not_wait_longer_than_liveness_for_what_a_worker_that_is_gone_may_have_sent)
{
    scene_t scene = begin (scene_tcp ());
    muster_listener_set_liveness (scene.listener, 1);
    scene_start (&scene);
    raw_socket_t dealer = greet (&scene, raw_peer (1), "a");
    raw_socket_t push = raw_connect (ZMQ_PUSH, scene_endpoint (&scene));
    send_data (&push, raw_peer (1), 1);
    MUST (collector_wait (scene.messages, 1));
    raw_close (&dealer);
    AWAIT (scene_stats (&scene).disconnects == 1);
    stopping_end (stopping_begin (scene.listener));
    raw_close (&push);
    scene_close (&scene);
}

Test (stop, waits_for_a_worker_that_is_there_while_another_is_gone)
{
    scene_t scene = begin (scene_tcp ());
    scene_start (&scene);
    raw_socket_t gone = greet (&scene, raw_peer (1), "a"), here = greet (&scene, raw_peer (2), "b");
    pthread_t stopper = stopping_begin (scene.listener);
    raw_await (&here, RAW_GOODBYE);
    raw_await (&gone, RAW_GOODBYE);
    raw_close (&gone);
    AWAIT (scene_stats (&scene).disconnects == 1);
    raw_socket_t push = raw_connect (ZMQ_PUSH, scene_endpoint (&scene));
    raw_t message = raw_message ("LAST", 1), data = raw_data (raw_peer (2), 1, 1, &message);
    raw_t goodbye = raw_goodbye (raw_peer (2), 1);
    raw_send (&here, goodbye.bytes, goodbye.size);
    raw_send (&push, data.bytes, data.size);
    stopping_end (stopper);
    cr_assert_eq (collector_count (scene.messages), 1);
    raw_close (&push);
    raw_close (&here);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    What one that is gone has sent */

#define LEFT_BEHIND 300

/*  While plain producers have their share the PULL is not read. */
static producer_t *
fill_share (scene_t *scene)
{
    collector_block (scene->messages);
    producer_t *producer = producer_new (scene_endpoint (scene));
    producer_send_number (producer, "plain", "X", 0);
    MUST (collector_wait (scene->messages, 2));
    return producer;
}

/*  Another worker's GOODBYE tells that the stop has begun; it says goodbye for good. */
Test (stop, handles_what_a_worker_that_is_gone_had_sent_before)
{
    scene_t scene = begin (scene_tcp ());
    muster_listener_set_plain_share (scene.listener, 1);
    scene_start (&scene);
    raw_socket_t dealer = greet (&scene, raw_peer (1), "a"), other = greet (&scene, raw_peer (2), "b");
    raw_socket_t push = raw_connect (ZMQ_PUSH, scene_endpoint (&scene));
    send_data (&push, raw_peer (1), 1);
    MUST (collector_wait (scene.messages, 1));
    producer_t *producer = fill_share (&scene);
    for (uint64_t position = 2; position <= LEFT_BEHIND; position++)
        send_data (&push, raw_peer (1), position);
    raw_close (&push);
    raw_close (&dealer);
    AWAIT (scene_stats (&scene).disconnects >= 1);
    pthread_t stopper = stopping_begin (scene.listener);
    raw_await (&other, RAW_GOODBYE);
    raw_t goodbye = raw_goodbye (raw_peer (2), 0);
    raw_send (&other, goodbye.bytes, goodbye.size);
    raw_await (&other, RAW_END);
    collector_unblock (scene.messages);
    stopping_end (stopper);
    cr_assert_eq (collector_count (scene.messages), LEFT_BEHIND + 1);
    raw_close (&other);
    producer_destroy (&producer);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    A process */

static void __attribute__ ((noreturn))
be_worker (const char *endpoint)
{
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    muster_worker_t *worker = muster_worker_new (endpoint, "a");
    MUST (worker && muster_worker_start (worker) == 0);
    MUST (muster_worker_send (worker, "HERE", "{}") == 0);
    for (;;)
        pause ();
}

Test (stop, does_not_wait_for_a_worker_that_was_killed)
{
    char endpoint [100];
    scene_private_endpoint (endpoint, sizeof endpoint);
    pid_t child = fork ();
    MUST (child >= 0);
    if (child == 0)
        be_worker (endpoint);
    scene_t scene = begin (endpoint);
    scene_start (&scene);
    MUST (collector_wait (scene.messages, 1));
    MUST (kill (child, SIGKILL) == 0 && waitpid (child, NULL, 0) == child);
    AWAIT (scene_stats (&scene).disconnects >= 1);
    stopping_end (stopping_begin (scene.listener));
    scene_close (&scene);
}
