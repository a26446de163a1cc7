/*  frame.c - a session's frames as bytes

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "wire/frame.h"

#include <string.h>

#include "base/bytes.h"
#include "wire/scan.h"

/*  ext 8: marker, length, type; then version, kind, epoch, session. */
#define PREFIX 3
#define COMMON (1 + 1 + 4 + sizeof (session_id_t))
#define DATA_FIELDS (8 + 4)
#define CHUNK_FIELDS (8 + 8 + 8)
#define EXT8 0xc7

/*  Elements of POSITIONS, without a stamp and with it. */
#define POSITIONS_LEAST 5
#define POSITIONS_STAMPED 7

bool
frame_is_session (const uint8_t *bytes, size_t size)
{
    return size >= PREFIX && bytes [0] == EXT8 && bytes [2] == FRAME_EXT;
}

static size_t
field_bytes (frame_kind_t kind)
{
    switch (kind) {
        case FRAME_DATA: return DATA_FIELDS;
        case FRAME_CHUNK: return CHUNK_FIELDS;
        default: return 0;
    }
}

size_t
frame_header_size (frame_kind_t kind)
{
    return PREFIX + COMMON + field_bytes (kind);
}

/*  --------------------------------------------------------------------------
    Writing */

void
frame_write_header (const frame_t *frame, uint8_t *at)
{
    at [0] = EXT8;
    at [1] = (uint8_t) (COMMON + field_bytes (frame->kind));
    at [2] = FRAME_EXT;
    at [3] = PROTOCOL_VERSION;
    at [4] = (uint8_t) frame->kind;
    bytes_put32 (at + 5, frame->epoch);
    memcpy (at + 9, frame->session.bytes, sizeof frame->session.bytes);
    at += PREFIX + COMMON;
    if (frame->kind == FRAME_DATA) {
        bytes_put64 (at, frame->data.first);
        bytes_put32 (at + 8, frame->data.count);
    }
    else
    if (frame->kind == FRAME_CHUNK) {
        bytes_put64 (at, frame->chunk.position);
        bytes_put64 (at + 8, frame->chunk.total);
        bytes_put64 (at + 16, frame->chunk.offset);
    }
}

void
frame_write_question (uint32_t epoch, uint8_t *at)
{
    frame_t frame = { .kind = FRAME_HELLO, .epoch = epoch };
    frame_write_header (&frame, at);
    at [3] = PROTOCOL_QUESTION;
}

static void
write_text (muster_writer_t *writer, const char *text)
{
    muster_writer_str (writer, text, strlen (text));
}

static void
write_id (muster_writer_t *writer, const session_id_t *id)
{
    muster_writer_bin (writer, id->bytes, sizeof id->bytes);
}

static void
write_numbers (muster_writer_t *writer, const uint64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        muster_writer_uint (writer, numbers [i]);
}

static void
write_hello (const frame_hello_t *hello, muster_writer_t *writer)
{
    muster_writer_seq (writer, 8);
    write_text (writer, hello->source);
    muster_writer_bool (writer, hello->fresh);
    write_id (writer, &hello->listener);
    write_numbers (writer, (uint64_t []) {
        hello->stream, hello->handled.messages, hello->handled.bytes,
        hello->received_commands, hello->handled_commands }, 5);
}

static void
write_welcome (const frame_welcome_t *welcome, muster_writer_t *writer)
{
    muster_writer_seq (writer, 10);
    write_text (writer, welcome->source);
    write_id (writer, &welcome->listener);
    write_numbers (writer, (uint64_t []) {
        welcome->stream, welcome->received.messages, welcome->received.bytes,
        welcome->handled.messages, welcome->handled.bytes,
        welcome->credit, welcome->message_limit, welcome->liveness_ms }, 8);
}

