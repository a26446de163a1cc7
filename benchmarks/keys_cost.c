/*  keys_cost.c - throughput with keys: a worker against raw PUSH and PULL with CURVE

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    In turn: a PUSH with CURVE sends frames of SIZE bytes to a PULL with CURVE that
    counts them; a worker with keys sends messages of SIZE bytes, one a frame, to a
    handler that counts them, scanned, with sessions and the allow list on; the same
    without keys. The sender is a process of its own. Prints medians and the ratio.
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

#define SIZE 64000
#define COUNT 10000
#define ROUNDS 7
#define SOURCE "worker"

enum { RAW, KEYS, PLAIN, WAYS };

static const char *const names [WAYS] = { "raw", "keys", "plain" };
static const char *const labels [WAYS] = {
    "raw PUSH/PULL, CURVE", "muster, with keys", "muster, without keys" };
static double rates [WAYS][ROUNDS];
static char directory [] = "/tmp/keys_cost-XXXXXX";

static double
now (void)
{
    struct timespec time;
    clock_gettime (CLOCK_MONOTONIC, &time);
    return (double) time.tv_sec + (double) time.tv_nsec / 1e9;
}

static void
must (bool condition, const char *what)
{
    if (condition)
        return;
    fprintf (stderr, "keys_cost: %s failed\n", what);
    exit (1);
}

static const char *
file (const char *name)
{
    static char paths [4][64];
    static unsigned turn;
    char *path = paths [turn++ % 4];
    snprintf (path, sizeof paths [0], "%s/%s", directory, name);
    return path;
}

static void
make_keys (void)
{
    char reason [768];
    const char *sources [] = { SOURCE };
    must (mkdtemp (directory), "mkdtemp");
    must (!muster_keys_generate (file ("listener"), reason, sizeof reason), reason);
    must (!muster_keys_generate (file ("worker"), reason, sizeof reason), reason);
    must (!muster_keys_enrol (file ("allow"), file ("worker.pub"), sources, 1, reason, sizeof reason), reason);
}

static void
remove_keys (void)
{
    static const char *const made [] = { "listener.key", "listener.pub", "worker.key", "worker.pub", "allow" };
    for (size_t i = 0; i < sizeof made / sizeof made [0]; i++)
        unlink (file (made [i]));
    rmdir (directory);
}

/*  --------------------------------------------------------------------------
    The senders */

static int
send_raw (const char *endpoint, const char *server)
{
    char public_key [41], secret_key [41];
    static uint8_t bytes [SIZE];
    must (zmq_curve_keypair (public_key, secret_key) == 0, "zmq_curve_keypair");
    void *context = zmq_ctx_new (), *socket = zmq_socket (context, ZMQ_PUSH);
    zmq_setsockopt (socket, ZMQ_CURVE_SERVERKEY, server, 41);
    zmq_setsockopt (socket, ZMQ_CURVE_PUBLICKEY, public_key, 41);
    zmq_setsockopt (socket, ZMQ_CURVE_SECRETKEY, secret_key, 41);
    zmq_connect (socket, endpoint);
    for (int i = 0; i < COUNT; i++)
        must (zmq_send (socket, bytes, sizeof bytes, 0) == SIZE, "zmq_send");
    zmq_close (socket);
    zmq_ctx_term (context);
    return 0;
}

static int
send_muster (const char *endpoint, bool keyed)
{
    static uint8_t bytes [SIZE];
    muster_worker_t *worker = muster_worker_new (endpoint, SOURCE);
    if (keyed) {
        muster_worker_set_key (worker, file ("worker.key"));
        muster_worker_set_server (worker, file ("listener.pub"));
    }
    muster_error_t error = muster_worker_start (worker);
    for (int i = 0; i < COUNT && !error; i++)
        error = muster_worker_send (worker, "X", "{s:y}", "b", bytes, sizeof bytes);
    if (!error)
        error = muster_worker_close (worker, NULL);
    must (!error, muster_worker_reason (worker));
    muster_worker_destroy (&worker);
    return 0;
}

