/*  outbox.c - messages that were accepted and are not yet reported handled

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "model/outbox.h"

#include <string.h>

#include "base/alloc.h"

/*  The first blob of an outbox is small, the following ones grow, so that a
    worker that says little costs little. */
#define BLOB_LEAST 4096
#define BLOB_MOST ((size_t) 2 * (FRAME_RUN_BYTES + FRAME_HEADER_ROOM))

/*  The bit of a message's size that says so. */
#define WITHDRAWN 0x80000000u

/*  What one kept message costs beside its bytes: its size's place in the ring. */
#define MESSAGE_OVERHEAD sizeof (uint32_t)
#define RUN_OVERHEAD (FRAME_HEADER_ROOM + sizeof (outbox_run_t))

void
outbox_init (outbox_t *self, position_t start)
{
    *self = (outbox_t) { .accepted = start, .sent = start, .handled = start, .sizes_before = start.messages };
}

static outbox_run_t *
run_at (const outbox_t *self, uint64_t number)
{
    return &self->runs [number & (self->runs_room - 1)];
}

static uint32_t *
entry_of (const outbox_t *self, uint64_t position)
{
    return &self->sizes [position & (self->sizes_room - 1)];
}

static bool
is_withdrawn (const outbox_t *self, uint64_t position)
{
    return *entry_of (self, position) & WITHDRAWN;
}

/*  The bytes it takes in its run. */
static uint32_t
size_of (const outbox_t *self, uint64_t position)
{
    return *entry_of (self, position) & ~WITHDRAWN;
}

/*  The bytes it counts for in positions. */
static uint32_t
weight_of (const outbox_t *self, uint64_t position)
{
    return is_withdrawn (self, position) ? 0 : size_of (self, position);
}

void
outbox_clear (outbox_t *self)
{
    for (uint64_t run = self->run_first; run < self->run_end; run++)
        blob_release (&run_at (self, run)->blob);
    blob_release (&self->filling);
    outbox_rest (self);
    alloc_free (self->sizes);
    alloc_free (self->runs);
    outbox_init (self, self->accepted);
}

static blob_t *
take_spare (outbox_t *self)
{
    blob_t *blob = self->spare;
    memcpy (&self->spare, blob->bytes, sizeof self->spare);
    self->spares--;
    return blob;
}

static void
keep_spare (outbox_t *self, blob_t *blob)
{
    memcpy (blob->bytes, &self->spare, sizeof self->spare);
    self->spare = blob;
    self->spares++;
}

void
outbox_rest (outbox_t *self)
{
    while (self->spares > 0) {
        blob_t *blob = take_spare (self);
        blob_release (&blob);
    }
}

/*  --------------------------------------------------------------------------
    Accepting */

/*  Sizes are kept for as long as their run: those before a message tell where in
    it the message begins. */
static uint64_t
before_first_size (const outbox_t *self)
{
    return self->run_first < self->run_end ? run_at (self, self->run_first)->first - 1 : self->accepted.messages;
}

static bool
has_room_for_size (const outbox_t *self)
{
    return self->accepted.messages - self->sizes_before < self->sizes_room;
}

static muster_error_t
make_room_for_size (outbox_t *self)
{
    if (has_room_for_size (self))
        return 0;
    self->sizes_before = before_first_size (self);
    if (has_room_for_size (self))
        return 0;
    size_t room = self->sizes_room ? self->sizes_room * 2 : 64;
    uint32_t *sizes = alloc_new (room * sizeof (uint32_t));
    if (!sizes)
        return MUSTER_NOMEM;
    for (uint64_t position = self->sizes_before + 1; position <= self->accepted.messages; position++)
        sizes [position & (room - 1)] = *entry_of (self, position);
    alloc_free (self->sizes);
    self->sizes = sizes;
    self->sizes_room = room;
    return 0;
}

static muster_error_t
make_room_for_run (outbox_t *self)
{
    uint64_t kept = self->run_end - self->run_first;
    if (kept < self->runs_room)
        return 0;
    size_t room = self->runs_room ? self->runs_room * 2 : 8;
    outbox_run_t *runs = alloc_new (room * sizeof (outbox_run_t));
    if (!runs)
        return MUSTER_NOMEM;
    for (uint64_t run = self->run_first; run < self->run_end; run++)
        runs [run & (room - 1)] = *run_at (self, run);
    alloc_free (self->runs);
    self->runs = runs;
    self->runs_room = room;
    return 0;
}

static void
count_accepted (outbox_t *self, size_t size)
{
    self->accepted.messages++;
    self->accepted.bytes += size;
    self->overhead += MESSAGE_OVERHEAD;
    *entry_of (self, self->accepted.messages) = (uint32_t) size;
    if (size > self->largest)
        self->largest = (uint32_t) size;
}

bool
outbox_is_filling (const outbox_t *self)
{
    if (self->run_next + 1 != self->run_end)
        return false;
    const outbox_run_t *run = run_at (self, self->run_next);
    return !run->touched && !run->shared
        && run->count < FRAME_RUN_MESSAGES && run->size < FRAME_RUN_BYTES - FRAME_RUN_BYTES / 16;
}

