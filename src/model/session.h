/*  session.h - what two peers share so that nothing is lost: a state machine

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Pure: no socket, no clock, no thread. Frames and times go in; what is to be
    sent next is asked for. The same code serves both roles and both
    directions: each session has an outgoing half (outbox, the peer's
    positions, credit from the peer) and an incoming half (positions, a partial
    message, an account of credit for the peer). Times are monotonic
    milliseconds. Not locked: its owner's lock guards it.

    docs/protocol.md, section "Sessions", is what this implements.
*/
#ifndef MODEL_SESSION_H_INCLUDED
#define MODEL_SESSION_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include <muster/error.h>

#include "model/credit.h"
#include "model/outbox.h"
#include "model/protocol.h"

/*  Handled is reported within this time, or this many messages. */
#define REPORT_DELAY_MS 10
#define REPORT_MESSAGES 1000

typedef enum { SESSION_WORKER, SESSION_LISTENER } session_role_t;

typedef enum {
    SESSION_ABSENT,         /* no connection (worker: until retry_at) */
    SESSION_CONNECTING,     /* worker: sockets are connecting */
    SESSION_GREETING,       /* worker: hello is sent or about to be */
    SESSION_OPEN,
    SESSION_ENDED           /* for good; error says why */
} session_state_t;

typedef struct {
    int64_t liveness;       /* ms */
    int64_t no_progress;    /* ms */
    uint64_t message_limit; /* bytes, of incoming messages */
} session_limits_t;

/*  The half that sends. */
typedef struct {
    outbox_t box;
    uint64_t credit;        /* byte position */
    uint64_t peer_received; /* messages */
    uint64_t refused;       /* messages that were refused, by this peer and those before it */
    uint64_t refused_before; /* by those before it */
    uint8_t flags;          /* POSITIONS_ of the peer */
    uint64_t wanted;        /* byte position last asked for */
    bool ahead;             /* the next message fitted then */
    uint64_t awaited;       /* position whose handling somebody waits for */
    uint64_t awaited_sent;  /* the last one told to the peer */
    uint64_t message_limit; /* the peer's; 0: not known yet */
    uint32_t stream;        /* our tag of this stream */
    size_t chunk;           /* bytes of a piece */
    uint64_t farthest;      /* byte position up to which something was sent ever */
    uint64_t moved;         /* what was sent and received, when it was looked at last */
    int64_t moved_at;       /* since when it is the same, or nothing is under way */
    bool paused;            /* the peer takes nothing more */
    uint64_t rested;        /* messages accepted at the last heartbeat */
} session_out_t;

/*  The half that receives. */
typedef struct {
    position_t received;
    position_t handled;
    uint64_t refused;       /* messages among the handled that broke a rule */
    credit_t *credit;
    credit_account_t account;
    uint8_t *partial;       /* the message that is coming in pieces */
    uint64_t partial_size;
    uint64_t partial_filled;
    int64_t partial_at;     /* when its last piece came */
    uint64_t reported;      /* handled messages last reported */
    uint64_t reported_credit;
    uint64_t awaited;       /* the peer waits for this position */
    int64_t report_at;      /* 0: nothing to report */
    frame_want_t want;      /* waits for what was sent before it, while want_waits */
    bool want_waits;
    uint32_t stream;        /* the peer's tag of this stream */
    bool gap;
} session_in_t;