static pid_t
start_sender (int way, const char *endpoint, const char *server)
{
    pid_t child = fork ();
    if (child == 0) {
        execl ("/proc/self/exe", "keys_cost", names [way], endpoint, server, directory, NULL);
        _exit (127);
    }
    return child;
}

/*  --------------------------------------------------------------------------
    The receivers */

static double
measure_raw (void)
{
    char public_key [41], secret_key [41], endpoint [128];
    size_t size = sizeof endpoint;
    int yes = 1;
    must (zmq_curve_keypair (public_key, secret_key) == 0, "zmq_curve_keypair");
    void *context = zmq_ctx_new (), *socket = zmq_socket (context, ZMQ_PULL);
    zmq_setsockopt (socket, ZMQ_CURVE_SERVER, &yes, sizeof yes);
    zmq_setsockopt (socket, ZMQ_CURVE_SECRETKEY, secret_key, 41);
    must (zmq_bind (socket, "tcp://127.0.0.1:*") == 0, "zmq_bind");
    zmq_getsockopt (socket, ZMQ_LAST_ENDPOINT, endpoint, &size);
    pid_t child = start_sender (RAW, endpoint, public_key);
    double first = 0;
    for (int i = 0; i < COUNT; i++) {
        zmq_msg_t frame;
        zmq_msg_init (&frame);
        must (zmq_msg_recv (&frame, socket, 0) == SIZE, "zmq_msg_recv");
        zmq_msg_close (&frame);
        if (i == 0)
            first = now ();
    }
    double last = now ();
    waitpid (child, NULL, 0);
    zmq_close (socket);
    zmq_ctx_term (context);
    return (double) COUNT * SIZE / (last - first);
}

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
    if (self->count == COUNT) {
        pthread_mutex_lock (&self->lock);
        self->last = now ();
        pthread_cond_signal (&self->done);
        pthread_mutex_unlock (&self->lock);
    }
    return 0;
}

static double
measure_muster (int way)
{
    meter_t meter = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0 };
    muster_listener_t *listener = muster_listener_new ("tcp://127.0.0.1:*");
    muster_listener_register_default_handler (listener, handle, &meter);
    if (way == KEYS) {
        muster_listener_set_key (listener, file ("listener.key"));
        muster_listener_set_allow (listener, file ("allow"));
    }
    must (!muster_listener_start (listener), muster_listener_reason (listener));
    pid_t child = start_sender (way, muster_listener_endpoint (listener), "");
    pthread_mutex_lock (&meter.lock);
    while (meter.last == 0)
        pthread_cond_wait (&meter.done, &meter.lock);
    pthread_mutex_unlock (&meter.lock);
    waitpid (child, NULL, 0);
    muster_listener_destroy (&listener);
    return (double) COUNT * SIZE / (meter.last - meter.first);
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
    if (argc == 5) {
        snprintf (directory, sizeof directory, "%s", argv [4]);
        return strcmp (argv [1], names [RAW]) == 0
            ? send_raw (argv [2], argv [3]) : send_muster (argv [2], strcmp (argv [1], names [KEYS]) == 0);
    }
    make_keys ();
    for (int round = 0; round < ROUNDS; round++)
        for (int way = 0; way < WAYS; way++)
            rates [way][round] = way == RAW ? measure_raw () : measure_muster (way);
    remove_keys ();
    for (int way = 0; way < WAYS; way++) {
        qsort (rates [way], ROUNDS, sizeof (double), compare);
        printf ("%-22s %8.0f MB/s\n", labels [way], rates [way][ROUNDS / 2] / 1e6);
    }
    printf ("with keys / raw CURVE  %8.2f\n", rates [KEYS][ROUNDS / 2] / rates [RAW][ROUNDS / 2]);
    return 0;
}
