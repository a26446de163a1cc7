/*  ask.h - a round: a command to several workers, and their replies

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Only replies to that very command belong to an ask. It ends when all have
    replied, when at_least have and grace has passed, when nobody is left who
    could still reply, or at the timeout. What comes later goes to its
    source's handler, marked late. A worker that is lost and returns in time
    may still reply. One thread at a time may use an ask.
*/
#ifndef MUSTER_ASK_H_INCLUDED
#define MUSTER_ASK_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include "data.h"
#include "error.h"
#include "listener.h"
#include "message.h"

/*  A round. */
typedef struct _muster_ask_t muster_ask_t;

MUSTER_BEGIN_DECLS

/*  A new round of listener, to be sent by muster_ask_send. NULL when out of
    memory. The caller owns it and destroys it before the listener. */
MUSTER_EXPORT muster_ask_t *muster_ask_new (muster_listener_t *listener) MUSTER_CHECK_RESULT;

/*  End the round and destroy it. Replies not taken yet count as late. */
MUSTER_EXPORT void muster_ask_destroy (muster_ask_t **self_p);

/*  Ask these workers; unless set, all that are here. The names are copied; one that
    comes twice counts once. A worker that is not here is missing, MUSTER_NOTFOUND.
    Errors: MUSTER_INVAL for a name that no worker can have, MUSTER_NOMEM. */
MUSTER_EXPORT muster_error_t muster_ask_set_workers (muster_ask_t *self, const char *const *sources, size_t count);
/*  Replies that suffice. Unless set: all. */
MUSTER_EXPORT void muster_ask_set_at_least (muster_ask_t *self, size_t replies);
/*  The same as a fraction of those asked, 0 to 1, rounded up. */
MUSTER_EXPORT void muster_ask_set_at_least_fraction (muster_ask_t *self, double fraction);
/*  Seconds to wait for more once at_least have replied. Unless set: 0. */
MUSTER_EXPORT void muster_ask_set_grace (muster_ask_t *self, double seconds);
/*  Seconds after which the round ends. Unless set: 60; less than 0: never. */
MUSTER_EXPORT void muster_ask_set_timeout (muster_ask_t *self, double seconds);

/*  Send the command; picture as in message.h. The round has begun before the
    first command goes out. Errors: MUSTER_CLOSED, MUSTER_TOOBIG, MUSTER_INVAL,
    MUSTER_NOMEM, MUSTER_BUSY if it was sent before, MUSTER_FORKED. */
MUSTER_EXPORT muster_error_t muster_ask_send (muster_ask_t *self, const char *cmd, const char *picture, ...);
/*  The same with a map that is packed already; bytes are copied once for all. */
MUSTER_EXPORT muster_error_t muster_ask_send_raw (muster_ask_t *self, const char *cmd, const void *bytes, size_t size);
/*  The same with the map that data holds, whose own error is returned too. Once it
    is sent data is empty, and what was large was not copied: all workers share its
    memory. After an error data is as it was and may be sent again. */
MUSTER_EXPORT muster_error_t muster_ask_send_writer (muster_ask_t *self, const char *cmd, muster_writer_t *data);

/*  Wait for the next reply; give it back with muster_message_done. Errors:
    MUSTER_END when the round is over and all replies were taken, MUSTER_CLOSED
    if the listener stopped, MUSTER_INTERRUPTED, MUSTER_FORKED. */
MUSTER_EXPORT muster_error_t muster_ask_next (muster_ask_t *self, muster_message_t **reply);
/*  The same, no longer than timeout_ms; MUSTER_TIMEOUT while the round goes on. */
MUSTER_EXPORT muster_error_t muster_ask_next_within (muster_ask_t *self, muster_message_t **reply, int timeout_ms);

/*  How many workers were asked. */
MUSTER_EXPORT size_t muster_ask_asked (const muster_ask_t *self);
/*  How many have replied so far. */
MUSTER_EXPORT size_t muster_ask_replied (const muster_ask_t *self);

/*  Who has not replied and why. index counts from 0; source belongs to the
    ask. why: MUSTER_NOTFOUND, MUSTER_LEFT, MUSTER_LOST, MUSTER_REPLACED,
    MUSTER_REVOKED, MUSTER_REJECTED, MUSTER_AGAIN (its command buffer was full)
    or MUSTER_LATE. Errors: MUSTER_END past the last. */
MUSTER_EXPORT muster_error_t muster_ask_missing (
    const muster_ask_t *self, size_t index, const char **source, muster_error_t *why);

MUSTER_END_DECLS

#endif
