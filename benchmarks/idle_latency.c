/*  idle_latency.c - how long one message takes through an idle receiver

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    usage: idle_latency [count=500]

    Some ways in one run, message by message in turn, so that all meet the same
    machine: plain TCP, raw PUSH/PULL, nng's (where that is installed), a plain producer's
    message to a handler, a worker's message to a handler. The sender is a process of its own and pauses 1 to 3 ms
    before each message, which carries the time it was sent. Prints all times, in us.
*/
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <muster/muster.h>
#include <zmq.h>
#ifdef WITH_NNG
#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#endif

#include "common.h"

#define COUNT_MOST 10000
#define PAUSE_LEAST_NS 1000000
#define PAUSE_SPREAD_NS 2000000

enum { TCP, RAW, NNG, PLAIN, WORKER, WAYS };

static const char *const names [WAYS] = { "tcp", "zmq", "nng", "plain", "worker" };

/*  Each way has a thread of its own that notes, and a message at a time. */
static int64_t taken [WAYS][COUNT_MOST];
static long counts [WAYS];
static long total;

static void
note (int way, int64_t sent)
{
    int64_t took = bench_now () - sent;
    if (counts [way] < total)
        taken [way][counts [way]++] = took;
}

/*  --------------------------------------------------------------------------
    nng */

#ifdef WITH_NNG
static nng_socket
nng_connected (const char *endpoint)
{
    nng_socket self;
    bench_must (nng_push0_open (&self) == 0 && nng_dial (self, endpoint, NULL, 0) == 0, "nng_dial");
    return self;
}

static void
send_nng (nng_socket socket)
{
    char bytes [64] = { 0 };
    int64_t sent = bench_now ();
    memcpy (bytes, &sent, sizeof sent);
    bench_must (nng_send (socket, bytes, sizeof bytes, 0) == 0, "nng_send");
}

static void *
receive_nng (void *socket)
{
    char bytes [64];
    int64_t sent;
    while (counts [NNG] < total) {
        size_t size = sizeof bytes;
        bench_must (nng_recv (*(nng_socket *) socket, bytes, &size, 0) == 0, "nng_recv");
        memcpy (&sent, bytes, sizeof sent);
        note (NNG, sent);
    }
    return NULL;
}

static nng_socket
nng_bound (char *option, size_t room)
{
    nng_socket self;
    nng_listener listener;
    nng_sockaddr address;
    bench_must (nng_pull0_open (&self) == 0, "nng_pull0_open");
    bench_must (nng_listen (self, "tcp://127.0.0.1:0", &listener, 0) == 0, "nng_listen");
    bench_must (nng_listener_get_addr (listener, NNG_OPT_LOCADDR, &address) == 0, "nng_listener_get_addr");
    snprintf (option, room, "nng=tcp://127.0.0.1:%d", ntohs (address.s_in.sa_port));
    return self;
}
#endif

/*  --------------------------------------------------------------------------
    The sender */

/*  Not in step: what follows a message after a fixed time, such as the report of what was
    handled, would meet the same next one each time. */
static void
pause_briefly (void)
{
    struct timespec pause = { .tv_nsec = PAUSE_LEAST_NS + random () % PAUSE_SPREAD_NS };
    nanosleep (&pause, NULL);
}

