/*  worker.h - the worker's side of one connection: messages out, commands in

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Caveats
    - A worker belongs to the process that made it. In a forked child every
      function returns MUSTER_FORKED, and destroy only frees memory.
    - Functions may be called from any thread unless they say otherwise.
    - Times are in seconds (options) or milliseconds (arguments named
      timeout_ms: -1 waits for ever, 0 does not wait).
    - A call that waits is ended by its host with MUSTER_INTERRUPTED, if the host
      asked for that (interrupt.h).
    - Once the listener has ended the session, every call returns why:
      MUSTER_ACCESS, MUSTER_FULL, MUSTER_REPLACED, MUSTER_REVOKED,
      MUSTER_RESERVED or MUSTER_VERSION. flush and close return 0 all the
      same if everything that was accepted had been handled.
*/
#ifndef MUSTER_WORKER_H_INCLUDED
#define MUSTER_WORKER_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include "data.h"
#include "error.h"
#include "message.h"
#include "progress.h"

/*  A worker. */
typedef struct _muster_worker_t muster_worker_t;

/*  A message that muster_worker_recv gives on its own account, once, when the
    worker finds that another listener has the endpoint, or the same one has
    forgotten it: the commands sent before that did not arrive are void. Its
    source is the listener's, its position 0; data {"source": ..., "reason": ...}. While
    1,000 of them wait none is added; the next one then has "count": for how many it stands. */
#define MUSTER_EVENT_RESTARTED "RESTARTED"

MUSTER_BEGIN_DECLS

/*  A new worker for the listener at endpoint. source: its name, or NULL for a
    UUID. NULL when out of memory; bad arguments are reported by start. The
    caller owns it. */
MUSTER_EXPORT muster_worker_t *muster_worker_new (const char *endpoint, const char *source) MUSTER_CHECK_RESULT;

/*  Destroy a worker. What was not closed is given up at once: call
    muster_worker_close before. Errors: MUSTER_FORKED in a forked child, *self_p
    is freed there. */
MUSTER_EXPORT muster_error_t muster_worker_destroy (muster_worker_t **self_p);

/*  Options; they hold from start, which reports what is wrong. */

/*  The listener's endpoint of the way back; unless set: tcp port + 1, ipc
    path or inproc name + ".return". */
MUSTER_EXPORT void muster_worker_set_return_endpoint (muster_worker_t *self, const char *endpoint);

/*  The worker's key (NAME.key, a file that muster_keys_generate or the command made,
    readable by its owner alone) and the listener's public key (its NAME.pub). With
    both, connections are encrypted, and none is made to a listener with another key
    or without one; over inproc they are not used. The listener has to have the worker's
    NAME.pub enrolled for its source. Unless set: NULL, none. start reads the files. */
MUSTER_EXPORT void muster_worker_set_key (muster_worker_t *self, const char *file);
MUSTER_EXPORT void muster_worker_set_server (muster_worker_t *self, const char *file);
/*  Bytes kept until they are handled, beside one more message. Unless set: 64 MiB. */
MUSTER_EXPORT void muster_worker_set_send_buffer (muster_worker_t *self, uint64_t bytes);
/*  Bytes of commands received and not done, beside one more command. Unless set: 64 MiB. */
MUSTER_EXPORT void muster_worker_set_command_buffer (muster_worker_t *self, uint64_t bytes);
/*  Silence after which the listener is taken for lost, in seconds. Unless set: 10. */
MUSTER_EXPORT void muster_worker_set_liveness (muster_worker_t *self, double seconds);
/*  How long close waits, in seconds. Unless set: 10. */
MUSTER_EXPORT void muster_worker_set_drain (muster_worker_t *self, double seconds);
/*  How long send and flush wait while nothing moves, in seconds; suspended
    while the listener says that a handler works or that credit is queued for.
    When nothing of what is under way has moved for half of it, and for
    liveness, another connection is tried. Unless set: 30. */
MUSTER_EXPORT void muster_worker_set_no_progress (muster_worker_t *self, double seconds);
/*  Have fn told how far large messages have come (progress.h). The last call for a message
    comes before the flush or close that waits for it returns. Unless set: NULL, nobody. */
MUSTER_EXPORT void muster_worker_set_progress (muster_worker_t *self, muster_progress_fn *fn, void *arg);

/*  Begin to connect; does not wait for the listener: messages may be sent at
    once and are kept. Errors: MUSTER_ENDPOINT, MUSTER_INVAL, MUSTER_RESOURCE,
    MUSTER_NOMEM, MUSTER_BUSY if started before, MUSTER_FORKED.
    muster_worker_reason says more. */
