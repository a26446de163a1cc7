/*  fuzz_array.c - arrays of any dtype and shape, packed, placed and read

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    An input is two arrays, each a dtype, a shape and how far its size is off.
*/
#include <string.h>

#include <muster/muster.h>

#include "fuzz.h"
#include "input.h"
#include "model/message.h"
#include "require.h"
#include "wire/array.h"
#include "wire/array_head.h"
#include "wire/placement.h"
#include "wire/scan.h"

/*  Larger arrays are judged, not packed. */
#define PACKED_MOST 2048

static uint8_t elements [PACKED_MOST];

/*  --------------------------------------------------------------------------
    The rules once more */

static size_t
item_by_the_rules (const char *dtype)
{
    static const char *const kinds [] = { "b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "f16", "c8", "c16" };
    static const size_t sizes [] = { 1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 4, 8, 16, 8, 16 };
    bool ordered = *dtype && strchr ("<>|=", *dtype);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (strcmp (dtype + ordered, kinds [i]) == 0)
            return *dtype == '|' && sizes [i] > 1 ? 0 : sizes [i];
    return 0;
}

/*  0 for an array that is none, and its bytes plus 1 for others. */
static unsigned __int128
size_by_the_rules (const muster_array_t *array)
{
    unsigned __int128 product = item_by_the_rules (array->dtype);
    bool empty = false;
    if (product == 0 || array->dims > MUSTER_ARRAY_DIMS_MAX)
        return 0;
    for (size_t i = 0; i < array->dims; i++) {
        empty = empty || array->shape [i] == 0;
        product *= array->shape [i] ? array->shape [i] : 1;
        if (product > INT64_MAX)
            return 0;
    }
    return empty ? 1 : product + 1;
}

/*  --------------------------------------------------------------------------
    An array of the input */

static void
take_dtype (input_t *in, char *dtype)
{
    static const char *const usual [] = { "<f4", ">i8", "|u1", "c16", "=f8", "b1", "<f16", "u2" };
    const uint8_t *bytes;
    uint8_t choice = input_byte (in);
    if (choice < 0x80)
        strcpy (dtype, usual [choice % 8]);
    else {
        size_t size = input_take (in, choice % 8, &bytes);
        memcpy (dtype, bytes, size);
        dtype [size] = 0;
    }
}

static bool
take_array (input_t *in, muster_array_t *array)
{
    *array = (muster_array_t) { .bytes = elements };
    take_dtype (in, array->dtype);
    array->dims = input_below (in, MUSTER_ARRAY_DIMS_MAX + 1);
    for (size_t i = 0; i < array->dims; i++)
        array->shape [i] = input_number (in, 1);
    unsigned __int128 right = size_by_the_rules (array);
    array->size = (size_t) (right ? right - 1 : 0) + (input_byte (in) == 0xff);
    require (array_valid (array) == (right == (unsigned __int128) array->size + 1), "another verdict");
    return array_valid (array);
}

/*  --------------------------------------------------------------------------
    Its head */

static void
check_head (const muster_array_t *array, size_t wanted)
{
    static array_head_t plain, longer;
    uint8_t payload [ARRAY_HEAD_ROOM + PACKED_MOST];
    muster_array_t read;
    char dtype [sizeof array->dtype];
    array_head_pack (&plain, array);
    array_head_pack_longer (&longer, array, wanted);
    size_t more = longer.size - plain.size;
    require (longer.size <= ARRAY_HEAD_ROOM && more < ARRAY_ALIGNMENT, "a head that is too long");
    require (more == 0 || (more - wanted) % 8 == 0, "longer to no use");
    memcpy (payload, longer.bytes, longer.size);
    memcpy (payload + longer.size, array->bytes, array->size);
    require (array_read (payload, longer.size + array->size, &read), "what was packed is no array");
    array_explicit_dtype (array->dtype, dtype);
    require (strcmp (read.dtype, dtype) == 0 && read.dims == array->dims && read.size == array->size
        && memcmp (read.shape, array->shape, sizeof read.shape) == 0
        && read.bytes == payload + longer.size, "another array comes out");
}

/*  --------------------------------------------------------------------------
    A message with both */

/*  The elements of the largest payload are placed, of the first among equals. */
static void
check_placement (const uint8_t *bytes, size_t size, const muster_array_t *read)
{
    array_head_t heads [2];
    for (int i = 0; i < 2; i++)
        array_head_pack (&heads [i], &read [i]);
    int largest = heads [1].size + read [1].size > heads [0].size + read [0].size;
    const uint8_t *placed = read [largest].bytes;
    require (placement_find (bytes, size) == (size_t) (placed - bytes), "placed elsewhere");
}

static void
read_arrays (const uint8_t *bytes, size_t size, muster_array_t *read)
{
    muster_reader_t reader;
    muster_value_t value;
    int found = 0;
    muster_reader_init (&reader, bytes, size);
    while (muster_reader_next (&reader, &value) == 0)
        if (value.type == MUSTER_VALUE_EXT)
            require (found < 2 && muster_value_array (&value, &read [found++]) == 0, "no array comes out");
    require (found == 2, "an array is missing");
}

static void
check_message (muster_writer_t *writer, const muster_array_t *arrays, size_t shift)
{
    const void *bytes;
    size_t size;
    muster_array_t read [2], taken;
    muster_writer_clear (writer);
    muster_writer_map (writer, 3);
    muster_writer_str (writer, "s", 1);
    muster_writer_bin (writer, elements, shift);
    for (int i = 0; i < 2; i++) {
        muster_writer_str (writer, i ? "b" : "a", 1);
        muster_writer_array (writer, &arrays [i]);
    }
    require (muster_writer_bytes (writer, &bytes, &size) == 0, "arrays cannot be packed");
    require (scan_data (bytes, size, &(scan_limits_t) { 0 }) == MUSTER_REFUSAL_NONE, "what was packed is refused");
    read_arrays (bytes, size, read);
    check_placement (bytes, size, read);
    muster_message_t message = { .data = bytes, .size = size };
    require (muster_message_unpack (&message, "{s:A}", "b", &taken) == 0, "the array does not unpack");
    size_t alignment = array_alignment (taken.dtype);
    require (alignment > 0 && alignment <= 16 && (alignment & (alignment - 1)) == 0, "no alignment");
    require ((uintptr_t) taken.bytes % alignment == 0 && taken.size == arrays [1].size
        && memcmp (taken.bytes, arrays [1].bytes, taken.size) == 0, "another array is unpacked");
    message_return_loans (&message);
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
    static muster_writer_t *writer;
    muster_array_t arrays [2];
    bool valid = true;
    input_t in = { bytes, bytes + size };
    if (!writer) {
        require ((writer = muster_writer_new ()), "no memory");
        for (size_t i = 0; i < sizeof elements; i++)
            elements [i] = (uint8_t) (i * 7);
    }
    uint8_t shift = input_byte (&in);
    for (int i = 0; i < 2; i++)
        if (!take_array (&in, &arrays [i]) || arrays [i].size > PACKED_MOST)
            valid = false;
        else
            check_head (&arrays [i], shift % ARRAY_ALIGNMENT);
    if (valid)
        check_message (writer, arrays, shift);
    return 0;
}