static void
write_positions (const frame_positions_t *positions, muster_writer_t *writer)
{
    size_t count = positions->stamped ? POSITIONS_STAMPED : POSITIONS_LEAST;
    muster_writer_seq (writer, count);
    write_numbers (writer, (uint64_t []) {
        positions->received, positions->handled, positions->refused, positions->credit, positions->flags,
        positions->stamp, positions->span_us }, count);
}

static void
write_end (const frame_end_t *end, muster_writer_t *writer)
{
    bool timed = end->error == MUSTER_VERSION && end->time_ms > 0;
    muster_writer_seq (writer, timed ? 3 : 2);
    muster_writer_uint (writer, end->error);
    write_text (writer, end->text);
    if (timed)
        muster_writer_uint (writer, end->time_ms);
}

static void
write_body (const frame_t *frame, muster_writer_t *writer)
{
    switch (frame->kind) {
        case FRAME_HELLO:
            write_hello (&frame->hello, writer);
            break;
        case FRAME_WELCOME:
            write_welcome (&frame->welcome, writer);
            break;
        case FRAME_POSITIONS:
            write_positions (&frame->positions, writer);
            break;
        case FRAME_WANT:
            muster_writer_seq (writer, 4);
            write_numbers (writer, (uint64_t []) {
                frame->want.use, frame->want.need, frame->want.want, frame->want.handled }, 4);
            break;
        case FRAME_GOODBYE:
            muster_writer_seq (writer, 2);
            muster_writer_uint (writer, frame->goodbye.last);
            muster_writer_bool (writer, frame->goodbye.keep);
            break;
        case FRAME_END:
            write_end (&frame->end, writer);
            break;
        case FRAME_OBSERVE:
            muster_writer_seq (writer, 1);
            muster_writer_uint (writer, frame->observe.version);
            break;
        case FRAME_REPORT:
            muster_writer_seq (writer, 1);
            muster_writer_raw (writer, frame->report.map, frame->report.size);
            break;
        default:
            break;
    }
}

void
frame_write (const frame_t *frame, muster_writer_t *writer)
{
    uint8_t header [FRAME_HEADER_ROOM];
    frame_write_header (frame, header);
    muster_writer_raw (writer, header, frame_header_size (frame->kind));
    write_body (frame, writer);
}

/*  --------------------------------------------------------------------------
    Reading. Each read_ function gives false for bytes that are not what the
    protocol says; elements past those known are for later versions. */

static bool
read_uint (muster_reader_t *reader, uint64_t *number)
{
    muster_value_t value;
    if (muster_reader_next (reader, &value) || value.type != MUSTER_VALUE_UINT)
        return false;
    *number = value.u;
    return true;
}

static bool
read_uint32 (muster_reader_t *reader, uint32_t *number)
{
    uint64_t wide;
    if (!read_uint (reader, &wide) || wide > UINT32_MAX)
        return false;
    *number = (uint32_t) wide;
    return true;
}

static bool
read_bool (muster_reader_t *reader, bool *flag)
{
    muster_value_t value;
    if (muster_reader_next (reader, &value) || value.type != MUSTER_VALUE_BOOL)
        return false;
    *flag = value.boolean;
    return true;
}

static bool
read_text (muster_reader_t *reader, char *text, bool empty_too)
{
    muster_value_t value;
    if (muster_reader_next (reader, &value) || value.type != MUSTER_VALUE_STR)
        return false;
    if (!scan_name (value.bytes, value.size) && !(empty_too && value.size == 0))
        return false;
    memcpy (text, value.bytes, value.size);
    text [value.size] = 0;
    return true;
}

static bool
read_id (muster_reader_t *reader, session_id_t *id)
{
    muster_value_t value;
    if (muster_reader_next (reader, &value) || value.type != MUSTER_VALUE_BIN || value.size != sizeof id->bytes)
        return false;
    memcpy (id->bytes, value.bytes, sizeof id->bytes);
    return true;
}

