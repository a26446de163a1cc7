/*  test_worker.c - what a worker promises to its caller, with a listener and without one

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <muster/muster.h>

#include "collector.h"
#include "joining.h"
#include "producer.h"
#include "raw.h"
#include "scene.h"
#include "tally.h"

/*  A thread that is to wait gets so long to show that it does not. */
#define SILENCE_MS 60

/*  --------------------------------------------------------------------------
    Arriving, and in order */

Test (worker, messages_sent_before_the_listener_exists_arrive)
{
    char endpoint [100];
    scene_private_endpoint (endpoint, sizeof endpoint);
    muster_worker_t *worker = muster_worker_new (endpoint, "a");
    scene_start_worker (worker);
    for (int i = 0; i < 100; i++)
        cr_assert_eq (muster_worker_send (worker, "EARLY", "{s:i}", "n", i), 0);
    scene_t scene = scene_open (endpoint);
    muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages);
    scene_start (&scene);
    cr_assert (collector_wait (scene.messages, 100));
    for (int i = 0; i < 100; i++)
        cr_assert_eq (collector_number (scene.messages, i), i);
    scene_dismiss (worker);
    scene_close (&scene);
}

static tally_t *
begin_tally (scene_t *scene)
{
    tally_t *tally = tally_new ();
    *scene = scene_open (scene_tcp ());
    muster_listener_register_default_handler (scene->listener, tally_handler, tally);
    scene_start (scene);
    return tally;
}

