/*  hello.h - what a listener makes of a worker that says hello

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    docs/protocol.md, section "HELLO", has this as a table. Pure, as the session.
*/
#ifndef MODEL_HELLO_H_INCLUDED
#define MODEL_HELLO_H_INCLUDED

#include "model/session.h"

typedef enum {
    HELLO_RESUME,       /* the session is known: session_greet */
    HELLO_STALE,        /* of an epoch that is over */
    HELLO_BEGIN,        /* a new session; whoever holds its source is replaced */
    HELLO_BEGIN_ANEW,   /* the session is known, but void: another listener went on with it */
    HELLO_REFUSE        /* *error says why */
} hello_verdict_t;

/*  known: the session of that id, NULL if there is none; ended: why it is over
    for good, 0 if it is not. holder: the session that has the source, NULL if
    none has; holder_is_here: its presence has not ended. */
hello_verdict_t hello_judge (const frame_t *hello, const session_t *known, muster_error_t ended,
    const session_t *holder, bool holder_is_here, muster_error_t *error);

#endif