/*  Can a message of size be put right behind the newest run? */
static bool
run_can_grow (const outbox_t *self, size_t size)
{
    if (self->run_end == self->run_first || !self->filling)
        return false;
    const outbox_run_t *run = run_at (self, self->run_end - 1);
    return run->blob == self->filling && !run->touched
        && run->count < FRAME_RUN_MESSAGES
        && run->size + size <= FRAME_RUN_BYTES
        && self->filled + size <= self->filling->room;
}

static void
push_run (outbox_t *self, blob_t *blob, size_t offset, uint32_t count, size_t size, bool shared)
{
    *run_at (self, self->run_end++) = (outbox_run_t) {
        .blob = blob_share (blob), .body = blob->bytes + offset, .size = size,
        .first = self->accepted.messages + 1, .count = count, .shared = shared };
    self->overhead += RUN_OVERHEAD;
}

static blob_t *
blob_for (outbox_t *self, size_t need)
{
    size_t room = self->filling ? self->filling->room * 2 : BLOB_LEAST;
    if (self->spares > 0 && need <= BLOB_MOST)
        return take_spare (self);
    if (room > BLOB_MOST)
        room = BLOB_MOST;
    return blob_new (room < need ? need : room);
}

/*  A blob with room for a new run of size bytes. */
static bool
make_room_for_bytes (outbox_t *self, size_t size)
{
    size_t need = FRAME_HEADER_ROOM + size;
    if (self->filling && self->filled + need <= self->filling->room)
        return true;
    blob_t *blob = blob_for (self, need);
    if (!blob)
        return false;
    blob_release (&self->filling);
    self->filling = blob;
    self->filled = 0;
    return true;
}

/*  A new run is empty until its first message is accepted. */
uint8_t *
outbox_reserve (outbox_t *self, size_t size)
{
    if (make_room_for_size (self))
        return NULL;
    if (!run_can_grow (self, size)) {
        if (make_room_for_run (self) || !make_room_for_bytes (self, size))
            return NULL;
        self->filled += FRAME_HEADER_ROOM;
        push_run (self, self->filling, self->filled, 0, 0, false);
    }
    return self->filling->bytes + self->filled;
}

void
outbox_accept (outbox_t *self, size_t size)
{
    outbox_run_t *run = run_at (self, self->run_end - 1);
    run->size += size;
    run->count++;
    self->filled += size;
    count_accepted (self, size);
}

muster_error_t
outbox_append (outbox_t *self, const void *bytes, size_t size)
{
    if (size >= WITHDRAWN)
        return MUSTER_TOOBIG;
    uint8_t *at = outbox_reserve (self, size);
    if (!at)
        return MUSTER_NOMEM;
    memcpy (at, bytes, size);
    outbox_accept (self, size);
    return 0;
}

muster_error_t
outbox_append_part (outbox_t *self, const blob_part_t *part, bool shared)
{
    if (!part->blob)
        return outbox_append (self, part->bytes, part->size);
    if (part->size >= WITHDRAWN)
        return MUSTER_TOOBIG;
    if (make_room_for_size (self) || make_room_for_run (self))
        return MUSTER_NOMEM;
    push_run (self, part->blob, part->bytes - part->blob->bytes, 1, part->size, shared);
    count_accepted (self, part->size);
    return 0;
}

void
outbox_withdraw (outbox_t *self, uint64_t limit)
{
    if (self->largest <= limit)
        return;
    for (uint64_t position = self->sent.messages + 1; position <= self->accepted.messages; position++) {
        if (weight_of (self, position) <= limit)
            continue;
        self->accepted.bytes -= size_of (self, position);
        *entry_of (self, position) |= WITHDRAWN;
        self->withdrawn++;
    }
}

uint64_t
outbox_charge (const outbox_t *self)
{
    return self->accepted.bytes - self->handled.bytes + self->overhead;
}

/*  --------------------------------------------------------------------------
    Sending */

uint64_t
outbox_need (const outbox_t *self)
{
    if (self->sent.messages == self->accepted.messages)
        return self->accepted.bytes;
    return self->sent.bytes + weight_of (self, self->sent.messages + 1);
}

/*  Messages from the next one on that fit into room bytes of one run. */
static uint32_t
messages_within (const outbox_t *self, const outbox_run_t *run, uint64_t room, size_t *size)
{
    uint64_t position = self->sent.messages + 1;
    uint64_t end = run->first + run->count;
    if (position == run->first && run->size <= room && self->withdrawn == 0) {
        *size = run->size;
        return run->count;
    }
    uint32_t count = 0;
    *size = 0;
    while (position + count < end && !is_withdrawn (self, position + count)
        && *size + size_of (self, position + count) <= room)
        *size += size_of (self, position + count++);
    return count;
}