Test (worker, a_hundred_thousand_messages_of_one_worker_come_in_order)
{
    scene_t scene;
    tally_t *tally = begin_tally (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    for (int i = 0; i < 100000; i++)
        MUST (muster_worker_send (worker, "X", "{s:i}", "n", i) == 0);
    cr_assert_eq (muster_worker_flush (worker, 3 * PATIENCE_MS), 0);
    cr_assert_eq (tally_count (tally), 100000);
    cr_assert_eq (tally_wrong (tally), 0);
    cr_assert_eq (scene_stats (&scene).handled, 100000);
    scene_dismiss (worker);
    scene_close (&scene);
    tally_destroy (&tally);
}

/*  So many messages, so fast, that their frames wait to be full. */
#ifdef __SANITIZE_ADDRESS__
#define STREAM 40000            /* all of it takes ten times as long there */
#define BURSTS 25
#else
#define STREAM 200000
#define BURSTS 100
#endif

static void
send_stream (muster_worker_t *worker, int first)
{
    char text [300];
    memset (text, 'x', sizeof text - 1);
    text [sizeof text - 1] = 0;
    for (int i = first; i < first + STREAM; i++)
        MUST (muster_worker_send (worker, "X", "{s:i,s:s}", "n", i, "text", text) == 0);
}

Test (worker, a_stream_that_stops_is_sent_to_its_last_message_though_nobody_flushes)
{
    scene_t scene;
    tally_t *tally = begin_tally (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    for (int times = 0; times < 3; times++) {
        send_stream (worker, times * STREAM);
        cr_assert (tally_wait (tally, (size_t) (times + 1) * STREAM));
    }
    cr_assert_eq (tally_wrong (tally), 0);
    scene_dismiss (worker);
    scene_close (&scene);
    tally_destroy (&tally);
}

Test (worker, a_stream_goes_on_through_a_send_buffer_smaller_than_a_frame)
{
    scene_t scene;
    tally_t *tally = begin_tally (&scene);
    muster_worker_t *worker = scene_new_worker (&scene, "a");
    muster_worker_set_send_buffer (worker, 20000);
    scene_start_worker (worker);
    send_stream (worker, 0);
    cr_assert_eq (muster_worker_flush (worker, 3 * PATIENCE_MS), 0);
    cr_assert_eq (tally_count (tally), STREAM);
    cr_assert_eq (tally_wrong (tally), 0);
    scene_dismiss (worker);
    scene_close (&scene);
    tally_destroy (&tally);
}

typedef struct {
    muster_worker_t *worker;
    int count;
    int first;
    size_t size;                /* bytes beside the number, 0: none */
    atomic_int accepted;
    muster_error_t error;
} sender_t;

static void *
send_many (void *argument)
{
    sender_t *self = argument;
    char *bytes = calloc (1, self->size + 1);
    for (int i = 0; i < self->count && !self->error; i++) {
        self->error = self->size
            ? muster_worker_send (self->worker, "X", "{s:i, s:y}", "n", self->first + i, "b", bytes, self->size)
            : muster_worker_send (self->worker, "X", "{s:i}", "n", self->first + i);
        if (!self->error)
            atomic_fetch_add (&self->accepted, 1);
    }
    free (bytes);
    return NULL;
}

Test (worker, the_messages_of_eight_workers_at_once_come_in_order_each)
{
    scene_t scene;
    tally_t *tally = begin_tally (&scene);
    sender_t senders [8] = { { 0 } };
    pthread_t threads [8];
    for (int i = 0; i < 8; i++) {
        char source [16];
        snprintf (source, sizeof source, "w%d", i);
        senders [i].worker = scene_worker (&scene, source);
        senders [i].count = 12500;
        pthread_create (&threads [i], NULL, send_many, &senders [i]);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join (threads [i], NULL);
        cr_assert_eq (senders [i].error, 0);
        scene_dismiss (senders [i].worker);
    }
    cr_assert_eq (tally_count (tally), 100000);
    cr_assert_eq (tally_wrong (tally), 0);
    scene_close (&scene);
    tally_destroy (&tally);
}

#define THREADS 8
#define EACH 2000

typedef struct {
    int64_t next [THREADS];
    size_t wrong;
} lanes_t;

/*  The number's thousands of thousands name the thread that sent it. */
static int
sort_by_thread (const muster_message_t *message, void *argument)
{
    lanes_t *self = argument;
    int64_t number = scene_number (message);
    int64_t thread = number / 1000000;
    if (thread < 0 || thread >= THREADS || number % 1000000 != self->next [thread]++)
        self->wrong++;
    return 0;
}

Test (worker, eight_threads_may_send_through_one_worker_each_in_its_order)
{
    scene_t scene = scene_begin ();
    lanes_t lanes = { .wrong = 0 };
    muster_listener_register_handler (scene.listener, "a", sort_by_thread, &lanes, false);
    muster_worker_t *worker = scene_worker (&scene, "a");
    sender_t senders [THREADS] = { { 0 } };
    pthread_t threads [THREADS];
    for (int i = 0; i < THREADS; i++) {
        senders [i].worker = worker;
        senders [i].count = EACH;
        senders [i].first = i * 1000000;
        pthread_create (&threads [i], NULL, send_many, &senders [i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join (threads [i], NULL);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert_eq (lanes.wrong, 0);
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq (lanes.next [i], EACH);
    scene_dismiss (worker);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    Flush */

static void *
flush (void *argument)
{
    sender_t *self = argument;
    self->error = muster_worker_flush (self->worker, -1);
    return NULL;
}

Test (worker, flush_returns_when_the_handler_has_returned_and_not_before)
{
    scene_t scene = scene_begin ();
    collector_block (scene.messages);
    sender_t sender = { .worker = scene_worker (&scene, "a"), .error = MUSTER_BUSY };
    muster_worker_send (sender.worker, "X", NULL);
    cr_assert (collector_wait (scene.messages, 1));
    pthread_t thread;
    pthread_create (&thread, NULL, flush, &sender);
    cr_assert_not (joining_within (thread, SILENCE_MS), "the handler has not returned");
    cr_assert_eq (scene_stats (&scene).handled, 0);
    collector_unblock (scene.messages);
    pthread_join (thread, NULL);
    cr_assert_eq (sender.error, 0);
    cr_assert_eq (scene_stats (&scene).handled, 1);
    scene_dismiss (sender.worker);
    scene_close (&scene);
}

Test (worker, flush_is_over_after_its_timeout_and_may_be_called_again)
{
    scene_t scene = scene_begin ();
    collector_block (scene.messages);
    muster_worker_t *worker = scene_worker (&scene, "a");
    muster_worker_send (worker, "X", NULL);
    cr_assert (collector_wait (scene.messages, 1));
    cr_assert_eq (muster_worker_flush (worker, 0), MUSTER_TIMEOUT);
    int64_t began = scene_now_ms ();
    cr_assert_eq (muster_worker_flush (worker, 50), MUSTER_TIMEOUT);
    cr_assert_geq (scene_now_ms () - began, 50);
    collector_unblock (scene.messages);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert_eq (muster_worker_flush (worker, 0), 0);
    scene_dismiss (worker);
    scene_close (&scene);
}

/*  With a liveness of hours no heartbeat helps a message that was left behind. */
Test (worker, what_was_sent_in_a_burst_needs_no_heartbeat_to_be_flushed)
{
    scene_t scene = scene_open (scene_tcp ());
    muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages);
    muster_listener_set_liveness (scene.listener, 10000);
    scene_start (&scene);
    for (int round = 0; round < BURSTS; round++) {
        muster_worker_t *worker = scene_new_worker (&scene, "a");
        muster_worker_set_liveness (worker, 10000);
        scene_start_worker (worker);
        for (int i = 0; i < 2000; i++)
            MUST (muster_worker_send (worker, "X", "{s:i}", "n", i) == 0);
        cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0, "round %d", round);
        scene_dismiss (worker);
    }
    cr_assert_eq (collector_count (scene.messages), BURSTS * 2000);
    scene_close (&scene);
}

Test (worker, flush_without_any_message_succeeds_at_once_even_alone)
{
    char endpoint [100];
    muster_worker_t *worker = muster_worker_new (scene_private_endpoint (endpoint, sizeof endpoint), "a");
    scene_start_worker (worker);
    cr_assert_eq (muster_worker_flush (worker, 0), 0);
    scene_dismiss (worker);
}

Test (worker, a_working_handler_suspends_the_limit_on_no_progress)
{
    scene_t scene = scene_begin ();
    collector_block (scene.messages);
    sender_t sender = { .worker = scene_new_worker (&scene, "a"), .error = MUSTER_BUSY };
    muster_worker_set_no_progress (sender.worker, 0.1);
    muster_worker_set_liveness (sender.worker, 0.2);
    scene_start_worker (sender.worker);
    muster_worker_send (sender.worker, "X", NULL);
    cr_assert (collector_wait (scene.messages, 1));
    pthread_t thread;
    pthread_create (&thread, NULL, flush, &sender);
    cr_assert_not (joining_within (thread, 400), "the listener says that a handler works");
    collector_unblock (scene.messages);
    pthread_join (thread, NULL);
    cr_assert_eq (sender.error, 0);
    scene_dismiss (sender.worker);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    The send buffer */

Test (worker, send_waits_while_the_send_buffer_is_full_and_goes_on_when_there_is_room)
{
    scene_t scene = scene_begin ();
    collector_block (scene.messages);
    sender_t sender = { .worker = scene_new_worker (&scene, "a"), .count = 100, .size = 10000 };
    muster_worker_set_send_buffer (sender.worker, 100000);
    scene_start_worker (sender.worker);
    pthread_t thread;
    pthread_create (&thread, NULL, send_many, &sender);
    cr_assert (collector_wait (scene.messages, 1));
    AWAIT (atomic_load (&sender.accepted) >= 9);
    cr_assert_not (joining_within (thread, SILENCE_MS));
    cr_assert_leq (atomic_load (&sender.accepted), 11, "the buffer and one message");
    collector_unblock (scene.messages);
    pthread_join (thread, NULL);
    cr_assert_eq (sender.error, 0);
    cr_assert_eq (muster_worker_flush (sender.worker, PATIENCE_MS), 0);
    cr_assert_eq (collector_count (scene.messages), 100);
    for (int i = 0; i < 100; i++)
        cr_assert_eq (collector_number (scene.messages, i), i);
    scene_dismiss (sender.worker);
    scene_close (&scene);
}

Test (worker, try_send_does_not_wait_where_the_send_buffer_is_full)
{
    scene_t scene = scene_begin ();
    collector_block (scene.messages);
    muster_worker_t *worker = scene_new_worker (&scene, "a");
    muster_worker_set_send_buffer (worker, 1);
    scene_start_worker (worker);
    static const char data [] = "\x81\xa1n\x07";
    AWAIT (muster_worker_try_send_raw (worker, "X", data, sizeof data - 1) == 0);
    cr_assert (collector_wait (scene.messages, 1));
    cr_assert_eq (muster_worker_try_send_raw (worker, "X", data, sizeof data - 1), MUSTER_AGAIN);
    collector_unblock (scene.messages);
    AWAIT (muster_worker_try_send_raw (worker, "X", data, sizeof data - 1) == 0);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert_eq (collector_count (scene.messages), 2, "what was not accepted is not sent");
    cr_assert_eq (collector_number (scene.messages, 1), 7);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (worker, try_send_refuses_what_send_refuses)
{
    char endpoint [100];
    muster_worker_t *worker = muster_worker_new (scene_private_endpoint (endpoint, sizeof endpoint), "a");
    cr_assert_eq (muster_worker_try_send_raw (worker, "X", "\x80", 1), MUSTER_CLOSED);
    scene_start_worker (worker);
    cr_assert_eq (muster_worker_try_send_raw (NULL, "X", "\x80", 1), MUSTER_INVAL);
    cr_assert_eq (muster_worker_try_send_raw (worker, NULL, "\x80", 1), MUSTER_INVAL);
    cr_assert_eq (muster_worker_try_send_raw (worker, "X", NULL, 1), MUSTER_INVAL);
    cr_assert_eq (muster_worker_try_send_raw (worker, "", "\x80", 1), MUSTER_INVAL);
    cr_assert_eq (muster_worker_try_send_raw (worker, "X", "\x90", 1), MUSTER_FORMAT);
    muster_worker_destroy (&worker);
}

/*  With a liveness of 1000 s the next heartbeat would be late. */
Test (worker, what_waits_because_its_socket_is_full_waits_for_no_heartbeat)
{
    scene_t scene = scene_open (scene_tcp ());
    muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages);
    muster_listener_set_liveness (scene.listener, 1000);
    scene_start (&scene);
    sender_t sender = { .worker = scene_new_worker (&scene, "a"), .count = 3000, .size = 10000 };
    muster_worker_set_liveness (sender.worker, 1000);
    muster_worker_set_send_buffer (sender.worker, 100000);
    scene_start_worker (sender.worker);
    send_many (&sender);
    cr_assert_eq (sender.error, 0);
    cr_assert_eq (muster_worker_flush (sender.worker, PATIENCE_MS), 0);
    scene_dismiss (sender.worker);
    scene_close (&scene);
}

Test (worker, a_message_larger_than_the_send_buffer_is_sent_all_the_same)
{
    scene_t scene = scene_begin ();
    muster_worker_t *worker = scene_new_worker (&scene, "a");
    muster_worker_set_send_buffer (worker, 1);
    scene_start_worker (worker);
    static const char bytes [50000];
    for (int i = 0; i < 20; i++)
        cr_assert_eq (muster_worker_send (worker, "X", "{s:i, s:y}", "n", i, "b", bytes, sizeof bytes), 0);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert_eq (collector_count (scene.messages), 20);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (worker, where_nobody_listens_send_and_flush_end_after_no_progress)
{
    char endpoint [100];
    muster_worker_t *worker = muster_worker_new (scene_private_endpoint (endpoint, sizeof endpoint), "a");
    muster_worker_set_no_progress (worker, 0.1);
    muster_worker_set_send_buffer (worker, 1000);
    muster_worker_set_drain (worker, 0.05);
    scene_start_worker (worker);
    static const char bytes [600];
    muster_error_t error = 0;
    uint64_t accepted = 0;
    int64_t began = scene_now_ms ();
    while (!(error = muster_worker_send (worker, "X", "{s:y}", "b", bytes, sizeof bytes)))
        accepted++;
    cr_assert_eq (error, MUSTER_TIMEOUT);
    cr_assert_geq (scene_now_ms () - began, 100);
    cr_assert (accepted == 1 || accepted == 2);
    began = scene_now_ms ();
    cr_assert_eq (muster_worker_flush (worker, -1), MUSTER_TIMEOUT);
    cr_assert_geq (scene_now_ms () - began, 100);
    uint64_t unconfirmed = 0;
    cr_assert_eq (muster_worker_close (worker, &unconfirmed), MUSTER_TIMEOUT);
    cr_assert_eq (unconfirmed, accepted);
    cr_assert_eq (muster_worker_destroy (&worker), 0);
}

/*  --------------------------------------------------------------------------
    What is not accepted */

static uint8_t *
map_of_size (size_t size)
{
    /*  {"b": bin 32}, all but ten bytes of it payload */
    static const uint8_t head [] = { 0x81, 0xa1, 'b', 0xc6 };
    uint8_t *bytes = calloc (1, size);
    size_t payload = size - sizeof head - 4;
    memcpy (bytes, head, sizeof head);
    for (int i = 0; i < 4; i++)
        bytes [sizeof head + i] = (uint8_t) (payload >> (24 - 8 * i));
    return bytes;
}

static double
cpu_seconds (void)
{
    struct timespec used;
    clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double) used.tv_sec + (double) used.tv_nsec / 1e9;
}

Test (worker, one_that_finds_no_listener_does_not_keep_a_processor_busy)
{
    char endpoint [100];
    scene_private_endpoint (endpoint, sizeof endpoint);
    muster_worker_t *worker = muster_worker_new (endpoint, "a");
    scene_start_worker (worker);
    muster_message_t *command;
    double before = cpu_seconds ();
    int64_t began = scene_now_ms ();
    cr_assert_eq (muster_worker_recv (worker, &command, 1000), MUSTER_TIMEOUT);
    double elapsed = (double) (scene_now_ms () - began) / 1000;
    cr_assert_lt (cpu_seconds () - before, elapsed / 4);
    muster_worker_destroy (&worker);
}

static int
listen_on (const char *endpoint)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    char host [64];
    unsigned port;
    int yes = 1, listening = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq (sscanf (endpoint, "tcp://%63[0-9.]:%u", host, &port), 2);
    address.sin_port = htons ((uint16_t) port);
    inet_pton (AF_INET, host, &address.sin_addr);
    setsockopt (listening, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    cr_assert_eq (bind (listening, (struct sockaddr *) &address, sizeof address), 0);
    cr_assert_eq (listen (listening, 16), 0);
    return listening;
}

/*  Hang up in the handshake at both of a listener's endpoints, as what forwards to it
    does: the worker then comes with a probe. */
static void
shut_out_twice (const char *endpoint)
{
    struct pollfd items [2] = {
        { .fd = listen_on (endpoint), .events = POLLIN }, { .fd = listen_on (raw_return_endpoint (endpoint)), .events = POLLIN } };
    int counts [2] = { 0, 0 };
    while (counts [0] < 2 || counts [1] < 2) {
        cr_assert_gt (poll (items, 2, PATIENCE_MS), 0);
        for (int i = 0; i < 2; i++)
            if (items [i].revents) {
                close (accept (items [i].fd, NULL, NULL));
                counts [i]++;
            }
    }
    close (items [0].fd);
    close (items [1].fd);
}

/*  As a rule it comes back before the worker has tried a third time. */
Test (worker, one_that_was_shut_out_and_is_let_in_does_not_keep_a_processor_busy)
{
    for (int round = 0; round < 5; round++) {
        scene_t scene = scene_begin ();
        char endpoint [128];
        snprintf (endpoint, sizeof endpoint, "%s", scene_endpoint (&scene));
        muster_worker_t *worker = scene_worker (&scene, "a");
        muster_message_t *command;
        cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 1, PATIENCE_MS), 0);
        cr_assert_eq (muster_listener_stop (scene.listener, NULL), 0);
        shut_out_twice (endpoint);
        scene_start (&scene);
        cr_assert_eq (muster_worker_send (worker, "X", "{s:i}", "n", 1), 0);
        cr_assert (collector_wait (scene.messages, 1));
        double before = cpu_seconds ();
        int64_t began = scene_now_ms ();
        cr_assert_eq (muster_worker_recv (worker, &command, 400), MUSTER_TIMEOUT);
        double elapsed = (double) (scene_now_ms () - began) / 1000;
        cr_assert_lt (cpu_seconds () - before, elapsed / 4, "in round %d", round);
        scene_dismiss (worker);
        scene_close (&scene);
    }
}

Test (worker, a_message_at_the_listeners_limit_is_handled_and_one_over_it_is_too_big)
{
    scene_t scene = scene_open (scene_tcp ());
    muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages);
    muster_listener_set_message_limit (scene.listener, 1000);
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    muster_worker_send (worker, "X", NULL);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    size_t size = 1000;
    uint8_t *bytes = map_of_size (size);
    cr_assert_eq (muster_worker_send_raw (worker, "X", bytes, size), MUSTER_TOOBIG);
    while (muster_worker_send_raw (worker, "X", bytes, size) == MUSTER_TOOBIG) {
        free (bytes);
        bytes = map_of_size (--size);
    }
    cr_assert_gt (size, 980);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert_eq (collector_count (scene.messages), 2);
    cr_assert_eq (scene_stats (&scene).rejected, 0);
    free (bytes);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (worker, a_message_over_a_limit_not_known_when_it_was_sent_is_rejected_and_the_others_arrive)
{
    char endpoint [100];
    scene_private_endpoint (endpoint, sizeof endpoint);
    scene_hush ();
    muster_worker_t *worker = muster_worker_new (endpoint, "a");
    scene_start_worker (worker);
    uint8_t *bytes = map_of_size (5000);
    cr_assert_eq (muster_worker_send (worker, "BEFORE", NULL), 0);
    cr_assert_eq (muster_worker_send_raw (worker, "LARGE", bytes, 5000), 0);
    cr_assert_eq (muster_worker_send (worker, "AFTER", NULL), 0);
    scene_t scene = scene_open (endpoint);
    muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages);
    muster_listener_set_message_limit (scene.listener, 1000);
    scene_start (&scene);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), MUSTER_REJECTED);
    cr_assert_eq (collector_count (scene.messages), 2);
    cr_assert_str_eq (collector_cmd (scene.messages, 1), "AFTER");
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    free (bytes);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (worker, bytes_that_break_a_rule_are_not_accepted)
{
    static const struct {
        const char *what, *bytes;
        size_t size;
        muster_error_t error;
    } cases [] = {
        { "an empty map", "\x80", 1, 0 },
        { "nothing", "", 0, MUSTER_FORMAT },
        { "an array", "\x90", 1, MUSTER_FORMAT },
        { "nil", "\xc0", 1, MUSTER_FORMAT },
        { "a map cut short",        "\x81\xa1" "a", 3, MUSTER_FORMAT },
        { "bytes behind the map", "\x80\x80", 2, MUSTER_FORMAT },
        { "the reserved byte",      "\x81\xa1" "a\xc1", 4, MUSTER_FORMAT },
        { "a key twice",            "\x82\xa1" "a\x01\xa1" "a\x02", 7, MUSTER_FORMAT },
        { "a key that is no str", "\x81\x01\x01", 3, MUSTER_FORMAT },
        { "text that is no UTF-8",  "\x81\xa1" "a\xa1\xff", 5, MUSTER_FORMAT },
    };
    scene_t scene = scene_begin ();
    muster_worker_t *worker = scene_worker (&scene, "a");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq (muster_worker_send_raw (worker, "X", cases [i].bytes, cases [i].size), cases [i].error,
            "%s", cases [i].what);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert_eq (collector_count (scene.messages), 1);
    cr_assert_eq (scene_stats (&scene).rejected, 0);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (worker, arguments_that_make_no_message_are_invalid)
{
    char name [MUSTER_NAME_MAX + 2];
    memset (name, 'x', sizeof name);
    name [MUSTER_NAME_MAX + 1] = 0;
    scene_t scene = scene_begin ();
    muster_worker_t *worker = scene_worker (&scene, "a");
    cr_expect_eq (muster_worker_send (NULL, "X", NULL), MUSTER_INVAL);
    cr_expect_eq (muster_worker_send (worker, NULL, NULL), MUSTER_INVAL);
    cr_expect_eq (muster_worker_send (worker, "", NULL), MUSTER_INVAL);
    cr_expect_eq (muster_worker_send (worker, "a\n", NULL), MUSTER_INVAL);
    cr_expect_eq (muster_worker_send (worker, "\xff", NULL), MUSTER_INVAL);
    cr_expect_eq (muster_worker_send (worker, name, NULL), MUSTER_INVAL);
    cr_expect_eq (muster_worker_send (worker, "X", "{s:q}", "n", 1), MUSTER_INVAL);
    cr_expect_eq (muster_worker_send (worker, "X", "i", 1), MUSTER_INVAL);
    cr_expect_eq (muster_worker_send_raw (worker, "X", NULL, 1), MUSTER_INVAL);
    cr_expect_eq (muster_worker_flush (NULL, 0), MUSTER_INVAL);
    cr_expect_eq (muster_worker_recv (worker, NULL, 0), MUSTER_INVAL);
    name [MUSTER_NAME_MAX] = 0;
    cr_expect_eq (muster_worker_send (worker, name, NULL), 0);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert_eq (collector_count (scene.messages), 1);
    cr_assert_str_eq (collector_cmd (scene.messages, 0), name);
    scene_dismiss (worker);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    Waiting for the listener */

static void *
wait_for_listener (void *worker)
{
    return (void *) (intptr_t) muster_worker_wait_for_listener (worker, -1);
}

Test (worker, a_limit_that_passes_without_a_listener_has_that_as_its_reason)
{
    char endpoint [100];
    muster_worker_t *worker = muster_worker_new (scene_private_endpoint (endpoint, sizeof endpoint), "a");
    muster_message_t *message;
    cr_assert_str_eq (muster_worker_reason (worker), "");
    muster_worker_set_drain (worker, 0.01);
    scene_start_worker (worker);
    cr_assert_eq (muster_worker_recv (worker, &message, 1), MUSTER_TIMEOUT);
    cr_assert_str_eq (muster_worker_reason (worker), "no listener answers");
    cr_assert_eq (muster_worker_send (worker, "X", NULL), 0);
    cr_assert_eq (muster_worker_close (worker, NULL), MUSTER_TIMEOUT);
    cr_assert_str_eq (muster_worker_reason (worker), "no listener answers");
    muster_worker_destroy (&worker);
}

Test (worker, a_limit_that_passes_while_a_handler_works_has_no_reason)
{
    scene_t scene = scene_begin ();
    collector_block (scene.messages);
    muster_worker_t *worker = scene_worker (&scene, "a");
    cr_assert_eq (muster_worker_send (worker, "X", NULL), 0);
    cr_assert_eq (muster_worker_wait_for_listener (worker, PATIENCE_MS), 0);
    cr_assert_eq (muster_worker_flush (worker, 1), MUSTER_TIMEOUT);
    cr_assert_str_eq (muster_worker_reason (worker), "");
    collector_unblock (scene.messages);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (worker, wait_for_listener_returns_when_one_has_welcomed_the_worker)
{
    char endpoint [100];
    scene_private_endpoint (endpoint, sizeof endpoint);
    muster_worker_t *worker = muster_worker_new (endpoint, "a");
    scene_start_worker (worker);
    cr_assert_eq (muster_worker_wait_for_listener (worker, 0), MUSTER_TIMEOUT);
    pthread_t waiter;
    void *error;
    pthread_create (&waiter, NULL, wait_for_listener, worker);
    scene_t scene = scene_open (endpoint);
    scene_start (&scene);
    pthread_join (waiter, &error);
    cr_assert_eq ((intptr_t) error, 0);
    cr_assert_eq (muster_worker_wait_for_listener (worker, 0), 0);
    cr_assert_eq (muster_worker_wait_for_listener (NULL, 0), MUSTER_INVAL);
    scene_dismiss (worker);
    scene_close (&scene);
}

static bool
has_unhandled (muster_worker_t *worker, uint64_t expected, uint64_t expected_received)
{
    uint64_t unhandled, received;
    MUST (muster_worker_unhandled (worker, &unhandled, &received) == 0);
    return unhandled == expected && received == expected_received;
}

Test (worker, unhandled_counts_what_is_accepted_and_what_of_it_the_listener_has)
{
    char endpoint [100];
    muster_worker_t *worker = muster_worker_new (scene_private_endpoint (endpoint, sizeof endpoint), "a");
    scene_start_worker (worker);
    for (int i = 0; i < 3; i++)
        cr_assert_eq (muster_worker_send (worker, "X", NULL), 0);
    cr_assert (has_unhandled (worker, 3, 0));
    scene_t scene = scene_open (endpoint);
    scene_start (&scene);
    AWAIT (has_unhandled (worker, 3, 3));
    muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert (has_unhandled (worker, 0, 0));
    cr_assert_eq (muster_worker_unhandled (NULL, NULL, NULL), MUSTER_INVAL);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (worker, wait_for_listener_ends_when_the_worker_is_closed_or_refused)
{
    scene_t scene = scene_begin ();
    scene_hush ();
    muster_worker_t *refused = scene_worker (&scene, muster_listener_source (scene.listener));
    cr_assert_eq (muster_worker_wait_for_listener (refused, -1), MUSTER_RESERVED);
    muster_worker_destroy (&refused);
    char endpoint [100];
    muster_worker_t *worker = muster_worker_new (scene_private_endpoint (endpoint, sizeof endpoint), "a");
    scene_start_worker (worker);
    pthread_t waiter;
    void *error;
    pthread_create (&waiter, NULL, wait_for_listener, worker);
    cr_assert_eq (muster_worker_close (worker, NULL), 0);
    pthread_join (waiter, &error);
    cr_assert_eq ((intptr_t) error, MUSTER_CLOSED);
    muster_worker_destroy (&worker);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    Start and close */

Test (worker, before_start_and_after_close_everything_is_closed_and_close_is_harmless)
{
    scene_t scene = scene_begin ();
    muster_worker_t *worker = scene_new_worker (&scene, "a");
    muster_message_t *message = (muster_message_t *) &scene;
    int descriptor;
    uint64_t unconfirmed = 9;
    for (int round = 0; round < 2; round++) {
        cr_expect_eq (muster_worker_send (worker, "X", NULL), MUSTER_CLOSED);
        cr_expect_eq (muster_worker_send_raw (worker, "X", "\x80", 1), MUSTER_CLOSED);
        cr_expect_eq (muster_worker_recv (worker, &message, -1), MUSTER_CLOSED);
        cr_expect_null (message);
        cr_expect_eq (muster_worker_wait_for_listener (worker, -1), MUSTER_CLOSED);
        cr_expect_eq (muster_worker_unhandled (worker, NULL, NULL), round ? 0 : MUSTER_CLOSED);
        cr_expect_eq (muster_worker_flush (worker, -1), round ? 0 : MUSTER_CLOSED, "nothing is left to flush");
        cr_expect_eq (muster_worker_close (worker, &unconfirmed), 0);
        cr_expect_eq (unconfirmed, 0);
        if (round == 0) {
            cr_expect_eq (muster_worker_descriptor (worker, &descriptor), MUSTER_CLOSED);
            scene_start_worker (worker);
            cr_expect_eq (muster_worker_start (worker), MUSTER_BUSY);
            cr_expect_eq (muster_worker_send (worker, "X", NULL), 0);
            cr_expect_eq (muster_worker_close (worker, &unconfirmed), 0);
        }
    }
    cr_expect_eq (muster_worker_start (worker), MUSTER_BUSY, "a session begins once");
    muster_worker_destroy (&worker);
    cr_expect_null (worker);
    cr_expect_eq (muster_worker_destroy (&worker), 0);
    cr_expect_eq (muster_worker_destroy (NULL), 0);
    scene_close (&scene);
}

Test (worker, close_tells_how_many_messages_were_not_confirmed)
{
    scene_t scene = scene_begin ();
    collector_block (scene.messages);
    muster_worker_t *worker = scene_new_worker (&scene, "a");
    muster_worker_set_drain (worker, 0.1);
    scene_start_worker (worker);
    for (int i = 0; i < 7; i++)
        cr_assert_eq (muster_worker_send (worker, "X", NULL), 0);
    cr_assert (collector_wait (scene.messages, 1));
    uint64_t unconfirmed = 0;
    cr_assert_eq (muster_worker_close (worker, &unconfirmed), MUSTER_TIMEOUT);
    cr_assert_eq (unconfirmed, 7);
    muster_worker_destroy (&worker);
    scene_close (&scene);
}

static void *
recv_for_ever (void *argument)
{
    sender_t *self = argument;
    muster_message_t *message;
    self->error = muster_worker_recv (self->worker, &message, -1);
    return NULL;
}

Test (worker, close_ends_a_recv_that_waits)
{
    scene_t scene = scene_begin ();
    sender_t receiver = { .worker = scene_worker (&scene, "a"), .error = 0 };
    pthread_t thread;
    pthread_create (&thread, NULL, recv_for_ever, &receiver);
    cr_assert_not (joining_within (thread, SILENCE_MS));
    cr_assert_eq (muster_worker_close (receiver.worker, NULL), 0);
    pthread_join (thread, NULL);
    cr_assert_eq (receiver.error, MUSTER_CLOSED);
    muster_worker_destroy (&receiver.worker);
    scene_close (&scene);
}

Test (worker, has_the_source_it_was_given_or_a_uuid_of_its_own)
{
    scene_t scene = scene_begin ();
    muster_worker_t *given = scene_worker (&scene, "given");
    muster_worker_t *one = scene_worker (&scene, NULL), *other = scene_worker (&scene, NULL);
    cr_assert_str_eq (muster_worker_source (given), "given");
    cr_assert_eq (strlen (muster_worker_source (one)), 36);
    cr_assert_str_neq (muster_worker_source (one), muster_worker_source (other));
    muster_worker_send (one, "X", NULL);
    cr_assert (collector_wait (scene.messages, 1));
    cr_assert_str_eq (collector_source (scene.messages, 0), muster_worker_source (one));
    scene_dismiss (given);
    scene_dismiss (one);
    scene_dismiss (other);
    scene_close (&scene);
}

typedef void (setting_fn) (muster_worker_t *worker);

static void
no_liveness (muster_worker_t *worker)
{
    muster_worker_set_liveness (worker, 0);
}
static void
no_drain (muster_worker_t *worker)
{
    muster_worker_set_drain (worker, -1);
}
static void
no_patience (muster_worker_t *worker)
{
    muster_worker_set_no_progress (worker, -1);
}
static void
no_send_buffer (muster_worker_t *worker)
{
    muster_worker_set_send_buffer (worker, 0);
}
static void
no_command_buffer (muster_worker_t *worker)
{
    muster_worker_set_command_buffer (worker, 0);
}
static void
bad_return (muster_worker_t *worker)
{
    muster_worker_set_return_endpoint (worker, "udp://x:1");
}
static void
wild_return (muster_worker_t *worker)
{
    muster_worker_set_return_endpoint (worker, "tcp://127.0.0.1:*");
}

Test (worker, a_start_that_cannot_work_is_refused_with_a_reason)
{
    static const struct {
        const char *endpoint, *source;
        setting_fn *setting;
        muster_error_t error;
    } cases [] = {
        { "", "a", NULL, MUSTER_ENDPOINT },
        { "tcp://", "a", NULL, MUSTER_ENDPOINT },
        { "tcp://127.0.0.1", "a", NULL, MUSTER_ENDPOINT },
        { "tcp://127.0.0.1:0", "a", NULL, MUSTER_ENDPOINT },
        { "tcp://127.0.0.1:99999", "a", NULL, MUSTER_ENDPOINT },
        { "tcp://127.0.0.1:65535", "a", NULL, MUSTER_ENDPOINT },
        { "tcp://127.0.0.1:*", "a", NULL, MUSTER_ENDPOINT },
        { "tcp://*:5000", "a", NULL, MUSTER_ENDPOINT },
        { "ipc://*", "a", NULL, MUSTER_ENDPOINT },
        { "ipc://", "a", NULL, MUSTER_ENDPOINT },
        { "inproc://", "a", NULL, MUSTER_ENDPOINT },
        { "udp://127.0.0.1:5000", "a", NULL, MUSTER_ENDPOINT },
        { "http://127.0.0.1:5000", "a", NULL, MUSTER_ENDPOINT },
        { "tcp://127.0.0.1:5000", "", NULL, MUSTER_INVAL },
        { "tcp://127.0.0.1:5000", "a\n", NULL, MUSTER_INVAL },
        { "tcp://127.0.0.1:5000", "\xc3\x28", NULL, MUSTER_INVAL },
        { "tcp://127.0.0.1:5000", "a", no_liveness, MUSTER_INVAL },
        { "tcp://127.0.0.1:5000", "a", no_drain, MUSTER_INVAL },
        { "tcp://127.0.0.1:5000", "a", no_patience, MUSTER_INVAL },
        { "tcp://127.0.0.1:5000", "a", no_send_buffer, MUSTER_INVAL },
        { "tcp://127.0.0.1:5000", "a", no_command_buffer, MUSTER_INVAL },
        { "tcp://127.0.0.1:5000", "a", bad_return, MUSTER_ENDPOINT },
        { "tcp://127.0.0.1:5000", "a", wild_return, MUSTER_ENDPOINT },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        muster_worker_t *worker = muster_worker_new (cases [i].endpoint, cases [i].source);
        cr_assert_not_null (worker);
        cr_expect_eq (strlen (muster_worker_reason (worker)) > 0, cases [i].error == MUSTER_INVAL && !cases [i].setting,
            "case %zu: %s", i, muster_worker_reason (worker));
        if (cases [i].setting)
            cases [i].setting (worker);
        muster_error_t error = muster_worker_start (worker);
        cr_expect_eq (error, cases [i].error, "%s: %s", cases [i].endpoint, muster_error_name (error));
        cr_expect_neq (strlen (muster_worker_reason (worker)), 0, "%s", cases [i].endpoint);
        cr_expect_eq (muster_worker_send (worker, "X", NULL), MUSTER_CLOSED);
        cr_expect_eq (muster_worker_close (worker, NULL), 0);
        muster_worker_destroy (&worker);
    }
    cr_assert_null (muster_worker_new (NULL, "a"));
}

Test (worker, a_source_of_256_bytes_is_refused_and_one_of_255_is_not)
{
    char source [MUSTER_NAME_MAX + 2];
    memset (source, 's', sizeof source);
    source [MUSTER_NAME_MAX + 1] = 0;
    scene_t scene = scene_begin ();
    muster_worker_t *worker = scene_new_worker (&scene, source);
    cr_assert_eq (muster_worker_start (worker), MUSTER_INVAL);
    muster_worker_destroy (&worker);
    source [MUSTER_NAME_MAX] = 0;
    worker = scene_worker (&scene, source);
    muster_worker_send (worker, "X", NULL);
    cr_assert (collector_wait (scene.messages, 1));
    cr_assert_str_eq (collector_source (scene.messages, 0), source);
    scene_dismiss (worker);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    Commands */

Test (worker, takes_commands_in_the_order_they_were_sent)
{
    scene_t scene = scene_begin ();
    muster_worker_t *worker = scene_worker (&scene, "a");
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 1, PATIENCE_MS), 0);
    for (int i = 0; i < 20000; i++)
        MUST (muster_listener_send (scene.listener, "a", "TRAIN", "{s:i}", "n", i) == 0);
    for (int i = 0; i < 20000; i++) {
        muster_message_t *command = scene_recv (worker);
        MUST (scene_number (command) == i);
        MUST (muster_message_position (command) == (uint64_t) i + 1);
        MUST (muster_message_done (&command, 0) == 0);
    }
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (worker, recv_waits_as_long_as_it_is_told)
{
    scene_t scene = scene_begin ();
    muster_worker_t *worker = scene_worker (&scene, "a");
    muster_message_t *command = (muster_message_t *) &scene;
    cr_assert_eq (muster_worker_recv (worker, &command, 0), MUSTER_TIMEOUT);
    cr_assert_null (command);
    int64_t began = scene_now_ms ();
    cr_assert_eq (muster_worker_recv (worker, &command, 50), MUSTER_TIMEOUT);
    cr_assert_geq (scene_now_ms () - began, 50);
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 1, PATIENCE_MS), 0);
    cr_assert_eq (muster_listener_send (scene.listener, "a", "TRAIN", NULL), 0);
    cr_assert_eq (muster_worker_recv (worker, &command, -1), 0);
    cr_assert_str_eq (muster_message_cmd (command), "TRAIN");
    muster_message_done (&command, 0);
    scene_dismiss (worker);
    scene_close (&scene);
}

static bool
is_readable (int descriptor, int timeout_ms)
{
    struct pollfd item = { .fd = descriptor, .events = POLLIN };
    return poll (&item, 1, timeout_ms) == 1;
}

Test (worker, the_descriptor_is_readable_while_recv_has_something_to_return)
{
    scene_t scene = scene_begin ();
    muster_worker_t *worker = scene_worker (&scene, "a");
    int descriptor;
    cr_assert_eq (muster_worker_descriptor (worker, &descriptor), 0);
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 1, PATIENCE_MS), 0);
    cr_assert_not (is_readable (descriptor, 0));
    muster_listener_send (scene.listener, "a", "ONE", NULL);
    muster_listener_send (scene.listener, "a", "TWO", NULL);
    for (int i = 0; i < 2; i++) {
        cr_assert (is_readable (descriptor, PATIENCE_MS));
        muster_message_t *command = scene_recv (worker);
        muster_message_done (&command, 0);
    }
    cr_assert_not (is_readable (descriptor, 0));
    cr_assert_eq (muster_worker_close (worker, NULL), 0);
    cr_assert (is_readable (descriptor, 0), "recv has CLOSED to say");
    muster_worker_destroy (&worker);
    scene_close (&scene);
}

static muster_message_t *kept;

static int
keep_message (const muster_message_t *message, void *argument)
{
    kept = muster_message_dup (message);
    return collector_handler (message, argument);
}

Test (worker, a_reply_to_a_plain_command_goes_to_the_handler_and_says_what_it_answers)
{
    scene_t scene = scene_begin ();
    muster_listener_register_handler (scene.listener, "a", keep_message, scene.messages, false);
    muster_worker_t *worker = scene_worker (&scene, "a");
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 1, PATIENCE_MS), 0);
    cr_assert_eq (muster_listener_send (scene.listener, "a", "FIRST", NULL), 0);
    cr_assert_eq (muster_listener_send (scene.listener, "a", "SECOND", NULL), 0);
    muster_message_t *first = scene_recv (worker), *second = scene_recv (worker);
    muster_message_done (&first, 0);
    cr_assert_eq (muster_message_reply (second, "DONE", "{s:i}", "n", 5), 0);
    muster_message_done (&second, 0);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert_eq (muster_message_answers (kept), 2);
    cr_assert_not (muster_message_late (kept));
    cr_assert_eq (scene_number (kept), 5);
    cr_assert_str_eq (muster_message_source (kept), "a");
    muster_message_destroy (&kept);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (worker, a_copy_of_a_message_can_be_answered_later)
{
    scene_t scene = scene_begin ();
    muster_listener_register_handler (scene.listener, "a", keep_message, scene.messages, false);
    muster_worker_t *worker = scene_worker (&scene, "a");
    muster_worker_send (worker, "QUESTION", "{s:i}", "n", 7);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert_eq (scene_number (kept), 7);
    cr_assert_eq (muster_message_reply_raw (kept, "ANSWER", "\x80", 1), 0);
    muster_message_t *answer = scene_recv (worker);
    cr_assert_eq (muster_message_answers (answer), 1);
    muster_message_done (&answer, 0);
    scene_dismiss (worker);
    cr_assert (collector_wait (scene.events, 2));
    cr_assert_eq (muster_message_reply (kept, "TOO LATE", NULL), MUSTER_NOTFOUND);
    muster_message_destroy (&kept);
    scene_close (&scene);
}

Test (worker, a_plain_producer_cannot_be_answered)
{
    scene_t scene = scene_begin ();
    muster_listener_register_handler (scene.listener, "plain", keep_message, scene.messages, false);
    producer_t *producer = producer_new (scene_endpoint (&scene));
    producer_send_number (producer, "plain", "X", 1);
    cr_assert (collector_wait (scene.messages, 1));
    cr_assert_str_eq (muster_message_session (kept), "");
    cr_assert_eq (muster_message_position (kept), 0);
    cr_assert_eq (muster_message_reply (kept, "ANSWER", NULL), MUSTER_NOTFOUND);
    muster_message_destroy (&kept);
    producer_destroy (&producer);
    scene_close (&scene);
}

Test (worker, commands_that_are_not_taken_fill_a_buffer_and_send_waits_no_longer_than_no_progress)
{
    scene_t scene = scene_open (scene_tcp ());
    muster_listener_set_command_buffer (scene.listener, 10000);
    muster_listener_set_no_progress (scene.listener, 0.1);
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 1, PATIENCE_MS), 0);
    static const char bytes [3000];
    int sent = 0;
    muster_error_t error;
    while (!(error = muster_listener_send (scene.listener, "a", "X", "{s:i, s:y}", "n", sent, "b", bytes, sizeof bytes)))
        sent++;
    cr_assert_eq (error, MUSTER_TIMEOUT);
    cr_assert (sent == 3 || sent == 4);
    size_t reached = 9;
    cr_assert_eq (muster_listener_broadcast (scene.listener, &reached, "X", NULL), 0);
    cr_assert_eq (reached, 0, "a worker whose buffer is full is left out");
    for (int i = 0; i < sent; i++) {
        muster_message_t *command = scene_recv (worker);
        cr_assert_eq (scene_number (command), i);
        muster_message_done (&command, 0);
    }
    cr_assert_eq (muster_listener_send (scene.listener, "a", "X", "{s:i}", "n", sent), 0);
    muster_message_t *command = scene_recv (worker);
    cr_assert_eq (scene_number (command), sent);
    muster_message_done (&command, 0);
    scene_dismiss (worker);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    Large messages */