static int
connect_tcp (int port)
{
    struct sockaddr_in peer = {
        .sin_family = AF_INET, .sin_port = htons ((uint16_t) port), .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    int out = socket (AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt (out, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    bench_must (connect (out, (struct sockaddr *) &peer, sizeof peer) == 0, "connect");
    return out;
}

static void *
connect_push (void *context, const char *endpoint)
{
    void *socket = zmq_socket (context, ZMQ_PUSH);
    bench_must (zmq_connect (socket, endpoint) == 0, "zmq_connect");
    return socket;
}

static void
send_tcp (int out)
{
    char bytes [64] = { 0 };
    int64_t sent = bench_now ();
    memcpy (bytes, &sent, sizeof sent);
    bench_must (write (out, bytes, sizeof bytes) == sizeof bytes, "write");
}

static void
send_raw (void *socket)
{
    char bytes [64] = { 0 };
    int64_t sent = bench_now ();
    memcpy (bytes, &sent, sizeof sent);
    bench_must (zmq_send (socket, bytes, sizeof bytes, 0) >= 0, "zmq_send");
}

static void
send_plain (void *socket, muster_writer_t *writer)
{
    const void *bytes;
    size_t size;
    muster_writer_clear (writer);
    muster_writer_seq (writer, 3);
    muster_writer_str (writer, "plain", 5);
    muster_writer_str (writer, "TIME", 4);
    muster_writer_map (writer, 1);
    muster_writer_str (writer, "t", 1);
    muster_writer_int (writer, bench_now ());
    bench_must (muster_writer_bytes (writer, &bytes, &size) == 0, "muster_writer_bytes");
    bench_must (zmq_send (socket, bytes, size, 0) >= 0, "zmq_send");
}

static int
run_sender (void)
{
    const char *endpoint = bench_text ("endpoint", "");
    int tcp = connect_tcp ((int) bench_number ("port", 0));
    void *context = zmq_ctx_new ();
    void *raw = connect_push (context, bench_text ("raw", "")), *plain = connect_push (context, endpoint);
    muster_writer_t *writer = muster_writer_new ();
    muster_worker_t *worker = muster_worker_new (endpoint, "worker");
    muster_error_t error = muster_worker_start (worker);
#ifdef WITH_NNG
    nng_socket nng = nng_connected (bench_text ("nng", ""));
#endif
    for (long i = 0; i < total && !error; i++) {
        pause_briefly ();
        send_tcp (tcp);
        pause_briefly ();
        send_raw (raw);
#ifdef WITH_NNG
        pause_briefly ();
        send_nng (nng);
#endif
        pause_briefly ();
        send_plain (plain, writer);
        pause_briefly ();
        error = muster_worker_send (worker, "TIME", "{s:I}", "t", bench_now ());
    }
    bench_must (!error && !muster_worker_close (worker, NULL), "the worker");
#ifdef WITH_NNG
    nng_close (nng);
#endif
    muster_worker_destroy (&worker);
    muster_writer_destroy (&writer);
    zmq_close (raw);
    zmq_close (plain);
    zmq_ctx_term (context);
    close (tcp);
    return 0;
}

/*  --------------------------------------------------------------------------
    The receiver */

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
    while (counts [RAW] < total) {
        bench_must (zmq_recv (socket, bytes, sizeof bytes, 0) >= 0, "zmq_recv");
        memcpy (&sent, bytes, sizeof sent);
        note (RAW, sent);
    }
    return NULL;
}

static void *
receive_tcp (void *listening)
{
    char bytes [64];
    int64_t sent;
    int in = accept (*(int *) listening, NULL, NULL);
    while (counts [TCP] < total) {
        bench_must (recv (in, bytes, sizeof bytes, MSG_WAITALL) == sizeof bytes, "recv");
        memcpy (&sent, bytes, sizeof sent);
        note (TCP, sent);
    }
    close (in);
    return NULL;
}

static int
listen_tcp (char *option, size_t room)
{
    struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    socklen_t length = sizeof own;
    int listening = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bench_must (bind (listening, (struct sockaddr *) &own, length) == 0 && listen (listening, 1) == 0, "bind");
    bench_must (getsockname (listening, (struct sockaddr *) &own, &length) == 0, "getsockname");
    snprintf (option, room, "port=%d", ntohs (own.sin_port));
    return listening;
}

static void *
bind_pull (void *context, char *option, size_t room)
{
    void *pull = zmq_socket (context, ZMQ_PULL);
    size_t prefix = (size_t) snprintf (option, room, "raw="), left = room - prefix;
    bench_must (zmq_bind (pull, "tcp://127.0.0.1:*") == 0, "zmq_bind");
    zmq_getsockopt (pull, ZMQ_LAST_ENDPOINT, option + prefix, &left);
    return pull;
}

static void
print (void)
{
    for (int way = 0; way < WAYS; way++) {
        if (counts [way] < total)
            continue;
        printf ("%s\"%s\": [", way ? ", " : "{", names [way]);
        for (long i = 0; i < total; i++)
            printf ("%s%.1f", i ? ", " : "", (double) taken [way][i] / 1e3);
        printf ("]");
    }
    puts ("}");
}

int
main (int argc, char **argv)
{
    bench_begin (argc, argv);
    total = bench_number ("count", 500);
    bench_must (total <= COUNT_MOST, "the count");
    if (bench_has ("endpoint"))
        return run_sender ();
    char port [32], raw [128], endpoint [128], nng [64] = "nng=";
    int listening = listen_tcp (port, sizeof port);
    void *context = zmq_ctx_new (), *pull = bind_pull (context, raw, sizeof raw);
    muster_listener_t *listener = muster_listener_new ("tcp://127.0.0.1:*");
    muster_listener_register_default_handler (listener, handle, NULL);
    bench_must (!muster_listener_start (listener), "muster_listener_start");
    snprintf (endpoint, sizeof endpoint, "endpoint=%s", muster_listener_endpoint (listener));
    pthread_t threads [2];
    pthread_create (&threads [0], NULL, receive_raw, pull);
    pthread_create (&threads [1], NULL, receive_tcp, &listening);
#ifdef WITH_NNG
    pthread_t nng_thread;
    nng_socket nng_pull = nng_bound (nng, sizeof nng);
    pthread_create (&nng_thread, NULL, receive_nng, &nng_pull);
#endif
    bench_join (bench_spawn (endpoint, raw, port, nng, NULL));
#ifdef WITH_NNG
    pthread_join (nng_thread, NULL);
    nng_close (nng_pull);
#endif
    pthread_join (threads [0], NULL);
    pthread_join (threads [1], NULL);
    muster_listener_stop (listener, NULL);
    print ();
    muster_listener_destroy (&listener);
    zmq_close (pull);
    zmq_ctx_term (context);
    close (listening);
    return 0;
}
