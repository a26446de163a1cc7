/*  inbox_progress.h - what is handled of an inbox, counted, and told to its actor

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    With the inbox's lock, but for the last.
*/
#ifndef ACTOR_INBOX_PROGRESS_H_INCLUDED
#define ACTOR_INBOX_PROGRESS_H_INCLUDED

#include "actor/inbox_core.h"

/*  The done messages without gaps grow by this one, or it is marked for when
    those before it are done. */
void inbox_count_done (batch_t *batch, uint32_t index);

/*  They grow by what follows them and is marked, or dropped. */
void inbox_pass_over_done (batch_t *batch);

/*  A message that is in no run is handled. */
void inbox_count_handled (inbox_t *self, const muster_message_t *message, bool failed);

/*  What the dispatch thread has handled of the run since it was counted last. */
void inbox_count_run (inbox_t *self);

/*  The actor is to look at the batch, which is shared for that; it is woken if it wants to be. */
void inbox_note_progress (inbox_t *self, batch_t *batch);

/*  Let go of what the actor has not looked at. When the inbox is nobody's any more. */
void inbox_drop_progress (inbox_t *self);

#endif
