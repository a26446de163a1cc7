/*  unpack.c - taking a message's data apart by a picture

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include <muster/data.h>

#include "model/message.h"
#include "wire/array.h"
#include "wire/syntax.h"

typedef struct {
    const muster_message_t *message;
    const char *at;             /* the sign that is next */
    va_list arguments;
} unpacker_t;

/*  A map that keys are looked up in, beginning where the last one was found,
    as pictures mostly have the order of the data. */
typedef struct {
    muster_reader_t first;
    muster_reader_t next;
    uint32_t pairs;
    uint32_t index;             /* of next */
} map_t;

static void
step (unpacker_t *self)
{
    self->at = syntax_sign (self->at + 1);
}

static bool
at_end (const unpacker_t *self)
{
    return *self->at == '}' || *self->at == ']' || *self->at == '!';
}

/*  --------------------------------------------------------------------------
    Values */

static muster_error_t
lend_copy (const unpacker_t *self, const void *bytes, size_t size, size_t room, const void **copy)
{
    char *memory = message_lend (self->message, room);
    if (!memory)
        return MUSTER_NOMEM;
    memcpy (memory, bytes, size);
    memset (memory + size, 0, room - size);
    *copy = memory;
    return MUSTER_OK;
}

static muster_error_t
take_text (unpacker_t *self, const muster_value_t *value)
{
    bool sized = self->at [1] == '%';
    const char **text = va_arg (self->arguments, const char **);
    size_t *size = sized ? va_arg (self->arguments, size_t *) : NULL;
    if (value->type != MUSTER_VALUE_STR || (!sized && memchr (value->bytes, 0, value->size)))
        return MUSTER_TYPE;
    const void *copy;
    muster_error_t error = lend_copy (self, value->bytes, value->size, (size_t) value->size + 1, &copy);
    if (error)
        return error;
    *text = copy;
    if (size)
        *size = value->size;
    return MUSTER_OK;
}

static muster_error_t
take_bool (unpacker_t *self, const muster_value_t *value)
{
    int *truth = va_arg (self->arguments, int *);
    if (value->type != MUSTER_VALUE_BOOL)
        return MUSTER_TYPE;
    *truth = value->boolean;
    return MUSTER_OK;
}

static bool
as_signed (const muster_value_t *value, int64_t *number)
{
    if (value->type == MUSTER_VALUE_INT)
        *number = value->i;
    else
    if (value->type == MUSTER_VALUE_UINT && value->u <= INT64_MAX)
        *number = (int64_t) value->u;
    else
        return false;
    return true;
}

static muster_error_t
take_int (unpacker_t *self, const muster_value_t *value)
{
    int64_t wide;
    int *number = va_arg (self->arguments, int *);
    if (!as_signed (value, &wide) || wide < INT_MIN || wide > INT_MAX)
        return MUSTER_TYPE;
    *number = (int) wide;
    return MUSTER_OK;
}

static muster_error_t
take_int64 (unpacker_t *self, const muster_value_t *value)
{
    int64_t wide;
    int64_t *number = va_arg (self->arguments, int64_t *);
    if (!as_signed (value, &wide))
        return MUSTER_TYPE;
    *number = wide;
    return MUSTER_OK;
}

static muster_error_t
take_uint64 (unpacker_t *self, const muster_value_t *value)
{
    uint64_t *number = va_arg (self->arguments, uint64_t *);
    if (value->type != MUSTER_VALUE_UINT)
        return MUSTER_TYPE;
    *number = value->u;
    return MUSTER_OK;
}

static muster_error_t
take_double (unpacker_t *self, const muster_value_t *value)
{
    double *number = va_arg (self->arguments, double *);
    switch (value->type) {
        case MUSTER_VALUE_FLOAT:
            *number = value->f;
            return MUSTER_OK;
        case MUSTER_VALUE_UINT:
            *number = (double) value->u;
            return MUSTER_OK;
        case MUSTER_VALUE_INT:
            *number = (double) value->i;
            return MUSTER_OK;
        default:
            return MUSTER_TYPE;
    }
}

static muster_error_t
take_bin (unpacker_t *self, const muster_value_t *value)
{
    const void **bytes = va_arg (self->arguments, const void **);
    size_t *size = va_arg (self->arguments, size_t *);
    if (value->type != MUSTER_VALUE_BIN)
        return MUSTER_TYPE;
    *bytes = value->bytes;
    *size = value->size;
    return MUSTER_OK;
}

static muster_error_t
take_array_value (unpacker_t *self, const muster_value_t *value)
{
    muster_array_t *out = va_arg (self->arguments, muster_array_t *);
    muster_array_t array;
    if (muster_value_array (value, &array))
        return MUSTER_TYPE;
    if ((uintptr_t) array.bytes % array_alignment (array.dtype) != 0) {
        size_t room = array.size > 0 ? array.size : 1;
        muster_error_t error = lend_copy (self, array.bytes, array.size, room, &array.bytes);
        if (error)
            return error;
    }
    *out = array;
    return MUSTER_OK;
}

static muster_error_t
take_object (unpacker_t *self, muster_reader_t reader)
{
    const void **bytes = va_arg (self->arguments, const void **);
    size_t *size = va_arg (self->arguments, size_t *);
    const uint8_t *start = reader.next;
    if (muster_reader_skip (&reader))
        return MUSTER_TYPE;
    *bytes = start;
    *size = (size_t) (reader.next - start);
    return MUSTER_OK;
}

