/*  picture.h - packing arguments by a picture

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef WIRE_PICTURE_H_INCLUDED
#define WIRE_PICTURE_H_INCLUDED

#include <stdarg.h>

#include <muster/data.h>

/*  Append what picture (include/muster/message.h) says, which must be one map
    as a whole; NULL appends {}. Errors: MUSTER_INVAL for a bad picture, a NULL
    string or text that is not UTF-8, else the writer's. */
muster_error_t picture_pack (muster_writer_t *writer, const char *picture, va_list arguments);

/*  The same into a new writer, which the caller destroys whatever comes of it.
    Also MUSTER_NOMEM. */
muster_error_t picture_pack_new (muster_writer_t **writer, const char *picture, va_list arguments);

#endif