static bool
read_hello (muster_reader_t *reader, frame_hello_t *hello)
{
    return read_text (reader, hello->source, false)
        && read_bool (reader, &hello->fresh)
        && read_id (reader, &hello->listener)
        && read_uint32 (reader, &hello->stream)
        && read_uint (reader, &hello->handled.messages)
        && read_uint (reader, &hello->handled.bytes)
        && read_uint (reader, &hello->received_commands)
        && read_uint (reader, &hello->handled_commands)
        && hello->handled_commands <= hello->received_commands
        && hello->handled.messages < UINT64_MAX / 2 && hello->handled.bytes < UINT64_MAX / 2;
}

static bool
read_welcome (muster_reader_t *reader, frame_welcome_t *welcome)
{
    return read_text (reader, welcome->source, false)
        && read_id (reader, &welcome->listener)
        && read_uint32 (reader, &welcome->stream)
        && read_uint (reader, &welcome->received.messages)
        && read_uint (reader, &welcome->received.bytes)
        && read_uint (reader, &welcome->handled.messages)
        && read_uint (reader, &welcome->handled.bytes)
        && read_uint (reader, &welcome->credit)
        && read_uint (reader, &welcome->message_limit)
        && read_uint32 (reader, &welcome->liveness_ms)
        && welcome->message_limit > 0
        && welcome->handled.messages <= welcome->received.messages;
}

static bool
read_positions (muster_reader_t *reader, uint32_t count, frame_positions_t *positions)
{
    uint64_t flags;
    positions->stamped = count >= POSITIONS_STAMPED;
    if (!read_uint (reader, &positions->received)
        || !read_uint (reader, &positions->handled)
        || !read_uint (reader, &positions->refused)
        || !read_uint (reader, &positions->credit)
        || !read_uint (reader, &flags)
        || (positions->stamped && !(read_uint (reader, &positions->stamp) && read_uint (reader, &positions->span_us)))
        || positions->handled > positions->received
        || positions->refused > positions->handled)
        return false;
    positions->flags = (uint8_t) flags;
    return true;
}

/*  What is no time in the place of one is for later versions. */
static bool
read_end (muster_reader_t *reader, uint32_t count, frame_end_t *end)
{
    muster_value_t time;
    end->time_ms = 0;
    if (!read_uint32 (reader, &end->error) || end->error >= END_ERRORS || !read_text (reader, end->text, true))
        return false;
    if (end->error != MUSTER_VERSION || count < 3)
        return true;
    if (muster_reader_next (reader, &time))
        return false;
    if (time.type == MUSTER_VALUE_UINT)
        end->time_ms = time.u;
    return true;
}

/*  The map has to keep the rules of a message's data (docs/protocol.md, "Data"). */
static bool
read_report (muster_reader_t *reader, frame_report_t *report)
{
    report->map = reader->next;
    if (muster_reader_skip (reader))
        return false;
    report->size = (size_t) (reader->next - report->map);
    scan_limits_t limits = { .depth = MUSTER_DEPTH_MAX, .message_size = REPORT_MOST };
    return scan_data (report->map, report->size, &limits) == MUSTER_REFUSAL_NONE;
}

