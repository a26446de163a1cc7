/*  test_observers.c - observers at the edge: deaf, many, refused, and more workers than fit

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <muster/muster.h>
#include <zmq.h>

#include "raw.h"
#include "scene.h"

#define REPORT_MOST 1048576
#define ROSTER_MOST 1000

TestSuite (observers, .init = scene_hush, .timeout = 300);

/*  --------------------------------------------------------------------------
    Many workers, of one socket, whose names are as long as names may be. They say no
    goodbye, and the listener's stop does not wait for it. */

typedef struct {
    scene_t scene;
    raw_socket_t dealer;
} crowd_t;

static crowd_t
gather (uint32_t count)
{
    crowd_t self = { .scene = scene_open (scene_tcp ()) };
    muster_listener_set_liveness (self.scene.listener, 3600);
    muster_listener_set_drain (self.scene.listener, 0.1);
    scene_start (&self.scene);
    self.dealer = raw_connect (ZMQ_DEALER, raw_return_endpoint (scene_endpoint (&self.scene)));
    for (uint32_t i = 0; i < count; i++) {
        char name [MUSTER_NAME_MAX + 1];
        snprintf (name, sizeof name, "%0*u", MUSTER_NAME_MAX, i);
        raw_t hello = raw_hello (raw_peer (i), name);
        raw_send (&self.dealer, hello.bytes, hello.size);
    }
    AWAIT (scene_stats (&self.scene).workers == count);
    return self;
}

static void
disperse (crowd_t *self)
{
    raw_close (&self->dealer);
    scene_close (&self->scene);
}

/*  --------------------------------------------------------------------------
    Answers */

typedef struct {
    void *map;
    size_t size;
} answer_t;

static answer_t
observe (const char *endpoint)
{
    answer_t self;
    char reason [MUSTER_OBSERVE_REASON_ROOM];
    muster_error_t error = muster_observe (
        endpoint, NULL, NULL, PATIENCE_MS, &self.map, &self.size, reason, sizeof reason);
    cr_assert_eq (error, 0, "%s", reason);
    return self;
}

/*  The value behind key, which is at the map's top. */
static muster_value_t
find (const answer_t *self, const char *key)
{
    muster_reader_t reader;
    muster_value_t value;
    muster_reader_init (&reader, self->map, self->size);
    MUST (muster_reader_next (&reader, &value) == 0 && value.type == MUSTER_VALUE_MAP);
    for (uint32_t pairs = value.count; pairs > 0; pairs--) {
        MUST (muster_reader_next (&reader, &value) == 0);
        bool found = value.size == strlen (key) && memcmp (value.bytes, key, value.size) == 0;
        if (found) {
            MUST (muster_reader_next (&reader, &value) == 0);
            return value;
        }
        MUST (muster_reader_skip (&reader) == 0);
    }
    MUST (!"a key is missing");
    return value;
}

Test (observers, of_more_workers_than_fit_the_answer_has_a_thousand_and_says_how_many_more)
{
    crowd_t crowd = gather (ROSTER_MOST + 3);
    answer_t answer = observe (scene_endpoint (&crowd.scene));
    cr_assert_lt (answer.size, REPORT_MOST);
    cr_assert_eq (find (&answer, "roster").count, ROSTER_MOST);
    cr_assert_eq (find (&answer, "roster_more").u, 3);
    cr_assert_eq (find (&answer, "workers").u, ROSTER_MOST + 3);
    muster_free (answer.map);
    disperse (&crowd);
}

Test (observers, a_thousand_workers_are_all_in_the_answer)
{
    crowd_t crowd = gather (ROSTER_MOST);
    answer_t answer = observe (scene_endpoint (&crowd.scene));
    cr_assert_eq (find (&answer, "roster").count, ROSTER_MOST);
    cr_assert_eq (find (&answer, "roster_more").u, 0);
    muster_free (answer.map);
    disperse (&crowd);
}