static uint8_t *
pattern (size_t size)
{
    uint8_t *bytes = malloc (size);
    uint32_t state = 1;
    for (size_t i = 0; i + 4 <= size; i += 4) {
        state = state * 1664525 + 1013904223;
        memcpy (bytes + i, &state, 4);
    }
    for (size_t i = size & ~(size_t) 3; i < size; i++)
        bytes [i] = (uint8_t) i;
    return bytes;
}

static void
check_payload (const muster_message_t *message, const uint8_t *bytes, size_t size)
{
    const void *got;
    size_t got_size;
    MUST (muster_message_unpack (message, "{s:y}", "b", &got, &got_size) == 0);
    MUST (got_size == size);
    MUST (memcmp (got, bytes, size) == 0);
}

static void
send_both_ways (size_t size, int rounds)
{
    uint8_t *bytes = pattern (size);
    scene_t scene = scene_open (scene_tcp ());
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    for (int i = 0; i < rounds; i++) {
        MUST (muster_worker_send (worker, "UPDATE", "{s:y}", "b", bytes, size) == 0);
        muster_message_t *message = scene_next (&scene);
        check_payload (message, bytes, size);
        MUST (muster_message_reply (message, "MODEL", "{s:y}", "b", bytes, size) == 0);
        MUST (muster_message_done (&message, 0) == 0);
        message = scene_recv (worker);
        check_payload (message, bytes, size);
        MUST (muster_message_done (&message, 0) == 0);
    }
    scene_dismiss (worker);
    scene_close (&scene);
    free (bytes);
}

