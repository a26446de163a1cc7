/*  writer.h - the inside of a writer

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef WIRE_WRITER_H_INCLUDED
#define WIRE_WRITER_H_INCLUDED

#include <stddef.h>

#include <muster/data.h>

#include "model/blob.h"
#include "model/message.h"
#include "model/protocol.h"

/*  Room around what lies in a writer's blob: for the header of a frame and the
    beginning of a message, and for its end. */
#define WRITER_BEFORE (FRAME_HEADER_ROOM + 3 + MUSTER_NAME_MAX)
#define WRITER_AFTER 16

/*  Bytes written so far, and going back to so many. */
size_t writer_mark (const muster_writer_t *self);
void writer_rewind (muster_writer_t *self, size_t mark);

/*  The error that sticks, or MUSTER_OK. */
muster_error_t writer_error (const muster_writer_t *self);

/*  All that was written, with the blob it lies in, which stays the writer's, if it is
    worth having another owner: large, and most of the blob. Errors: the one that sticks. */
muster_error_t writer_part (const muster_writer_t *self, blob_part_t *part);

/*  The same as data of a message. */
muster_error_t writer_packed (muster_writer_t *self, packed_t *data);

/*  What was written is sent: the writer is empty. A blob worth having has other
    owners now and is left to them. */
void writer_sent (muster_writer_t *self);

#endif
