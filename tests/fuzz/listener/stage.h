/*  stage.h - a listener with keys, a liar's sockets and an honest witness

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    They stay from one execution to the next, for a handshake takes longer than an
    execution. The thread that fuzzes takes the messages too, so that nothing is handed
    over between threads that need not be.

    Each function ends the process if something does not hold, or does not come.
*/
#ifndef FUZZ_LISTENER_STAGE_H_INCLUDED
#define FUZZ_LISTENER_STAGE_H_INCLUDED

#include <stdbool.h>

#include <muster/muster.h>

#include "keyring.h"
#include "listener/ledger.h"
#include "raw.h"

/*  Bytes: small, so that inputs reach them. */
#define STAGE_BUDGET (1 << 20)
#define STAGE_FLOOR (8 << 10)
#define STAGE_LIMIT (64 << 10)          /* of messages, and of plain frames */

/*  The liar's channels. */
typedef enum { CHANNEL_PUSH, CHANNEL_DEALER } channel_t;

typedef struct {
    keyring_t keyring;
    muster_listener_t *listener;
    muster_worker_t *witness;
    raw_socket_t sockets [2];           /* by channel */
    muster_writer_t *writer;
    ledger_t ledger;
    uint32_t execution;
    uint32_t sync_epoch;
    bool spoken;                        /* on the way back, in this execution */
    unsigned sweeps;                    /* that are not answered */
    session_id_t listener_id;           /* of the newest WELCOME */
    uint64_t synced;                    /* number of the newest SYNC that was handled */
} stage_t;

void stage_open (stage_t *self);
void stage_close (stage_t *self);

/*  The witness sends a message, and the execution begins. */
void stage_begin (stage_t *self);

/*  What it has left behind is ended, and all that was sent is taken. */
void stage_settle (stage_t *self);

/*  Everything is as it should be, and the execution ends. */
void stage_end (stage_t *self);

/*  Send a message's last frame, or one before it. */
void stage_send (stage_t *self, channel_t channel, const void *bytes, size_t size, bool more);
void stage_send_control (stage_t *self, const frame_t *frame);

/*  Wait until the listener has taken what was sent on a channel. */
void stage_sync (stage_t *self, channel_t channel);

/*  A message that was taken is one that may be. */
void stage_take (stage_t *self, const muster_message_t *message);

/*  Stop the listener, whatever is under way; start it again, once nothing is held. */
void stage_stop (stage_t *self);
void stage_start (stage_t *self);

#endif
