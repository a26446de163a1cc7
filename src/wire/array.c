/*  array.c - n-dimensional arrays as msgpack ext values

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "wire/array.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#define DTYPE_ROOM sizeof (((muster_array_t *) 0)->dtype)

#if __BYTE_ORDER == __LITTLE_ENDIAN
#define NATIVE_ORDER '<'
#else
#define NATIVE_ORDER '>'
#endif

/*  --------------------------------------------------------------------------
    Dtypes */

static bool
is_order (char c)
{
    return c == '<' || c == '>' || c == '|' || c == '=';
}

/*  The size in a dtype, "16"; 0 if it is none that NumPy's kinds have. */
static size_t
size_in (const char *digits)
{
    static const char *const texts [] = { "1", "2", "4", "8", "16" };
    for (size_t index = 0; index < sizeof texts / sizeof *texts; index++)
        if (strcmp (digits, texts [index]) == 0)
            return (size_t) 1 << index;
    return 0;
}

static bool
kind_has_size (char kind, size_t size)
{
    switch (kind) {
        case 'b':
            return size == 1;
        case 'i':
        case 'u':
            return size >= 1 && size <= 8;
        case 'f':
            return size >= 2;
        case 'c':
            return size >= 8;
        default:
            return false;
    }
}

/*  Bytes of an element; 0 if dtype is not valid. */
static size_t
item_size (const char *dtype)
{
    char order = is_order (*dtype) ? *dtype++ : '=';
    size_t size = *dtype ? size_in (dtype + 1) : 0;
    if (size == 0 || !kind_has_size (*dtype, size) || (order == '|' && size > 1))
        return 0;
    return size;
}

size_t
array_alignment (const char *dtype)
{
    size_t size = item_size (dtype);
    bool is_pair = strchr (dtype, 'c') != NULL;
    return is_pair ? size / 2 : size;
}

void
array_explicit_dtype (const char *dtype, char *text)
{
    const char *kind = is_order (*dtype) ? dtype + 1 : dtype;
    char order = *dtype;
    if (kind == dtype || order == '=')
        order = item_size (dtype) == 1 ? '|' : NATIVE_ORDER;
    snprintf (text, DTYPE_ROOM, "%c%s", order, kind);
}

/*  --------------------------------------------------------------------------
    Shapes */

/*  Bytes of all elements. False if they, or those there would be if no
    dimension were 0, are more than memory can hold. */
static bool
bytes_of_all (const muster_array_t *array, size_t item, uint64_t *size)
{
    uint64_t all = item;
    bool empty = false;
    for (size_t index = 0; index < array->dims; index++) {
        uint64_t elements = array->shape [index];
        if (elements == 0)
            empty = true;
        else
        if (__builtin_mul_overflow (all, elements, &all) || all > INT64_MAX)
            return false;
    }
    *size = empty ? 0 : all;
    return true;
}

bool
array_valid (const muster_array_t *array)
{
    if (memchr (array->dtype, 0, sizeof array->dtype) == NULL || array->dims > MUSTER_ARRAY_DIMS_MAX)
        return false;
    size_t item = item_size (array->dtype);
    uint64_t size;
    return item > 0 && bytes_of_all (array, item, &size) && size == array->size;
}

/*  --------------------------------------------------------------------------
    Reading */

static bool
read_dtype (muster_reader_t *reader, muster_array_t *array)
{
    muster_value_t value;
    if (muster_reader_next (reader, &value) || value.type != MUSTER_VALUE_STR || value.size >= DTYPE_ROOM
        || memchr (value.bytes, 0, value.size))
        return false;
    memcpy (array->dtype, value.bytes, value.size);
    array->dtype [value.size] = 0;
    return true;
}

static bool
read_shape (muster_reader_t *reader, muster_array_t *array)
{
    muster_value_t value;
    if (muster_reader_next (reader, &value) || value.type != MUSTER_VALUE_ARRAY || value.count > MUSTER_ARRAY_DIMS_MAX)
        return false;
    array->dims = value.count;
    for (size_t index = 0; index < array->dims; index++) {
        if (muster_reader_next (reader, &value) || value.type != MUSTER_VALUE_UINT)
            return false;
        array->shape [index] = value.u;
    }
    return true;
}

bool
array_read (const uint8_t *payload, size_t size, muster_array_t *array)
{
    muster_reader_t reader;
    muster_reader_init (&reader, payload, size);
    memset (array, 0, sizeof *array);
    if (!read_dtype (&reader, array) || !read_shape (&reader, array))
        return false;
    array->bytes = reader.next;
    array->size = (size_t) (reader.end - reader.next);
    return array_valid (array);
}