static bool
read_body (muster_reader_t *reader, frame_t *frame)
{
    static const uint32_t elements [] = {
        [FRAME_HELLO] = 8, [FRAME_WELCOME] = 10, [FRAME_POSITIONS] = POSITIONS_LEAST,
        [FRAME_WANT] = 4, [FRAME_GOODBYE] = 2, [FRAME_END] = 2,
        [FRAME_OBSERVE] = 1, [FRAME_REPORT] = 1 };
    muster_value_t array;
    if (muster_reader_next (reader, &array) || array.type != MUSTER_VALUE_ARRAY
        || array.count < elements [frame->kind])
        return false;
    switch (frame->kind) {
        case FRAME_HELLO:
            return read_hello (reader, &frame->hello);
        case FRAME_WELCOME:
            return read_welcome (reader, &frame->welcome);
        case FRAME_POSITIONS:
            return read_positions (reader, array.count, &frame->positions);
        case FRAME_WANT:
            return read_uint (reader, &frame->want.use)
                && read_uint (reader, &frame->want.need)
                && read_uint (reader, &frame->want.want)
                && read_uint (reader, &frame->want.handled)
                && frame->want.need <= frame->want.want;
        case FRAME_GOODBYE:
            return read_uint (reader, &frame->goodbye.last)
                && read_bool (reader, &frame->goodbye.keep);
        case FRAME_END:
            return read_end (reader, array.count, &frame->end);
        case FRAME_OBSERVE:
            return read_uint32 (reader, &frame->observe.version) && frame->observe.version > 0;
        case FRAME_REPORT:
            return read_report (reader, &frame->report);
        default:
            return false;
    }
}

static muster_refusal_t
read_control (frame_t *frame, const uint8_t *body, size_t size)
{
    muster_reader_t reader;
    muster_reader_init (&reader, body, size);
    return read_body (&reader, frame) ? MUSTER_REFUSAL_NONE : MUSTER_REFUSAL_CONTROL;
}

/*  Positions count messages from 1; sums with them must not overflow. */
static muster_refusal_t
read_place (frame_t *frame, const uint8_t *at, size_t body_size)
{
    if (frame->kind == FRAME_DATA) {
        frame->data.first = bytes_get64 (at);
        frame->data.count = bytes_get32 (at + 8);
        return frame->data.first > 0 && frame->data.first < UINT64_MAX / 2 && frame->data.count > 0
            ? MUSTER_REFUSAL_NONE : MUSTER_REFUSAL_HEADER;
    }
    frame->chunk.position = bytes_get64 (at);
    frame->chunk.total = bytes_get64 (at + 8);
    frame->chunk.offset = bytes_get64 (at + 16);
    return frame->chunk.position > 0 && frame->chunk.position < UINT64_MAX / 2
        && frame->chunk.total <= UINT32_MAX
        && frame->chunk.offset <= frame->chunk.total
        && (body_size > 0 || frame->chunk.total == 0)
        && body_size <= frame->chunk.total - frame->chunk.offset
        ? MUSTER_REFUSAL_NONE : MUSTER_REFUSAL_HEADER;
}

muster_refusal_t
frame_read (
    const uint8_t *bytes, size_t size, frame_t *frame, const uint8_t **body, size_t *body_size, uint8_t *version)
{
    if (!frame_is_session (bytes, size) || size < PREFIX + COMMON || size < PREFIX + (size_t) bytes [1]
        || bytes [1] < COMMON)
        return MUSTER_REFUSAL_HEADER;

    *version = bytes [3];
    frame->kind = bytes [4];
    frame->epoch = bytes_get32 (bytes + 5);
    memcpy (frame->session.bytes, bytes + 9, sizeof frame->session.bytes);
    if (*version != PROTOCOL_VERSION)
        return frame->kind == FRAME_HELLO ? MUSTER_REFUSAL_NONE : MUSTER_REFUSAL_HEADER;

    size_t header = frame_header_size (frame->kind);
    if (bytes [1] != header - PREFIX || size < header)
        return MUSTER_REFUSAL_HEADER;
    *body = bytes + header;
    *body_size = size - header;
    switch (frame->kind) {
        case FRAME_DATA:
        case FRAME_CHUNK:
            return read_place (frame, bytes + PREFIX + COMMON, *body_size);
        case FRAME_HELLO:
        case FRAME_WELCOME:
        case FRAME_POSITIONS:
        case FRAME_WANT:
        case FRAME_GOODBYE:
        case FRAME_END:
        case FRAME_OBSERVE:
        case FRAME_REPORT:
            return read_control (frame, *body, *body_size);
        default:
            return MUSTER_REFUSAL_HEADER;
    }
}
