/*  fuzz_reader.c - the reader on any bytes

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <string.h>

#include <muster/data.h>

#include "fuzz.h"
#include "require.h"
#include "wire/placement.h"

/*  What lies in a container is passed over once more for each container around it:
    without a limit that is all that the time goes to. */
#define SKIPS_MOST 16

static bool
has_payload (const muster_value_t *value)
{
    return value->type == MUSTER_VALUE_STR || value->type == MUSTER_VALUE_BIN || value->type == MUSTER_VALUE_EXT;
}

/*  A valid array packs into one that is the same. */
static void
check_array (const muster_value_t *value)
{
    muster_array_t array;
    if (muster_value_array (value, &array))
        return;
    const uint8_t *bytes = array.bytes;
    require (bytes >= value->bytes && bytes + array.size == value->bytes + value->size, "array outside its value");
    muster_writer_t *writer = muster_writer_new ();
    require (writer, "no memory");
    muster_writer_array (writer, &array);
    const void *packed;
    size_t size;
    require (muster_writer_bytes (writer, &packed, &size) == MUSTER_OK, "array cannot be packed");
    muster_reader_t reader;
    muster_value_t again;
    muster_array_t same;
    muster_reader_init (&reader, packed, size);
    require (muster_reader_next (&reader, &again) == MUSTER_OK && muster_value_array (&again, &same) == MUSTER_OK
        && same.dims == array.dims && memcmp (same.shape, array.shape, sizeof same.shape) == 0
        && same.size == array.size && memcmp (same.bytes, array.bytes, same.size) == 0, "array packs into another");
    muster_writer_destroy (&writer);
}

static void
check_value (const muster_reader_t *start, const muster_reader_t *reader, const muster_value_t *value)
{
    require (reader->next > start->next && reader->next <= reader->end, "reader outside its bytes");
    if (has_payload (value))
        require (value->bytes > start->next && value->bytes + value->size == reader->next, "payload outside its value");
    if (value->type == MUSTER_VALUE_ARRAY || value->type == MUSTER_VALUE_MAP)
        require (value->count <= (size_t) (reader->end - reader->next), "count of more than there is");
    if (value->type == MUSTER_VALUE_INT)
        require (value->i < 0, "negative number of 0 or more");
    if (value->type == MUSTER_VALUE_EXT)
        check_array (value);
}

/*  To pass over a value comes to where its last byte is read, and fails where that fails. */
static void
check_skip (const muster_reader_t *start, const muster_reader_t *reader, const muster_value_t *value, muster_error_t error)
{
    muster_reader_t skipping = *start;
    muster_error_t skipped = muster_reader_skip (&skipping);
    if (error)
        require (skipped == error && skipping.next == start->next, "skip says something else");
    else
    if (value->type < MUSTER_VALUE_ARRAY)
        require (skipped == MUSTER_OK && skipping.next == reader->next, "skip goes elsewhere");
    else
        require (skipped == MUSTER_OK ? skipping.next >= reader->next : skipping.next == start->next,
            "skip ends inside the head");
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
    muster_reader_t reader;
    muster_value_t value;
    require (placement_find (bytes, size) <= size, "placed outside");
    muster_reader_init (&reader, bytes, size);
    for (int values = 0;; values++) {
        muster_reader_t start = reader;
        muster_error_t error = muster_reader_next (&reader, &value);
        if (error || values < SKIPS_MOST)
            check_skip (&start, &reader, &value, error);
        if (error) {
            require (reader.next == start.next, "reader did not stay");
            require ((error == MUSTER_END) == (start.next == start.end), "wrong end");
            return 0;
        }
        check_value (&start, &reader, &value);
    }
}
