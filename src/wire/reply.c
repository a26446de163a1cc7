/*  reply.c - answering a message by a picture or with what a writer holds

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/message.h>

#include <stdarg.h>

#include "model/message.h"
#include "wire/picture.h"
#include "wire/writer.h"

muster_error_t
muster_message_reply_writer (const muster_message_t *self, const char *cmd, muster_writer_t *data)
{
    if (!self || !cmd || !data)
        return MUSTER_INVAL;
    packed_t packed;
    muster_error_t error = writer_packed (data, &packed);
    if (!error)
        error = message_reply (self, cmd, &packed);
    if (!error)
        writer_sent (data);
    return error;
}

muster_error_t
muster_message_reply (const muster_message_t *self, const char *cmd, const char *picture, ...)
{
    if (!self || !cmd)
        return MUSTER_INVAL;
    va_list arguments;
    va_start (arguments, picture);
    muster_writer_t *writer;
    muster_error_t error = picture_pack_new (&writer, picture, arguments);
    va_end (arguments);
    if (!error)
        error = muster_message_reply_writer (self, cmd, writer);
    muster_writer_destroy (&writer);
    return error;
}
