/*  ledger.h - what may be handled, since it was sent

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    A genuine message has a number of its own and a seal, which only this process can
    make, over the number and where it belongs: its source, or its session and position.
    All else that is sent is wild: the liar may say it in his own name.

    Each function ends the process if something does not hold.
*/
#ifndef FUZZ_LISTENER_LEDGER_H_INCLUDED
#define FUZZ_LISTENER_LEDGER_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <muster/muster.h>

#include "model/protocol.h"

/*  Sessions of one execution: those that the input plays with, and those that end them. */
#define LEDGER_PLAYED 4
#define LEDGER_SESSIONS (LEDGER_PLAYED + 2)

/*  Who has a key for which sources: the liar for all but the last. */
enum { SOURCE_A, SOURCE_B, SOURCE_SYNC, SOURCE_WITNESS, SOURCES };
extern const char *const ledger_sources [SOURCES];

#define LEDGER_EXPECTED 256
#define LEDGER_WILD (1 << 19)

typedef struct {
    session_id_t id;
    char text [33];
    unsigned sources;           /* bits: a HELLO said so */
    bool wild;                  /* what broke rules was sent in it */
    bool wild_pieces;           /* and in pieces, of which messages nobody has sent whole could be made */
    bool present;
    uint32_t stream;            /* of the commands that it gets */
    uint64_t position;          /* of the last message handled, replies apart, since it joined */
    uint64_t seen;              /* bits: positions, up to 63, of messages handled since */
} ledger_session_t;

typedef struct {
    uint64_t last;              /* number of the newest message */
    ledger_session_t sessions [LEDGER_SESSIONS + 2];    /* the last two: SYNC's, the witness's */
    uint64_t expected [LEDGER_EXPECTED];    /* numbers of genuine plain messages not handled yet, in order */
    unsigned first, end;
    bool lossy;                 /* the listener stopped, or revoked a source: they may be missing */
    bool revoked;               /* SOURCE_B is, now */
    uint64_t witness_sent, witness_handled;
    bool wild_id;               /* a frame on the way back may have named any session */
    uint8_t *wild;              /* all wild bytes that were sent */
    size_t wild_size;
    muster_stats_t stats;
} ledger_t;

#define LEDGER_SYNC LEDGER_SESSIONS
#define LEDGER_WITNESS (LEDGER_SESSIONS + 1)

void ledger_open (ledger_t *self);
void ledger_close (ledger_t *self);

/*  Another execution: sessions that never were, nothing expected. */
void ledger_begin (ledger_t *self, uint32_t execution);

/*  The session of SYNC or of the witness. */
void ledger_name_session (ledger_t *self, unsigned index, const session_id_t *id, unsigned source);

/*  Which session this is; NULL if it is none of these. */
ledger_session_t *ledger_find (ledger_t *self, const char *text);

/*  Append data {"n": ..., "h": ..., "p": so many bytes} of a genuine message of a session, or of a plain
    one, which is then expected as often as it is sent. Returns its number. */
uint64_t ledger_write (ledger_t *self, muster_writer_t *writer, unsigned session, uint64_t position, size_t pad);
uint64_t ledger_write_plain (ledger_t *self, muster_writer_t *writer, unsigned source, size_t pad);
void ledger_expect (ledger_t *self, uint64_t number);

/*  Number and seal of the witness's next message. */
uint64_t ledger_seal_witness (ledger_t *self, uint64_t *seal);

/*  These bytes are sent as they are. session: LEDGER_SESSIONS for none. */
void ledger_go_wild (ledger_t *self, unsigned session, const void *bytes, size_t size);

/*  A message that a handler got, a reply that a round got, and an event; arg: a ledger. */
void ledger_take (ledger_t *self, const muster_message_t *message);
void ledger_take_reply (ledger_t *self, const muster_message_t *message);
int ledger_take_event (const muster_message_t *message, void *arg);

/*  The listener has stopped: presences are over. */
void ledger_stopped (ledger_t *self);

/*  All that was sent is handled, and of the execution's sessions none is here. */
void ledger_settle (ledger_t *self);

/*  Counters count up. */
void ledger_compare (ledger_t *self, const muster_stats_t *stats);

#endif