Test (worker, messages_of_five_megabytes_go_both_ways)
{
    send_both_ways (5000000, 5);
}

Test (worker, a_message_of_a_hundred_megabytes_goes_both_ways)
{
    send_both_ways (100000000, 1);
}

static void
check_place (const muster_message_t *message, const muster_array_t *sent)
{
    muster_array_t got;
    MUST (muster_message_unpack (message, "{s:A}", "w", &got) == 0);
    cr_assert_eq ((uintptr_t) got.bytes % 64, 0);
    cr_assert_eq (got.size, sent->size);
    cr_assert_eq (memcmp (got.bytes, sent->bytes, sent->size), 0);
    const uint8_t *data = muster_message_data (message, NULL);
    cr_assert_geq ((uintptr_t) got.bytes, (uintptr_t) data, "not a copy");
    cr_assert_leq ((const uint8_t *) got.bytes - data, 200, "not a copy");
}

Test (worker, a_large_array_lies_aligned_at_its_receiver_whatever_lies_before_it)
{
    uint8_t *bytes = pattern (3000000);
    const muster_array_t array = {
        .dtype = "<f4", .dims = 2, .shape = { 3, 250000 }, .bytes = bytes, .size = 3000000 };
    static const char padding [] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    scene_t scene = scene_open (scene_tcp ());
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    for (size_t i = 0; i < 64; i += 7) {
        MUST (muster_worker_send (worker, "X", "{s:s%, s:A}", "p", padding, i, "w", &array) == 0);
        muster_message_t *message = scene_next (&scene);
        check_place (message, &array);
        MUST (muster_message_reply (message, "REPLY", "{s:s%, s:A}", "p", padding, i, "w", &array) == 0);
        muster_message_done (&message, 0);
        message = scene_recv (worker);
        check_place (message, &array);
        muster_message_done (&message, 0);
    }
    scene_dismiss (worker);
    scene_close (&scene);
    free (bytes);
}

