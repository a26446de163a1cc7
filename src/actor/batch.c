/*  batch.c - messages that came in one frame, on their way to whoever handles them

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/*  The room for messages that join. */
#define JOINED_LEAST 512

static batch_t *
batch_new (const uint8_t *body, size_t size, scan_form_t form)
{
    batch_t *self = alloc_zero (sizeof *self);
    if (!self)
        return NULL;
    atomic_init (&self->owners, 1);
    atomic_init (&self->taken, 0);
    atomic_init (&self->done, 0);
    self->bytes = body;
    self->size = size;
    self->form = form;
    return self;
}

/*  A small message lives inside its zmq_msg_t and moves with it. */
batch_t *
batch_new_memory (uint8_t *memory, const uint8_t *body, size_t size, scan_form_t form)
{
    batch_t *self = batch_new (body, size, form);
    if (self)
        self->memory = memory;
    return self;
}

static batch_t *
new_copy (const uint8_t *body, size_t size, scan_form_t form)
{
    uint8_t *copy = alloc_block (size);
    if (!copy)
        return NULL;
    memcpy (copy, body, size);
    batch_t *self = batch_new_memory (copy, copy, size, form);
    if (!self)
        alloc_block_free (copy);
    return self;
}

/*  ZeroMQ hands out small frames as parts of its receive buffer, all of which
    stays while one of them does. */
#define RECEIVE_BUFFER 8192

batch_t *
batch_new_msg (zmq_msg_t *msg, const uint8_t *body, size_t size, scan_form_t form)
{
    if (size > 0 && zmq_msg_size (msg) <= RECEIVE_BUFFER)
        return new_copy (body, size, form);
    size_t offset = body - (const uint8_t *) zmq_msg_data (msg);
    batch_t *self = batch_new (body, size, form);
    if (!self)
        return NULL;
    zmq_msg_init (&self->msg);
    zmq_msg_move (&self->msg, msg);
    self->has_msg = true;
    self->bytes = (const uint8_t *) zmq_msg_data (&self->msg) + offset;
    return self;
}

batch_t *
batch_share (batch_t *self)
{
    atomic_fetch_add_explicit (&self->owners, 1, memory_order_relaxed);
    return self;
}

void
batch_release (batch_t **self_p)
{
    batch_t *self = *self_p;
    *self_p = NULL;
    if (!self || atomic_fetch_sub_explicit (&self->owners, 1, memory_order_acq_rel) > 1)
        return;
    if (self->has_msg)
        zmq_msg_close (&self->msg);
    alloc_block_free (self->memory);
    blob_release (&self->names);
    alloc_free (self->sizes);
    alloc_free (self->marks);
    alloc_free (self);
}

/*  --------------------------------------------------------------------------
    Scanning */

/*  The sizes of all messages before this one, in a list that doubles. */
static bool
note_size (batch_t *self, size_t size)
{
    uint32_t count = self->count;
    if (count > 0 && (count & (count - 1)) == 0) {
        uint32_t *sizes = alloc_resize (self->sizes, 2 * (size_t) count * sizeof (uint32_t));
        if (!sizes)
            return false;
        self->sizes = sizes;
    }
    if (count == 1)
        self->sizes [0] = (uint32_t) self->offset;
    if (count > 0)
        self->sizes [count] = (uint32_t) size;
    self->offset += size;
    self->count++;
    return true;
}

static bool
is_text (const uint8_t *bytes, size_t size, const char *text)
{
    return text && strlen (text) == size && memcmp (bytes, text, size) == 0;
}

muster_refusal_t
batch_scan (batch_t *self, const scan_limits_t *limits, const char *own_source)
{
    if (self->size == 0)
        return MUSTER_REFUSAL_EMPTY;
    while (self->offset < self->size) {
        scan_message_t parts;
        muster_refusal_t refusal = scan_whole (
            self->bytes + self->offset, self->size - self->offset, self->form, limits, &parts);
        if (refusal)
            return refusal;
        if (self->form == SCAN_PLAIN && is_text (parts.source, parts.source_size, own_source))
            return MUSTER_REFUSAL_FORGED;
        self->has_replies = self->has_replies || parts.kind & MESSAGE_KIND_REPLY;
        if (!note_size (self, parts.size))
            return MUSTER_REFUSAL_MEMORY;
    }
    self->offset = 0;
    return MUSTER_REFUSAL_NONE;
}

/*  --------------------------------------------------------------------------
    Joining */

/*  The room of a list that doubles. */
static size_t
room_for (size_t count, size_t least)
{
    size_t room = least;
    while (room < count)
        room *= 2;
    return room;
}

static bool
make_room (batch_t *self, size_t size)
{
    if (size <= self->room)
        return true;
    size_t room = room_for (size, JOINED_LEAST);
    uint8_t *memory = alloc_block (room);
    if (!memory)
        return false;
    memcpy (memory, self->bytes, self->size);
    alloc_block_free (self->memory);
    self->memory = memory;
    self->bytes = memory;
    self->room = room;
    return true;
}