typedef struct {
    session_role_t role;
    session_state_t state;
    session_limits_t limits;
    session_id_t id;
    uint32_t epoch;
    session_id_t listener;  /* the listener's incarnation; worker: zero before the first welcome */
    char source [MUSTER_NAME_MAX + 1];
    char listener_source [MUSTER_NAME_MAX + 1];
    session_out_t out;
    session_in_t in;
    int64_t heard_at;
    int64_t sent_at;        /* POSITIONS */
    int64_t heartbeat;      /* ms between POSITIONS (the listener answers each) and between WANTs */
    int64_t retry_at;       /* worker, absent */
    int64_t back_off;       /* ms */
    int64_t stamp_at;       /* worker: the first POSITIONS from then on carries a stamp */
    uint64_t stamp;         /* worker: the last one, until it is back; listener: one to be taken back; 0: none */
    uint64_t stamped_us;    /* when it was sent, or came, by our clock */
    uint64_t round_trip_us; /* in this epoch, as the worker measured last; 0: not yet */
    bool greeting_due;      /* HELLO or WELCOME */
    bool end_due;
    bool down_due;          /* worker: the connection is to be closed */
    bool leaving;           /* a goodbye for good was said */
    bool leaving_kept;      /* worker: the listener stopped and keeps the session */
    uint32_t goodbyes_due;  /* to be sent: one each for what the listener says at its stop */
    uint32_t goodbyes;      /* listener: goodbyes that keep the session, for its own and for its END */
    bool met_another;       /* worker: the listener is another than before; its owner resets this */
    uint64_t last;          /* listener: position of the last message of a worker that says goodbye */
    muster_error_t error;   /* why it ended */
    char reason [MUSTER_NAME_MAX + 1];
} session_t;

/*  A worker's new session. */
void session_init_worker (session_t *self, const session_id_t *id, const char *source, uint32_t stream,
    const session_limits_t *limits, credit_t *credit, int64_t now);

/*  A listener's session for a worker it does not know, which says hello. */
void session_init_listener (session_t *self, const frame_t *hello, const session_id_t *listener,
    const char *listener_source, uint32_t stream, const session_limits_t *limits, credit_t *credit);

void session_clear (session_t *self);

/*  Other limits, from the next greeting on. */
void session_set_limits (session_t *self, const session_limits_t *limits);

/*  Worker: was it ever welcomed by a listener? */
bool session_has_met (const session_t *self);

/*  Listener: do the numbers of a worker's hello fit those of its session? */
bool session_hello_fits (const session_t *self, const frame_hello_t *hello);

/*  Listener: a worker of this session says hello; it is welcomed. Errors:
    MUSTER_FULL; MUSTER_REJECTED if its numbers do not fit. */
muster_error_t session_greet (session_t *self, const frame_t *hello, int64_t now);

/*  --------------------------------------------------------------------------
    The connection (worker) */

typedef enum { SESSION_WAIT, SESSION_CONNECT, SESSION_DISCONNECT } session_step_t;

/*  What to do about the connection now. After CONNECT the owner opens one
    under self->epoch. */
session_step_t session_step (session_t *self, int64_t now);
void session_connected (session_t *self, int64_t now);
void session_disconnected (session_t *self, int64_t now);

/*  Do not connect before that time. */
void session_postpone (session_t *self, int64_t when);

/*  Listener: the worker is silent or the listener stops: the session is absent. */
void session_leave (session_t *self);

/*  When the next heartbeat is due: some time before one has passed since the last. */
int64_t session_beat_at (const session_t *self);

/*  When session_step or session_next_control may have something to do, if
    nothing happens before. */
int64_t session_deadline (const session_t *self);

/*  --------------------------------------------------------------------------
    Frames that come in */

/*  A control frame of this session, HELLO excepted. Frames of other epochs
    change nothing. Returns false if it makes no sense. */
bool session_control (session_t *self, const frame_t *frame, int64_t now);

/*  session_control took a frame that is stamped (frame_is_stamped); microseconds of the
    owner's clock. Whatever the peer says: a round trip is a number, and changes nothing else. */
void session_take_stamp (session_t *self, const frame_t *frame, uint64_t now_us);

typedef enum {
    ARRIVAL_TAKE,           /* messages to be handled */
    ARRIVAL_PART,           /* kept: the rest of the message is to come */
    ARRIVAL_WITHDRAWN,      /* one message that does not come: it was over our limit */
    ARRIVAL_STALE,          /* of another epoch */
    ARRIVAL_DUPLICATE,      /* all of it has come before */
    ARRIVAL_GAP,            /* something before it is missing */
    ARRIVAL_CREDIT,         /* more than the peer was allowed to send */
    ARRIVAL_MEMORY          /* no memory: as a gap */
} arrival_t;

