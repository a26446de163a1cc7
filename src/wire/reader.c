/*  reader.c - reading msgpack value by value

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <string.h>

#include <muster/data.h>

#include "base/bytes.h"
#include "wire/array.h"
#include "wire/head.h"

void
muster_reader_init (muster_reader_t *self, const void *bytes, size_t size)
{
    self->next = bytes;
    self->end = size > 0 ? self->next + size : self->next;
}

/*  A container's announced values are checked against the bytes too, so that
    nobody reserves memory for more than can come. */
static bool
take_head (const muster_reader_t *self, head_t *head)
{
    if (!head_read (self->next, self->end, head) || head->kind == HEAD_RESERVED)
        return false;
    size_t rest = (size_t) (self->end - self->next) - head->size;
    return (head_is_container (head) ? head_values (head) : head->length) <= rest;
}

static double
float_at (const uint8_t *at, uint32_t size)
{
    if (size == 4) {
        float value;
        uint32_t bits = bytes_get32 (at);
        memcpy (&value, &bits, sizeof value);
        return value;
    }
    double value;
    uint64_t bits = bytes_get64 (at);
    memcpy (&value, &bits, sizeof value);
    return value;
}

static void
read_integer (const uint8_t *at, const head_t *head, muster_value_t *value)
{
    if (head_unsigned (at, head, &value->u)) {
        value->type = MUSTER_VALUE_UINT;
        return;
    }
    value->type = MUSTER_VALUE_INT;
    value->i = head_signed (at, head);
}

static void
read_content (const uint8_t *at, const head_t *head, muster_value_t *value)
{
    value->type = (muster_value_type_t) head->kind;
    switch (head->kind) {
        case MUSTER_VALUE_BOOL:
            value->boolean = *at & 1;
            break;
        case MUSTER_VALUE_UINT:
        case MUSTER_VALUE_INT:
            read_integer (at, head, value);
            break;
        case MUSTER_VALUE_FLOAT:
            value->f = float_at (at + 1, head->length);
            break;
        case MUSTER_VALUE_ARRAY:
        case MUSTER_VALUE_MAP:
            value->count = head->length;
            break;
        case MUSTER_VALUE_EXT:
            value->ext_type = (int8_t) at [head->size - 1];
            /* fall through */
        case MUSTER_VALUE_STR:
        case MUSTER_VALUE_BIN:
            value->bytes = at + head->size;
            value->size = head->length;
            break;
    }
}

muster_error_t
muster_reader_next (muster_reader_t *self, muster_value_t *value)
{
    if (self->next == self->end)
        return MUSTER_END;
    head_t head;
    if (!take_head (self, &head))
        return MUSTER_FORMAT;
    memset (value, 0, sizeof *value);
    read_content (self->next, &head, value);
    self->next += head.size;
    if (!head_is_container (&head))
        self->next += head.length;
    return MUSTER_OK;
}

/*  Pass the head and, unless a container, the rest. left [depth] is what a
    container at that level still holds. */
static bool
skip_one (muster_reader_t *self, uint64_t *left, size_t *depth)
{
    head_t head;
    if (!take_head (self, &head))
        return false;
    self->next += head.size;
    if (!head_is_container (&head)) {
        self->next += head.length;
        return true;
    }
    if (*depth == MUSTER_DEPTH_MAX)
        return false;
    left [++*depth] = head_values (&head);
    return true;
}

muster_error_t
muster_reader_skip (muster_reader_t *self)
{
    if (self->next == self->end)
        return MUSTER_END;
    uint64_t left [MUSTER_DEPTH_MAX + 1];
    size_t depth = 0;
    muster_reader_t reader = *self;
    left [0] = 1;
    while (left [0] > 0 || depth > 0) {
        if (left [depth] == 0) {
            depth--;
            continue;
        }
        left [depth]--;
        if (!skip_one (&reader, left, &depth))
            return MUSTER_FORMAT;
    }
    *self = reader;
    return MUSTER_OK;
}

muster_error_t
muster_value_array (const muster_value_t *value, muster_array_t *array)
{
    if (value->type != MUSTER_VALUE_EXT || value->ext_type != MUSTER_EXT_ARRAY)
        return MUSTER_TYPE;
    return array_read (value->bytes, value->size, array) ? MUSTER_OK : MUSTER_TYPE;
}
