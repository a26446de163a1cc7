/*  raw.c - sockets and session frames made by hand, for peers that keep no rules

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "raw.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <zmq.h>

#include "scene.h"

#define EXT8 0xc7
#define EXT_TYPE 0x4d
#define VERSION 1
#define COMMON 22

/*  --------------------------------------------------------------------------
    Frames */

void
raw_put (raw_t *self, const void *bytes, size_t size)
{
    MUST (self->size + size <= sizeof self->bytes);
    memcpy (self->bytes + self->size, bytes, size);
    self->size += size;
}

static void
put_big (raw_t *self, uint64_t number, int size)
{
    for (int i = size - 1; i >= 0; i--)
        raw_put (self, &(uint8_t) { (uint8_t) (number >> 8 * i) }, 1);
}

static void
put_byte (raw_t *self, int byte)
{
    put_big (self, (uint64_t) byte, 1);
}

void
raw_put_uint (raw_t *self, uint64_t number)
{
    if (number >= 128) {
        put_byte (self, 0xcf);
        put_big (self, number, 8);
    }
    else
        put_byte (self, (int) number);
}

void
raw_put_str (raw_t *self, const char *text)
{
    put_byte (self, 0xd9);
    put_byte (self, (int) strlen (text));
    raw_put (self, text, strlen (text));
}

static void
put_number_map (raw_t *self, uint64_t number)
{
    raw_put (self, "\x81\xa1n", 3);
    raw_put_uint (self, number);
}

raw_t
raw_plain (const char *source, const char *cmd, uint64_t number)
{
    raw_t self = { .size = 0 };
    put_byte (&self, 0x93);
    raw_put_str (&self, source);
    raw_put_str (&self, cmd);
    put_number_map (&self, number);
    return self;
}

raw_t
raw_message (const char *cmd, uint64_t number)
{
    raw_t self = { .size = 0 };
    put_byte (&self, 0x92);
    raw_put_str (&self, cmd);
    put_number_map (&self, number);
    return self;
}

raw_peer_t
raw_peer (uint32_t number)
{
    raw_peer_t self = { .session = { 'r', 'a', 'w' }, .epoch = 1 };
    /*  Twice, so that a change of one byte is no other number's. */
    memcpy (self.session + 4, &number, sizeof number);
    memcpy (self.session + 8, &number, sizeof number);
    return self;
}

static raw_t
begin_frame (raw_peer_t peer, int kind, int fields)
{
    raw_t self = { .size = 0 };
    put_byte (&self, EXT8);
    put_byte (&self, COMMON + fields);
    put_byte (&self, EXT_TYPE);
    put_byte (&self, VERSION);
    put_byte (&self, kind);
    put_big (&self, peer.epoch, 4);
    raw_put (&self, peer.session, sizeof peer.session);
    return self;
}

raw_t
raw_data (raw_peer_t peer, uint64_t first, uint32_t count, const raw_t *messages)
{
    raw_t self = begin_frame (peer, RAW_DATA, 12);
    put_big (&self, first, 8);
    put_big (&self, count, 4);
    raw_put (&self, messages->bytes, messages->size);
    return self;
}

raw_t
raw_chunk (raw_peer_t peer, uint64_t position, uint64_t total, uint64_t offset, const raw_t *piece)
{
    raw_t self = begin_frame (peer, RAW_CHUNK, 24);
    put_big (&self, position, 8);
    put_big (&self, total, 8);
    put_big (&self, offset, 8);
    raw_put (&self, piece->bytes, piece->size);
    return self;
}

static void
put_id (raw_t *self, uint64_t number)
{
    put_byte (self, 0xc4);
    put_byte (self, 16);
    put_big (self, number, 8);
    put_big (self, number, 8);
}

static raw_t
hello_frame (raw_peer_t peer, const char *source, bool fresh)
{
    raw_t self = begin_frame (peer, RAW_HELLO, 0);
    put_byte (&self, 0x98);
    raw_put_str (&self, source);
    put_byte (&self, fresh ? 0xc3 : 0xc2);
    put_id (&self, 0);
    raw_put_uint (&self, 7);            /* stream */
    for (int i = 0; i < 4; i++)
        raw_put_uint (&self, 0);        /* handled, its bytes, commands received, handled */
    return self;
}

raw_t
raw_hello (raw_peer_t peer, const char *source)
{
    return hello_frame (peer, source, true);
}

raw_t
raw_hello_again (raw_peer_t peer, const char *source)
{
    return hello_frame (peer, source, false);
}

