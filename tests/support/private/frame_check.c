/*  frame_check.c - what must hold of any bytes that are read as a frame

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "frame_check.h"

#include <string.h>

#include "wire/frame.h"
#include "wire/scan.h"

#define POSITION_END (UINT64_MAX / 2)

static bool
is_name (const char *text, bool empty_too)
{
    const char *end = memchr (text, 0, MUSTER_NAME_MAX + 1);
    return end && ((empty_too && end == text) || scan_name (text, (size_t) (end - text)));
}

static const char *
fault_of_place (const frame_t *frame, const uint8_t *bytes, size_t size, const uint8_t *body, size_t body_size)
{
    size_t header = frame_header_size (frame->kind);
    if (size < header || body != bytes + header || body_size != size - header)
        return "the body is not what follows the header";
    if (frame->kind == FRAME_DATA)
        return frame->data.first > 0 && frame->data.first < POSITION_END && frame->data.count > 0
            ? NULL : "a place that no run has";
    const frame_chunk_t *chunk = &frame->chunk;
    if (chunk->position == 0 || chunk->position >= POSITION_END || chunk->total > UINT32_MAX)
        return "a place that no message has";
    if (chunk->total == 0)
        return chunk->offset == 0 && body_size == 0 ? NULL : "a piece of a message that is withdrawn";
    return chunk->offset < chunk->total && body_size > 0 && body_size <= chunk->total - chunk->offset
        ? NULL : "a place that no piece has";
}

static bool
hello_is_sane (const frame_hello_t *hello)
{
    return is_name (hello->source, false) && hello->handled_commands <= hello->received_commands
        && hello->handled.messages < POSITION_END && hello->handled.bytes < POSITION_END;
}

static bool
control_is_sane (const frame_t *frame)
{
    switch (frame->kind) {
        case FRAME_HELLO:
            return hello_is_sane (&frame->hello);
        case FRAME_WELCOME:
            return is_name (frame->welcome.source, false)
                && frame->welcome.handled.messages <= frame->welcome.received.messages;
        case FRAME_POSITIONS:
            return frame->positions.refused <= frame->positions.handled
                && frame->positions.handled <= frame->positions.received;
        case FRAME_WANT:
            return frame->want.need <= frame->want.want;
        case FRAME_GOODBYE:
            return true;
        case FRAME_END:
            return frame->end.error < END_ERRORS && is_name (frame->end.text, true);
        case FRAME_OBSERVE:
            return frame->observe.version > 0;
        case FRAME_REPORT:
            return frame->report.size > 0 && frame->report.size <= REPORT_MOST;
        default:
            return false;
    }
}

/*  A frame that is written reads as itself: written again it has the same bytes. */
static const char *
fault_of_round_trip (const frame_t *frame)
{
    const void *once, *twice;
    size_t once_size, twice_size, body_size;
    const uint8_t *body;
    uint8_t version;
    frame_t again;
    const char *fault = "what was read cannot be written";
    muster_writer_t *first = muster_writer_new ();
    muster_writer_t *second = muster_writer_new ();
    if (first && second) {
        frame_write (frame, first);
        if (muster_writer_bytes (first, &once, &once_size) == MUSTER_OK
            && frame_read (once, once_size, &again, &body, &body_size, &version) == MUSTER_REFUSAL_NONE) {
            frame_write (&again, second);
            bool same = muster_writer_bytes (second, &twice, &twice_size) == MUSTER_OK
                && once_size == twice_size && memcmp (once, twice, once_size) == 0;
            fault = same ? NULL : "what was written reads as another frame";
        }
    }
    muster_writer_destroy (&first);
    muster_writer_destroy (&second);
    return fault;
}

const char *
frame_fault (const uint8_t *bytes, size_t size)
{
    frame_t frame;
    const uint8_t *body;
    size_t body_size;
    uint8_t version;
    muster_refusal_t refusal = frame_read (bytes, size, &frame, &body, &body_size, &version);
    if (refusal)
        return refusal == MUSTER_REFUSAL_HEADER || refusal == MUSTER_REFUSAL_CONTROL
            ? NULL : "refused for a reason that is not a frame's";
    if (!frame_is_session (bytes, size))
        return "a frame without its header";
    if (version != PROTOCOL_VERSION)
        return frame.kind == FRAME_HELLO ? NULL : "a frame of another version";
    if (frame.kind == FRAME_DATA || frame.kind == FRAME_CHUNK)
        return fault_of_place (&frame, bytes, size, body, body_size);
    return control_is_sane (&frame) ? fault_of_round_trip (&frame) : "a control frame that cannot be";
}
