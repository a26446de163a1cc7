/*  backlog.h - batches received and not yet reported handled, oldest first

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    An actor's: one thread uses it. It shares its batches.
*/
#ifndef ACTOR_BACKLOG_H_INCLUDED
#define ACTOR_BACKLOG_H_INCLUDED

#include "actor/inbox.h"
#include "model/protocol.h"

typedef struct {
    batch_t *first, *last;
    size_t refused;         /* how many of its batches are */
} backlog_t;

/*  So many refused frames may wait with good ones between them. */
#define BACKLOG_REFUSED_MOST 16384

/*  What of a batch was handled since it was looked at last. */
typedef struct {
    uint64_t count;         /* messages */
    uint64_t size;          /* their bytes */
    uint32_t stream;        /* as the batch has it */
    bool refused;           /* likewise */
} settled_t;

/*  Put a batch at the end. One that is refused becomes part of a refused one that is there.
    False if too many of those wait: nothing has happened. */
bool backlog_keep (backlog_t *self, batch_t *batch);

/*  Put the messages of a small batch to those of the last one, which is small too and in the
    inbox with nobody at it: a frame that waits takes more memory than its messages. False
    if it has to be kept and put itself. */
bool backlog_join (backlog_t *self, inbox_t *inbox, const batch_t *batch);

/*  The oldest messages that were handled and not settled yet, all of one batch;
    a batch that is complete is forgotten. False when there are none. */
bool backlog_settle (backlog_t *self, settled_t *settled);

/*  Settle the batches that are complete wherever they stand: of a session that is over
    nobody is told in what order. *count messages of *size bytes are added. */
void backlog_settle_complete (backlog_t *self, uint64_t *count, uint64_t *size);

/*  Positions of messages that were diverted, though one before them was given up:
    all after that one come again. */
typedef struct {
    uint64_t *positions;
    size_t count;
} ahead_t;

/*  Forget what nobody has taken and all that is behind it. Add to kept what somebody
    has and is not settled, which settles when it is done, and to ahead what was
    diverted and is forgotten. Only after inbox_give_up. */
void backlog_keep_taken (backlog_t *self, inbox_t *inbox, position_t *kept, ahead_t *ahead);

bool ahead_has (const ahead_t *self, uint64_t position);
void ahead_drop_before (ahead_t *self, uint64_t position);
void ahead_clear (ahead_t *self);

/*  Forget them all. */
void backlog_clear (backlog_t *self);

#endif
