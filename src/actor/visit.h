/*  visit.h - a connection to a listener without a session, to ask it something

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    The visitor looks at up and again_at: when the time has come he asks, or connects anew. Belongs
    to one thread, which waits in visit_wait.
*/
#ifndef ACTOR_VISIT_H_INCLUDED
#define ACTOR_VISIT_H_INCLUDED

#include <muster/data.h>
#include <zmq.h>

#include "model/endpoint.h"
#include "model/protocol.h"
#include "net/connection.h"

/*  What is not answered is asked again, and what is not reached tried again, after so long. */
#define VISIT_AGAIN_MS 200

/*  Frames that are taken before the time is looked at: who answers may send without end. */
#define VISIT_BURST 16

typedef struct {
    char endpoint [ENDPOINT_ROOM];
    char return_endpoint [ENDPOINT_ROOM];
    bool keyed;
    keypair_t keys;
    char server [Z85_KEY + 1];
    void *context;
    connection_t *connection;
    muster_writer_t *writer;
    bool up;
    unsigned shut_out;          /* handshakes in a row that the listener ended */
    int64_t now;                /* monotonic ms, as visit_heed found it */
    int64_t again_at;           /* when to go on: at once when it is up, some time after it went down */
    char reason [REASON_ROOM];
} visit_t;

/*  Make ready, from zeroes; nothing is connected yet. return_endpoint: NULL for the one that
    follows. Errors, with reason: MUSTER_ENDPOINT, MUSTER_RESOURCE, and those of keyfile_load_client. */
muster_error_t visit_begin (visit_t *self, const char *endpoint, const char *return_endpoint,
    const char *key, const char *server);

/*  After an error, too. */
void visit_end (visit_t *self);

/*  Connect, or connect anew. Errors, with reason: those of connection_open. */
muster_error_t visit_connect (visit_t *self);

/*  Look what has become of the connection. Errors, with reason: MUSTER_ACCESS if it was refused for good. */
muster_error_t visit_heed (visit_t *self);

/*  Send a control frame. */
void visit_send (visit_t *self, const frame_t *frame);

/*  Take what came next; the caller closes msg. False, and there is nothing to close, if nothing did. */
bool visit_receive (visit_t *self, zmq_msg_t *msg);

/*  Wait for something to heed or receive, until then at most (INT64_MAX: for ever). */
void visit_wait (const visit_t *self, int64_t until);

/*  Keep what is wrong as the reason, with the endpoint before it. Returns error. */
muster_error_t visit_complain (visit_t *self, muster_error_t error, const char *what);

#endif