static muster_error_t
take_scalar (unpacker_t *self, const muster_value_t *value)
{
    switch (*self->at) {
        case 's':
            return take_text (self, value);
        case 'b':
            return take_bool (self, value);
        case 'i':
            return take_int (self, value);
        case 'I':
            return take_int64 (self, value);
        case 'U':
            return take_uint64 (self, value);
        case 'f':
            return take_double (self, value);
        case 'y':
            return take_bin (self, value);
        case 'A':
            return take_array_value (self, value);
        default:
            return value->type == MUSTER_VALUE_NIL ? MUSTER_OK : MUSTER_TYPE;
    }
}

/*  --------------------------------------------------------------------------
    Containers. The depth of a picture is limited, so recursion is. */

static muster_error_t take_value (unpacker_t *self, muster_reader_t reader);

/*  Pass over the value that is next in the picture, and its variables. */
static void
pass_value (unpacker_t *self)
{
    size_t depth = 0;
    do {
        if (*self->at == '{' || *self->at == '[')
            depth++;
        else
        if (*self->at == '}' || *self->at == ']')
            depth--;
        else
        if (*self->at != 'n' && *self->at != '!')
            va_arg (self->arguments, void *);
        if (*self->at == 'y' || *self->at == 'O' || (*self->at == 's' && self->at [1] == '%'))
            va_arg (self->arguments, void *);
        step (self);
    } while (depth > 0);
}

/*  Find key; its value is what reader then reads. */
static bool
find (map_t *map, const char *key, muster_reader_t *reader)
{
    size_t size = strlen (key);
    for (uint32_t tried = 0; tried < map->pairs; tried++) {
        if (map->index == map->pairs) {
            map->next = map->first;
            map->index = 0;
        }
        muster_value_t name;
        if (muster_reader_next (&map->next, &name) || name.type != MUSTER_VALUE_STR)
            return false;
        *reader = map->next;
        if (muster_reader_skip (&map->next))
            return false;
        map->index++;
        if (name.size == size && memcmp (name.bytes, key, size) == 0)
            return true;
    }
    return false;
}

/*  One key of a picture's map and its value. */
static muster_error_t
take_pair (unpacker_t *self, map_t *map, uint32_t *named)
{
    const char *key = va_arg (self->arguments, const char *);
    bool optional = self->at [1] == '?';
    muster_reader_t reader;
    if (!key)
        return MUSTER_INVAL;
    step (self);
    if (find (map, key, &reader)) {
        ++*named;
        return take_value (self, reader);
    }
    if (!optional)
        return MUSTER_NOTFOUND;
    pass_value (self);
    return MUSTER_OK;
}

static bool
is_strict (unpacker_t *self)
{
    bool strict = *self->at == '!';
    if (strict)
        step (self);
    return strict;
}

static muster_error_t
take_map (unpacker_t *self, muster_reader_t content, uint32_t pairs)
{
    map_t map = { .first = content, .next = content, .pairs = pairs };
    uint32_t named = 0;
    step (self);
    while (!at_end (self)) {
        muster_error_t error = take_pair (self, &map, &named);
        if (error)
            return error;
    }
    if (is_strict (self) && named < pairs)
        return MUSTER_TYPE;
    step (self);
    return MUSTER_OK;
}

static muster_error_t
take_seq (unpacker_t *self, muster_reader_t content, uint32_t elements)
{
    uint32_t taken = 0;
    step (self);
    for (; !at_end (self); taken++) {
        if (taken == elements)
            return MUSTER_TYPE;
        muster_error_t error = take_value (self, content);
        if (error)
            return error;
        if (muster_reader_skip (&content))
            return MUSTER_TYPE;
    }
    if (is_strict (self) && taken < elements)
        return MUSTER_TYPE;
    step (self);
    return MUSTER_OK;
}

/*  Take the value that reader reads as the picture says, and go on in that. */
static muster_error_t
take_value (unpacker_t *self, muster_reader_t reader)
{
    muster_reader_t start = reader;
    muster_value_t value;
    if (muster_reader_next (&reader, &value))
        return MUSTER_TYPE;
    if (*self->at == '{')
        return value.type == MUSTER_VALUE_MAP ? take_map (self, reader, value.count) : MUSTER_TYPE;
    if (*self->at == '[')
        return value.type == MUSTER_VALUE_ARRAY ? take_seq (self, reader, value.count) : MUSTER_TYPE;
    muster_error_t error = *self->at == 'O' ? take_object (self, start) : take_scalar (self, &value);
    step (self);
    return error;
}

muster_error_t
muster_message_unpack (const muster_message_t *self, const char *picture, ...)
{
    if (!self || !picture || !syntax_valid (picture, true))
        return MUSTER_INVAL;
    muster_reader_t reader;
    muster_reader_init (&reader, self->data, self->size);
    unpacker_t unpacker = { .message = self, .at = syntax_sign (picture) };
    va_start (unpacker.arguments, picture);
    muster_error_t error = take_value (&unpacker, reader);
    va_end (unpacker.arguments);
    return error;
}
