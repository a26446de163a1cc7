/*  reply.c - answering a message by a picture

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/message.h>

#include <stdarg.h>

#include "wire/picture.h"

muster_error_t
muster_message_reply (const muster_message_t *self, const char *cmd, const char *picture, ...)
{
    if (!self || !cmd)
        return MUSTER_INVAL;
    va_list arguments;
    va_start (arguments, picture);
    muster_writer_t *writer;
    const void *bytes;
    size_t size;
    muster_error_t error = picture_pack_new (&writer, &bytes, &size, picture, arguments);
    va_end (arguments);
    if (!error)
        error = muster_message_reply_raw (self, cmd, bytes, size);
    muster_writer_destroy (&writer);
    return error;
}
