/*  writer.h - the inside of a writer

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef WIRE_WRITER_H_INCLUDED
#define WIRE_WRITER_H_INCLUDED

#include <stddef.h>

#include <muster/data.h>

/*  Bytes written so far, and going back to so many. */
size_t writer_mark (const muster_writer_t *self);
void writer_rewind (muster_writer_t *self, size_t mark);

/*  The error that sticks, or MUSTER_OK. */
muster_error_t writer_error (const muster_writer_t *self);

#endif