Test (worker, messages_of_all_sizes_around_a_frame_arrive_in_order)
{
    static const size_t sizes [] = { 0, 1, 255, 256, 65400, 65500, 65535, 65536, 65600, 131072,
        524200, 524288, 524300, 1048500, 1048576, 1048600, 2097152, 3000000, 10, 0 };
    uint8_t *bytes = pattern (3000000);
    scene_t scene = scene_open (scene_tcp ());
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        cr_assert_eq (muster_worker_send (worker, "X", "{s:y}", "b", bytes, sizes [i]), 0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        muster_message_t *message = scene_next (&scene);
        check_payload (message, bytes, sizes [i]);
        muster_message_done (&message, 0);
    }
    scene_dismiss (worker);
    scene_close (&scene);
    free (bytes);
}

/*  --------------------------------------------------------------------------
    Data */

Test (worker, data_of_every_type_of_picture_arrives_equal)
{
    static const float numbers [6] = { 1, 2, 3, 4.5, -5, 6 };
    const muster_array_t array = {
        .dtype = "<f4", .dims = 2, .shape = { 2, 3 }, .bytes = numbers, .size = sizeof numbers };
    scene_t scene = scene_open (scene_tcp ());
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    cr_assert_eq (muster_worker_send (worker, "X", "{s:s, s:s%, s:n, s:b, s:i, s:I, s:U, s:f, s:y, s:A, s:O, s:[iii], s:{s:i}}",
        "text", "caf\xc3\xa9", "counted", "a\0b", (size_t) 3, "nil", "truth", 1, "int", -7,
        "least", INT64_MIN, "most", UINT64_MAX, "float", 0.1, "bytes", "\xff\0\xfe", (size_t) 3,
        "array", &array, "any", "\x92\x01\xc3", (size_t) 3, "list", 1, 2, 3, "map", "in", 4), 0);
    muster_message_t *message = scene_next (&scene);
    const char *text, *counted;
    const void *bytes, *any;
    size_t counted_size, bytes_size, any_size;
    int truth, integer, list [3], in, missing = 77;
    int64_t least;
    uint64_t most;
    double real;
    muster_array_t got;
    cr_assert_eq (muster_message_unpack (message,
        "{s:s, s:s%, s:n, s:b, s:i, s:I, s:U, s:f, s:y, s:A, s:O, s:[iii!], s:{s:i!}, s?i!}",
        "text", &text, "counted", &counted, &counted_size, "nil", "truth", &truth, "int", &integer,
        "least", &least, "most", &most, "float", &real, "bytes", &bytes, &bytes_size,
        "array", &got, "any", &any, &any_size, "list", &list [0], &list [1], &list [2], "map", "in", &in,
        "missing", &missing), 0);
    cr_assert_str_eq (text, "caf\xc3\xa9");
    cr_assert_eq (counted_size, 3);
    cr_assert_arr_eq (counted, "a\0b", 3);
    cr_assert_eq (truth, 1);
    cr_assert_eq (integer, -7);
    cr_assert_eq (least, INT64_MIN);
    cr_assert_eq (most, UINT64_MAX);
    cr_assert_eq (real, 0.1);
    cr_assert_eq (bytes_size, 3);
    cr_assert_arr_eq (bytes, "\xff\0\xfe", 3);
    cr_assert_str_eq (got.dtype, "<f4");
    cr_assert (got.dims == 2 && got.shape [0] == 2 && got.shape [1] == 3);
    cr_assert_eq (got.size, sizeof numbers);
    cr_assert_arr_eq (got.bytes, numbers, sizeof numbers);
    cr_assert_eq ((uintptr_t) got.bytes % sizeof (float), 0);
    cr_assert_eq (any_size, 3);
    cr_assert_arr_eq (any, "\x92\x01\xc3", 3);
    cr_assert (list [0] == 1 && list [1] == 2 && list [2] == 3);
    cr_assert_eq (in, 4);
    cr_assert_eq (missing, 77);
    muster_message_done (&message, 0);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (worker, arrays_arrive_aligned_whatever_lies_before_them)
{
    static const double numbers [4] = { 1, 2, 3, 4 };
    const muster_array_t array = {
        .dtype = "<f8", .dims = 1, .shape = { 4 }, .bytes = numbers, .size = sizeof numbers };
    static const char padding [] = "0123456789abcdef";
    scene_t scene = scene_open (scene_tcp ());
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    for (size_t i = 0; i < 16; i++)
        cr_assert_eq (muster_worker_send (worker, "X", "{s:s%, s:A}", "p", padding, i, "w", &array), 0);
    for (int i = 0; i < 16; i++) {
        muster_message_t *message = scene_next (&scene);
        muster_array_t got;
        cr_assert_eq (muster_message_unpack (message, "{s:A}", "w", &got), 0);
        cr_assert_eq ((uintptr_t) got.bytes % sizeof (double), 0);
        cr_assert_arr_eq (got.bytes, numbers, sizeof numbers);
        muster_message_done (&message, 0);
    }
    scene_dismiss (worker);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    Bounded memory */

#define BUDGET (200 * 1024)

typedef struct {
    muster_listener_t *listener;
    tally_t *tally;
    uint64_t most;
} watch_t;

static int
watch_budget (const muster_message_t *message, void *argument)
{
    watch_t *self = argument;
    muster_stats_t stats;
    muster_listener_stats (self->listener, &stats);
    if (stats.queued_bytes > self->most)
        self->most = stats.queued_bytes;
    return tally_handler (message, self->tally);
}

Test (worker, what_a_listener_holds_stays_within_its_budget_however_many_workers_send)
{
    scene_t scene = scene_open (scene_tcp ());
    watch_t watch = { .listener = scene.listener, .tally = tally_new () };
    muster_listener_set_receive_budget (scene.listener, BUDGET);
    muster_listener_set_plain_share (scene.listener, 10000);
    muster_listener_set_credit_floor (scene.listener, 2048);
    scene_start (&scene);
    sender_t senders [20] = { { 0 } };
    pthread_t threads [20];
    for (int i = 0; i < 20; i++) {
        char source [16];
        snprintf (source, sizeof source, "w%d", i);
        senders [i].worker = scene_worker (&scene, source);
        senders [i].count = 10;
        senders [i].size = 100000;
        pthread_create (&threads [i], NULL, send_many, &senders [i]);
    }
    for (int i = 0; i < 20; i++)
        pthread_join (threads [i], NULL);
    /*  Nobody handles yet: the workers send what they may. */
    AWAIT (scene_stats (&scene).queued_bytes >= 100000);
    for (int i = 0; i < 100; i++)
        cr_assert_leq (scene_stats (&scene).queued_bytes, BUDGET);
    muster_listener_register_default_handler (scene.listener, watch_budget, &watch);
    cr_assert (tally_wait (watch.tally, 200));
    for (int i = 0; i < 20; i++) {
        cr_assert_eq (senders [i].error, 0);
        scene_dismiss (senders [i].worker);
    }
    cr_assert_eq (tally_wrong (watch.tally), 0);
    cr_assert_leq (watch.most, BUDGET);
    cr_assert_eq (scene_stats (&scene).queued_bytes, 0);
    scene_close (&scene);
    tally_destroy (&watch.tally);
}

Test (worker, one_for_whom_no_floor_is_left_is_refused_until_another_leaves)
{
    scene_t scene = scene_open (scene_tcp ());
    muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages);
    muster_listener_set_receive_budget (scene.listener, 20000);
    muster_listener_set_plain_share (scene.listener, 1000);
    muster_listener_set_message_limit (scene.listener, 5000);
    muster_listener_set_credit_floor (scene.listener, 6000);
    scene_start (&scene);
    muster_worker_t *a = scene_worker (&scene, "a"), *b = scene_worker (&scene, "b");
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 2, PATIENCE_MS), 0);
    muster_worker_t *c = scene_worker (&scene, "c");
    muster_message_t *message;
    cr_assert_eq (muster_worker_recv (c, &message, PATIENCE_MS), MUSTER_FULL);
    cr_assert_eq (muster_worker_send (c, "X", NULL), MUSTER_FULL);
    cr_assert_eq (muster_worker_flush (c, PATIENCE_MS), 0, "nothing was accepted");
    cr_assert_neq (strlen (muster_worker_reason (c)), 0);
    muster_worker_destroy (&c);
    cr_assert (collector_wait (scene.events, 3));
    cr_assert_str_eq (collector_cmd (scene.events, 2), "REFUSED");
    cr_assert_str_eq (collector_about (scene.events, 2), "c");
    cr_assert_neq (strlen (collector_reason (scene.events, 2)), 0);
    scene_dismiss (a);
    c = scene_worker (&scene, "c");
    muster_worker_send (c, "X", NULL);
    cr_assert (collector_wait (scene.messages, 1));
    cr_assert_str_eq (collector_source (scene.messages, 0), "c");
    scene_dismiss (b);
    scene_dismiss (c);
    scene_close (&scene);
}

