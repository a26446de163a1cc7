/*  encode.c - packing whole messages

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "wire/encode.h"

#include <string.h>

#include "wire/scan.h"

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

void
encode_session (muster_writer_t *writer, const char *cmd, const void *data, size_t size,
    uint8_t kind, uint32_t stream, uint64_t position)
{
    bool is_reply = kind & MESSAGE_KIND_REPLY;
    muster_writer_seq (writer, is_reply ? 5 : kind ? 3 : 2);
    write_text (writer, cmd);
    muster_writer_raw (writer, data, size);
    if (kind)
        muster_writer_uint (writer, kind);
    if (is_reply) {
        muster_writer_uint (writer, stream);
        muster_writer_uint (writer, position);
    }
}
