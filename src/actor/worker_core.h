/*  worker_core.h - what a worker's facade and its actor share

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    lock guards the session, the PUSH socket and what is not said to be
    otherwise. changed is called when a caller's wait may be over.
*/
#ifndef ACTOR_WORKER_CORE_H_INCLUDED
#define ACTOR_WORKER_CORE_H_INCLUDED

#include <pthread.h>

#include <muster/worker.h>

#include "actor/backlog.h"
#include "actor/flight.h"
#include "actor/inbox.h"
#include "actor/meeting.h"
#include "actor/trace.h"
#include "actor/transfer.h"
#include "base/log.h"
#include "model/endpoint.h"
#include "model/session.h"
#include "net/connection.h"

typedef struct {
    char *endpoint;
    char *return_endpoint;
    char *key_file;             /* NULL: none */
    char *server_file;
    bool lost;                  /* there was no memory for one of these: it must not be taken for unset */
    uint64_t send_buffer;
    uint64_t command_buffer;
    int64_t liveness_ms;
    int64_t drain_ms;
    int64_t no_progress_ms;
    progress_hook_t progress;
} worker_options_t;

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_cond_t eased;       /* who was paced may go on */
    unsigned paced;             /* so many wait for that */
    uint64_t pace_from;         /* byte position: nobody is paced before */
    bool streaming;             /* messages come so fast that a frame of them is soon full */
    unsigned pressed;           /* so many callers wait for what is accepted to be sent */
    worker_options_t options;
    char source [MUSTER_NAME_MAX + 1];
    char session_text [SESSION_TEXT_ROOM];
    char data_endpoint [ENDPOINT_ROOM];     /* constant while the actor runs */
    char back_endpoint [ENDPOINT_ROOM];
    keypair_t keys;             /* wiped when the actor ends; with keyed only */
    char server [Z85_KEY + 1];
    bool keyed;
    session_t session;
    credit_t credit;            /* for commands */
    inbox_t *inbox;
    wake_t *wake;
    flight_t *flight;
    transfers_t transfers;      /* empty unless somebody is told of progress */
    connection_t *connection;   /* NULL: none; the DEALER is the actor's */
    muster_writer_t *writer;    /* of control frames and small messages: written and used at once */
    uint64_t refused_told;      /* refused messages that a flush has reported */

    /*  The actor's */
    void *context;
    meeting_t meeting;
    backlog_t backlog;          /* commands */
    log_limit_t refusal_log;
    trace_limit_t sent_log;     /* of control frames, for debugging */
    trace_limit_t received_log;
    int64_t refused_since;      /* ms: all handshakes since then were refused; 0: the last was not */
    unsigned shut_out;          /* the last so many connections were */
} worker_core_t;

/*  Send what the session has to send through the PUSH, as far as it goes. With
    the lock; any thread. */
void worker_pump (worker_core_t *self);

/*  Send what waits for a frame to be full as well, until as many calls of worker_relax.
    For callers that wait. With the lock. */
void worker_press (worker_core_t *self);
void worker_relax (worker_core_t *self);

/*  Let who sends faster than the connection takes wait a moment. More batches that wait to
    be sent make none of them faster, and their memory cold; with fewer, who sends would
    sleep and wake for each. Where nothing moves each wait is short, and lets another batch
    in: the send buffer is there for that. With the lock, which it gives up meanwhile. */
void worker_pace (worker_core_t *self);

#endif
