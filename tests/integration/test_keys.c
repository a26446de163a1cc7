/*  test_keys.c - a listener with keys: who gets in, who does not, and who is told why

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <muster/muster.h>
#include <zmq.h>

#include "collector.h"
#include "keyring.h"
#include "raw.h"
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

TestSuite (keys, .init = set_up, .fini = tear_down, .timeout = 300);

static scene_t
begin_at (const char *endpoint)
{
    scene_t scene = scene_open (endpoint);
    MUST (muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages) == 0);
    keyring_arm_listener (&keyring, scene.listener);
    scene_start (&scene);
    return scene;
}

static scene_t
begin (void)
{
    return begin_at (scene_tcp ());
}

static muster_worker_t *
new_worker (const scene_t *scene, const char *key, const char *source)
{
    muster_worker_t *worker = scene_new_worker (scene, source);
    keyring_arm_worker (&keyring, worker, key);
    return worker;
}

static muster_worker_t *
begin_worker (const scene_t *scene, const char *key, const char *source)
{
    muster_worker_t *worker = new_worker (scene, key, source);
    scene_start_worker (worker);
    return worker;
}

#define HOUR 3600

/*  A worker that is not let in: its call ends, as its start said it would not, and it knows
    why. Nothing but the refusal can end it: all of its limits are an hour, and its call has
    none. Destroys it. */
static void
expect_refused (muster_worker_t *worker, muster_error_t error, const char *why)
{
    muster_message_t *command;
    muster_worker_set_liveness (worker, HOUR);
    muster_worker_set_drain (worker, HOUR);
    muster_worker_set_no_progress (worker, HOUR);
    scene_start_worker (worker);
    muster_error_t got = muster_worker_recv (worker, &command, -1);
    cr_expect_eq (got, error, "%s: %s", muster_error_name (got), muster_worker_reason (worker));
    cr_expect_eq (muster_worker_send (worker, "X", NULL), error);
    cr_expect (strstr (muster_worker_reason (worker), why), "%s", muster_worker_reason (worker));
    muster_worker_destroy (&worker);
}

/*  The address of who is on this host may not be known: it can be gone before it is asked. */
static size_t
expect_refused_event (const scene_t *scene, size_t from, const char *source, const char *reason)
{
    size_t index = collector_find (scene->events, from, MUSTER_EVENT_REFUSED);
    cr_expect_str_eq (collector_about (scene->events, index), source);
    cr_expect (strstr (collector_reason (scene->events, index), reason),
        "%s", collector_reason (scene->events, index));
    const char *address = collector_address (scene->events, index);
    cr_expect (!*address || strncmp (address, "127.", 4) == 0, "%s", address);
    return index + 1;
}

/*  --------------------------------------------------------------------------
    In */

static void
expect_carries_both_ways (const char *endpoint)
{
    keyring_admit (&keyring, "a");
    scene_t scene = begin_at (endpoint);
    muster_worker_t *worker = begin_worker (&scene, "a", "a");
    for (int i = 0; i < 1000; i++)
        cr_assert_eq (muster_worker_send (worker, "X", "{s:i}", "n", i), 0);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert_eq (collector_count (scene.messages), 1000);
    cr_assert_eq (muster_listener_send (scene.listener, "a", "GO", "{s:i}", "n", 7), 0);
    muster_message_t *command = scene_recv (worker);
    cr_assert_eq (scene_number (command), 7);
    muster_message_done (&command, 0);
    scene_dismiss (worker);
    cr_assert_eq (scene_stats (&scene).rejected, 0);
    scene_close (&scene);
}

Test (keys, an_enrolled_worker_gets_in_over_tcp)
{
    expect_carries_both_ways (scene_tcp ());
}

Test (keys, an_enrolled_worker_gets_in_over_ipc)
{
    char endpoint [128];
    expect_carries_both_ways (scene_private_endpoint (endpoint, sizeof endpoint));
}

