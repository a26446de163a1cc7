/*  command.h - commands from a listener to its workers

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef ACTOR_COMMAND_H_INCLUDED
#define ACTOR_COMMAND_H_INCLUDED

#include <stdarg.h>

#include <muster/data.h>

#include "actor/listener.h"

typedef struct {
    const char *cmd;
    packed_t data;                  /* a map */
    uint8_t kind;                   /* MESSAGE_KIND_ */
    uint64_t position;              /* a reply: of the message it answers */
    const char *reply_to_session;   /* a reply: only to this session */
} command_t;

/*  Pack data by a picture into *writer, which the caller destroys whatever comes of it. */
muster_error_t command_pack (command_t *self, muster_writer_t **writer, const char *picture, va_list arguments);

/*  Is it a command that may be sent? Errors: MUSTER_INVAL, MUSTER_FORMAT, MUSTER_TOOBIG, MUSTER_NOMEM. */
muster_error_t command_check (const command_t *self, muster_listener_t *listener);

/*  The whole message, for several workers to share; the caller releases its blob. */
muster_error_t command_encode (const command_t *self, blob_part_t *message);

/*  As muster_listener_send_raw and muster_listener_broadcast_raw; if data is in a
    writer, as muster_listener_send_writer and muster_listener_broadcast_writer. */
muster_error_t command_send (muster_listener_t *listener, const char *source, const command_t *self);
muster_error_t command_broadcast (muster_listener_t *listener, char ***sources, size_t *sent, const command_t *self);

#endif
