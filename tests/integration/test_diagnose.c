/*  test_diagnose.c - what stands between here and a listener, and what it sees of the question

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <muster/muster.h>
#include <zmq.h>

#include "collector.h"
#include "raw.h"
#include "scene.h"
#include "stopping.h"

#define WAIT_MS 60000
#define STEPS_MOST 12

TestSuite (diagnose, .init = scene_hush, .timeout = 300);

typedef struct {
    char name [STEPS_MOST][20];
    char text [STEPS_MOST][256];
    bool ok [STEPS_MOST];
    bool remark [STEPS_MOST];
    double value [STEPS_MOST];
    int count;
} steps_t;

static void
keep (const muster_step_t *step, void *arg)
{
    steps_t *self = arg;
    MUST (self->count < STEPS_MOST);
    snprintf (self->name [self->count], sizeof self->name [0], "%s", step->name);
    snprintf (self->text [self->count], sizeof self->text [0], "%s", step->text);
    self->ok [self->count] = step->ok;
    self->remark [self->count] = step->ok && *step->advice;
    self->value [self->count] = step->measured ? step->value : -1;
    self->count++;
}

static muster_error_t
ask (const char *endpoint, int timeout_ms, steps_t *steps)
{
    *steps = (steps_t) { .count = 0 };
    return muster_diagnose (endpoint, NULL, NULL, NULL, timeout_ms, keep, steps);
}

static void
expect_last (const steps_t *steps, const char *name, const char *text)
{
    cr_assert_gt (steps->count, 0);
    int last = steps->count - 1;
    cr_expect_not (steps->ok [last]);
    cr_expect_str_eq (steps->name [last], name);
    cr_expect_not_null (strstr (steps->text [last], text), "%s", steps->text [last]);
    for (int i = 0; i < last; i++)
        cr_expect (steps->ok [i], "%s: %s", steps->name [i], steps->text [i]);
}

Test (diagnose, a_listener_that_is_well_passes_each_step)
{
    static const char *const names [] = {
        "name", "port", "return port", "handshake", "protocol", "round trip", "throughput", "clock" };
    scene_t scene = scene_begin ();
    steps_t steps;
    cr_assert_eq (ask (scene_endpoint (&scene), WAIT_MS, &steps), 0);
    cr_assert_eq (steps.count, 8);
    for (int i = 0; i < 8; i++) {
        cr_expect_str_eq (steps.name [i], names [i]);
        cr_expect (steps.ok [i], "%s", steps.text [i]);
    }
    cr_expect_eq (steps.value [4], 1);
    cr_expect (steps.value [5] > 0 && steps.value [5] < WAIT_MS / 1000);
    cr_expect_gt (steps.value [6], 16000);
    cr_expect (steps.value [7] > -1 && steps.value [7] < 1, "%s", steps.text [7]);
    scene_close (&scene);
}

Test (diagnose, the_listener_sees_nothing_of_it)
{
    scene_t scene = scene_begin ();
    steps_t steps;
    for (int i = 0; i < 3; i++)
        cr_assert_eq (ask (scene_endpoint (&scene), WAIT_MS, &steps), 0);
    cr_assert_eq (scene_stats (&scene).received, 0);
    muster_worker_t *worker = scene_worker (&scene, "a");
    MUST (muster_worker_send (worker, "C", "{}") == 0);
    scene_dismiss (worker);
    muster_stats_t stats = scene_stats (&scene);
    cr_assert_eq (stats.rejected, 0);
    cr_assert_eq (stats.stale, 0);
    MUST (muster_listener_stop (scene.listener, NULL) == 0);
    cr_assert (collector_wait (scene.events, 2));
    cr_assert_str_eq (collector_cmd (scene.events, 0), "JOINED");
    cr_assert_str_eq (collector_cmd (scene.events, 1), "LEFT");
    cr_assert_eq (collector_count (scene.events), 2);
    cr_assert_eq (collector_count (scene.messages), 1);
    scene_close (&scene);
}

/*  A handler that does not return keeps the listener from its end. */
Test (diagnose, a_listener_that_is_about_to_stop_says_so)
{
    scene_t scene = scene_begin ();
    steps_t steps;
    collector_block (scene.messages);
    muster_worker_t *worker = scene_worker (&scene, "a");
    MUST (muster_worker_send (worker, "C", "{}") == 0);
    MUST (collector_wait (scene.messages, 1));
    char endpoint [64];
    snprintf (endpoint, sizeof endpoint, "%s", scene_endpoint (&scene));
    muster_listener_set_drain (scene.listener, WAIT_MS / 1000);
    pthread_t stopper = stopping_begin (scene.listener);
    while (ask (endpoint, WAIT_MS, &steps) == 0)
        continue;
    expect_last (&steps, "protocol", "about to stop");
    collector_unblock (scene.messages);
    stopping_end (stopper);
    muster_worker_destroy (&worker);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    Listeners of other versions, as they would answer */

typedef struct {
    raw_socket_t pull, router;
    char endpoint [64];
} other_t;

static other_t
bind_other (void)
{
    other_t self;
    char back [80];
    scene_private_endpoint (self.endpoint, sizeof self.endpoint);
    snprintf (back, sizeof back, "%s.return", self.endpoint);
    self.pull = raw_bind (ZMQ_PULL, self.endpoint);
    self.router = raw_bind (ZMQ_ROUTER, back);
    return self;
}

/*  Answers each HELLO of version 0 with an END of version, until it is over. */
typedef struct {
    other_t other;
    uint8_t version;
    uint64_t time;          /* ms, 0: it does not tell */
    atomic_bool over;
    pthread_t thread;
} answerer_t;

static void
answer_one (answerer_t *self, const raw_t *route, raw_t *question)
{
    raw_peer_t peer;
    MUST (question->bytes [3] == 0 && question->bytes [4] == RAW_HELLO);
    question->bytes [3] = 1;
    raw_kind (question, &peer);
    raw_t end = raw_end (peer, MUSTER_VERSION, "another version");
    end.bytes [3] = self->version;
    if (self->time) {
        end.bytes [25]++;   /* an element more */
        raw_put_uint (&end, self->time);
    }
    raw_send_to (&self->other.router, route, end.bytes, end.size);
}

static void *
answer (void *arg)
{
    answerer_t *self = arg;
    raw_t route, frame;
    while (!atomic_load (&self->over))
        if (raw_recv (&self->other.router, &route, &frame, 20))
            answer_one (self, &route, &frame);
    return NULL;
}

static muster_error_t
ask_answerer (uint8_t version, uint64_t time_ms, steps_t *steps)
{
    answerer_t self = { .other = bind_other (), .version = version, .time = time_ms };
    MUST (pthread_create (&self.thread, NULL, answer, &self) == 0);
    muster_error_t error = ask (self.other.endpoint, WAIT_MS, steps);
    atomic_store (&self.over, true);
    pthread_join (self.thread, NULL);
    raw_close (&self.other.pull);
    raw_close (&self.other.router);
    return error;
}

Test (diagnose, an_older_listener_that_does_not_tell_its_time_is_well)
{
    steps_t steps;
    cr_assert_eq (ask_answerer (1, 0, &steps), 0);
    int last = steps.count - 1;
    cr_assert_str_eq (steps.name [last], "clock");
    cr_assert_not_null (strstr (steps.text [last], "unknown"));
}

Test (diagnose, a_listener_of_another_version_is_told_by_its_version)
{
    steps_t steps;
    cr_assert_eq (ask_answerer (9, 0, &steps), MUSTER_VERSION);
    expect_last (&steps, "protocol", "the listener speaks version 9, this is version 1");
}

Test (diagnose, a_clock_that_is_far_off_is_a_remark)
{
    steps_t steps;
    const uint64_t hour = 3600 * 1000, now = (uint64_t) time (NULL) * 1000;
    cr_assert_eq (ask_answerer (1, now + hour, &steps), 0);
    int last = steps.count - 1;
    cr_assert_str_eq (steps.name [last], "clock");
    cr_assert (steps.remark [last] && steps.value [last] > 3500 && steps.value [last] < 3700);
    cr_assert_not_null (strstr (steps.text [last], " s ahead"), "%s", steps.text [last]);
    cr_assert_eq (ask_answerer (1, 1, &steps), 0);
    cr_assert_not_null (strstr (steps.text [last], " s behind"), "%s", steps.text [last]);
    cr_assert_eq (ask_answerer (1, UINT64_MAX, &steps), 0);
    cr_assert (steps.remark [last]);
}

Test (diagnose, sockets_that_are_no_listener_s_do_not_answer)
{
    other_t other = bind_other ();
    steps_t steps;
    cr_assert_eq (ask (other.endpoint, 1000, &steps), MUSTER_TIMEOUT);
    expect_last (&steps, "protocol", "does not answer within 1 s");
    raw_close (&other.pull);
    raw_close (&other.router);
}

Test (diagnose, a_call_without_endpoint_or_function_is_refused)
{
    steps_t steps = { .count = 0 };
    cr_assert_eq (muster_diagnose (NULL, NULL, NULL, NULL, 0, keep, &steps), MUSTER_INVAL);
    cr_assert_eq (muster_diagnose ("tcp://127.0.0.1:1", NULL, NULL, NULL, 0, NULL, NULL), MUSTER_INVAL);
    cr_assert_eq (steps.count, 0);
}

Test (diagnose, an_endpoint_inside_a_process_leads_nowhere)
{
    steps_t steps;
    cr_assert_eq (ask ("inproc://here", 0, &steps), MUSTER_ENDPOINT);
    expect_last (&steps, "endpoint", "leads nowhere from another process");
    cr_assert_eq (ask ("nonsense", 0, &steps), MUSTER_ENDPOINT);
    expect_last (&steps, "endpoint", "nonsense: ");
}

Test (diagnose, an_abstract_name_is_not_taken_for_a_socket_before_it_is_connected_to)
{
    char endpoint [64];
    steps_t steps;
    scene_private_endpoint (endpoint, sizeof endpoint);
    cr_assert_eq (ask (endpoint, WAIT_MS, &steps), MUSTER_TIMEOUT);
    expect_last (&steps, "socket", "nobody listens");
    for (int i = 0; i < steps.count - 1; i++)
        cr_expect_not_null (strstr (steps.text [i], " is an abstract name"), "%s", steps.text [i]);
}

/*  A socket of the name whose line is full: the next who connects is told to come again. */
static int
fill_line (const char *endpoint, int *waiting)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *name = strchr (endpoint, '@') + 1;
    memcpy (address.sun_path + 1, name, strlen (name));
    socklen_t size = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + 1 + strlen (name));
    int descriptor = socket (AF_UNIX, SOCK_STREAM, 0);
    MUST (bind (descriptor, (struct sockaddr *) &address, size) == 0 && listen (descriptor, 0) == 0);
    *waiting = socket (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    MUST (connect (*waiting, (struct sockaddr *) &address, size) == 0);
    return descriptor;
}

