/*  stream_zmq.c - raw libzmq: PUSH processes send frames to a PULL that counts them

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    usage: stream_zmq [transport=tcp|ipc] [size=128] [count=500000] [warm=1] [senders=1] [curve=1]

    Default options. Nothing is decoded, dispatched or confirmed. Frames of
    8 KiB and more are sent from where they lie, smaller ones by zmq_send, which is
    faster for them.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "common.h"

#define ZERO_COPY 8192

static void
set_client_keys (void *socket, const char *server)
{
    char public_key [41], secret_key [41];
    bench_must (zmq_curve_keypair (public_key, secret_key) == 0, "zmq_curve_keypair");
    zmq_setsockopt (socket, ZMQ_CURVE_SERVERKEY, server, 41);
    zmq_setsockopt (socket, ZMQ_CURVE_PUBLICKEY, public_key, 41);
    zmq_setsockopt (socket, ZMQ_CURVE_SECRETKEY, secret_key, 41);
}

static void
set_server_keys (void *socket, char *public_key)
{
    char secret_key [41];
    int yes = 1;
    bench_must (zmq_curve_keypair (public_key, secret_key) == 0, "zmq_curve_keypair");
    zmq_setsockopt (socket, ZMQ_CURVE_SERVER, &yes, sizeof yes);
    zmq_setsockopt (socket, ZMQ_CURVE_SECRETKEY, secret_key, 41);
}

static int
send_frame (void *socket, void *bytes, size_t size)
{
    if (size < ZERO_COPY)
        return zmq_send (socket, bytes, size, 0);
    zmq_msg_t frame;
    zmq_msg_init_data (&frame, bytes, size, NULL, NULL);
    return zmq_msg_send (&frame, socket, 0);
}

static int
run_sender (void)
{
    size_t size = (size_t) bench_number ("size", 128);
    long count = bench_number ("count", 500000) / bench_number ("senders", 1);
    void *bytes = malloc (size), *context = zmq_ctx_new (), *socket = zmq_socket (context, ZMQ_PUSH);
    memset (bytes, 'x', size);
    if (bench_has ("server"))
        set_client_keys (socket, bench_text ("server", ""));
    bench_must (zmq_connect (socket, bench_text ("endpoint", "")) == 0, "zmq_connect");
    for (long i = 0; i < count; i++)
        bench_must (send_frame (socket, bytes, size) >= 0, "zmq_send");
    zmq_close (socket);
    zmq_ctx_term (context);
    free (bytes);
    return 0;
}

static void
receive (void *socket, bench_meter_t *meter)
{
    zmq_msg_t frame;
    while (meter->count < meter->total) {
        zmq_msg_init (&frame);
        bench_must (zmq_msg_recv (&frame, socket, 0) >= 0, "zmq_msg_recv");
        const char *bytes = zmq_msg_data (&frame);
        bench_must (bytes [0] == 'x' && bytes [zmq_msg_size (&frame) - 1] == 'x', "what came");
        bench_note (meter, 1);
        zmq_msg_close (&frame);
    }
}

int
main (int argc, char **argv)
{
    bench_begin (argc, argv);
    if (bench_has ("endpoint"))
        return run_sender ();
    long senders = bench_number ("senders", 1), total = bench_number ("count", 500000) / senders * senders;
    pid_t children [64];
    char endpoint [128] = "endpoint=", server [64] = "server=";
    size_t before = bench_resident (), size = sizeof endpoint - strlen (endpoint);
    void *context = zmq_ctx_new (), *socket = zmq_socket (context, ZMQ_PULL);
    bool curve = bench_has ("curve");
    if (curve)
        set_server_keys (socket, server + strlen (server));
    bench_must (zmq_bind (socket, bench_endpoint (bench_text ("transport", "tcp"))) == 0, "zmq_bind");
    zmq_getsockopt (socket, ZMQ_LAST_ENDPOINT, endpoint + strlen (endpoint), &size);
    bench_meter_t meter = bench_meter (bench_number ("warm", 1), total);
    for (long i = 0; i < senders; i++)
        children [i] = bench_spawn (endpoint, curve ? server : NULL, NULL);
    receive (socket, &meter);
    for (long i = 0; i < senders; i++)
        bench_join (children [i]);
    bench_print ("rate", bench_rate (&meter), "peak", (double) (bench_peak () - before), NULL);
    zmq_close (socket);
    zmq_ctx_term (context);
    return 0;
}
