/*  outbox.h - messages that were accepted and are not yet reported handled

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Messages stand one after the other in blobs, each run of them with room
    for a frame's header before it: a run that is sent for the first time is
    sent from where it lies. What is sent again, in part or in pieces is copied.

    Positions count from the session's beginning:  handled <= sent <= accepted.
    Not locked: its owner's lock guards it.
*/
#ifndef MODEL_OUTBOX_H_INCLUDED
#define MODEL_OUTBOX_H_INCLUDED

#include <stdbool.h>

#include <muster/error.h>

#include "model/blob.h"
#include "model/protocol.h"

typedef struct {
    blob_t *blob;
    uint8_t *body;          /* inside the blob, FRAME_HEADER_ROOM free before it */
    size_t size;
    uint64_t first;         /* position of its first message */
    uint32_t count;
    bool shared;            /* the bytes have other owners that read them: no header may be written before them */
    bool touched;           /* was sent in part or in whole */
} outbox_run_t;

/*  Spare blobs: 16 MiB. */
#define OUTBOX_SPARES_MOST 64

typedef struct {
    position_t accepted;
    position_t sent;        /* whole messages */
    position_t handled;
    uint64_t overhead;      /* bytes that the kept messages cost beside their own */
    uint64_t withdrawn;     /* kept messages that are not to be sent */
    uint32_t largest;       /* size of the largest message since the box was empty */
    uint64_t piece_offset;  /* bytes of message sent.messages + 1 that were sent in pieces */

    uint32_t *sizes;        /* ring of the kept messages' sizes, WITHDRAWN or not */
    size_t sizes_room;      /* a power of two */
    uint64_t sizes_before;  /* no size from here on back is kept; those after it may be */
    outbox_run_t *runs;     /* ring */
    size_t runs_room;       /* a power of two */
    uint64_t run_first;     /* number of the oldest run kept */
    uint64_t run_end;       /* number after the newest */
    uint64_t run_next;      /* the run that holds message sent.messages + 1 */
    blob_t *filling;        /* the newest blob, while it has room */
    size_t filled;          /* bytes of it in use */
    blob_t *spare;          /* large ones that wait to be filled again, each with the next in its bytes: */
    unsigned spares;        /* fresh pages would cost as much as filling them */
} outbox_t;

/*  What is to be sent next. */
typedef struct {
    frame_kind_t kind;      /* DATA or CHUNK */
    frame_data_t data;
    frame_chunk_t chunk;
    const uint8_t *body;
    size_t size;
    blob_t *blob;           /* shared with the caller, who releases it */
    bool in_place;          /* the header may be written right before body */
} outbox_piece_t;

/*  Begin at a position: all before it is handled. */
void outbox_init (outbox_t *self, position_t start);
void outbox_clear (outbox_t *self);

/*  Accept a packed message; it is copied. Errors: MUSTER_NOMEM, MUSTER_TOOBIG. */
muster_error_t outbox_append (outbox_t *self, const void *bytes, size_t size);

/*  Where a message of size bytes is to be written; it is accepted once outbox_accept
    says so. NULL when out of memory. */
uint8_t *outbox_reserve (outbox_t *self, size_t size);
void outbox_accept (outbox_t *self, size_t size);

/*  The same; if it is part of a blob, with FRAME_HEADER_ROOM bytes before it, that
    gets another owner instead. shared: others read these bytes, or write before them. */
muster_error_t outbox_append_part (outbox_t *self, const blob_part_t *part, bool shared);

/*  Withdraw the messages larger than limit that were not sent: each goes out as a
    chunk of no bytes and counts for none, so that positions stay whole. */
void outbox_withdraw (outbox_t *self, uint64_t limit);

/*  Nothing was said for a while: free memory that waits to be used. */
void outbox_rest (outbox_t *self);

/*  Bytes of memory that the kept messages are charged for. */
uint64_t outbox_charge (const outbox_t *self);

/*  The byte position at which the next unsent message ends; that of accepted
    if there is none. */
uint64_t outbox_need (const outbox_t *self);

/*  Is the next run one that may still grow? */
bool outbox_is_filling (const outbox_t *self);

/*  Take the next piece within credit (a byte position) and chunk bytes, and
    count it as sent. False if there is none, or credit ends before it. */
bool outbox_next (outbox_t *self, uint64_t credit, size_t chunk, outbox_piece_t *piece);

/*  The piece that outbox_next gave last was not sent after all. */
void outbox_untake (outbox_t *self, const outbox_piece_t *piece);

/*  The peer has received up to here: send again from there. False if that is
    before handled or after sent: the peer is wrong. */
bool outbox_rewind (outbox_t *self, uint64_t received);

/*  The peer has handled up to here: forget them. False if it is before what was
    handled or after accepted: the peer is wrong. */
bool outbox_handled (outbox_t *self, uint64_t messages);

#endif
