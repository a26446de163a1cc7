/*  meeting.h - the listener that a worker has met, which may be another each time

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    An actor's: one thread uses it. However many listeners there are, and whatever they are
    called, what is kept of them is bounded: the last one's name, those that messages bear
    which are not done yet, and so many events.
*/
#ifndef ACTOR_MEETING_H_INCLUDED
#define ACTOR_MEETING_H_INCLUDED

#include "actor/inbox.h"
#include "model/session.h"

typedef struct {
    blob_t *name;               /* the last listener's source, shared with batches; NULL: none yet */
    uint64_t untold;            /* listeners met of which no event tells yet */
} meeting_t;

void meeting_clear (meeting_t *self);

/*  Give a batch of this listener's commands its source; "" when out of memory. */
void meeting_name (meeting_t *self, const char *listener, batch_t *batch);

/*  Tell whoever takes from inbox if the session has met another listener: RESTARTED. While
    EVENTS_APART wait, or there is no memory, it is told later; one then stands for several, and
    says for how many. */
void meeting_tell (meeting_t *self, session_t *session, inbox_t *inbox);

#endif
