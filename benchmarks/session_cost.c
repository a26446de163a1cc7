/*  session_cost.c - what sessions cost: the same messages to the same handler, with and without

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    In turn: a worker sends MESSAGES small messages; a process packs and checks
    the same messages with the same code into frames of 64 KiB and pushes them,
    as a plain producer that shares frames. The sender is a process of its own.
    Prints medians of messages a second and the ratio.
*/
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <muster/muster.h>
#include <zmq.h>

#define MESSAGES 1000000
#define ROUNDS 7
#define FRAME 65536
#define SOURCE "worker-1234567890-1234567890-123456"

enum { WITHOUT, WITH, WAYS };

static const char *const names [WAYS] = { "without", "with" };
static double rates [WAYS][ROUNDS];

static double
now (void)
{
    struct timespec time;
    clock_gettime (CLOCK_MONOTONIC, &time);
    return (double) time.tv_sec + (double) time.tv_nsec / 1e9;
}

/*  --------------------------------------------------------------------------
    The senders */

static void
write_data (muster_writer_t *writer, int i)
{
    muster_writer_map (writer, 3);
    muster_writer_str (writer, "epoch", 5);
    muster_writer_int (writer, i);
    muster_writer_str (writer, "loss", 4);
    muster_writer_float (writer, 0.5);
    muster_writer_str (writer, "samples", 7);
    muster_writer_int (writer, 1000 + i);
}

static void
push (void *socket, muster_writer_t *frame)
{
    const void *bytes;
    size_t size;
    if (muster_writer_bytes (frame, &bytes, &size) == 0 && size > 0)
        zmq_send (socket, bytes, size, 0);
    muster_writer_clear (frame);
}

static int
send_without (const char *endpoint)
{
    void *context = zmq_ctx_new (), *socket = zmq_socket (context, ZMQ_PUSH);
    zmq_connect (socket, endpoint);
    muster_writer_t *frame = muster_writer_new (), *data = muster_writer_new ();
    const void *bytes;
    size_t size;
    for (int i = 0; i < MESSAGES; i++) {
        muster_writer_seq (frame, 3);
        muster_writer_str (frame, SOURCE, strlen (SOURCE));
        muster_writer_str (frame, "PROGRESS", 8);
        muster_writer_clear (data);
        write_data (data, i);
        if (muster_writer_bytes (data, &bytes, &size) == 0)
            muster_writer_raw (frame, bytes, size);
        if (muster_writer_bytes (frame, NULL, &size) || size > FRAME - 200)
            push (socket, frame);
    }
    push (socket, frame);
    muster_writer_destroy (&frame);
    muster_writer_destroy (&data);
    zmq_close (socket);
    zmq_ctx_term (context);
    return 0;
}

static int
send_with (const char *endpoint)
{
    muster_worker_t *worker = muster_worker_new (endpoint, SOURCE);
    muster_writer_t *data = muster_writer_new ();
    muster_error_t error = muster_worker_start (worker);
    for (int i = 0; i < MESSAGES && !error; i++) {
        const void *bytes;
        size_t size;
        muster_writer_clear (data);
        write_data (data, i);
        error = muster_writer_bytes (data, &bytes, &size);
        if (!error)
            error = muster_worker_send_raw (worker, "PROGRESS", bytes, size);
    }
    if (!error)
        error = muster_worker_close (worker, NULL);
    muster_worker_destroy (&worker);
    muster_writer_destroy (&data);
    return error ? 1 : 0;
}

/*  --------------------------------------------------------------------------
    The receiver */

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t done;
    int count;
    double first, last;
} meter_t;

static int
handle (const muster_message_t *message, void *arg)
{
    meter_t *self = arg;
    (void) message;
    if (++self->count == 1)
        self->first = now ();
    if (self->count == MESSAGES) {
        pthread_mutex_lock (&self->lock);
        self->last = now ();
        pthread_cond_signal (&self->done);
        pthread_mutex_unlock (&self->lock);
    }
    return 0;
}

static double
measure (int way, const char *endpoint, meter_t *meter)
{
    meter->count = 0;
    meter->last = 0;
    pid_t child = fork ();
    if (child == 0) {
        execl ("/proc/self/exe", "session_cost", names [way], endpoint, NULL);
        _exit (127);
    }
    int status = 1;
    pthread_mutex_lock (&meter->lock);
    while (meter->last == 0)
        pthread_cond_wait (&meter->done, &meter->lock);
    pthread_mutex_unlock (&meter->lock);
    waitpid (child, &status, 0);
    return status ? 0 : MESSAGES / (meter->last - meter->first);
}

static int
compare (const void *one, const void *other)
{
    double a = *(const double *) one, b = *(const double *) other;
    return (a > b) - (a < b);
}

int
main (int argc, char **argv)
{
    if (argc == 3)
        return strcmp (argv [1], names [WITH]) ? send_without (argv [2]) : send_with (argv [2]);
    meter_t meter = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0 };
    muster_listener_t *listener = muster_listener_new ("tcp://127.0.0.1:*");
    muster_listener_register_default_handler (listener, handle, &meter);
    if (muster_listener_start (listener))
        return 1;
    for (int round = 0; round < ROUNDS; round++)
        for (int way = 0; way < WAYS; way++)
            rates [way][round] = measure (way, muster_listener_endpoint (listener), &meter);
    muster_listener_destroy (&listener);
    for (int way = 0; way < WAYS; way++) {
        qsort (rates [way], ROUNDS, sizeof (double), compare);
        printf ("%-8s sessions %8.2f M messages/s\n", names [way], rates [way][ROUNDS / 2] / 1e6);
    }
    printf ("with / without    %8.2f\n", rates [WITH][ROUNDS / 2] / rates [WITHOUT][ROUNDS / 2]);
    return 0;
}
