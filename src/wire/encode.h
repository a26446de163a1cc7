/*  encode.h - packing whole messages

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef WIRE_ENCODE_H_INCLUDED
#define WIRE_ENCODE_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include <muster/data.h>

#include "model/blob.h"

/*  Append [source, cmd, data], data being a packed map. */
void encode_plain (muster_writer_t *writer, const char *source, const char *cmd, const void *data, size_t size);

/*  Append [cmd, data], or the longer form if kind is not 0 (see scan.h);
    stream and position count only with MESSAGE_KIND_REPLY. */
void encode_session (muster_writer_t *writer, const char *cmd, const void *data, size_t size,
    uint8_t kind, uint32_t stream, uint64_t position);

/*  The same for kind 0, in memory that is the caller's: the size it takes, and writing it there. */
size_t encode_size (size_t cmd_size, size_t size);
void encode_at (uint8_t *at, const char *cmd, size_t cmd_size, const void *data, size_t size);

/*  Make a session's message of packed data that lies in a writer's blob (writer_part):
    written around it, so that part is the message. Errors: MUSTER_NOMEM. */
muster_error_t encode_session_around (
    blob_part_t *part, const char *cmd, uint8_t kind, uint32_t stream, uint64_t position);

#endif
