/*  many_sockets.c - raw libzmq: one PULL with many PUSH, which send bursts in turn

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    usage: many_sockets [sockets=1000] [messages=2000000] [burst=100] [together=0]

    What many_workers does, without muster: up to 400 sockets in a process, each in its turn sends
    a burst of frames of 128 bytes. together=1: one frame of as many bytes for each burst. Nothing is
    decoded, dispatched or confirmed, and nobody beats.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "common.h"
#include "crews.h"

#define MESSAGE 128

typedef struct {
    long bursts;        /* of each socket */
    long frames;        /* of a burst */
    size_t size;        /* of a frame */
} load_t;

static load_t
load_of (long sockets)
{
    long burst = bench_number ("burst", 100);
    long bursts = (bench_number ("messages", 2000000) / sockets + burst - 1) / burst;
    if (bench_number ("together", 0))
        return (load_t) { .bursts = bursts, .frames = 1, .size = (size_t) burst * MESSAGE };
    return (load_t) { .bursts = bursts, .frames = burst, .size = MESSAGE };
}

static void
send_frames (void **sockets, long count, const load_t *load, long frames)
{
    char *bytes = calloc (1, load->size);
    for (long i = 0; i < count; i++)
        for (long n = 0; n < frames; n++)
            bench_must (zmq_send (sockets [i], bytes, load->size, 0) >= 0, "zmq_send");
    free (bytes);
}

/*  A crew: the first frame of each socket says that it is connected. */
static int
run_sockets (const load_t *load)
{
    int channel = (int) bench_number ("channel", -1);
    long count = bench_number ("crew", 1);
    void *context = zmq_ctx_new (), **sockets = calloc ((size_t) count, sizeof *sockets);
    zmq_ctx_set (context, ZMQ_MAX_SOCKETS, CREW_MOST + 1);
    crew_await (channel);
    for (long i = 0; i < count; i++) {
        sockets [i] = zmq_socket (context, ZMQ_PUSH);
        bench_must (sockets [i] && zmq_connect (sockets [i], bench_text ("endpoint", "")) == 0, "zmq_connect");
    }
    send_frames (sockets, count, load, 1);
    crew_tell (channel);
    crew_await (channel);
    for (long sent = 0; sent < load->bursts; sent++)
        send_frames (sockets, count, load, load->frames);
    crew_tell (channel);
    for (long i = 0; i < count; i++)
        zmq_close (sockets [i]);
    zmq_ctx_term (context);
    free (sockets);
    return 0;
}

static void
receive (void *socket, long frames, bench_meter_t *meter, long messages)
{
    zmq_msg_t frame;
    for (long i = 0; i < frames; i++) {
        zmq_msg_init (&frame);
        bench_must (zmq_msg_recv (&frame, socket, 0) >= 0, "zmq_msg_recv");
        zmq_msg_close (&frame);
        if (meter)
            bench_note (meter, messages);
    }
}

int
main (int argc, char **argv)
{
    bench_begin (argc, argv);
    bench_descriptors ();
    long sockets = bench_number ("sockets", 1000);
    load_t load = load_of (sockets);
    if (bench_has ("endpoint"))
        return run_sockets (&load);

    char endpoint [128];
    size_t size = sizeof endpoint;
    void *context = zmq_ctx_new (), *socket = zmq_socket (context, ZMQ_PULL);
    bench_must (zmq_bind (socket, "tcp://127.0.0.1:*") == 0, "zmq_bind");
    zmq_getsockopt (socket, ZMQ_LAST_ENDPOINT, endpoint, &size);
    crews_t crews = crews_spawn (endpoint, sockets);
    int64_t begun = bench_now ();
    crews_begin (&crews);
    receive (socket, sockets, NULL, 0);
    double join = (double) (bench_now () - begun) / 1e9;
    crews_wait (&crews);

    long frames = sockets * load.bursts * load.frames, messages = (long) load.size / MESSAGE;
    bench_meter_t meter = bench_meter (1, frames * messages);
    double work = bench_cpu ();
    crews_begin (&crews);
    receive (socket, frames, &meter, messages);
    work = (bench_cpu () - work) / (double) meter.total;
    crews_wait (&crews);
    crews_join (&crews);
    bench_print ("join", join, "rate", bench_rate (&meter), "work", work, NULL);
    zmq_close (socket);
    zmq_ctx_term (context);
    return 0;
}
