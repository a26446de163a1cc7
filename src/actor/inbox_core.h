/*  inbox_core.h - the inside of an inbox, which its pieces share

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    lock guards all that is not said to be otherwise. The functions of inbox.h take it;
    the pieces call each other with it.

    inbox.c           who may take, and what is put in
    inbox_take.c      messages handed out and taken back
    inbox_run.c       the dispatch thread's way through a batch
    inbox_progress.c  what is handled, for the actor
    inbox_drop.c      what nobody takes any more
*/
#ifndef ACTOR_INBOX_CORE_H_INCLUDED
#define ACTOR_INBOX_CORE_H_INCLUDED

#include <pthread.h>
#include <stdatomic.h>

#include "actor/inbox.h"

struct inbox {
    uint32_t generation;        /* of the process that made it */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned owners;            /* the actor's side, and each message taken out */
    batch_t *queue;
    place_t *late;              /* handed out before the queue, while open */
    batch_t *run;               /* read without the lock by the dispatch thread, which alone changes it */
    uint32_t run_end;           /* the dispatch thread's: how many messages it had when it began */
    uint32_t run_first;         /* messages of it that were done when it began */
    uint32_t run_counted;       /* messages of it that are in counts */
    bool run_stopped;           /* those from kept on are nobody's */
    atomic_bool expected;       /* the dispatch thread is to take the lock between two messages */
    batch_t *progress;
    inbox_mode_t mode;
    bool open;
    bool draining;
    bool readable;              /* state of the descriptor */
    int descriptor;
    inbox_call_t call;
    wake_t *wake;
    const message_origin_t *origin;
    void *context;
    inbox_counts_t counts;
    int64_t began;              /* ns: when the dispatch thread got what it has */
    uint64_t events;            /* in the queue */
};

/*  One that is done with the inbox: unlocks, and frees with the last owner. */
void inbox_drop_owner (inbox_t *self);

/*  The batch whose next message this taker may have, and what it may have before that, which is
    late; NULL if none. Both stay the inbox's. */
batch_t *inbox_head_for (const inbox_t *self, inbox_taker_t taker);
place_t *inbox_late_for (const inbox_t *self, inbox_taker_t taker);

/*  Pass over the next messages of a batch that go another way. */
void inbox_pass_over_diverted (batch_t *batch);

/*  The descriptor tells what a caller may take. */
void inbox_show (inbox_t *self);

/*  More may be taken than before, or nothing any more: who waits is told, and the descriptor. */
void inbox_tell (inbox_t *self);

/*  Is there something that does not wait for the end of the run? The dispatch thread is told. */
void inbox_expect (inbox_t *self);

#endif
