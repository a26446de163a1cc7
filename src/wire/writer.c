/*  writer.c - packing msgpack value by value

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "wire/writer.h"

#include <msgpack.h>
#include <string.h>

#include "base/alloc.h"
#include "wire/array.h"
#include "wire/array_head.h"

#define ROOM_FIRST 256

/*  As large as this it writes into a blob. */
#define BLOB_LEAST 65536

struct _muster_writer_t {
    msgpack_packer packer;
    char *bytes;            /* owned, or in the blob */
    blob_t *blob;           /* NULL: it is small */
    size_t size;
    size_t room;
    size_t most;            /* bytes that this memory has held */
    muster_error_t error;   /* the first; nothing is written after it */
    bool has_array;         /* a large one, */
    size_t array_at;        /* whose elements begin here */
};

/*  --------------------------------------------------------------------------
    Memory */

static void
fail (muster_writer_t *self, muster_error_t error)
{
    if (!self->error)
        self->error = error;
}

static void
free_bytes (muster_writer_t *self)
{
    if (self->blob)
        blob_release (&self->blob);
    else
        alloc_free (self->bytes);
    self->bytes = NULL;
    self->size = self->room = self->most = 0;
}

static bool
resize_bytes (muster_writer_t *self, size_t room)
{
    char *bytes = alloc_resize (self->bytes, room);
    if (bytes)
        self->bytes = bytes;
    return bytes;
}

static bool
move_to_blob (muster_writer_t *self, size_t room)
{
    blob_t *blob = blob_new (WRITER_BEFORE + room + WRITER_AFTER);
    if (!blob)
        return false;
    size_t size = self->size;
    char *bytes = (char *) blob->bytes + WRITER_BEFORE;
    if (size > 0)
        memcpy (bytes, self->bytes, size);
    free_bytes (self);
    self->blob = blob;
    self->bytes = bytes;
    self->size = size;
    return true;
}

/*  Behind something large there is room for what is small. */
static size_t
room_for (const muster_writer_t *self, size_t size)
{
    size_t room = self->room > 0 ? 2 * self->room : ROOM_FIRST;
    if (room >= size)
        return room;
    return size < BLOB_LEAST ? size : size + size / 8;
}

static bool
grow (muster_writer_t *self, size_t size)
{
    if (size > SIZE_MAX / 4 - self->size) {
        fail (self, MUSTER_NOMEM);
        return false;
    }
    size_t room = room_for (self, self->size + size);
    bool done = room < BLOB_LEAST ? resize_bytes (self, room) : move_to_blob (self, room);
    if (done)
        self->room = room;
    else
        fail (self, MUSTER_NOMEM);
    return done;
}

/*  Make room for size more bytes. False, once there was an error, always. */
static bool
reserve (muster_writer_t *self, size_t size)
{
    return !self->error && (size <= self->room - self->size || grow (self, size));
}

/*  What msgpack-c hands the bytes to. */
static int
append (void *target, const char *bytes, size_t size)
{
    muster_writer_t *self = target;
    if (!reserve (self, size))
        return -1;
    memcpy (self->bytes + self->size, bytes, size);
    self->size += size;
    return 0;
}

static void
append_body (muster_writer_t *self, const void *bytes, size_t size)
{
    if (size > 0)
        append (self, bytes, size);
}

muster_writer_t *
muster_writer_new (void)
{
    muster_writer_t *self = alloc_zero (sizeof *self);
    if (self)
        msgpack_packer_init (&self->packer, self, append);
    return self;
}

void
muster_writer_destroy (muster_writer_t **self_p)
{
    if (!self_p || !*self_p)
        return;
    free_bytes (*self_p);
    alloc_free (*self_p);
    *self_p = NULL;
}

void
muster_writer_clear (muster_writer_t *self)
{
    if (self->size > self->most)
        self->most = self->size;
    self->size = 0;
    self->has_array = false;
    self->error = MUSTER_OK;
}

size_t
writer_mark (const muster_writer_t *self)
{
    return self->size;
}

void
writer_rewind (muster_writer_t *self, size_t mark)
{
    self->size = mark;
}

muster_error_t
writer_error (const muster_writer_t *self)
{
    return self->error;
}

/*  What is less than two thirds of the memory it takes would have its owner keep too
    much. What was never written of a block takes none. */
static bool
is_worth_having (const muster_writer_t *self)
{
    if (!self->blob || self->size < BLOB_LEAST)
        return false;
    size_t taken = self->blob->is_block ? self->most : self->room;
    return taken <= self->size + self->size / 2;
}

muster_error_t
writer_part (const muster_writer_t *self, blob_part_t *part)
{
    bool worth = is_worth_having (self);
    *part = (blob_part_t) {
        .blob = worth ? self->blob : NULL, .bytes = (uint8_t *) self->bytes, .size = self->size };
    return self->error;
}