/*  A data frame whose messages take size bytes. With TAKE, *skip messages at
    its beginning have come before. */
arrival_t session_data (session_t *self, const frame_t *frame, uint64_t size, uint32_t *skip, int64_t now);

/*  A chunk frame. With TAKE the message is complete: session_take_partial. aligned, of
    a first chunk: the byte of it that will lie at a multiple of BLOCK_ALIGNMENT. */
arrival_t session_chunk (
    session_t *self, const frame_t *frame, const uint8_t *body, size_t size, size_t aligned, int64_t now);

/*  Something that came cannot be taken, or is missing: a gap. */
void session_miss (session_t *self, int64_t now);

/*  Get in line for the credit that the peer wants. */
void session_take_want (session_t *self);

/*  How long nothing may move, while the peer is alive, before the connection for
    messages is taken for dead: half of no-progress, so that callers who wait that
    long see it mended, and no less than liveness. */
int64_t session_patience (const session_t *self);

/*  Give up a message in pieces of which nothing has come for too long: a gap. */
void session_check_partial (session_t *self, int64_t now);

/*  Forget a message that is coming in pieces. */
void session_drop_partial (session_t *self);

/*  The message that is complete, with its size; the caller owns the memory (alloc_block). */
uint8_t *session_take_partial (session_t *self, uint64_t *size);

/*  count messages of size bytes were taken, or refused. */
void session_received (session_t *self, uint64_t count, uint64_t size, int64_t now);

/*  The next count messages, in order, are handled; refused: they broke a rule. */
void session_handled (session_t *self, uint64_t count, uint64_t size, bool refused, int64_t now);

/*  Worker: so many bytes of commands of a listener before this one are handled:
    they count for nobody, but took room. */
void session_handled_before (session_t *self, uint64_t size);

/*  There is something to tell the peer, by when at the latest: its credit has
    grown, a gap, a heartbeat to answer. */
void session_report (session_t *self, int64_t when);

/*  --------------------------------------------------------------------------
    What goes out */

/*  Somebody waits for all that was accepted so far to be handled. */
void session_await (session_t *self);

/*  A number that changes when anything that was accepted gets farther than ever:
    sent, received or handled. */
uint64_t session_progress (const session_t *self);

/*  Need nothing move at the moment? The listener says that it waits on a handler,
    or that this side waits for its turn for credit. */
bool session_is_excused (const session_t *self);

/*  Say again what is wanted and waited for, if it is. */
void session_ask_again (session_t *self);

/*  Does the peer have to be asked for credit, or told what is waited for? */
bool session_has_want (const session_t *self);

/*  The next control frame to send. */
bool session_next_control (session_t *self, int64_t now, frame_t *frame);

/*  That frame is stamped and goes now: fill in its stamp. Only the worker that a stamp comes
    from knows what it means: the time. */
void session_stamp (session_t *self, frame_t *frame, uint64_t now_us);

/*  The next piece of data to send, with its frame. filling_too: a run that may
    still grow as well. */
bool session_next_piece (session_t *self, bool filling_too, outbox_piece_t *piece, frame_t *frame);

/*  Has nothing of what is under way moved for too long? To be asked with each
    report of the peer. */
bool session_out_stalls (session_t *self, int64_t now);

/*  A piece may have been too large for a connection so slow. */
void session_take_smaller_pieces (session_t *self);

/*  The frame that session_next_control gave last was not sent: it is due again. */
void session_unsent (session_t *self, const frame_t *frame, int64_t now);

/*  Worker: say goodbye for good; the listener's END answers it. */
void session_goodbye (session_t *self);

/*  Listener: say that it stops and the session is kept; the worker answers. */
void session_pause (session_t *self);

/*  Listener: has all arrived that the worker sent before its goodbye? */
bool session_is_complete (const session_t *self);

/*  Listener: has the worker answered the END of a listener that stops? */
bool session_has_parted (const session_t *self);

/*  End the session, or with CLOSED its presence, and tell the worker why. */
void session_end (session_t *self, muster_error_t error, const char *reason);

#endif