MUSTER_EXPORT muster_error_t muster_worker_start (muster_worker_t *self);

/*  Wait until a listener has welcomed the worker: 0 while one has. Nothing needs this: what
    is sent before is kept. Errors: MUSTER_TIMEOUT, MUSTER_CLOSED, MUSTER_FORKED, and why
    the session ended. */
MUSTER_EXPORT muster_error_t muster_worker_wait_for_listener (muster_worker_t *self, int timeout_ms);

/*  Take how many of the messages accepted so far are not handled, and how many of these the
    listener has said that it has: a handler is at work on them, or none is registered. Either
    may be NULL. Errors: MUSTER_CLOSED before start, MUSTER_FORKED. */
MUSTER_EXPORT muster_error_t muster_worker_unhandled (
    muster_worker_t *self, uint64_t *unhandled, uint64_t *received);

/*  The worker's source. Belongs to the worker. */
MUSTER_EXPORT const char *muster_worker_source (const muster_worker_t *self);

/*  Why start failed or the session ended, in a sentence, or that no listener answers; ""
    otherwise. Belongs to the worker; read it after a call has returned the error. */
MUSTER_EXPORT const char *muster_worker_reason (const muster_worker_t *self);

/*  Send a message; picture packs data's map (message.h), NULL stands for {}.
    It is accepted when this returns 0: kept until the listener reports it
    handled. Waits while the send buffer is full. Errors: MUSTER_TIMEOUT after
    no-progress, MUSTER_TOOBIG, MUSTER_INVAL, MUSTER_NOMEM, MUSTER_CLOSED,
    MUSTER_FORKED, and why the session ended. */
MUSTER_EXPORT muster_error_t muster_worker_send (
    muster_worker_t *self, const char *cmd, const char *picture, ...);
/*  The same with a map that is packed already; bytes are copied. Also
    MUSTER_FORMAT if they break a rule of the format. */
MUSTER_EXPORT muster_error_t muster_worker_send_raw (
    muster_worker_t *self, const char *cmd, const void *bytes, size_t size);
/*  The same with the map that data holds, whose own error is returned too. Once
    it is accepted data is empty, and what was large was not copied: its memory is the
    worker's. After an error data is as it was and may be sent again. */
MUSTER_EXPORT muster_error_t muster_worker_send_writer (
    muster_worker_t *self, const char *cmd, muster_writer_t *data);
/*  The same two, but they never wait: MUSTER_AGAIN while the send buffer is
    full, and while another thread is at work in the worker. */
MUSTER_EXPORT muster_error_t muster_worker_try_send_raw (
    muster_worker_t *self, const char *cmd, const void *bytes, size_t size);
MUSTER_EXPORT muster_error_t muster_worker_try_send_writer (
    muster_worker_t *self, const char *cmd, muster_writer_t *data);

/*  Take the next command; give it back with muster_message_done. Errors:
    MUSTER_TIMEOUT, MUSTER_CLOSED, MUSTER_FORKED, and why the session ended. */
MUSTER_EXPORT muster_error_t muster_worker_recv (
    muster_worker_t *self, muster_message_t **message, int timeout_ms);

/*  A descriptor that is readable while muster_worker_recv has something to
    return. For poll and its like only; it belongs to the worker. Errors:
    MUSTER_CLOSED before start, MUSTER_FORKED. */
MUSTER_EXPORT muster_error_t muster_worker_descriptor (muster_worker_t *self, int *descriptor);

/*  Wait until every message accepted so far is handled. Errors: MUSTER_TIMEOUT
    (timeout_ms or no-progress), MUSTER_REJECTED if the listener refused one
    since the last flush, MUSTER_CLOSED, MUSTER_FORKED, and why the session ended. */
MUSTER_EXPORT muster_error_t muster_worker_flush (muster_worker_t *self, int timeout_ms);

/*  Flush within the drain limit, say goodbye, disconnect. unconfirmed (may be
    NULL): accepted messages that were not reported handled. Harmless when
    closed or not started. Errors: MUSTER_TIMEOUT if any are unconfirmed,
    MUSTER_REJECTED, MUSTER_FORKED, and why the session ended. */
MUSTER_EXPORT muster_error_t muster_worker_close (muster_worker_t *self, uint64_t *unconfirmed);

MUSTER_END_DECLS

#endif
