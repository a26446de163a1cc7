/*  producer.c - a plain producer: a bare ZeroMQ PUSH socket

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "producer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

struct producer {
    void *context;
    void *socket;
};

producer_t *
producer_new (const char *endpoint)
{
    producer_t *self = calloc (1, sizeof *self);
    self->context = zmq_ctx_new ();
    self->socket = zmq_socket (self->context, ZMQ_PUSH);
    int on = 1, linger = 10000;
    zmq_setsockopt (self->socket, ZMQ_IPV6, &on, sizeof on);
    zmq_setsockopt (self->socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_connect (self->socket, endpoint);
    return self;
}

void
producer_destroy (producer_t **self_p)
{
    zmq_close ((*self_p)->socket);
    zmq_ctx_term ((*self_p)->context);
    free (*self_p);
    *self_p = NULL;
}

void
producer_send (producer_t *self, const void *bytes, size_t size)
{
    zmq_send (self->socket, bytes, size, 0);
}

void
producer_send_more (producer_t *self, const void *bytes, size_t size)
{
    zmq_send (self->socket, bytes, size, ZMQ_SNDMORE);
}

static uint8_t *
put_str (uint8_t *at, const char *text)
{
    size_t size = strlen (text);
    *at++ = 0xd9;
    *at++ = (uint8_t) size;
    memcpy (at, text, size);
    return at + size;
}

void
producer_send_number (producer_t *self, const char *source, const char *cmd, int number)
{
    uint8_t bytes [600] = { 0x93 };
    uint8_t *at = put_str (bytes + 1, source);
    at = put_str (at, cmd);
    *at++ = 0x81;
    at = put_str (at, "n");
    *at++ = 0xd2;
    for (int shift = 24; shift >= 0; shift -= 8)
        *at++ = (uint8_t) ((uint32_t) number >> shift);
    producer_send (self, bytes, at - bytes);
}
