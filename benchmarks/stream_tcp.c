/*  stream_tcp.c - plain TCP, as the limit: one process writes, another reads

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    usage: stream_tcp [size=128] [count=20000000] [warm=1]

    Messages under 64 KiB are only counted by their bytes: writes of 64 KiB, reads of
    64 KiB. Larger ones are each read into the same buffer, whose pages are there
    after the warm-up. Nothing has a frame, a source or a confirmation.
*/
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"

#define BLOCK 65536

static struct sockaddr_in
address (int port)
{
    return (struct sockaddr_in) {
        .sin_family = AF_INET, .sin_port = htons ((uint16_t) port), .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
}

/*  Bytes of one write: as many messages as a block holds, or one. */
static size_t
block_of (size_t size)
{
    return size < BLOCK ? BLOCK / size * size : size;
}

static int
run_sender (void)
{
    size_t size = (size_t) bench_number ("size", 128), block = block_of (size);
    size_t left = size * (size_t) bench_number ("count", 20000000);
    struct sockaddr_in peer = address ((int) bench_number ("endpoint", 0));
    int out = socket (AF_INET, SOCK_STREAM, 0);
    char *bytes = malloc (block);
    memset (bytes, 'x', block);
    bench_must (connect (out, (struct sockaddr *) &peer, sizeof peer) == 0, "connect");
    for (size_t at = 0; left; ) {
        size_t most = block - at < left ? block - at : left;
        ssize_t written = write (out, bytes + at, most < BLOCK ? most : BLOCK);
        bench_must (written > 0, "write");
        left -= (size_t) written;
        at = (at + (size_t) written) % block;
    }
    close (out);
    free (bytes);
    return 0;
}

static void
receive (int in, size_t size, bench_meter_t *meter)
{
    size_t block = block_of (size), rest = 0;
    char *bytes = malloc (block);
    for (size_t at = 0; meter->count < meter->total; ) {
        ssize_t got = read (in, bytes + at, block - at);
        bench_must (got > 0, "read");
        at = (at + (size_t) got) % block;
        rest += (size_t) got;
        bench_note (meter, (int64_t) (rest / size));
        rest %= size;
    }
    free (bytes);
}

int
main (int argc, char **argv)
{
    bench_begin (argc, argv);
    if (bench_has ("endpoint"))
        return run_sender ();
    size_t before = bench_resident ();
    bench_meter_t meter = bench_meter (bench_number ("warm", 1), bench_number ("count", 20000000));
    struct sockaddr_in own = address (0);
    socklen_t length = sizeof own;
    char endpoint [64];
    int listening = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bench_must (bind (listening, (struct sockaddr *) &own, length) == 0 && listen (listening, 1) == 0, "bind");
    bench_must (getsockname (listening, (struct sockaddr *) &own, &length) == 0, "getsockname");
    snprintf (endpoint, sizeof endpoint, "endpoint=%d", ntohs (own.sin_port));
    pid_t child = bench_spawn (endpoint, NULL);
    int in = accept (listening, NULL, NULL);
    receive (in, (size_t) bench_number ("size", 128), &meter);
    bench_join (child);
    close (in);
    close (listening);
    bench_print ("rate", bench_rate (&meter), "peak", (double) (bench_peak () - before), NULL);
    return 0;
}
