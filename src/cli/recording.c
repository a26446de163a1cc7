/*  recording.c - a recording: the messages of a listener, in a file

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/recording.h"

#include <string.h>

#include <muster/data.h>

#include "cli/utf8.h"

/*  ["muster-recording", 1] */
static const uint8_t header_bytes [RECORDING_HEADER] =
    "\x92\xd9\x10" "muster-recording" "\x01";

enum { BYTE_RECORD = 0x94, BYTE_UINT64 = 0xcf, BYTE_STR8 = 0xd9, BYTE_BIN32 = 0xc6 };

/*  --------------------------------------------------------------------------
    Writing */

static uint8_t *
put_number (uint8_t *to, uint64_t value, int size)
{
    for (int i = size; i-- > 0; )
        *to++ = (uint8_t) (value >> 8 * i);
    return to;
}

static uint8_t *
put_name (uint8_t *to, const char *name)
{
    size_t size = strlen (name);
    *to++ = BYTE_STR8;
    *to++ = (uint8_t) size;
    memcpy (to, name, size);
    return to + size;
}

size_t
recording_write_header (uint8_t header [RECORDING_HEADER])
{
    memcpy (header, header_bytes, RECORDING_HEADER);
    return RECORDING_HEADER;
}

size_t
recording_write_head (uint8_t head [RECORDING_HEAD_MOST], const record_t *record)
{
    uint8_t *to = head;
    *to++ = BYTE_RECORD;
    *to++ = BYTE_UINT64;
    to = put_number (to, record->time, 8);
    to = put_name (to, record->source);
    to = put_name (to, record->cmd);
    *to++ = BYTE_BIN32;
    to = put_number (to, record->size, 4);
    return (size_t) (to - head);
}

/*  --------------------------------------------------------------------------
    Reading. What a record holds is taken piece by piece, by a copy of the reader: result
    is RECORDING_RECORD as long as nothing is missing or wrong. */

typedef struct {
    const uint8_t *next;
    size_t left;
    recording_result_t result;
} cursor_t;

/*  The next bytes, or NULL. */
static const uint8_t *
take (cursor_t *self, size_t size)
{
    if (self->result == RECORDING_RECORD && self->left < size)
        self->result = RECORDING_CUT;
    if (self->result != RECORDING_RECORD)
        return NULL;
    const uint8_t *taken = self->next;
    self->next += size;
    self->left -= size;
    return taken;
}

static void
take_mark (cursor_t *self, uint8_t mark)
{
    const uint8_t *taken = take (self, 1);
    if (taken && *taken != mark)
        self->result = RECORDING_BROKEN;
}

static uint64_t
take_number (cursor_t *self, size_t size)
{
    uint64_t value = 0;
    const uint8_t *taken = take (self, size);
    for (size_t i = 0; taken && i < size; i++)
        value = value << 8 | taken [i];
    return value;
}

static void
take_name (cursor_t *self, char name [RECORDING_NAME_MAX + 1])
{
    take_mark (self, BYTE_STR8);
    size_t size = take_number (self, 1);
    const uint8_t *taken = take (self, size);
    if (!taken)
        return;
    memcpy (name, taken, size);
    name [size] = 0;
    if (!utf8_is_name (name, size))
        self->result = RECORDING_BROKEN;
}

/*  One map, and nothing after it. What else a message's data must be is looked at by who
    sends it. */
static bool
is_map (const uint8_t *bytes, size_t size)
{
    muster_reader_t reader;
    muster_value_t value;
    muster_reader_init (&reader, bytes, size);
    if (muster_reader_next (&reader, &value) || value.type != MUSTER_VALUE_MAP)
        return false;
    muster_reader_init (&reader, bytes, size);
    return !muster_reader_skip (&reader) && reader.next == reader.end;
}

static void
take_data (cursor_t *self, record_t *record)
{
    take_mark (self, BYTE_BIN32);
    record->size = (uint32_t) take_number (self, 4);
    record->data = take (self, record->size);
    if (record->data && !is_map (record->data, record->size))
        self->result = RECORDING_BROKEN;
}

recording_result_t
recording_begin (recording_t *self, const void *bytes, size_t size)
{
    *self = (recording_t) { .bytes = bytes, .size = size, .next = RECORDING_HEADER };
    size_t here = size < RECORDING_HEADER ? size : RECORDING_HEADER;
    if (here > 0 && memcmp (bytes, header_bytes, here) != 0)
        return RECORDING_BROKEN;
    return here < RECORDING_HEADER ? RECORDING_CUT : RECORDING_RECORD;
}

recording_result_t
recording_next (recording_t *self, record_t *record)
{
    cursor_t cursor = { .next = self->bytes + self->next, .left = self->size - self->next };
    if (cursor.left == 0)
        return RECORDING_END;
    cursor.result = RECORDING_RECORD;
    take_mark (&cursor, BYTE_RECORD);
    take_mark (&cursor, BYTE_UINT64);
    record->time = take_number (&cursor, 8);
    if (cursor.result == RECORDING_RECORD && record->time < self->time)
        cursor.result = RECORDING_BROKEN;
    take_name (&cursor, record->source);
    take_name (&cursor, record->cmd);
    take_data (&cursor, record);
    if (cursor.result != RECORDING_RECORD)
        return cursor.result;
    self->next = self->size - cursor.left;
    self->time = record->time;
    return RECORDING_RECORD;
}
