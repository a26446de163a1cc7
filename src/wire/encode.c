/*  encode.c - packing whole messages

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "wire/encode.h"

#include <string.h>

#include "wire/scan.h"
#include "wire/writer.h"

static void
write_text (muster_writer_t *writer, const char *text)
{
    muster_writer_str (writer, text, strlen (text));
}

void
encode_plain (muster_writer_t *writer, const char *source, const char *cmd, const void *data, size_t size)
{
    muster_writer_seq (writer, 3);
    write_text (writer, source);
    write_text (writer, cmd);
    muster_writer_raw (writer, data, size);
}

static void
write_beginning (muster_writer_t *writer, const char *cmd, uint8_t kind)
{
    muster_writer_seq (writer, kind & MESSAGE_KIND_REPLY ? 5 : kind ? 3 : 2);
    write_text (writer, cmd);
}

static void
write_end (muster_writer_t *writer, uint8_t kind, uint32_t stream, uint64_t position)
{
    if (kind)
        muster_writer_uint (writer, kind);
    if (kind & MESSAGE_KIND_REPLY) {
        muster_writer_uint (writer, stream);
        muster_writer_uint (writer, position);
    }
}

void
encode_session (muster_writer_t *writer, const char *cmd, const void *data, size_t size,
    uint8_t kind, uint32_t stream, uint64_t position)
{
    write_beginning (writer, cmd, kind);
    muster_writer_raw (writer, data, size);
    write_end (writer, kind, stream, position);
}

/*  A str of up to so many bytes has its length in the lead byte. */
#define SHORT_STR 31

size_t
encode_size (size_t cmd_size, size_t size)
{
    return (cmd_size <= SHORT_STR ? 2 : 3) + cmd_size + size;
}

void
encode_at (uint8_t *at, const char *cmd, size_t cmd_size, const void *data, size_t size)
{
    *at++ = 0x92;                                   /* an array of two */
    if (cmd_size > SHORT_STR)
        *at++ = 0xd9;
    *at++ = (uint8_t) (cmd_size <= SHORT_STR ? 0xa0 | cmd_size : cmd_size);
    memcpy (at, cmd, cmd_size);
    memcpy (at + cmd_size, data, size);
}

/*  Append what is in writer to part. */
static muster_error_t
put_behind (blob_part_t *part, const muster_writer_t *writer)
{
    blob_part_t end;
    muster_error_t error = writer_part (writer, &end);
    if (!error && end.size > 0)
        memcpy (part->bytes + part->size, end.bytes, end.size);
    part->size += end.size;
    return error;
}

static muster_error_t
put_before (blob_part_t *part, const muster_writer_t *writer)
{
    blob_part_t beginning;
    muster_error_t error = writer_part (writer, &beginning);
    part->bytes -= beginning.size;
    part->size += beginning.size;
    if (!error)
        memcpy (part->bytes, beginning.bytes, beginning.size);
    return error;
}

muster_error_t
encode_session_around (blob_part_t *part, const char *cmd, uint8_t kind, uint32_t stream, uint64_t position)
{
    muster_writer_t *writer = muster_writer_new ();
    if (!writer)
        return MUSTER_NOMEM;
    write_end (writer, kind, stream, position);
    muster_error_t error = put_behind (part, writer);
    muster_writer_clear (writer);
    write_beginning (writer, cmd, kind);
    if (!error)
        error = put_before (part, writer);
    muster_writer_destroy (&writer);
    return error;
}