muster_error_t
writer_packed (muster_writer_t *self, packed_t *data)
{
    *data = (packed_t) { .writer = self };
    return muster_writer_bytes (self, &data->bytes, &data->size);
}

void
writer_sent (muster_writer_t *self)
{
    blob_part_t part;
    if (writer_part (self, &part) == 0 && part.blob)
        free_bytes (self);
    muster_writer_clear (self);
}

muster_error_t
muster_writer_bytes (const muster_writer_t *self, const void **bytes, size_t *size)
{
    if (self->error)
        return self->error;
    if (bytes)
        *bytes = self->bytes ? self->bytes : "";
    if (size)
        *size = self->size;
    return MUSTER_OK;
}

/*  --------------------------------------------------------------------------
    Values */

void
muster_writer_nil (muster_writer_t *self)
{
    msgpack_pack_nil (&self->packer);
}

void
muster_writer_bool (muster_writer_t *self, bool value)
{
    if (value)
        msgpack_pack_true (&self->packer);
    else
        msgpack_pack_false (&self->packer);
}

void
muster_writer_int (muster_writer_t *self, int64_t value)
{
    msgpack_pack_int64 (&self->packer, value);
}

void
muster_writer_uint (muster_writer_t *self, uint64_t value)
{
    msgpack_pack_uint64 (&self->packer, value);
}

void
muster_writer_float (muster_writer_t *self, float value)
{
    msgpack_pack_float (&self->packer, value);
}

void
muster_writer_double (muster_writer_t *self, double value)
{
    msgpack_pack_double (&self->packer, value);
}

/*  Is there a value of so many bytes at bytes, that msgpack has a length for? */
static bool
check (muster_writer_t *self, const void *bytes, size_t size)
{
    if (!bytes && size > 0)
        fail (self, MUSTER_INVAL);
    else
    if (size > UINT32_MAX)
        fail (self, MUSTER_TOOBIG);
    return !self->error;
}

void
muster_writer_str (muster_writer_t *self, const char *text, size_t size)
{
    if (!check (self, text, size))
        return;
    msgpack_pack_str (&self->packer, size);
    append_body (self, text, size);
}

void
muster_writer_bin (muster_writer_t *self, const void *bytes, size_t size)
{
    if (!check (self, bytes, size))
        return;
    msgpack_pack_bin (&self->packer, size);
    append_body (self, bytes, size);
}

void
muster_writer_ext (muster_writer_t *self, int8_t type, const void *bytes, size_t size)
{
    if (!check (self, bytes, size))
        return;
    msgpack_pack_ext (&self->packer, size, type);
    append_body (self, bytes, size);
}

void
muster_writer_map (muster_writer_t *self, size_t pairs)
{
    if (check (self, self, pairs))
        msgpack_pack_map (&self->packer, pairs);
}

void
muster_writer_seq (muster_writer_t *self, size_t elements)
{
    if (check (self, self, elements))
        msgpack_pack_array (&self->packer, elements);
}

void
muster_writer_raw (muster_writer_t *self, const void *bytes, size_t size)
{
    if (!bytes && size > 0)
        fail (self, MUSTER_INVAL);
    else
        append_body (self, bytes, size);
}

/*  --------------------------------------------------------------------------
    Arrays */

/*  Smaller ones are cheaper to copy than to align. */
#define ALIGNED_LEAST 65536

/*  The head of an ext as large as those that are aligned: lead byte, length, type. */
#define EXT_HEAD_SIZE 6

/*  All large arrays lie at the same distance from a multiple of ARRAY_ALIGNMENT, which the
    first one sets, so that a receiver who aligns one has all of them aligned. */
static void
align_head (muster_writer_t *self, array_head_t *head, const muster_array_t *array)
{
    size_t at = self->size + EXT_HEAD_SIZE + head->size;
    if (self->has_array)
        array_head_pack_longer (head, array, (self->array_at - at) % ARRAY_ALIGNMENT);
    else
        self->array_at = at;
    self->has_array = true;
}

void
muster_writer_array (muster_writer_t *self, const muster_array_t *array)
{
    if (!array || !array_valid (array)) {
        fail (self, MUSTER_INVAL);
        return;
    }
    array_head_t head;
    array_head_pack (&head, array);
    if (!check (self, array->bytes, array->size) || !check (self, self, ARRAY_HEAD_ROOM + array->size))
        return;
    if (array->size >= ALIGNED_LEAST)
        align_head (self, &head, array);
    msgpack_pack_ext (&self->packer, head.size + array->size, MUSTER_EXT_ARRAY);
    reserve (self, head.size + array->size);
    append_body (self, head.bytes, head.size);
    append_body (self, array->bytes, array->size);
}
