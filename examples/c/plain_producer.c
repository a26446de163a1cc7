/*  plain_producer.c - a plain producer with libzmq and msgpack-c alone

    usage: plain_producer [ENDPOINT] [COUNT]

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

static void
pack_text (msgpack_packer *packer, const char *text)
{
    msgpack_pack_str (packer, strlen (text));
    msgpack_pack_str_body (packer, text, strlen (text));
}

/*  A message is an array of three: source, cmd, and data, a map. */
static void
pack_message (msgpack_packer *packer, int step)
{
    msgpack_pack_array (packer, 3);
    pack_text (packer, "producer-c");
    pack_text (packer, "PROGRESS");
    msgpack_pack_map (packer, 2);
    pack_text (packer, "step");
    msgpack_pack_int (packer, step);
    pack_text (packer, "loss");
    msgpack_pack_double (packer, 0.5 / (step + 1));
}

static int
produce (void *push, int count)
{
    int rc = 0;
    msgpack_sbuffer buffer;
    msgpack_packer packer;
    msgpack_sbuffer_init (&buffer);
    msgpack_packer_init (&packer, &buffer, msgpack_sbuffer_write);
    for (int step = 0; step < count && rc >= 0; step++) {
        msgpack_sbuffer_clear (&buffer);
        pack_message (&packer, step);
        rc = zmq_send (push, buffer.data, buffer.size, 0);
    }
    msgpack_sbuffer_destroy (&buffer);
    return rc;
}

int
main (int argc, char **argv)
{
    void *context = zmq_ctx_new ();
    void *push = zmq_socket (context, ZMQ_PUSH);
    int rc = zmq_connect (push, argc > 1 ? argv [1] : "tcp://127.0.0.1:5670");
    if (rc == 0)
        rc = produce (push, argc > 2 ? atoi (argv [2]) : 10);
    if (rc < 0)
        fprintf (stderr, "plain_producer: %s\n", zmq_strerror (zmq_errno ()));
    zmq_close (push);
    zmq_ctx_term (context); /* waits until the socket has handed over all messages */
    return rc < 0;
}