/*  A message takes its frame's memory, too. */
#define PLAIN_SHARE 20000
#define PLAIN_MOST 200          /* 100 bytes each, at least */
#define PLAIN_LEAST 20          /* and 1,000 at most */

/*  A listener whose handler is stuck, and a producer that has filled its share. */
static scene_t
scene_with_a_full_plain_share (producer_t **producer)
{
    scene_t scene = scene_open (scene_tcp ());
    muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages);
    muster_listener_set_plain_share (scene.listener, PLAIN_SHARE);
    collector_block (scene.messages);
    scene_start (&scene);
    *producer = producer_new (scene_endpoint (&scene));
    for (int i = 0; i < 1000; i++)
        producer_send_number (*producer, "plain", "X", i);
    AWAIT (scene_stats (&scene).committed >= PLAIN_SHARE);
    return scene;
}

Test (worker, while_the_plain_share_is_full_plain_producers_wait_and_nothing_is_lost)
{
    producer_t *producer;
    scene_t scene = scene_with_a_full_plain_share (&producer);
    for (int64_t began = scene_now_ms (); scene_now_ms () - began < SILENCE_MS; )
        cr_assert_leq (scene_stats (&scene).received, PLAIN_MOST);
    cr_assert_geq (scene_stats (&scene).received, PLAIN_LEAST);
    collector_unblock (scene.messages);
    cr_assert (collector_wait (scene.messages, 1000));
    for (int i = 0; i < 1000; i++)
        cr_assert_eq (collector_number (scene.messages, i), i);
    producer_destroy (&producer);
    scene_close (&scene);
}