raw_t
raw_welcome (raw_peer_t peer, uint64_t listener, uint64_t credit, uint64_t message_limit)
{
    raw_t self = begin_frame (peer, RAW_WELCOME, 0);
    put_byte (&self, 0x9a);
    raw_put_str (&self, "listener");
    put_id (&self, listener);
    raw_put_uint (&self, 9);            /* stream */
    for (int i = 0; i < 4; i++)
        raw_put_uint (&self, 0);        /* received, its bytes, handled, its bytes */
    raw_put_uint (&self, credit);
    raw_put_uint (&self, message_limit);
    raw_put_uint (&self, 10000);        /* liveness */
    return self;
}

static raw_t
numbers_frame (raw_peer_t peer, int kind, const uint64_t *numbers, int count)
{
    raw_t self = begin_frame (peer, kind, 0);
    put_byte (&self, 0x90 + count);
    for (int i = 0; i < count; i++)
        raw_put_uint (&self, numbers [i]);
    return self;
}

raw_t
raw_positions (raw_peer_t peer, uint64_t received, uint64_t handled, uint64_t credit, uint64_t flags)
{
    return numbers_frame (peer, RAW_POSITIONS, (uint64_t []) { received, handled, 0, credit, flags }, 5);
}

raw_t
raw_stamped (raw_peer_t peer, uint64_t stamp, uint64_t span)
{
    return numbers_frame (peer, RAW_POSITIONS, (uint64_t []) { 0, 0, 0, 0, 0, stamp, span }, 7);
}

raw_t
raw_observe (void)
{
    return numbers_frame ((raw_peer_t) { .epoch = 0 }, RAW_OBSERVE, (uint64_t []) { 1 }, 1);
}

raw_t
raw_want (raw_peer_t peer, uint64_t use, uint64_t need, uint64_t want, uint64_t handled)
{
    return numbers_frame (peer, RAW_WANT, (uint64_t []) { use, need, want, handled }, 4);
}

raw_t
raw_goodbye (raw_peer_t peer, uint64_t last)
{
    raw_t self = begin_frame (peer, RAW_GOODBYE, 0);
    put_byte (&self, 0x92);
    raw_put_uint (&self, last);
    put_byte (&self, 0xc2);
    return self;
}

raw_t
raw_end (raw_peer_t peer, uint64_t error, const char *text)
{
    raw_t self = begin_frame (peer, RAW_END, 0);
    put_byte (&self, 0x92);
    raw_put_uint (&self, error);
    raw_put_str (&self, text);
    return self;
}

static uint64_t
get_big (const uint8_t *at, int size)
{
    uint64_t number = 0;
    for (int i = 0; i < size; i++)
        number = number << 8 | at [i];
    return number;
}

int
raw_kind (const raw_t *self, raw_peer_t *peer)
{
    const uint8_t *bytes = self->bytes;
    if (self->size < 3 + COMMON || bytes [0] != EXT8 || bytes [2] != EXT_TYPE)
        return 0;
    if (peer) {
        peer->epoch = (uint32_t) get_big (bytes + 5, 4);
        memcpy (peer->session, bytes + 9, sizeof peer->session);
    }
    return bytes [4];
}

/*  --------------------------------------------------------------------------
    Sockets */

static void
open_in_context (raw_socket_t *self, int type)
{
    MUST (self->context);
    self->socket = zmq_socket (self->context, type);
    MUST (self->socket);
    int linger = PATIENCE_MS;
    zmq_setsockopt (self->socket, ZMQ_LINGER, &linger, sizeof linger);
}

static raw_socket_t
open_socket (int type)
{
    raw_socket_t self = { .context = zmq_ctx_new () };
    open_in_context (&self, type);
    return self;
}

raw_socket_t
raw_connect (int type, const char *endpoint)
{
    raw_socket_t self = open_socket (type);
    MUST (zmq_connect (self.socket, endpoint) == 0);
    return self;
}

static void
set_text (raw_socket_t *self, int option, const char *text, size_t size)
{
    MUST (zmq_setsockopt (self->socket, option, text, size) == 0);
}

static void
set_keys (raw_socket_t *self, const keyring_t *keyring, const char *name)
{
    char key [41];
    keyring_read (keyring, "listener", ".pub", "public-key", key);
    set_text (self, ZMQ_CURVE_SERVERKEY, key, sizeof key);
    keyring_read (keyring, name, ".key", "public-key", key);
    set_text (self, ZMQ_CURVE_PUBLICKEY, key, sizeof key);
    keyring_read (keyring, name, ".key", "secret-key", key);
    set_text (self, ZMQ_CURVE_SECRETKEY, key, sizeof key);
}

