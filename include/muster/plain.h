/*  plain.h - a plain producer: messages out, without a session

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    A ZeroMQ PUSH socket that packs [source, cmd, data] as any other language
    does (protocol, section "Messages"), and says when all has left the process.

    Caveats
    - No session, so nobody confirms: what is on its way when the connection
      breaks may be lost, and what the listener refuses is. A worker (worker.h)
      loses nothing.
    - A listener with keys drops the messages of a source that the producer's key may
      not use. It counts them and tells its system handler; the producer cannot know.
    - One thread at a time may use a plain producer.
    - It belongs to the process that made it. In a forked child every function
      returns MUSTER_FORKED, and destroy only frees memory.
*/
#ifndef MUSTER_PLAIN_H_INCLUDED
#define MUSTER_PLAIN_H_INCLUDED

#include <stddef.h>

#include "error.h"

/*  A plain producer. */
typedef struct _muster_plain_t muster_plain_t;

MUSTER_BEGIN_DECLS

/*  A new plain producer for the listener at endpoint, tcp or ipc. NULL when out
    of memory; a bad endpoint is reported by start. The caller owns it. */
MUSTER_EXPORT muster_plain_t *muster_plain_new (const char *endpoint) MUSTER_CHECK_RESULT;

/*  Destroy a plain producer. What has not left the process is given up at once:
    call muster_plain_close before. Errors: MUSTER_FORKED in a forked child,
    *self_p is freed there. */
MUSTER_EXPORT muster_error_t muster_plain_destroy (muster_plain_t **self_p);

/*  How long send waits while the connection takes nothing, in seconds. Holds
    from start. Unless set: 30. */
MUSTER_EXPORT void muster_plain_set_no_progress (muster_plain_t *self, double seconds);

/*  The producer's key (NAME.key, a file that muster_keys_generate or the command made,
    readable by its owner alone) and the listener's public key (its NAME.pub). With both,
    the connection is encrypted, and none is made to a listener with another key or without
    one. The listener has to have the producer's NAME.pub enrolled for its sources. Hold
    from start, which reads the files. Unless set: NULL, none. */
MUSTER_EXPORT void muster_plain_set_key (muster_plain_t *self, const char *file);
MUSTER_EXPORT void muster_plain_set_server (muster_plain_t *self, const char *file);

/*  Begin to connect; does not wait for the listener: some messages may be sent
    at once and are kept. Errors: MUSTER_ENDPOINT, MUSTER_INVAL; MUSTER_NOTFOUND,
    MUSTER_ACCESS, MUSTER_FORMAT or MUSTER_SYSTEM for the files of keys;
    MUSTER_RESOURCE, MUSTER_NOMEM, MUSTER_BUSY if started before, MUSTER_FORKED.
    muster_plain_reason says more. */
MUSTER_EXPORT muster_error_t muster_plain_start (muster_plain_t *self);

/*  Why start failed or the producer was refused, in a sentence; "" otherwise.
    Belongs to the producer. */
MUSTER_EXPORT const char *muster_plain_reason (const muster_plain_t *self);

/*  Heed what has become of the connection, as send and close do: for a producer that
    sends seldom. Never waits. Errors: MUSTER_ACCESS once the listener has refused the
    connection (it does not admit the key, it has another key than server gives, or only
    one of the two has keys), MUSTER_ENDPOINT if what listens there is no ZeroMQ; messages
    that had not left by then are lost, and it does not connect again. muster_plain_reason
    says more. MUSTER_CLOSED, MUSTER_FORKED. */
MUSTER_EXPORT muster_error_t muster_plain_check (muster_plain_t *self);

/*  Wait until there is a connection: 0 while there is one. Nothing needs this. Errors:
    MUSTER_TIMEOUT, MUSTER_ACCESS and MUSTER_ENDPOINT as muster_plain_check has them,
    MUSTER_CLOSED, MUSTER_FORKED. */
MUSTER_EXPORT muster_error_t muster_plain_wait_for_listener (muster_plain_t *self, int timeout_ms);

/*  Send a message in the name of source; picture packs data's map (message.h),
    NULL stands for {}. Errors: MUSTER_TIMEOUT after no-progress, MUSTER_INVAL for
    a bad source, cmd or picture, MUSTER_NOMEM, MUSTER_TOOBIG, MUSTER_ACCESS and
    MUSTER_ENDPOINT as muster_plain_check has them, MUSTER_CLOSED, MUSTER_FORKED. */
MUSTER_EXPORT muster_error_t muster_plain_send (
    muster_plain_t *self, const char *source, const char *cmd, const char *picture, ...);
/*  The same with a map that is packed already; bytes are copied. Also
    MUSTER_FORMAT if they break a rule of the format. */
MUSTER_EXPORT muster_error_t muster_plain_send_raw (
    muster_plain_t *self, const char *source, const char *cmd, const void *bytes, size_t size);

/*  Hand all that was sent to the connection, then end it. Waits at most
    timeout_ms, -1 for ever; what has not gone then is given up. Harmless when
    closed or not started. Errors: MUSTER_TIMEOUT if something has not gone,
    MUSTER_LOST if a connection broke before it had taken all, MUSTER_ACCESS and
    MUSTER_ENDPOINT as muster_plain_check has them, MUSTER_FORKED. */
MUSTER_EXPORT muster_error_t muster_plain_close (muster_plain_t *self, int timeout_ms);

MUSTER_END_DECLS

#endif
