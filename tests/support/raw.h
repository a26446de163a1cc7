/*  raw.h - sockets and session frames made by hand, for peers that keep no rules

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Frames as docs/protocol.md has them, written without the library.
*/
#ifndef SUPPORT_RAW_H_INCLUDED
#define SUPPORT_RAW_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keyring.h"

/*  --------------------------------------------------------------------------
    Frames */

#define RAW_ROOM 600

enum { RAW_DATA = 1, RAW_CHUNK, RAW_HELLO, RAW_WELCOME, RAW_POSITIONS, RAW_WANT, RAW_GOODBYE, RAW_END,
    RAW_OBSERVE, RAW_REPORT };

typedef struct {
    uint8_t bytes [RAW_ROOM];
    size_t size;
} raw_t;

typedef struct {
    uint8_t session [16];
    uint32_t epoch;
} raw_peer_t;

/*  The session of a number, in epoch 1. */
raw_peer_t raw_peer (uint32_t number);

/*  Append bytes; a msgpack uint; a msgpack str. */
void raw_put (raw_t *self, const void *bytes, size_t size);
void raw_put_uint (raw_t *self, uint64_t number);
void raw_put_str (raw_t *self, const char *text);

/*  [source, cmd, {"n": number}] and [cmd, {"n": number}] */
raw_t raw_plain (const char *source, const char *cmd, uint64_t number);
raw_t raw_message (const char *cmd, uint64_t number);

/*  A frame of each kind. */
raw_t raw_data (raw_peer_t peer, uint64_t first, uint32_t count, const raw_t *messages);
raw_t raw_chunk (raw_peer_t peer, uint64_t position, uint64_t total, uint64_t offset, const raw_t *piece);
raw_t raw_hello (raw_peer_t peer, const char *source);
raw_t raw_hello_again (raw_peer_t peer, const char *source);     /* fresh is false */
raw_t raw_welcome (raw_peer_t peer, uint64_t listener, uint64_t credit, uint64_t message_limit);
raw_t raw_positions (raw_peer_t peer, uint64_t received, uint64_t handled, uint64_t credit, uint64_t flags);
raw_t raw_stamped (raw_peer_t peer, uint64_t stamp, uint64_t span);    /* POSITIONS of nothing yet */
raw_t raw_want (raw_peer_t peer, uint64_t use, uint64_t need, uint64_t want, uint64_t handled);
raw_t raw_goodbye (raw_peer_t peer, uint64_t last);
raw_t raw_end (raw_peer_t peer, uint64_t error, const char *text);
raw_t raw_observe (void);

/*  Kind, session and epoch of a session's frame; kind 0 for another. */
int raw_kind (const raw_t *self, raw_peer_t *peer);

/*  --------------------------------------------------------------------------
    Sockets. What cannot fail in a test that is right ends the test. */

typedef struct {
    void *context;
    void *socket;
    bool guest;             /* the context is another's */
} raw_socket_t;

/*  type is ZeroMQ's. */
raw_socket_t raw_connect (int type, const char *endpoint);

/*  With the key of that name in the keyring, to its listener, under a routing id ("":
    ZeroMQ's choice); returns when the handshake is done. */
raw_socket_t raw_connect_with_keys (
    int type, const char *endpoint, const keyring_t *keyring, const char *name, const char *routing_id);
/*  The same in the context of another, to share its thread. The other is closed last. */
raw_socket_t raw_connect_beside (const raw_socket_t *other,
    int type, const char *endpoint, const keyring_t *keyring, const char *name, const char *routing_id);
raw_socket_t raw_bind (int type, const char *endpoint);
void raw_close (raw_socket_t *self);

/*  The way back of a listener on a tcp endpoint, in a static buffer. */
const char *raw_return_endpoint (const char *endpoint);

void raw_send (raw_socket_t *self, const void *bytes, size_t size);
/*  [route, frame], for a ROUTER. */
void raw_send_to (raw_socket_t *self, const raw_t *route, const void *bytes, size_t size);

/*  Accept at a tcp endpoint (an IPv4 address) and hang up, count times, as what forwards
    to a listener does while it cannot reach it. */
void raw_hang_up (const char *endpoint, int count);

/*  The next frame within a time, cut if it does not fit; false if none comes. route: of a ROUTER, else NULL. */
bool raw_recv (raw_socket_t *self, raw_t *route, raw_t *frame, int timeout_ms);

/*  The next frame of this kind, which must come; those before it are passed over. */
raw_t raw_await (raw_socket_t *self, int kind);

#endif