static bool
join_sizes (batch_t *self, const batch_t *next)
{
    size_t count = (size_t) self->count + next->count;
    uint32_t *sizes = alloc_resize (self->sizes, room_for (count, 1) * sizeof *sizes);
    if (!sizes)
        return false;
    if (self->count == 1)
        sizes [0] = (uint32_t) self->size;
    for (uint32_t index = 0; index < next->count; index++)
        sizes [self->count + index] = (uint32_t) batch_size_of (next, index);
    self->sizes = sizes;
    return true;
}

static bool
join_marks (batch_t *self, const batch_t *next)
{
    if (!self->marks && !next->marks)
        return true;
    uint8_t *marks = alloc_zero ((size_t) self->count + next->count);
    if (!marks)
        return false;
    for (uint32_t index = 0; index < self->count; index++)
        marks [index] = batch_marks (self, index);
    for (uint32_t index = 0; index < next->count; index++)
        marks [self->count + index] = batch_marks (next, index);
    alloc_free (self->marks);
    self->marks = marks;
    return true;
}

static bool
are_of_one_kind (const batch_t *self, const batch_t *next)
{
    return self->form == SCAN_SESSION && next->form == SCAN_SESSION && self->names == next->names
        && self->stream == next->stream && self->first + self->count == next->first && !self->fixed && !next->fixed
        && !self->refused && !next->refused && !self->has_msg && next->taken == 0;
}

bool
batch_join (batch_t *self, const batch_t *next)
{
    if (!are_of_one_kind (self, next)
        || !make_room (self, self->size + next->size) || !join_sizes (self, next) || !join_marks (self, next))
        return false;
    memcpy (self->memory + self->size, next->bytes, next->size);
    self->size += next->size;
    self->count += next->count;
    return true;
}

bool
batch_set_key (batch_t *self, const char *key)
{
    size_t size = strlen (key) + 1;
    self->names = blob_new (size);
    if (!self->names)
        return false;
    memcpy (self->names->bytes, key, size);
    self->key = (const char *) self->names->bytes;
    return true;
}

void
batch_skip (batch_t *self, uint32_t count)
{
    for (uint32_t index = 0; index < count; index++)
        self->offset += batch_size_of (self, index);
    self->taken = count;
    self->done = count;
    self->settled = count;
    self->settled_offset = self->offset;
}

/*  --------------------------------------------------------------------------
    Marks */

bool
batch_mark (batch_t *self, uint32_t index, uint8_t mark)
{
    if (!self->marks)
        self->marks = alloc_zero (self->count);
    if (!self->marks)
        return false;
    self->marks [index] |= mark;
    return true;
}

uint8_t
batch_marks (const batch_t *self, uint32_t index)
{
    return self->marks ? self->marks [index] : 0;
}

/*  --------------------------------------------------------------------------
    Messages */

static void
copy_name (char *to, const uint8_t *from, size_t size)
{
    memcpy (to, from, size);
    to [size] = 0;
}

static void
copy_text (char *to, const char *from, size_t room)
{
    size_t size = from ? strnlen (from, room - 1) : 0;
    copy_name (to, (const uint8_t *) (from ? from : ""), size);
}

static void
fill_origin (const batch_t *self, muster_message_t *message)
{
    copy_text (message->source, self->source, sizeof message->source);
    copy_text (message->session, self->session, sizeof message->session);
    message->same_source = false;
    message->position = 0;
    message->stream = self->stream;
    message->owned = false;
    message->loans = NULL;
}

static void
fill (batch_t *self, uint32_t index, size_t offset, muster_message_t *message)
{
    scan_message_t parts;
    scan_split (self->bytes + offset, batch_size_of (self, index), self->form, &parts);
    message->data = parts.data;
    message->size = parts.data_size;
    message->asked = parts.kind & MESSAGE_KIND_ASKED;
    message->answers = parts.kind & MESSAGE_KIND_REPLY ? parts.position : 0;
    message->answers_stream = parts.stream;
    message->late = batch_marks (self, index) & BATCH_LATE;
    message->ticket = self;
    message->index = index;
    copy_name (message->cmd, parts.cmd, parts.cmd_size);
    if (self->form == SCAN_PLAIN)
        copy_name (message->source, parts.source, parts.source_size);
    else
        message->position = self->first + index;
}

void
batch_fill (batch_t *self, uint32_t index, size_t offset, muster_message_t *message)
{
    fill_origin (self, message);
    fill (self, index, offset, message);
}

void
batch_fill_again (batch_t *self, uint32_t index, size_t offset, muster_message_t *message)
{
    fill (self, index, offset, message);
    message->same_source = self->form == SCAN_SESSION;
}

/*  To copy less than this costs less than keeping what lies around it; and a dup keeps
    no more than twice its size. */
#define SHARED_LEAST 65536

void *
batch_share_message (const muster_message_t *message)
{
    batch_t *batch = message->ticket;
    if (message->size < SHARED_LEAST || message->size < batch->size / 2)
        return NULL;
    return batch_share (batch);
}

void
batch_release_message (void *batch)
{
    batch_t *self = batch;
    batch_release (&self);
}