Test (observers, the_owner_sees_all_workers_however_many)
{
    muster_worker_stats_t *workers;
    size_t count;
    crowd_t crowd = gather (ROSTER_MOST + 3);
    cr_assert_eq (muster_listener_worker_stats (crowd.scene.listener, &workers, &count), 0);
    cr_assert_eq (count, ROSTER_MOST + 3);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq (strtoul (workers [i].source, NULL, 10), i);
    muster_free (workers);
    disperse (&crowd);
}

/*  --------------------------------------------------------------------------
    Many observers */

#define OBSERVERS 40

static void *
observe_once (void *endpoint)
{
    answer_t answer = observe (endpoint);
    MUST (find (&answer, "workers").u == 0);
    muster_free (answer.map);
    return NULL;
}

Test (observers, more_than_have_seats_all_get_their_answer_in_the_end)
{
    pthread_t threads [OBSERVERS];
    scene_t scene = scene_begin ();
    for (int i = 0; i < OBSERVERS; i++)
        MUST (pthread_create (&threads [i], NULL, observe_once, (void *) scene_endpoint (&scene)) == 0);
    for (int i = 0; i < OBSERVERS; i++)
        pthread_join (threads [i], NULL);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    One that does not read */

static raw_socket_t
connect_deaf (const char *endpoint)
{
    int one = 1, small = 4096, none = 0;
    raw_socket_t self = { .context = zmq_ctx_new () };
    self.socket = zmq_socket (self.context, ZMQ_DEALER);
    MUST (self.socket);
    zmq_setsockopt (self.socket, ZMQ_RCVHWM, &one, sizeof one);
    zmq_setsockopt (self.socket, ZMQ_RCVBUF, &small, sizeof small);
    zmq_setsockopt (self.socket, ZMQ_LINGER, &none, sizeof none);
    MUST (zmq_connect (self.socket, endpoint) == 0);
    return self;
}

/*  Ask until there is an answer. */
static void
ask (raw_socket_t *dealer, const raw_t *question)
{
    raw_t frame;
    do
        raw_send (dealer, question->bytes, question->size);
    while (!raw_recv (dealer, NULL, &frame, 50));
    MUST (raw_kind (&frame, NULL) == RAW_REPORT);
}

/*  An answer is half a megabyte, and the kernel takes a few of them. */
Test (observers, one_that_never_reads_delays_no_other_and_no_worker)
{
    crowd_t crowd = gather (ROSTER_MOST);
    const char *back = raw_return_endpoint (scene_endpoint (&crowd.scene));
    raw_socket_t deaf = connect_deaf (back), other = raw_connect (ZMQ_DEALER, back);
    raw_t question = raw_observe ();
    for (int i = 0; i < 20; i++) {
        raw_send (&deaf, question.bytes, question.size);
        ask (&other, &question);
    }
    muster_worker_t *worker = scene_worker (&crowd.scene, "a");
    MUST (muster_listener_register_default_handler (crowd.scene.listener, collector_handler, crowd.scene.messages) == 0);
    MUST (muster_worker_send (worker, "C", "{}") == 0);
    MUST (muster_worker_flush (worker, PATIENCE_MS) == 0);
    scene_dismiss (worker);
    raw_close (&deaf);
    ask (&other, &question);
    raw_close (&other);
    disperse (&crowd);
}

/*  --------------------------------------------------------------------------
    Those who may not ask */

#define FLOOD 20000

static atomic_uint lines;

static void
count_line (muster_log_level_t level, const char *line, void *arg)
{
    (void) level, (void) line, (void) arg;
    lines++;
}

/*  So many lines a second of each kind, and a few beside them. */
#define LINES_A_SECOND 250

static unsigned
most_lines (int64_t began)
{
    return (unsigned) ((scene_now_ms () - began) / 1000 + 2) * LINES_A_SECOND;
}

static void
flood (raw_socket_t *dealer, const raw_t *frame)
{
    for (int i = 0; i < FLOOD; i++)
        raw_send (dealer, frame->bytes, frame->size);
}

Test (observers, one_that_is_refused_again_and_again_is_counted_and_told_of_once_a_second)
{
    keyring_t keyring = keyring_open ();
    keyring_admit (&keyring, "a");
    scene_t scene = scene_open (scene_tcp ());
    keyring_arm_listener (&keyring, scene.listener);
    scene_start (&scene);
    raw_socket_t dealer = raw_connect_with_keys (
        ZMQ_DEALER, raw_return_endpoint (scene_endpoint (&scene)), &keyring, "a", "");
    int64_t began = scene_now_ms ();
    raw_t frame, question = raw_observe ();
    lines = 0;
    muster_log_set (count_line, NULL, MUSTER_LOG_DEBUG);
    flood (&dealer, &question);
    AWAIT (scene_stats (&scene).refused [MUSTER_REFUSAL_ACCESS] == FLOOD);
    cr_assert_leq (lines, most_lines (began));
    cr_assert_leq (collector_count (scene.events), (size_t) (scene_now_ms () - began) / 1000 + 2);
    cr_assert (raw_recv (&dealer, NULL, &frame, PATIENCE_MS));
    cr_assert_eq (raw_kind (&frame, NULL), RAW_END);
    raw_close (&dealer);
    scene_hush ();
    scene_close (&scene);
    keyring_close (&keyring);
}

Test (observers, one_that_says_hello_without_end_fills_no_log)
{
    scene_t scene = scene_begin ();
    raw_socket_t dealer = raw_connect (ZMQ_DEALER, raw_return_endpoint (scene_endpoint (&scene)));
    int64_t began = scene_now_ms ();
    raw_t hello = raw_hello (raw_peer (1), muster_listener_source (scene.listener));
    lines = 0;
    muster_log_set (count_line, NULL, MUSTER_LOG_DEBUG);
    flood (&dealer, &hello);
    AWAIT (scene_stats (&scene).refused [MUSTER_REFUSAL_FORGED] == FLOOD);
    cr_assert_geq (lines, 1);
    cr_assert_leq (lines, most_lines (began));
    raw_close (&dealer);
    scene_hush ();
    scene_close (&scene);
}

/*  An address of this host that is none of loopback; false if it has none. */
static bool
find_address (char *text, size_t room)
{
    struct ifaddrs *all;
    bool found = false;
    if (getifaddrs (&all) != 0)
        return false;
    for (struct ifaddrs *each = all; each && !found; each = each->ifa_next)
        if (each->ifa_addr && each->ifa_addr->sa_family == AF_INET
            && (each->ifa_flags & IFF_UP) && !(each->ifa_flags & IFF_LOOPBACK))
            found = inet_ntop (AF_INET, &((struct sockaddr_in *) each->ifa_addr)->sin_addr, text, (socklen_t) room);
    freeifaddrs (all);
    return found;
}

/*  unit.gate has the same without a network. */
Test (observers, one_from_another_address_is_refused_by_a_listener_without_keys)
{
    void *map;
    size_t size;
    char address [INET_ADDRSTRLEN], endpoint [80], reason [MUSTER_OBSERVE_REASON_ROOM];
    if (!find_address (address, sizeof address))
        cr_skip_test ("this host has only loopback");
    scene_t scene = scene_open ("tcp://0.0.0.0:*");
    muster_listener_set_insecure (scene.listener, true);
    scene_start (&scene);
    const char *port = strrchr (scene_endpoint (&scene), ':');
    snprintf (endpoint, sizeof endpoint, "tcp://%s%s", address, port);
    cr_assert_eq (muster_observe (endpoint, NULL, NULL, PATIENCE_MS, &map, &size, reason, sizeof reason), MUSTER_ACCESS);
    cr_assert (strstr (reason, "over loopback and ipc only"), "%s", reason);
    snprintf (endpoint, sizeof endpoint, "tcp://127.0.0.1%s", port);
    answer_t answer = observe (endpoint);
    muster_free (answer.map);
    scene_close (&scene);
}
