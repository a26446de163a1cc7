/*  idle_latency.c - how long one message takes through an idle listener

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Three ways in one run, in turn: raw PUSH/PULL, a plain producer's message to
    a handler, a worker's message to a handler. The sender is a process of its
    own; each message carries the time it was sent. Prints medians, the 99th
    percentile and the ratios to raw.
*/
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <muster/muster.h>
#include <zmq.h>

#define ROUNDS 3000
#define PAUSE_NS 2000000

enum { RAW, PLAIN, WORKER, WAYS };

static const char *const names [WAYS] = { "raw PUSH/PULL", "plain producer", "worker" };
static int64_t taken [WAYS][ROUNDS];
static atomic_int counts [WAYS];

static int64_t
now_ns (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C (1000000000) + now.tv_nsec;
}

static void
note (int way, int64_t sent)
{
    int64_t took = now_ns () - sent;
    int index = atomic_load (&counts [way]);
    if (index < ROUNDS)
        taken [way][index] = took;
    atomic_store (&counts [way], index + 1);
}

static int
handle (const muster_message_t *message, void *arg)
{
    (void) arg;
    int64_t sent = 0;
    muster_message_unpack (message, "{s:I}", "t", &sent);
    note (strcmp (muster_message_source (message), "worker") ? PLAIN : WORKER, sent);
    return 0;
}

static void *
receive_raw (void *socket)
{
    char bytes [64];
    int64_t sent;
    for (int i = 0; i < ROUNDS; i++) {
        zmq_recv (socket, bytes, sizeof bytes, 0);
        memcpy (&sent, bytes, sizeof sent);
        note (RAW, sent);
    }
    return NULL;
}

/*  --------------------------------------------------------------------------
    The sender */

static void *
connect_push (void *context, const char *endpoint)
{
    void *socket = zmq_socket (context, ZMQ_PUSH);
    zmq_connect (socket, endpoint);
    return socket;
}

static void
send_plain (void *socket)
{
    muster_writer_t *writer = muster_writer_new ();
    const void *bytes;
    size_t size;
    muster_writer_seq (writer, 3);
    muster_writer_str (writer, "plain", 5);
    muster_writer_str (writer, "TIME", 4);
    muster_writer_map (writer, 1);
    muster_writer_str (writer, "t", 1);
    muster_writer_int (writer, now_ns ());
    if (muster_writer_bytes (writer, &bytes, &size) == 0)
        zmq_send (socket, bytes, size, 0);
    muster_writer_destroy (&writer);
}

static int
run_sender (const char *raw_endpoint, const char *endpoint)
{
    void *context = zmq_ctx_new ();
    void *raw = connect_push (context, raw_endpoint), *plain = connect_push (context, endpoint);
    muster_worker_t *worker = muster_worker_new (endpoint, "worker");
    muster_error_t error = worker ? muster_worker_start (worker) : MUSTER_NOMEM;
    for (int i = 0; i < ROUNDS && !error; i++) {
        struct timespec pause = { .tv_nsec = PAUSE_NS };
        nanosleep (&pause, NULL);
        char bytes [64] = { 0 };
        int64_t sent = now_ns ();
        memcpy (bytes, &sent, sizeof sent);
        zmq_send (raw, bytes, sizeof bytes, 0);
        nanosleep (&pause, NULL);
        send_plain (plain);
        nanosleep (&pause, NULL);
        error = muster_worker_send (worker, "TIME", "{s:I}", "t", now_ns ());
    }
    if (!error)
        error = muster_worker_close (worker, NULL);
    muster_worker_destroy (&worker);
    zmq_close (raw);
    zmq_close (plain);
    zmq_ctx_term (context);
    return error ? 1 : 0;
}

/*  --------------------------------------------------------------------------
    The receiver */

static int
compare (const void *one, const void *other)
{
    int64_t a = *(const int64_t *) one, b = *(const int64_t *) other;
    return (a > b) - (a < b);
}

static void
report (void)
{
    for (int way = 0; way < WAYS; way++)
        qsort (taken [way], ROUNDS, sizeof (int64_t), compare);
    printf ("%-16s %10s %10s %8s %8s\n", "", "p50 us", "p99 us", "p50/raw", "p99/raw");
    for (int way = 0; way < WAYS; way++) {
        double p50 = taken [way][ROUNDS / 2] / 1e3, p99 = taken [way][ROUNDS * 99 / 100] / 1e3;
        printf ("%-16s %10.1f %10.1f %8.2f %8.2f\n", names [way], p50, p99,
            p50 / (taken [RAW][ROUNDS / 2] / 1e3), p99 / (taken [RAW][ROUNDS * 99 / 100] / 1e3));
    }
}

static int
spawn_sender (const char *raw_endpoint, const char *endpoint)
{
    pid_t child = fork ();
    if (child == 0) {
        execl ("/proc/self/exe", "idle_latency", raw_endpoint, endpoint, NULL);
        _exit (127);
    }
    return child;
}

int
main (int argc, char **argv)
{
    if (argc == 3)
        return run_sender (argv [1], argv [2]);
    void *context = zmq_ctx_new (), *pull = zmq_socket (context, ZMQ_PULL);
    zmq_bind (pull, "tcp://127.0.0.1:*");
    char raw_endpoint [64];
    size_t size = sizeof raw_endpoint;
    zmq_getsockopt (pull, ZMQ_LAST_ENDPOINT, raw_endpoint, &size);
    muster_listener_t *listener = muster_listener_new ("tcp://127.0.0.1:*");
    muster_listener_register_default_handler (listener, handle, NULL);
    if (muster_listener_start (listener))
        return 1;
    pthread_t thread;
    pthread_create (&thread, NULL, receive_raw, pull);
    int status = 1;
    waitpid (spawn_sender (raw_endpoint, muster_listener_endpoint (listener)), &status, 0);
    if (status == 0) {
        pthread_join (thread, NULL);
        muster_listener_stop (listener, NULL);
        report ();
    }
    muster_listener_destroy (&listener);
    zmq_close (pull);
    zmq_ctx_term (context);
    return status ? 1 : 0;
}
