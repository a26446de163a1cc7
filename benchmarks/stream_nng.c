/*  stream_nng.c - nng: a PUSH process sends messages to a PULL that counts them

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    usage: stream_nng [transport=tcp|ipc] [size=128] [count=300000] [warm=1]

    Messages are allocated by nng and handed over, so that nng copies none. Nothing is
    decoded, dispatched or confirmed.
*/
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>

#include "common.h"

#define DEPTH 1024      /* as many as libzmq's high-water mark lets wait, about; unless set: 0 */

static void
on_hang_up (nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    (void) pipe;
    (void) event;
    eventfd_write (*(int *) arg, 1);
}

static int
run_sender (void)
{
    nng_socket socket = NNG_SOCKET_INITIALIZER;
    nng_msg *message;
    eventfd_t value;
    size_t size = (size_t) bench_number ("size", 128);
    int gone = eventfd (0, EFD_CLOEXEC);
    bench_must (gone >= 0 && nng_push0_open (&socket) == 0, "nng_push0_open");
    nng_socket_set_int (socket, NNG_OPT_SENDBUF, DEPTH);
    nng_pipe_notify (socket, NNG_PIPE_EV_REM_POST, on_hang_up, &gone);
    bench_must (nng_dial (socket, bench_text ("endpoint", ""), NULL, 0) == 0, "nng_dial");
    for (long left = bench_number ("count", 300000); left > 0; left--) {
        bench_must (nng_msg_alloc (&message, size) == 0, "nng_msg_alloc");
        ((char *) nng_msg_body (message)) [size - 1] = 'x';
        bench_must (nng_sendmsg (socket, message, 0) == 0, "nng_sendmsg");
    }
    /*  nng does not tell when all has gone; the receiver hangs up when it has. */
    eventfd_read (gone, &value);
    nng_close (socket);
    return 0;
}

static void
receive (nng_socket socket, bench_meter_t *meter)
{
    nng_msg *message;
    while (meter->count < meter->total) {
        bench_must (nng_recvmsg (socket, &message, 0) == 0, "nng_recvmsg");
        const char *bytes = nng_msg_body (message);
        bench_must (bytes [nng_msg_len (message) - 1] == 'x', "what came");
        bench_note (meter, 1);
        nng_msg_free (message);
    }
}

int
main (int argc, char **argv)
{
    bench_begin (argc, argv);
    if (bench_has ("endpoint"))
        return run_sender ();
    size_t before = bench_resident ();
    const char *own = strcmp (bench_text ("transport", "tcp"), "tcp") ? bench_endpoint ("ipc") : "tcp://127.0.0.1:0";
    char endpoint [128];
    nng_socket socket;
    nng_listener listener;
    nng_sockaddr address;
    bench_must (nng_pull0_open (&socket) == 0, "nng_pull0_open");
    nng_socket_set_int (socket, NNG_OPT_RECVBUF, DEPTH);
    nng_socket_set_size (socket, NNG_OPT_RECVMAXSZ, 0);
    bench_must (nng_listen (socket, own, &listener, 0) == 0, "nng_listen");
    bench_must (nng_listener_get_addr (listener, NNG_OPT_LOCADDR, &address) == 0, "nng_listener_get_addr");
    if (address.s_family == NNG_AF_INET)
        snprintf (endpoint, sizeof endpoint, "endpoint=tcp://127.0.0.1:%d", ntohs (address.s_in.sa_port));
    else
        snprintf (endpoint, sizeof endpoint, "endpoint=%s", own);
    bench_meter_t meter = bench_meter (bench_number ("warm", 1), bench_number ("count", 300000));
    pid_t child = bench_spawn (endpoint, NULL);
    receive (socket, &meter);
    nng_close (socket);
    bench_join (child);
    bench_print ("rate", bench_rate (&meter), "peak", (double) (bench_peak () - before), NULL);
    return 0;
}
