/*  frame.h - a session's frames as bytes

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    A frame begins with a msgpack ext value of type FRAME_EXT: protocol
    version, kind, epoch, session and, for data and chunks, where the body
    belongs. A control frame's body is one msgpack array.
*/
#ifndef WIRE_FRAME_H_INCLUDED
#define WIRE_FRAME_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include <muster/data.h>
#include <muster/stats.h>

#include "model/protocol.h"

#define FRAME_EXT 0x4d

/*  Does this frame come from a session, or is it a plain producer's? */
bool frame_is_session (const uint8_t *bytes, size_t size);

/*  Read a frame; for data and chunks body is what follows the header. Returns
    MUSTER_REFUSAL_NONE, HEADER or CONTROL. A frame of another protocol version
    is HEADER, but for a HELLO; *version is set, so that it can be told, whenever the header is whole. */
muster_refusal_t frame_read (
    const uint8_t *bytes, size_t size, frame_t *frame, const uint8_t **body, size_t *body_size, uint8_t *version);

/*  Bytes of the header of a data or chunk frame. */
size_t frame_header_size (frame_kind_t kind);

/*  Write the header of a data or chunk frame to at (frame_header_size bytes). */
void frame_write_header (const frame_t *frame, uint8_t *at);

/*  Write a HELLO of version 0 that has this epoch, whose body is what follows and nobody
    reads, to at (frame_header_size (FRAME_HELLO) bytes). */
void frame_write_question (uint32_t epoch, uint8_t *at);

/*  Append a control frame. */
void frame_write (const frame_t *frame, muster_writer_t *writer);

#endif
