/*  protocol.h - what the frames of a session say, apart from their bytes

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    docs/protocol.md, section "Sessions", specifies each of these.
*/
#ifndef MODEL_PROTOCOL_H_INCLUDED
#define MODEL_PROTOCOL_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <muster/error.h>
#include <muster/message.h>

#define PROTOCOL_VERSION 1

/*  A HELLO of this version is nobody's: it asks what the listener speaks, and begins nothing. */
#define PROTOCOL_QUESTION 0

/*  Sizes of frames, in bytes: a run of messages that share a frame, and one
    piece of a message that is larger than that. Commands go in smaller
    pieces, so that no heartbeat waits behind a model. */
#define FRAME_RUN_BYTES 131072
#define FRAME_RUN_MESSAGES 4096
#define FRAME_CHUNK_BYTES 1048576
#define FRAME_COMMAND_CHUNK_BYTES 262144

typedef struct {
    uint8_t bytes [16];
} session_id_t;

/*  A count of messages and of their bytes since the session began. */
typedef struct {
    uint64_t messages;
    uint64_t bytes;
} position_t;

/*  Largest message of a worker either way, in bytes; the listener's limit may be lower. */
#define WORKER_MESSAGE_LIMIT ((uint64_t) 1 << 30)

typedef enum {
    FRAME_DATA = 1,     /* a run of messages */
    FRAME_CHUNK,        /* a piece of one message */
    FRAME_HELLO,        /* worker: I am here, or here again */
    FRAME_WELCOME,      /* listener: go on from there */
    FRAME_POSITIONS,    /* how far I have come, and your credit; the worker's is its heartbeat, and is answered */
    FRAME_WANT,         /* I need credit, or wait for a position */
    FRAME_GOODBYE,      /* nothing more comes from me */
    FRAME_END,          /* listener: the session or its connection is over */
    FRAME_OBSERVE,      /* somebody without a session: what do you count? */
    FRAME_REPORT        /* listener: this */
} frame_kind_t;

/*  The errors below this one may be an END's; what a host does to its own calls is none. */
#define END_ERRORS MUSTER_INTERRUPTED

/*  Flags of POSITIONS. */
#define POSITIONS_BUSY 1    /* a handler has messages of this session */
#define POSITIONS_QUEUED 2  /* the wanted credit is in line */
#define POSITIONS_GAP 4     /* messages are missing: connect anew */
#define POSITIONS_HELD 8    /* nothing is read until handlers have made room */

typedef struct {
    uint64_t first;         /* position of the frame's first message */
    uint32_t count;
} frame_data_t;

typedef struct {
    uint64_t position;      /* of the message */
    uint64_t total;         /* bytes of the message; 0: it is withdrawn */
    uint64_t offset;        /* of this piece */
} frame_chunk_t;

typedef struct {
    char source [MUSTER_NAME_MAX + 1];
    bool fresh;             /* never welcomed before */
    uint32_t stream;        /* tag of the messages' stream, for replies to name it */
    position_t handled;     /* what the worker knows to be handled */
    session_id_t listener;  /* whose commands it has, zero if nobody's */
    uint64_t received_commands;
    uint64_t handled_commands;
} frame_hello_t;

typedef struct {
    char source [MUSTER_NAME_MAX + 1];  /* the listener's own */
    session_id_t listener;
    uint32_t stream;        /* tag of the commands' stream */
    position_t received;
    position_t handled;
    uint64_t credit;        /* byte position */
    uint64_t message_limit; /* bytes */
    uint32_t liveness_ms;
} frame_welcome_t;

typedef struct {
    uint64_t received;      /* messages */
    uint64_t handled;       /* messages */
    uint64_t refused;       /* messages among the handled that broke a rule */
    uint64_t credit;        /* byte position */
    uint8_t flags;
    bool stamped;           /* it has the two below */
    uint64_t stamp;         /* the worker's own, which the listener takes back; 0: none */
    uint64_t span_us;       /* worker: the round trip it measured last, 0 if none; listener: how long it kept the stamp */
} frame_positions_t;

typedef struct {
    uint64_t use;           /* byte position that is not passed before need is granted */
    uint64_t need;          /* byte position without which nothing goes on */
    uint64_t want;          /* byte position of all that waits */
    uint64_t handled;       /* position whose handling somebody waits for, 0: nobody */
} frame_want_t;

typedef struct {
    uint64_t last;          /* position of the last message sent */
    bool keep;              /* the session goes on later */
} frame_goodbye_t;

typedef struct {
    uint32_t error;         /* muster_error_t; CLOSED: the listener stopped and keeps the session */
    char text [MUSTER_NAME_MAX + 1];
    uint64_t time_ms;       /* of VERSION alone: the listener's clock, since 1970, UTC; 0: it does not tell */
} frame_end_t;

/*  Bytes of a REPORT, header included, and ms between two for one connection. */
#define REPORT_MOST 1048576
#define REPORT_INTERVAL_MS 100

typedef struct {
    uint32_t version;       /* of the answer that is understood: 1 */
} frame_observe_t;

typedef struct {
    const uint8_t *map;     /* inside the frame read; to be written: inside other memory */
    size_t size;
} frame_report_t;

typedef struct {
    frame_kind_t kind;
    session_id_t session;
    uint32_t epoch;
    union {
        frame_data_t data;
        frame_chunk_t chunk;
        frame_hello_t hello;
        frame_welcome_t welcome;
        frame_positions_t positions;
        frame_want_t want;
        frame_goodbye_t goodbye;
        frame_end_t end;
        frame_observe_t observe;
        frame_report_t report;
    };
} frame_t;

/*  Does it need the time to be sent or taken (session_stamp, session_take_stamp)? */
static inline bool
frame_is_stamped (const frame_t *frame)
{
    return frame->kind == FRAME_POSITIONS && frame->positions.stamped;
}

/*  Room that a data or chunk frame needs before its body. */
#define FRAME_HEADER_ROOM 64

#endif
