/*  peer.h - a worker as its listener knows it

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Guarded by the roster's lock, but for the backlog, which is the actor's.
*/
#ifndef ACTOR_PEER_H_INCLUDED
#define ACTOR_PEER_H_INCLUDED

#include "actor/backlog.h"
#include "actor/flight.h"
#include "actor/transfer.h"
#include "base/table.h"
#include "model/refusals.h"
#include "model/session.h"
#include "model/z85.h"

typedef struct peer peer_t;
typedef struct round_target round_target_t;

struct peer {
    session_t session;
    route_t route;
    int descriptor;             /* of the connection that the route was learned from, */
    uint64_t connection;        /* and its number; 0: not known */
    bool data_known;            /* a message came since the last hello: */
    int data_descriptor;        /* of the connection that it came by, */
    uint64_t data_connection;   /* and its number; 0: not known */
    char key [Z85_KEY + 1];   /* of its connections, Z85; "" if they are asked for none */
    char address [REFUSALS_ADDRESS_ROOM];   /* of the connection that its last hello came by; "" if there is none */
    blob_t *names;              /* source and session as text, shared with batches, which may outlive it */
    bool present;               /* JOINED or RETURNED was told, its end was not */
    bool unreachable;           /* the ROUTER knows it no more */
    bool revoked;               /* its key may not use its source any more */
    bool forgotten;             /* in no table: freed once its backlog is settled */
    flight_t *flight;
    transfers_t transfers;      /* of commands; empty unless somebody is told of progress */
    round_target_t *asked;      /* rounds: commands whose reply is waited for, by position */
    int64_t absent_since;
    backlog_t backlog;
    ahead_t ahead;
    UT_hash_handle by_id;
    UT_hash_handle by_source;
    peer_t *heard_prev, *heard_next;    /* present: the longest silent first */
    peer_t *report_prev, *report_next;  /* with a report to make later */
    peer_t *due_prev, *due_next;        /* with something to send */
    peer_t *absent_prev, *absent_next;  /* absent: the longest first */
    bool in_report, in_due;
};

/*  A peer that says hello; NULL when out of memory. */
peer_t *peer_new (const frame_t *hello, const session_t *session, const char *key, wake_t *wake);
void peer_destroy (peer_t **self_p);

/*  Its session's id as text. */
const char *peer_session (const peer_t *self);

/*  Give a batch of its messages their names. */
void peer_name (const peer_t *self, batch_t *batch);

/*  Put a batch at the end of its backlog, as backlog_keep. */
bool peer_keep (peer_t *self, batch_t *batch);

#endif
