/*  session_check.h - what must hold of sessions and their credit at any moment

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef SUPPORT_SESSION_CHECK_H_INCLUDED
#define SUPPORT_SESSION_CHECK_H_INCLUDED

#include <stddef.h>

#include "model/session.h"

/*  NULL, or what is wrong with a session: its positions in order, what it received and
    what is coming within the credit it gave. */
const char *session_fault (const session_t *session);

/*  NULL, or what is wrong with a budget whose accounts are those of these sessions. */
const char *credit_fault (const credit_t *credit, const session_t *const *sessions, size_t count);

/*  Where a session stood when it was looked at last. */
typedef struct {
    session_id_t listener;
    uint32_t epoch;
    position_t received, handled;
    uint64_t reported_received, reported_handled;   /* in POSITIONS and WELCOME, of this epoch */
} session_mark_t;

/*  NULL, or which position has moved back since the mark, which then moves on. A worker
    that meets another listener, and a listener that gives up what it received
    (given_up), begin anew. */
const char *session_moved_back (session_mark_t *mark, const session_t *session, bool given_up);

/*  NULL, or what is wrong with a control frame that the session has made. */
const char *session_frame_fault (session_mark_t *mark, const session_t *session, const frame_t *frame);

#endif
