/*  trace.h - what is told, for debugging, of a session and its connection

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    One line for each control frame, up to TRACE_MOST a second, for whoever can connect can say
    hello without end; and of those that come again and again, which are positions and
    requests for credit, one a second. Nothing for a message.
*/
#ifndef ACTOR_TRACE_H_INCLUDED
#define ACTOR_TRACE_H_INCLUDED

#include "base/log.h"
#include "model/session.h"

typedef enum { TRACE_SENT, TRACE_RECEIVED } trace_way_t;

#define TRACE_MOST 100

/*  The lines of one way, of all sessions of a listener or a worker; zeroed at first. Its owner
    locks it. */
typedef struct {
    log_limit_t again;      /* of positions and requests for credit */
    int64_t until_ms;       /* until then there were */
    unsigned lines;         /* so many of all others, and no more than TRACE_MOST */
    uint64_t suppressed;    /* kept back since the last */
} trace_limit_t;

/*  A control frame of the session of source. */
void trace_frame (const char *source, const frame_t *frame, trace_way_t way, trace_limit_t *limit, int64_t now);

/*  Something about a connection, with a reason unless that is NULL or "". */
void trace_connection (const char *what, const char *source, const char *endpoint, const char *reason);

#endif
