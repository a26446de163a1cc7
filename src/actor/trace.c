/*  trace.c - what is told, for debugging, of a session and its connection

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/trace.h"

#include <inttypes.h>
#include <stdio.h>

#define NUMBER "%" PRIu64

/*  What ends a line that stands for others too. */
#define COUNT_ROOM 32

static const char *
count_text (char *text, uint64_t count)
{
    *text = 0;
    if (count > 1)
        snprintf (text, COUNT_ROOM, " count=" NUMBER, count);
    return text;
}

static void
trace_hello (const char *source, const char *way, const frame_t *frame, const char *count)
{
    log_write (LOG_SESSION, MUSTER_LOG_DEBUG, "hello %s: source=%s epoch=%" PRIu32 " fresh=%d handled=" NUMBER "%s",
        way, source, frame->epoch, frame->hello.fresh, frame->hello.handled.messages, count);
}

/*  What the listener has not received is sent anew. */
static void
trace_welcome (const char *source, const char *way, const frame_t *frame, const char *count)
{
    const frame_welcome_t *welcome = &frame->welcome;
    log_write (LOG_SESSION, MUSTER_LOG_DEBUG,
        "welcome %s: source=%s epoch=%" PRIu32 " sent_after=" NUMBER " handled=" NUMBER " credit=" NUMBER "%s",
        way, source, frame->epoch, welcome->received.messages, welcome->handled.messages, welcome->credit, count);
}

static void
trace_positions (const char *source, const char *way, const frame_t *frame, uint64_t count)
{
    const frame_positions_t *positions = &frame->positions;
    const char *what = positions->flags & POSITIONS_GAP ? "gap" : "positions";
    log_write (LOG_SESSION, MUSTER_LOG_DEBUG,
        "%s %s: source=%s received=" NUMBER " handled=" NUMBER " refused=" NUMBER " credit=" NUMBER
        " busy=%d queued=%d held=%d count=" NUMBER,
        what, way, source, positions->received, positions->handled, positions->refused, positions->credit,
        (positions->flags & POSITIONS_BUSY) != 0, (positions->flags & POSITIONS_QUEUED) != 0,
        (positions->flags & POSITIONS_HELD) != 0, count);
}

static void
trace_want (const char *source, const char *way, const frame_t *frame, uint64_t count)
{
    log_write (LOG_SESSION, MUSTER_LOG_DEBUG,
        "want %s: source=%s need=" NUMBER " want=" NUMBER " awaited=" NUMBER " count=" NUMBER,
        way, source, frame->want.need, frame->want.want, frame->want.handled, count);
}

static void
trace_end (const char *source, const char *way, const frame_t *frame, const char *count)
{
    char reason [LOG_VALUE_ROOM];
    log_write (LOG_SESSION, MUSTER_LOG_DEBUG, "end %s: source=%s error=%s reason=%s%s", way, source,
        muster_error_name ((muster_error_t) frame->end.error),
        log_value (reason, sizeof reason, frame->end.text), count);
}

static void
trace_goodbye (const char *source, const char *way, const frame_t *frame, const char *count)
{
    log_write (LOG_SESSION, MUSTER_LOG_DEBUG, "goodbye %s: source=%s last=" NUMBER " kept=%d%s",
        way, source, frame->goodbye.last, frame->goodbye.keep, count);
}

/*  A gap is not told with the other positions: it comes once in an epoch. */
static bool
comes_again (const frame_t *frame)
{
    return frame->kind == FRAME_WANT
        || (frame->kind == FRAME_POSITIONS && !(frame->positions.flags & POSITIONS_GAP));
}

/*  How many lines the next one stands for; 0 if it is to be kept back. */
static uint64_t
allow_some (trace_limit_t *limit, int64_t now)
{
    if (now >= limit->until_ms) {
        limit->until_ms = now + 1000;
        limit->lines = 0;
    }
    if (limit->lines == TRACE_MOST) {
        limit->suppressed++;
        return 0;
    }
    uint64_t count = limit->suppressed + 1;
    limit->suppressed = 0;
    limit->lines++;
    return count;
}

void
trace_frame (const char *source, const frame_t *frame, trace_way_t way, trace_limit_t *limit, int64_t now)
{
    char name [LOG_VALUE_ROOM], text [COUNT_ROOM];
    const char *went = way == TRACE_SENT ? "sent" : "received";
    if (!log_is_on (LOG_SESSION, MUSTER_LOG_DEBUG))
        return;
    uint64_t count = comes_again (frame) ? log_allow (&limit->again, now) : allow_some (limit, now);
    if (count == 0)
        return;
    log_value (name, sizeof name, source);
    count_text (text, count);
    switch (frame->kind) {
        case FRAME_HELLO: trace_hello (name, went, frame, text); break;
        case FRAME_WELCOME: trace_welcome (name, went, frame, text); break;
        case FRAME_POSITIONS: trace_positions (name, went, frame, count); break;
        case FRAME_WANT: trace_want (name, went, frame, count); break;
        case FRAME_END: trace_end (name, went, frame, text); break;
        case FRAME_GOODBYE: trace_goodbye (name, went, frame, text); break;
        default: break;
    }
}

void
trace_connection (const char *what, const char *source, const char *endpoint, const char *reason)
{
    char name [LOG_VALUE_ROOM], place [LOG_VALUE_ROOM], why [LOG_VALUE_ROOM];
    if (!log_is_on (LOG_NET, MUSTER_LOG_DEBUG))
        return;
    bool known = reason && *reason;
    log_write (LOG_NET, MUSTER_LOG_DEBUG, "%s: source=%s endpoint=%s%s%s", what,
        log_value (name, sizeof name, source), log_value (place, sizeof place, endpoint),
        known ? " reason=" : "", known ? log_value (why, sizeof why, reason) : "");
}
