/*  batch.h - messages that came in one frame, on their way to whoever handles them

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Shared: by the actor, which reports it handled, by the inbox while messages
    of it wait, and by each message taken out. What is said to be the inbox's
    is guarded by the inbox's lock (in a run, inbox_run.h says how), what is said to be the
    actor's is used by its thread only; the rest does not change.
*/
#ifndef ACTOR_BATCH_H_INCLUDED
#define ACTOR_BATCH_H_INCLUDED

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <muster/stats.h>
#include <zmq.h>

#include "model/blob.h"
#include "model/message.h"
#include "wire/scan.h"

typedef struct batch batch_t;

struct batch {
    atomic_uint owners;
    batch_t *prev, *next;       /* inbox: the queue */
    batch_t *progress_next;     /* inbox: batches that have progressed */
    batch_t *backlog_next;      /* actor: the backlog it is in */
    void *owner;                /* actor: the peer whose backlog it is in; NULL: another or none */
    blob_t *names;              /* owns those of the next three that do not outlive the batch; NULL: all do */
    const char *key;            /* of the connection that it came by; NULL: none was asked for */
    const char *source;         /* session: whose messages these are */
    const char *session;        /* session: its id as text */
    uint32_t stream;            /* session: tag of the stream they came in */
    scan_form_t form;
    bool event;                 /* of the listener itself */
    bool has_replies;           /* known once it is scanned */
    bool refused;               /* its messages broke a rule: nobody handles them */
    bool fixed;                 /* actor: messages of it are known by where they lie */
    const uint8_t *bytes;
    size_t size;
    uint64_t first;             /* session: position of the first message */
    uint32_t count;
    uint32_t *sizes;            /* of the messages; NULL if there is one */
    _Atomic (uint32_t) taken;   /* inbox: messages handed out or passed over */
    size_t offset;              /* inbox: bytes of these */
    _Atomic (uint32_t) done;    /* inbox: messages handled, counted without gaps */
    uint32_t kept;              /* inbox: those from this one on are void, */
    bool dropped;               /* if some are, and count as done, */
    bool given_up;              /* or are not the batch's any more */
    uint8_t *marks;             /* inbox: BATCH_ bits of each message; NULL: none */
    bool progressed;            /* inbox: is in the list of those, which shares it */
    uint32_t settled;           /* actor: messages that it knows to be handled */
    size_t settled_offset;      /* actor: bytes of these */
    bool has_msg;
    zmq_msg_t msg;              /* has_msg: owns bytes */
    uint8_t *memory;            /* else: owns bytes (alloc_block) */
    size_t room;                /* bytes of memory, if others have joined */
};

/*  What one frame takes beside its bytes: this, and the heap's own. */
#define BATCH_COST (sizeof (batch_t) + 64)

#define BATCH_DONE 1            /* handled before one that stands before it */
#define BATCH_DIVERTED 2        /* goes elsewhere than through the queue */
#define BATCH_LATE 4            /* a reply whose ask has ended */
#define BATCH_KNOWN 8           /* was diverted when it came before */

/*  A batch that takes over msg (or copies from it, if it is small), or memory
    (alloc_block); body lies in it. It has one owner, the caller. On failure (NULL)
    the caller keeps what it gave. */
batch_t *batch_new_msg (zmq_msg_t *msg, const uint8_t *body, size_t size, scan_form_t form);
batch_t *batch_new_memory (uint8_t *memory, const uint8_t *body, size_t size, scan_form_t form);
batch_t *batch_share (batch_t *self);
void batch_release (batch_t **self_p);

/*  Scan all messages of the batch, and learn their number and sizes. For a
    plain frame own_source may not be claimed. Returns why it is refused. */
muster_refusal_t batch_scan (batch_t *self, const scan_limits_t *limits, const char *own_source);

/*  Put the messages of next, which follow its own, at the end of a batch of which nobody
    has taken any. False when they are not of one kind or memory is short: both are as they
    were then. */
bool batch_join (batch_t *self, const batch_t *next);

/*  Leave out the first count messages. */
void batch_skip (batch_t *self, uint32_t count);

/*  The size of message index, and its parts at offset bytes. */
static inline size_t
batch_size_of (const batch_t *self, uint32_t index)
{
    return self->sizes ? self->sizes [index] : self->size;
}

/*  Remember the key of the connection that it came by. False when out of memory. */
bool batch_set_key (batch_t *self, const char *key);

/*  Set mark bits of a message. False when out of memory. */
bool batch_mark (batch_t *self, uint32_t index, uint8_t mark);
uint8_t batch_marks (const batch_t *self, uint32_t index);

/*  Fill message from message index, which lies at offset. */
void batch_fill (batch_t *self, uint32_t index, size_t offset, muster_message_t *message);

/*  The same for a message that was filled from this batch before. */
void batch_fill_again (batch_t *self, uint32_t index, size_t offset, muster_message_t *message);

/*  A message_origin_t's share and release: the batch of a message, for a dup to keep. */
void *batch_share_message (const muster_message_t *message);
void batch_release_message (void *batch);

#endif
