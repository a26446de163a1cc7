/*  test_stop.c - a listener that stops, and workers of its own process that are gone

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <zmq.h>

#include "net/context.h"
#include "raw.h"
#include "scene.h"
#include "stopping.h"

#define HOUR 3600

TestSuite (stop, .init = scene_hush, .timeout = 120);

/*  inproc is of the library's own context, and no monitor tells of it. */
static raw_socket_t
greet (void *context, const char *endpoint)
{
    raw_socket_t dealer = { .context = context, .guest = true, .socket = zmq_socket (context, ZMQ_DEALER) };
    MUST (dealer.socket && zmq_connect (dealer.socket, endpoint) == 0);
    raw_t hello = raw_hello (raw_peer (1), "a");
    raw_send (&dealer, hello.bytes, hello.size);
    raw_await (&dealer, RAW_WELCOME);
    return dealer;
}

Test (stop, does_not_wait_for_a_worker_of_this_process_that_is_gone)
{
    scene_t scene = scene_open ("inproc://stop");
    muster_listener_set_liveness (scene.listener, HOUR);
    muster_listener_set_drain (scene.listener, HOUR);
    scene_start (&scene);
    void *context = context_acquire ();
    raw_socket_t dealer = greet (context, "inproc://stop.return");
    pthread_t stopper = stopping_begin (scene.listener);
    raw_await (&dealer, RAW_GOODBYE);
    raw_close (&dealer);
    stopping_end (stopper);
    context_release (context);
    scene_close (&scene);
}