/*  Connect, and wait for the one event that tells of the handshake's end. */
static void
connect_whole (raw_socket_t *self, const char *endpoint)
{
    static int count;
    char address [40];
    snprintf (address, sizeof address, "inproc://raw-monitor-%d", count++);
    MUST (zmq_socket_monitor (self->socket, address, ZMQ_EVENT_HANDSHAKE_SUCCEEDED) == 0);
    raw_socket_t monitor = { .context = self->context, .socket = zmq_socket (self->context, ZMQ_PAIR) };
    MUST (monitor.socket && zmq_connect (monitor.socket, address) == 0);
    MUST (zmq_connect (self->socket, endpoint) == 0);
    raw_t event, from;
    MUST (raw_recv (&monitor, &event, &from, PATIENCE_MS));
    zmq_socket_monitor (self->socket, NULL, 0);
    zmq_close (monitor.socket);
}

static void
connect_with_keys (raw_socket_t *self,
    const char *endpoint, const keyring_t *keyring, const char *name, const char *routing_id)
{
    set_keys (self, keyring, name);
    if (*routing_id)
        set_text (self, ZMQ_ROUTING_ID, routing_id, strlen (routing_id));
    connect_whole (self, endpoint);
}

raw_socket_t
raw_connect_with_keys (
    int type, const char *endpoint, const keyring_t *keyring, const char *name, const char *routing_id)
{
    raw_socket_t self = open_socket (type);
    connect_with_keys (&self, endpoint, keyring, name, routing_id);
    return self;
}

raw_socket_t
raw_connect_beside (const raw_socket_t *other,
    int type, const char *endpoint, const keyring_t *keyring, const char *name, const char *routing_id)
{
    raw_socket_t self = { .context = other->context, .guest = true };
    open_in_context (&self, type);
    connect_with_keys (&self, endpoint, keyring, name, routing_id);
    return self;
}

const char *
raw_return_endpoint (const char *endpoint)
{
    static char text [128];
    const char *port = strrchr (endpoint, ':') + 1;
    snprintf (text, sizeof text, "%.*s%d", (int) (port - endpoint), endpoint, atoi (port) + 1);
    return text;
}

raw_socket_t
raw_bind (int type, const char *endpoint)
{
    raw_socket_t self = open_socket (type);
    MUST (zmq_bind (self.socket, endpoint) == 0);
    return self;
}

void
raw_close (raw_socket_t *self)
{
    zmq_close (self->socket);
    if (!self->guest)
        zmq_ctx_term (self->context);
    *self = (raw_socket_t) { .context = NULL };
}

void
raw_send (raw_socket_t *self, const void *bytes, size_t size)
{
    MUST (zmq_send (self->socket, bytes, size, 0) >= 0);
}

void
raw_send_to (raw_socket_t *self, const raw_t *route, const void *bytes, size_t size)
{
    MUST (zmq_send (self->socket, route->bytes, route->size, ZMQ_SNDMORE) >= 0);
    raw_send (self, bytes, size);
}

static void
take (raw_socket_t *self, raw_t *frame)
{
    int size = zmq_recv (self->socket, frame->bytes, sizeof frame->bytes, 0);
    MUST (size >= 0);
    frame->size = (size_t) size < sizeof frame->bytes ? (size_t) size : sizeof frame->bytes;
}

bool
raw_recv (raw_socket_t *self, raw_t *route, raw_t *frame, int timeout_ms)
{
    zmq_pollitem_t item = { .socket = self->socket, .events = ZMQ_POLLIN };
    if (zmq_poll (&item, 1, timeout_ms) <= 0)
        return false;
    if (route)
        take (self, route);
    take (self, frame);
    return true;
}

raw_t
raw_await (raw_socket_t *self, int kind)
{
    raw_t frame;
    do
        MUST (raw_recv (self, NULL, &frame, PATIENCE_MS));
    while (raw_kind (&frame, NULL) != kind);
    return frame;
}

void
raw_hang_up (const char *endpoint, int count)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    char host [64];
    unsigned port;
    int yes = 1;
    MUST (sscanf (endpoint, "tcp://%63[0-9.]:%u", host, &port) == 2);
    address.sin_port = htons ((uint16_t) port);
    MUST (inet_pton (AF_INET, host, &address.sin_addr) == 1);
    int listening = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt (listening, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    MUST (bind (listening, (struct sockaddr *) &address, sizeof address) == 0);
    MUST (listen (listening, 16) == 0);
    for (int i = 0; i < count; i++) {
        int accepted = accept (listening, NULL, NULL);
        MUST (accepted >= 0);
        close (accepted);
    }
    close (listening);
}