Test (keys, inproc_carries_workers_of_this_process_without_any)
{
    scene_t scene = begin_at ("inproc://keys");
    muster_worker_t *worker = scene_worker (&scene, "whoever");
    muster_worker_send (worker, "X", NULL);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (keys, a_large_message_goes_both_ways)
{
    keyring_admit (&keyring, "a");
    scene_t scene = begin ();
    muster_worker_t *worker = begin_worker (&scene, "a", "a");
    size_t size = 20 * 1000 * 1000;
    char *bytes = calloc (1, size);
    cr_assert_eq (muster_worker_send (worker, "X", "{s:y, s:i}", "bytes", bytes, size, "n", 1), 0);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert_eq (muster_listener_send (scene.listener, "a", "GO", "{s:y, s:i}", "bytes", bytes, size, "n", 2), 0);
    muster_message_t *command = scene_recv (worker);
    cr_assert_eq (scene_number (command), 2);
    muster_message_done (&command, 0);
    free (bytes);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (keys, let_a_listener_bind_beyond_loopback)
{
    keyring_admit (&keyring, "a");
    scene_t scene = scene_open ("tcp://0.0.0.0:*");
    cr_assert_eq (muster_listener_start (scene.listener), MUSTER_ACCESS);
    keyring_arm_listener (&keyring, scene.listener);
    muster_listener_set_advertise (scene.listener, "127.0.0.1");
    MUST (muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages) == 0);
    scene_start (&scene);
    muster_worker_t *worker = begin_worker (&scene, "a", "a");
    muster_worker_send (worker, "X", NULL);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (keys, a_key_may_have_several_sources_and_a_source_several_keys)
{
    keyring_make (&keyring, "one");
    keyring_make (&keyring, "two");
    keyring_enrol (&keyring, "one", "a");
    keyring_enrol (&keyring, "one", "b c");
    keyring_enrol (&keyring, "two", "a");
    scene_t scene = begin ();
    muster_worker_t *first = begin_worker (&scene, "one", "a");
    muster_worker_t *second = begin_worker (&scene, "one", "b c");
    muster_worker_send (first, "X", NULL);
    muster_worker_send (second, "X", NULL);
    cr_assert_eq (muster_worker_flush (first, PATIENCE_MS), 0);
    cr_assert_eq (muster_worker_flush (second, PATIENCE_MS), 0);
    muster_worker_t *successor = begin_worker (&scene, "two", "a");
    muster_worker_send (successor, "X", NULL);
    cr_assert_eq (muster_worker_flush (successor, PATIENCE_MS), 0);
    muster_message_t *command;
    cr_assert_eq (muster_worker_recv (first, &command, PATIENCE_MS), MUSTER_REPLACED);
    muster_worker_destroy (&first);
    scene_dismiss (second);
    scene_dismiss (successor);
    scene_close (&scene);
}

Test (keys, sessions_outlive_a_restart_of_the_listener)
{
    keyring_admit (&keyring, "a");
    scene_t scene = begin ();
    muster_worker_t *worker = begin_worker (&scene, "a", "a");
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++)
            cr_assert_eq (muster_worker_send (worker, "X", NULL), 0);
        cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
        cr_assert_eq (muster_listener_stop (scene.listener, NULL), 0);
        for (int i = 0; i < 100; i++)
            cr_assert_eq (muster_worker_send (worker, "X", NULL), 0);
        scene_start (&scene);
        cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    }
    cr_assert_eq (collector_count (scene.messages), 600);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (keys, two_listeners_of_a_process_admit_their_own)
{
    keyring_admit (&keyring, "a");
    scene_t scene = begin ();
    keyring_t other_keyring = keyring_open ();
    keyring_admit (&other_keyring, "b");
    scene_t other = scene_open (scene_tcp ());
    keyring_arm_listener (&other_keyring, other.listener);
    MUST (muster_listener_register_default_handler (other.listener, collector_handler, other.messages) == 0);
    scene_start (&other);

    muster_worker_t *worker = begin_worker (&scene, "a", "a");
    muster_worker_send (worker, "X", NULL);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    muster_worker_t *stranger = scene_new_worker (&other, "a");
    muster_worker_set_key (stranger, keyring_file (&keyring, "a", ".key"));
    muster_worker_set_server (stranger, keyring_file (&other_keyring, "listener", ".pub"));
    expect_refused (stranger, MUSTER_ACCESS, "does not admit this key");
    scene_close (&other);
    muster_worker_send (worker, "X", NULL);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    scene_dismiss (worker);
    scene_close (&scene);
    keyring_close (&other_keyring);
}

/*  --------------------------------------------------------------------------
    Not in */

/*  Each side can be the first to see that it does not fit. */
#define NO_KEY "no key"

Test (keys, who_is_not_enrolled_is_refused_and_both_sides_know_why)
{
    keyring_make (&keyring, "stranger");
    scene_t scene = begin ();
    expect_refused (new_worker (&scene, "stranger", "a"), MUSTER_ACCESS, "the listener does not admit this key");
    expect_refused_event (&scene, 0, "", "its key is not in the allow list");
    cr_expect_eq (scene_stats (&scene).joined, 0);
    scene_close (&scene);
}

Test (keys, a_source_that_the_key_may_not_use_is_refused)
{
    keyring_admit (&keyring, "a");
    scene_t scene = begin ();
    expect_refused (new_worker (&scene, "a", "b"), MUSTER_ACCESS, "the key may not use this source");
    expect_refused_event (&scene, 0, "b", "the key may not use this source");
    scene_close (&scene);
}

Test (keys, who_takes_the_listener_for_another_is_refused)
{
    keyring_admit (&keyring, "a");
    keyring_make (&keyring, "other");
    scene_t scene = begin ();
    muster_worker_t *worker = new_worker (&scene, "a", "a");
    muster_worker_set_server (worker, keyring_file (&keyring, "other", ".pub"));
    expect_refused (worker, MUSTER_ACCESS, "the listener has another key than the one that server gives");
    expect_refused_event (&scene, 0, "", "it takes this listener for one with another key");
    cr_expect_leq (scene_stats (&scene).disconnects, 8, "it tries on and on");
    scene_close (&scene);
}

/*  A port that somebody accepts at and hangs up, as what forwards to a listener does
    while it cannot reach it. Returns once it has hung up count times. */
static void
hang_up (const char *endpoint, int offset, int count)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    char host [64];
    unsigned port;
    int yes = 1;
    MUST (sscanf (endpoint, "tcp://%63[0-9.]:%u", host, &port) == 2);
    address.sin_port = htons ((uint16_t) (port + offset));
    MUST (inet_pton (AF_INET, host, &address.sin_addr) == 1);
    int listening = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt (listening, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    MUST (bind (listening, (struct sockaddr *) &address, sizeof address) == 0);
    MUST (listen (listening, 16) == 0);
    for (int i = 0; i < count; i++) {
        int accepted = accept (listening, NULL, NULL);
        MUST (accepted >= 0);
        close (accepted);
    }
    close (listening);
}

Test (keys, a_listener_that_is_started_without_its_keys_by_mistake_ends_no_worker)
{
    keyring_admit (&keyring, "a");
    scene_t scene = begin ();
    muster_worker_t *worker = begin_worker (&scene, "a", "a");
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 1, PATIENCE_MS), 0);
    cr_assert_eq (muster_listener_stop (scene.listener, NULL), 0);
    muster_listener_set_key (scene.listener, NULL);
    muster_listener_set_allow (scene.listener, NULL);
    cr_assert_eq (muster_worker_send (worker, "X", NULL), 0);
    scene_start (&scene);
    expect_refused_event (&scene, 0, "", "it has a key");
    cr_assert_eq (muster_listener_stop (scene.listener, NULL), 0);
    cr_expect_eq (collector_count (scene.messages), 0);
    keyring_arm_listener (&keyring, scene.listener);
    scene_start (&scene);
    cr_expect_eq (muster_worker_flush (worker, PATIENCE_MS), 0, "%s", muster_worker_reason (worker));
    cr_expect_eq (collector_count (scene.messages), 1);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (keys, a_way_that_cannot_reach_the_listener_at_the_moment_is_no_reason_to_give_up)
{
    keyring_admit (&keyring, "a");
    scene_t scene = begin ();
    char endpoint [128];
    snprintf (endpoint, sizeof endpoint, "%s", scene_endpoint (&scene));
    cr_assert_eq (muster_listener_stop (scene.listener, NULL), 0);
    muster_worker_t *worker = begin_worker (&scene, "a", "a");
    cr_assert_eq (muster_worker_send (worker, "X", NULL), 0);
    hang_up (endpoint, 1, 12);
    scene_start (&scene);
    cr_expect_eq (muster_worker_flush (worker, PATIENCE_MS), 0, "%s", muster_worker_reason (worker));
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (keys, who_has_no_key_is_refused)
{
    scene_t scene = begin ();
    expect_refused (scene_new_worker (&scene, "a"), MUSTER_ACCESS, "the listener asks for keys: give key and server");
    expect_refused_event (&scene, 0, "", NO_KEY);
    scene_close (&scene);
}

Test (keys, who_has_a_key_does_not_talk_to_a_listener_without)
{
    keyring_admit (&keyring, "a");
    scene_t scene = scene_begin ();
    expect_refused (new_worker (&scene, "a", "a"), MUSTER_ACCESS, "the listener has no keys");
    expect_refused_event (&scene, 0, "", "it has a key, and this listener asks for none");
    cr_expect_eq (collector_count (scene.messages), 0);
    scene_close (&scene);
}

Test (keys, a_plain_producer_without_a_key_is_refused_and_nothing_of_it_comes_in)
{
    scene_t scene = begin ();
    raw_socket_t push = raw_connect (ZMQ_PUSH, scene_endpoint (&scene));
    raw_t message = raw_plain ("a", "X", 1);
    raw_send (&push, message.bytes, message.size);
    expect_refused_event (&scene, 0, "", NO_KEY);
    /*  Unless it saw itself that it does not fit, ZeroMQ would try on for as long as it lingers. */
    zmq_setsockopt (push.socket, ZMQ_LINGER, &(int) { 0 }, sizeof (int));
    raw_close (&push);
    cr_expect_eq (collector_count (scene.messages), 0);
    scene_close (&scene);
}

Test (keys, what_is_kept_back_of_refusals_is_told_when_the_listener_stops)
{
    keyring_admit (&keyring, "a");
    scene_t scene = begin ();
    uint64_t told = 0;
    for (int i = 0; i < 5; i++)
        expect_refused (new_worker (&scene, "a", "b"), MUSTER_ACCESS, "the key may not use this source");
    cr_assert_eq (muster_listener_stop (scene.listener, NULL), 0);
    for (size_t i = 0; told < 5; i++)
        told += collector_times (scene.events, collector_find (scene.events, i, MUSTER_EVENT_REFUSED));
    cr_expect_eq (told, 5);
    scene_close (&scene);
}

Test (keys, a_flood_of_refusals_is_told_of_once_a_second)
{
    keyring_make (&keyring, "stranger");
    scene_t scene = begin ();
    muster_message_t *command;
    for (int i = 0; i < 20; i++) {
        muster_worker_t *worker = begin_worker (&scene, "stranger", "a");
        cr_assert_eq (muster_worker_recv (worker, &command, PATIENCE_MS), MUSTER_ACCESS);
        muster_worker_destroy (&worker);
    }
    uint64_t told = 0;
    size_t events = 0;
    int64_t began = scene_now_ms ();
    while (told < 20)
        told += collector_times (scene.events, collector_find (scene.events, events++, MUSTER_EVENT_REFUSED));
    cr_expect_leq (events, 2 + (size_t) (scene_now_ms () - began) / 1000 + 20, "%zu", events);
    cr_expect_lt (events, 20);
    scene_close (&scene);
}
