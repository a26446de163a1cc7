/*  stream_muster.c - muster: worker processes send messages to the handlers of a listener

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    usage: stream_muster [transport=tcp|ipc] [size=0] [count=2000000] [warm=1] [senders=1]
               [way=session|plain|keys]

    Each message is scanned on both sides, given to the handler of its source,
    which counts, and reported handled: the worker's close must say that all
    were. Its data is a map of three, or with a size {"b": a bin of that size}. It
    is packed once and sent by muster_worker_send_raw, which copies it.

    way=plain: the same messages without a session, from a producer that puts as
    many as fit into frames of 64 KiB; they are scanned and handled, not confirmed.
    way=keys: with keys on both sides, and the allow list.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <muster/muster.h>
#include <zmq.h>

#include "common.h"

#define FRAME 65536
#define CMD "PROGRESS"

/*  --------------------------------------------------------------------------
    The senders */

static muster_writer_t *
make_data (void)
{
    size_t size = (size_t) bench_number ("size", 0);
    if (size == 0)
        return bench_data ();
    muster_writer_t *data = muster_writer_new ();
    char *bytes = malloc (size);
    memset (bytes, 'x', size);
    muster_writer_map (data, 1);
    muster_writer_str (data, "b", 1);
    muster_writer_bin (data, bytes, size);
    free (bytes);
    return data;
}

static void
push (void *socket, muster_writer_t *frame)
{
    const void *bytes;
    size_t size;
    bench_must (muster_writer_bytes (frame, &bytes, &size) == 0, "muster_writer_bytes");
    if (size > 0)
        bench_must (zmq_send (socket, bytes, size, 0) >= 0, "zmq_send");
    muster_writer_clear (frame);
}

static void
send_plain (const char *source, const void *bytes, size_t size, long count)
{
    void *context = zmq_ctx_new (), *socket = zmq_socket (context, ZMQ_PUSH);
    bench_must (zmq_connect (socket, bench_text ("endpoint", "")) == 0, "zmq_connect");
    muster_writer_t *frame = muster_writer_new ();
    for (long i = 0; i < count; i++) {
        size_t filled;
        muster_writer_seq (frame, 3);
        muster_writer_str (frame, source, strlen (source));
        muster_writer_str (frame, CMD, strlen (CMD));
        muster_writer_raw (frame, bytes, size);
        if (muster_writer_bytes (frame, NULL, &filled) || filled + size + 64 > FRAME)
            push (socket, frame);
    }
    push (socket, frame);
    muster_writer_destroy (&frame);
    zmq_close (socket);
    zmq_ctx_term (context);
}

static void
send_in_session (const char *source, const void *bytes, size_t size, long count)
{
    muster_worker_t *worker = muster_worker_new (bench_text ("endpoint", ""), source);
    if (bench_has ("keys")) {
        char key [128], server [128];
        snprintf (key, sizeof key, "%s/worker.key", bench_text ("keys", ""));
        snprintf (server, sizeof server, "%s/listener.pub", bench_text ("keys", ""));
        muster_worker_set_key (worker, key);
        muster_worker_set_server (worker, server);
    }
    muster_error_t error = muster_worker_start (worker);
    for (long i = 0; i < count && !error; i++)
        error = muster_worker_send_raw (worker, CMD, bytes, size);
    uint64_t unconfirmed = 0;
    if (!error)
        error = muster_worker_close (worker, &unconfirmed);
    bench_must (!error && !unconfirmed, "the worker");
    muster_worker_destroy (&worker);
}

static int
run_sender (void)
{
    const char *source = bench_source (bench_number ("number", 0));
    long count = bench_number ("count", 2000000) / bench_number ("senders", 1);
    muster_writer_t *data = make_data ();
    const void *bytes;
    size_t size;
    bench_must (muster_writer_bytes (data, &bytes, &size) == 0, "muster_writer_bytes");
    if (strcmp (bench_text ("way", "session"), "plain") == 0)
        send_plain (source, bytes, size, count);
    else
        send_in_session (source, bytes, size, count);
    muster_writer_destroy (&data);
    return 0;
}

/*  --------------------------------------------------------------------------
    The keys, in a directory of their own */

static char directory [] = "/tmp/muster-benchmark-XXXXXX";
static const char *const files [] = { "listener.key", "listener.pub", "worker.key", "worker.pub", "allow" };

static const char *
path (const char *name)
{
    static char paths [4][64];
    static unsigned turn;
    char *text = paths [turn++ % 4];
    snprintf (text, sizeof paths [0], "%s/%s", directory, name);
    return text;
}

static void
use_keys (muster_listener_t *listener)
{
    char reason [768];
    const char *sources [] = { bench_source (0) };
    bench_must (mkdtemp (directory), "mkdtemp");
    bench_must (!muster_keys_generate (path ("listener"), reason, sizeof reason), reason);
    bench_must (!muster_keys_generate (path ("worker"), reason, sizeof reason), reason);
    bench_must (!muster_keys_enrol (path ("allow"), path ("worker.pub"), sources, 1, reason, sizeof reason), reason);
    muster_listener_set_key (listener, path ("listener.key"));
    muster_listener_set_allow (listener, path ("allow"));
}

static void
remove_keys (void)
{
    for (size_t i = 0; i < sizeof files / sizeof files [0]; i++)
        unlink (path (files [i]));
    rmdir (directory);
}

/*  --------------------------------------------------------------------------
    The receiver */

static int
handle (const muster_message_t *message, void *arg)
{
    (void) message;
    bench_note (arg, 1);
    return 0;
}

/*  Of a bin: looks at it where it lies. */
static int
handle_bin (const muster_message_t *message, void *arg)
{
    const char *bytes = NULL;
    size_t size = 0;
    muster_message_unpack (message, "{s:y}", "b", &bytes, &size);
    bench_must (size && bytes [0] == 'x' && bytes [size - 1] == 'x', "what came");
    bench_note (arg, 1);
    return 0;
}

int
main (int argc, char **argv)
{
    bench_begin (argc, argv);
    if (bench_has ("endpoint"))
        return run_sender ();
    long senders = bench_number ("senders", 1), total = bench_number ("count", 2000000) / senders * senders;
    pid_t children [64];
    char endpoint [128], keys [64] = "keys=", number [32];
    bool keyed = strcmp (bench_text ("way", "session"), "keys") == 0;
    size_t before = bench_resident ();
    bench_meter_t meter = bench_meter (bench_number ("warm", 1), total);
    muster_listener_t *listener = muster_listener_new (bench_endpoint (bench_text ("transport", "tcp")));
    for (long i = 0; i < senders; i++)
        muster_listener_register_handler (
            listener, bench_source (i), bench_number ("size", 0) ? handle_bin : handle, &meter, false);
    if (keyed)
        use_keys (listener);
    bench_must (!muster_listener_start (listener), "muster_listener_start");
    snprintf (endpoint, sizeof endpoint, "endpoint=%s", muster_listener_endpoint (listener));
    strcat (keys, directory);
    for (long i = 0; i < senders; i++) {
        snprintf (number, sizeof number, "number=%ld", i);
        children [i] = bench_spawn (endpoint, number, keyed ? keys : NULL, NULL);
    }
    bench_wait (&meter);
    for (long i = 0; i < senders; i++)
        bench_join (children [i]);
    bench_print ("rate", bench_rate (&meter), "peak", (double) (bench_peak () - before), NULL);
    muster_listener_destroy (&listener);
    if (keyed)
        remove_keys ();
    return 0;
}
