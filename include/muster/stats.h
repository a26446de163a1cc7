/*  stats.h - what a listener counts

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef MUSTER_STATS_H_INCLUDED
#define MUSTER_STATS_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include "export.h"
#include "message.h"

/*  Why a frame was refused: name, text. A refused frame is dropped whole and
    counted under one of these. */
#define MUSTER_REFUSAL_MAP(XX) \
    XX (EMPTY, "frame without a message") \
    XX (TRUNCATED, "frame ends inside a value") \
    XX (RESERVED, "byte 0xc1, which msgpack does not use") \
    XX (SHAPE, "not an array of source, cmd and data") \
    XX (SOURCE, "source is not 1 to 255 bytes of UTF-8 without control characters") \
    XX (CMD, "cmd is not 1 to 255 bytes of UTF-8 without control characters") \
    XX (DATA, "data is not a map") \
    XX (UTF8, "a str is not UTF-8") \
    XX (KEY, "a map's key is not a str") \
    XX (DUPLICATE, "a map has a key twice") \
    XX (DEPTH, "more than 64 levels of nesting") \
    XX (SIZE, "over the size limit") \
    XX (MEMORY, "no memory for it") \
    XX (FORGED, "claims the listener's own source") \
    XX (MULTIPART, "ZeroMQ message of more than one frame") \
    XX (HEADER, "session header malformed") \
    XX (MISCOUNT, "another number of messages than its header says") \
    XX (CREDIT, "beyond the session's credit") \
    XX (CONTROL, "control frame malformed") \
    XX (ACCESS, "the connection's key may not speak for this source or session")

/*  The same as numbers. */
typedef enum {
    MUSTER_REFUSAL_NONE = 0,    /* not refused */
#define XX(name, text) MUSTER_REFUSAL_##name,
    MUSTER_REFUSAL_MAP (XX)
#undef XX
    MUSTER_REFUSAL_COUNT    /* one more than the last */
} muster_refusal_t;

/*  Handlers' times are counted by powers of two: the first of these for less than a
    microsecond, number i for less than 2^i of them, the last for all that took longer. */
#define MUSTER_TIMES_COUNT 32

/*  Counts since the listener was made, and gauges of the moment. */
typedef struct {
    uint64_t received;        /* messages taken in */
    uint64_t received_bytes;  /* their bytes */
    uint64_t handled;         /* messages whose handler has returned */
    uint64_t failed;          /* of these, those whose handler failed */
    uint64_t unhandled;       /* of these, those that found no handler */
    uint64_t rejected;        /* frames refused, all reasons */
    uint64_t refused [MUSTER_REFUSAL_COUNT];  /* the same by reason */
    uint64_t stale;           /* session frames of an older epoch or an unknown session */
    uint64_t gaps;            /* session frames that came when one before them was missing */
    uint64_t duplicates;      /* messages that had come before */
    uint64_t dropped;         /* messages that stop left undrained, or whose key was revoked */
    uint64_t joined;          /* presences begun */
    uint64_t disconnects;     /* connections that ended */
    uint64_t workers;         /* gauge: workers present */
    uint64_t sessions;        /* gauge: sessions kept, absent ones too */
    uint64_t queued;          /* gauge: messages received and not handled */
    uint64_t queued_bytes;    /* gauge: their bytes */
    uint64_t budget;          /* gauge: the receive budget, in bytes; 0 before the first start */
    uint64_t committed;       /* gauge: bytes of it that are promised to workers or taken by messages */

    /*  Handlers' times. Messages that wait together are timed together, and each counts with the
        mean; they count once all of them are handled. What muster_listener_next or an ask gave is not timed. */
    uint64_t timed;           /* messages */
    uint64_t timed_us;        /* microseconds of them all */
    uint64_t times [MUSTER_TIMES_COUNT];    /* messages by time, as MUSTER_TIMES_COUNT says */
} muster_stats_t;

/*  Its members that are one number each: XX (name). For who prints them, or hands them on. */
#define MUSTER_STATS_MAP(XX) \
    XX (received) XX (received_bytes) XX (handled) XX (failed) XX (unhandled) XX (rejected) \
    XX (stale) XX (gaps) XX (duplicates) XX (dropped) XX (joined) XX (disconnects) \
    XX (workers) XX (sessions) XX (queued) XX (queued_bytes) XX (budget) XX (committed) \
    XX (timed) XX (timed_us)

/*  Room for the longest address and session, with the terminator. */
#define MUSTER_ADDRESS_ROOM 64
#define MUSTER_SESSION_ROOM 33

/*  What a listener knows of one worker, here or absent. */
typedef struct {
    char source [MUSTER_NAME_MAX + 1];      /* who it is */
    char address [MUSTER_ADDRESS_ROOM];     /* as its last hello came; "" if there is none, as over inproc */
    char session [MUSTER_SESSION_ROOM];     /* its id, in hexadecimal */
    bool present;             /* it is here */
    uint64_t received;        /* messages of this session taken in */
    uint64_t received_bytes;  /* their bytes */
    uint64_t handled;         /* of these, those that are handled */
    uint64_t handled_bytes;   /* their bytes */
    uint64_t coming;          /* bytes of a message in pieces that have come; 0: none is coming */
    uint64_t coming_bytes;    /* of how many */
    uint64_t commands;        /* commands to it that it has not handled */
    uint64_t commands_bytes;  /* memory that they take */
    uint64_t silent_ms;       /* since it was heard last */
    uint64_t round_trip_us;   /* of its newest connection, as it measured last: with each heartbeat; 0: not yet */
} muster_worker_stats_t;

/*  Its members that are a number, but present: XX (name). */
#define MUSTER_WORKER_STATS_MAP(XX) \
    XX (received) XX (received_bytes) XX (handled) XX (handled_bytes) XX (coming) XX (coming_bytes) \
    XX (commands) XX (commands_bytes) XX (silent_ms) XX (round_trip_us)

MUSTER_BEGIN_DECLS

/*  The name of a reason, "UTF8", and what it means. Static strings. Any thread. */
MUSTER_EXPORT const char *muster_refusal_name (muster_refusal_t reason);
MUSTER_EXPORT const char *muster_refusal_text (muster_refusal_t reason);

MUSTER_END_DECLS

#endif