Test (diagnose, whoever_sets_no_limit_is_told_of_none)
{
    char endpoint [64];
    steps_t steps;
    int waiting;
    scene_private_endpoint (endpoint, sizeof endpoint);
    int descriptor = fill_line (endpoint, &waiting);
    cr_assert_eq (ask (endpoint, -1, &steps), MUSTER_TIMEOUT);
    expect_last (&steps, "socket", "does not answer");
    cr_assert_null (strstr (steps.text [steps.count - 1], "within"), "%s", steps.text [steps.count - 1]);
    close (waiting);
    close (descriptor);
}

/*  The question costs an answer, whoever asks and however often. */
Test (diagnose, a_flood_of_questions_is_no_refusal_and_delays_no_worker)
{
    scene_t scene = scene_begin ();
    raw_socket_t dealer = raw_connect (ZMQ_DEALER, raw_return_endpoint (scene_endpoint (&scene)));
    raw_t question = raw_hello (raw_peer (0), "raw"), frame;
    question.bytes [3] = 0;
    for (int i = 0; i < 5000; i++)
        raw_send (&dealer, question.bytes, question.size);
    muster_worker_t *worker = scene_worker (&scene, "a");
    for (int i = 0; i < 100; i++)
        MUST (muster_worker_send (worker, "C", "{}") == 0);
    MUST (muster_worker_flush (worker, WAIT_MS) == 0);
    MUST (raw_recv (&dealer, NULL, &frame, WAIT_MS));
    cr_assert_eq (raw_kind (&frame, NULL), RAW_END);
    cr_assert_eq (frame.bytes [26], MUSTER_VERSION);
    cr_assert_eq (scene_stats (&scene).rejected, 0);
    scene_dismiss (worker);
    raw_close (&dealer);
    cr_assert_str_eq (collector_cmd (scene.events, 0), "JOINED");
    scene_close (&scene);
}
