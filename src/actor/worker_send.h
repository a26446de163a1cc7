/*  worker_send.h - a worker's messages: checked, written, and accepted into its outbox

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    What is sent without an answer to anything is in the public header.
*/
#ifndef ACTOR_WORKER_SEND_H_INCLUDED
#define ACTOR_WORKER_SEND_H_INCLUDED

#include "model/message.h"

/*  A message_origin_t's reply, for commands whose context is a worker's inbox. Without the
    worker's lock; the data stays the caller's. Errors as muster_worker_send_raw. */
muster_error_t worker_reply (const muster_message_t *message, const char *cmd, const packed_t *data);

#endif