Test (worker, plain_messages_that_fill_the_share_each_are_taken_as_fast_as_they_are_handled)
{
    scene_t scene = scene_open (scene_tcp ());
    muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages);
    muster_listener_set_plain_share (scene.listener, 1);
    collector_block (scene.messages);
    scene_start (&scene);
    producer_t *producer = producer_new (scene_endpoint (&scene));
    for (int i = 0; i < 200; i++)
        producer_send_number (producer, "plain", "X", i);
    cr_assert (collector_wait (scene.messages, 1));
    collector_unblock (scene.messages);
    cr_assert (collector_wait (scene.messages, 200), "%zu came", collector_count (scene.messages));
    for (int i = 0; i < 200; i++)
        cr_assert_eq (collector_number (scene.messages, i), i);
    producer_destroy (&producer);
    scene_close (&scene);
}

Test (worker, a_stop_while_the_plain_share_is_full_does_not_keep_a_processor_busy)
{
    producer_t *producer;
    scene_t scene = scene_with_a_full_plain_share (&producer);
    muster_listener_set_drain (scene.listener, 3);
    double before = cpu_seconds ();
    int64_t began = scene_now_ms ();
    cr_assert_eq (muster_listener_stop (scene.listener, NULL), MUSTER_TIMEOUT);
    double elapsed = (double) (scene_now_ms () - began) / 1000;
    cr_assert_geq (elapsed, 3);
    cr_assert_lt (cpu_seconds () - before, elapsed / 4);
    producer_destroy (&producer);
    scene_close (&scene);
}

Test (worker, where_plain_producers_have_no_share_workers_are_heard_all_the_same)
{
    scene_t scene = scene_open (scene_tcp ());
    muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages);
    muster_listener_set_plain_share (scene.listener, 0);
    if (muster_listener_start (scene.listener) == 0) {
        muster_worker_t *worker = scene_worker (&scene, "a");
        muster_worker_send (worker, "X", NULL);
        cr_assert (collector_wait (scene.messages, 1));
        scene_dismiss (worker);
    }
    else
        cr_assert_neq (strlen (muster_listener_reason (scene.listener)), 0);
    scene_close (&scene);
}