/*  Where the next message begins inside its run. */
static const uint8_t *
body_of_next (const outbox_t *self, const outbox_run_t *run)
{
    size_t offset = 0;
    for (uint64_t position = run->first; position <= self->sent.messages; position++)
        offset += size_of (self, position);
    return run->body + offset;
}

static void
count_sent (outbox_t *self, outbox_run_t *run, uint32_t count, size_t size)
{
    self->sent.messages += count;
    self->sent.bytes += size;
    self->piece_offset = 0;
    if (self->sent.messages + 1 == run->first + run->count)
        self->run_next++;
}

static void
take_withdrawn (outbox_t *self, outbox_run_t *run, outbox_piece_t *piece)
{
    piece->kind = FRAME_CHUNK;
    piece->chunk = (frame_chunk_t) { .position = self->sent.messages + 1 };
    piece->body = run->body;
    piece->size = 0;
    count_sent (self, run, 1, 0);
}

static void
take_chunk (outbox_t *self, outbox_run_t *run, size_t chunk, outbox_piece_t *piece)
{
    uint64_t total = size_of (self, self->sent.messages + 1);
    size_t left = total - self->piece_offset;
    piece->kind = FRAME_CHUNK;
    piece->chunk = (frame_chunk_t) {
        .position = self->sent.messages + 1, .total = total, .offset = self->piece_offset };
    piece->body = body_of_next (self, run) + self->piece_offset;
    piece->size = left < chunk ? left : chunk;
    self->piece_offset += piece->size;
    if (self->piece_offset == total)
        count_sent (self, run, 1, total);
}

bool
outbox_next (outbox_t *self, uint64_t credit, size_t chunk, outbox_piece_t *piece)
{
    if (self->sent.messages == self->accepted.messages || outbox_need (self) > credit)
        return false;
    outbox_run_t *run = run_at (self, self->run_next);
    piece->blob = blob_share (run->blob);
    piece->in_place = false;
    if (is_withdrawn (self, self->sent.messages + 1))
        take_withdrawn (self, run, piece);
    else
    if (size_of (self, self->sent.messages + 1) > chunk)
        take_chunk (self, run, chunk, piece);
    else {
        uint64_t room = credit - self->sent.bytes;
        size_t most = run->count == 1 ? chunk : FRAME_RUN_BYTES;
        piece->kind = FRAME_DATA;
        piece->data.first = self->sent.messages + 1;
        piece->body = body_of_next (self, run);
        piece->data.count = messages_within (self, run, room < most ? room : most, &piece->size);
        piece->in_place = !run->touched && !run->shared;
        count_sent (self, run, piece->data.count, piece->size);
    }
    run->touched = true;
    return true;
}

/*  A peer that keeps no rules may have received what was never sent: a run of which that
    is said neither grows nor has a header written into it, as if it had been. */
bool
outbox_rewind (outbox_t *self, uint64_t received)
{
    if (received < self->handled.messages || received > self->accepted.messages)
        return false;
    while (self->sent.messages > received)
        self->sent.bytes -= weight_of (self, self->sent.messages--);
    while (self->sent.messages < received)
        self->sent.bytes += weight_of (self, ++self->sent.messages);
    self->piece_offset = 0;
    self->run_next = self->run_first;
    while (self->run_next < self->run_end) {
        outbox_run_t *run = run_at (self, self->run_next);
        if (run->first <= received)
            run->touched = true;
        if (run->first + run->count > received + 1)
            break;
        self->run_next++;
    }
    return true;
}

void
outbox_untake (outbox_t *self, const outbox_piece_t *piece)
{
    if (piece->kind == FRAME_DATA)
        outbox_rewind (self, piece->data.first - 1);
    else {
        outbox_rewind (self, piece->chunk.position - 1);
        self->piece_offset = piece->chunk.offset;
    }
}

/*  One owner less of a blob; the last one may fill it again. */
static void
retire (outbox_t *self, blob_t **blob_p)
{
    blob_t *blob = *blob_p;
    if (!blob || blob->room != BLOB_MOST || self->spares == OUTBOX_SPARES_MOST || !blob_is_ours (blob)) {
        blob_release (blob_p);
        return;
    }
    keep_spare (self, blob);
    *blob_p = NULL;
}

bool
outbox_handled (outbox_t *self, uint64_t messages)
{
    if (messages < self->handled.messages || messages > self->sent.messages)
        return false;
    while (self->handled.messages < messages) {
        self->handled.bytes += weight_of (self, ++self->handled.messages);
        self->withdrawn -= is_withdrawn (self, self->handled.messages);
        self->overhead -= MESSAGE_OVERHEAD;
    }
    while (self->run_first < self->run_next) {
        outbox_run_t *run = run_at (self, self->run_first);
        if (run->first + run->count > messages + 1)
            break;
        retire (self, &run->blob);
        self->overhead -= RUN_OVERHEAD;
        self->run_first++;
    }
    if (self->handled.messages == self->accepted.messages) {
        retire (self, &self->filling);
        self->largest = 0;
    }
    return true;
}
