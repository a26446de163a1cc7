/*  inbox_run.h - how the dispatch thread goes through a batch without the lock

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    A run: the dispatch thread takes all of a batch. It says how far it reaches, and then
    looks whether it is expected back; who wants it back, or gives up the rest, says so
    first and then looks how far it has reached.
*/
#ifndef ACTOR_INBOX_RUN_H_INCLUDED
#define ACTOR_INBOX_RUN_H_INCLUDED

#include "actor/inbox_core.h"

/*  May this taker go through the batch in a run? With the lock. */
bool inbox_may_run (const inbox_t *self, inbox_taker_t taker, const batch_t *batch);

/*  The dispatch thread, with the lock: its first message is taken. The queue's share of the batch
    is the run's. */
void inbox_begin_run (inbox_t *self, batch_t *batch);

/*  The dispatch thread, without the lock: its message is handled, and the next of the run
    takes its place. False if there is none, or it is expected back. */
bool inbox_go_on (inbox_t *self, muster_message_t *message, bool failed);

/*  The dispatch thread is back, with the lock. True if it takes one more message of the
    run, that it had reached when the rest was given up. What it leaves else is what is
    taken next. now: ns. */
bool inbox_come_back (inbox_t *self, muster_message_t *message, bool failed, int64_t now);

/*  Anybody, with the lock: nobody takes the rest. Returns how many messages that are. */
uint32_t inbox_stop_run (inbox_t *self);

#endif
