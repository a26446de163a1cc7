/*  listener.h - the coordinator's side: takes messages in, hands each to the
    handler of its source, and knows the workers

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Caveats
    - A listener belongs to the process that made it. In a forked child every
      function returns MUSTER_FORKED, and destroy only frees memory.
    - Functions may be called from any thread unless they say otherwise.
    - Times are in seconds (options) or milliseconds (arguments named
      timeout_ms: -1 waits for ever, 0 does not wait).
    - A call that waits is ended by its host with MUSTER_INTERRUPTED, if the host
      asked for that (interrupt.h).
    - Inside a handler nothing waits: send gives MUSTER_AGAIN where it would
      have to, stop only asks, destroy is MUSTER_BUSY.
*/
#ifndef MUSTER_LISTENER_H_INCLUDED
#define MUSTER_LISTENER_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data.h"
#include "error.h"
#include "message.h"
#include "progress.h"
#include "stats.h"

/*  A listener. */
typedef struct _muster_listener_t muster_listener_t;

/*  The listener's events: messages from its own source to the system handler,
    with these cmds and data {"source": ..., "session": ...} and what else is known. REFUSED
    may tell of several: "count", and "others": true if not all had this source and reason. */
#define MUSTER_EVENT_JOINED "JOINED"      /* a worker is here */
#define MUSTER_EVENT_RETURNED "RETURNED"  /* a worker whose session was known is back */
#define MUSTER_EVENT_LEFT "LEFT"          /* it said goodbye */
#define MUSTER_EVENT_LOST "LOST"          /* it was silent for longer than liveness */
#define MUSTER_EVENT_REPLACED "REPLACED"  /* a fresh session took its source */
#define MUSTER_EVENT_REVOKED "REVOKED"    /* its key was revoked */
#define MUSTER_EVENT_REFUSED "REFUSED"    /* it was not let in; data has "reason" */

/*  What the dispatch thread is about to do. */
typedef enum {
    MUSTER_DISPATCH_RESUME,     /* call a handler, the first after a pause or after start */
    MUSTER_DISPATCH_PAUSE,      /* wait, or end: no handler is called before the next RESUME */
    MUSTER_DISPATCH_END         /* end: the last thing it says, after a PAUSE if there was a RESUME */
} muster_dispatch_moment_t;

/*  Told of each moment, with the arg it was set with. */
typedef void (muster_dispatch_hook_fn) (muster_dispatch_moment_t moment, void *arg);

MUSTER_BEGIN_DECLS

/*  A new listener for endpoint: tcp://ADDRESS:PORT (IPv4, [IPv6], a name or
    an interface; PORT * finds a free pair), ipc://PATH or inproc://NAME. NULL
    when out of memory; a bad endpoint is reported by start. The caller owns it. */
MUSTER_EXPORT muster_listener_t *muster_listener_new (const char *endpoint) MUSTER_CHECK_RESULT;

/*  Stop the listener if it runs, and destroy it. Errors: MUSTER_BUSY inside
    one of its handlers or while one outlives the drain limit, *self_p then
    stays; MUSTER_FORKED in a forked child, *self_p is freed there. */
MUSTER_EXPORT muster_error_t muster_listener_destroy (muster_listener_t **self_p);

/*  Options; they hold from the next start, which reports what is wrong. */

/*  The endpoint of the way back; unless set: tcp port + 1, ipc path or inproc
    name + ".return". */
MUSTER_EXPORT void muster_listener_set_return_endpoint (muster_listener_t *self, const char *endpoint);
/*  The host name or address that endpoint shows to workers in place of the one bound. */
MUSTER_EXPORT void muster_listener_set_advertise (muster_listener_t *self, const char *host);
/*  The listener's key, a file that muster_keys_generate or the command made (NAME.key,
    readable by its owner alone), and the allow file: which keys may come in, and
    the sources that each may use. With both, connections are encrypted, and only
    who is enrolled gets in; over inproc they are not used. Unless set: NULL, none.
    The files are read by start. */
MUSTER_EXPORT void muster_listener_set_key (muster_listener_t *self, const char *file);
MUSTER_EXPORT void muster_listener_set_allow (muster_listener_t *self, const char *file);

/*  Allow a tcp address beyond loopback without keys. Unless set: false. */
MUSTER_EXPORT void muster_listener_set_insecure (muster_listener_t *self, bool insecure);
/*  Largest message, in bytes. Unless set: 1 GiB, or half the budget if less. */
MUSTER_EXPORT void muster_listener_set_message_limit (muster_listener_t *self, uint64_t bytes);
/*  Largest frame of a plain producer, in bytes. Unless set: 64 MiB. */
MUSTER_EXPORT void muster_listener_set_frame_limit (muster_listener_t *self, uint64_t bytes);
/*  Bytes received and not handled, of all workers together. Unless set: 2 GiB. */
MUSTER_EXPORT void muster_listener_set_receive_budget (muster_listener_t *self, uint64_t bytes);
/*  The plain producers' share of the budget, in bytes; a message takes some 350 beside
    its own. Unless set: a quarter. */
MUSTER_EXPORT void muster_listener_set_plain_share (muster_listener_t *self, uint64_t bytes);
/*  Credit each session has without asking, in bytes. Unless set: 64 KiB. */
MUSTER_EXPORT void muster_listener_set_credit_floor (muster_listener_t *self, uint64_t bytes);
/*  Bytes of commands kept for one worker, beside one more command. Unless set: 64 MiB. */
MUSTER_EXPORT void muster_listener_set_command_buffer (muster_listener_t *self, uint64_t bytes);
/*  Silence after which a worker is LOST, in seconds. Unless set: 10. */
MUSTER_EXPORT void muster_listener_set_liveness (muster_listener_t *self, double seconds);
/*  How long stop waits for messages to be handled, in seconds; holds at once,
    while the listener runs or stops too. Unless set: 10. */
MUSTER_EXPORT void muster_listener_set_drain (muster_listener_t *self, double seconds);
/*  How long send waits while its worker makes no progress, in seconds. A message
    in pieces that stands still for half of it, and for liveness, is dropped, and
    comes again over another connection. Unless set: 30. */
MUSTER_EXPORT void muster_listener_set_no_progress (muster_listener_t *self, double seconds);
/*  How long the session of an absent worker is kept, in seconds. Unless set: 3600. */
MUSTER_EXPORT void muster_listener_set_retention (muster_listener_t *self, double seconds);
/*  How many sessions of absent workers are kept. Unless set: 10,000. */
MUSTER_EXPORT void muster_listener_set_retained_sessions (muster_listener_t *self, size_t sessions);
/*  Have hook called around handlers, those of events too, for a host that holds a
    lock of its own while they run and does not want to take it for each message. On the
    dispatch thread, with no lock of the library held; hook calls no function of the listener. Handlers
    that muster_listener_next calls are not told of. Unless set: NULL, none. */
MUSTER_EXPORT void muster_listener_set_dispatch_hook (
    muster_listener_t *self, muster_dispatch_hook_fn *hook, void *arg);
/*  Have fn told how far large commands have come (progress.h). Unless set: NULL, nobody. */
MUSTER_EXPORT void muster_listener_set_progress (muster_listener_t *self, muster_progress_fn *fn, void *arg);

/*  Bind and take messages in. Errors: MUSTER_ENDPOINT or MUSTER_INUSE for the
    endpoints, MUSTER_ACCESS for an address beyond loopback without keys,
    MUSTER_INVAL for options that do not fit together; MUSTER_NOTFOUND,
    MUSTER_ACCESS, MUSTER_FORMAT or MUSTER_SYSTEM for the key and allow files;
    MUSTER_RESOURCE, MUSTER_NOMEM, MUSTER_BUSY if it runs or still stops, MUSTER_FORKED.
    After an error muster_listener_reason says more, and start may be tried again. */
MUSTER_EXPORT muster_error_t muster_listener_start (muster_listener_t *self);

/*  Stop: unbind, handle what has arrived within the drain limit, report
    positions, say goodbye to the workers, of which those whose connections have
    ended are not waited for. dropped (may be NULL): messages that were left unhandled. Sessions are kept for another start. Harmless
    when not running. Inside a handler it asks and does not wait. Errors:
    MUSTER_TIMEOUT if a handler outlives the drain limit (and the second that
    a handler has in any case): the listener then stops when it returns;
    MUSTER_FORKED. */
MUSTER_EXPORT muster_error_t muster_listener_stop (muster_listener_t *self, uint64_t *dropped);

/*  Read the allow file again. When it returns, whoever may not use his source any more
    is gone (REVOKED), and what of his messages no handler had taken is dropped and
    counted. A file with a fault changes nothing. Errors: MUSTER_NOTFOUND, MUSTER_ACCESS,
    MUSTER_FORMAT or MUSTER_SYSTEM for the file, and muster_listener_reason says which
    line; MUSTER_INVAL if it was not started with keys; MUSTER_BUSY in a handler while the
    listener is stopped; MUSTER_NOMEM, MUSTER_FORKED. */
MUSTER_EXPORT muster_error_t muster_listener_reload (muster_listener_t *self);

/*  What a worker connects to, from the first start on, "" before. Belongs to
    the listener and lasts until the next start. */
MUSTER_EXPORT const char *muster_listener_endpoint (const muster_listener_t *self);

/*  The listener's own source, a UUID: its events are from it. Belongs to the listener. */
MUSTER_EXPORT const char *muster_listener_source (const muster_listener_t *self);

/*  Why the last start or reload failed, in a sentence that names the endpoint, option
    or file and what to do; "" if it did not. Belongs to the listener and lasts until
    the next of them. */
MUSTER_EXPORT const char *muster_listener_reason (const muster_listener_t *self);

/*  Handlers. A change holds for every message handled after the call; one
    that ends a handler returns once that is not running, unless it is the
    caller. arg is handed to the handler and stays the caller's.

    Whoever registers the first handler decides that the listener's dispatch
    thread handles the messages; whoever calls muster_listener_next or
    muster_listener_descriptor first, that the caller does. Until then
    messages wait. The other way is MUSTER_BUSY from then on. */

/*  Register the handler of one source. Errors: MUSTER_EXISTS unless overwrite,
    MUSTER_RESERVED for the listener's own source, MUSTER_INVAL for NULL or a
    source that no message can have, MUSTER_NOMEM, MUSTER_BUSY, MUSTER_FORKED. */
MUSTER_EXPORT muster_error_t muster_listener_register_handler (
    muster_listener_t *self, const char *source, muster_handler_fn *handler, void *arg, bool overwrite);
/*  Remove the handler of one source. Errors: MUSTER_NOTFOUND, MUSTER_INVAL, MUSTER_FORKED. */
MUSTER_EXPORT muster_error_t muster_listener_unregister_handler (muster_listener_t *self, const char *source);
/*  Set the handler of messages whose source has none; unless set, a warning
    is logged and the message is counted. Errors: MUSTER_INVAL, MUSTER_BUSY, MUSTER_FORKED. */
MUSTER_EXPORT muster_error_t muster_listener_register_default_handler (
    muster_listener_t *self, muster_handler_fn *handler, void *arg);
/*  Set the handler of the listener's events; unless set, they are logged. It
    may be used with muster_listener_next too, which then calls it. Errors:
    MUSTER_INVAL, MUSTER_FORKED. */
MUSTER_EXPORT muster_error_t muster_listener_register_system_handler (
    muster_listener_t *self, muster_handler_fn *handler, void *arg);

/*  Take the next message; give it back with muster_message_done. Several
    threads may take; what one source sent is taken in order. Errors: MUSTER_TIMEOUT,
    MUSTER_CLOSED when stopped and empty, MUSTER_BUSY (handlers), MUSTER_DEADLOCK
    (inside a handler, with a time to wait), MUSTER_FORKED. */
MUSTER_EXPORT muster_error_t muster_listener_next (
    muster_listener_t *self, muster_message_t **message, int timeout_ms);

/*  A descriptor that is readable while muster_listener_next has something to
    do. For poll and its like only; it belongs to the listener. Errors:
    MUSTER_CLOSED before start, MUSTER_BUSY (handlers), MUSTER_FORKED. */
MUSTER_EXPORT muster_error_t muster_listener_descriptor (muster_listener_t *self, int *descriptor);

/*  Send a command to one worker; picture packs data's map (message.h), NULL
    stands for {}. Waits while the worker's command buffer is full, except in a
    handler. Errors: MUSTER_NOTFOUND if the worker is not here, MUSTER_AGAIN,
    MUSTER_TIMEOUT after no-progress, MUSTER_TOOBIG, MUSTER_INVAL, MUSTER_NOMEM,
    MUSTER_CLOSED, MUSTER_FORKED. */
MUSTER_EXPORT muster_error_t muster_listener_send (
    muster_listener_t *self, const char *source, const char *cmd, const char *picture, ...);
/*  The same with a map that is packed already; bytes are copied. Also
    MUSTER_FORMAT if they break a rule of the format. */
MUSTER_EXPORT muster_error_t muster_listener_send_raw (
    muster_listener_t *self, const char *source, const char *cmd, const void *bytes, size_t size);
/*  The same with the map that data holds, whose own error is returned too. Once
    it is accepted data is empty, and what was large was not copied: its memory is the
    listener's. After an error data is as it was and may be sent again. */
MUSTER_EXPORT muster_error_t muster_listener_send_writer (
    muster_listener_t *self, const char *source, const char *cmd, muster_writer_t *data);

/*  Send a command to all workers that are here. sent (may be NULL): to how
    many it went; a worker whose buffer is full is left out. Errors: as for send. */
MUSTER_EXPORT muster_error_t muster_listener_broadcast (
    muster_listener_t *self, size_t *sent, const char *cmd, const char *picture, ...);
MUSTER_EXPORT muster_error_t muster_listener_broadcast_raw (
    muster_listener_t *self, size_t *sent, const char *cmd, const void *bytes, size_t size);
/*  sources (may be NULL): who these are, as muster_listener_workers gives them; NULL
    after an error. */
MUSTER_EXPORT muster_error_t muster_listener_broadcast_writer (
    muster_listener_t *self, char ***sources, size_t *sent, const char *cmd, muster_writer_t *data);

/*  Wait until count workers are here. Errors: MUSTER_TIMEOUT, MUSTER_CLOSED,
    MUSTER_DEADLOCK in a handler (unless they are here), MUSTER_FORKED. */
MUSTER_EXPORT muster_error_t muster_listener_wait_for_workers (
    muster_listener_t *self, size_t count, int timeout_ms);
/*  Wait until each of the named workers is here. Errors as above. */
MUSTER_EXPORT muster_error_t muster_listener_wait_for_sources (
    muster_listener_t *self, const char *const *sources, size_t count, int timeout_ms);

/*  The sources of the workers that are here: a NULL-terminated array in one
    piece of memory, which the caller frees with muster_free. count may be
    NULL. Errors: MUSTER_NOMEM, MUSTER_INVAL, MUSTER_FORKED. */
MUSTER_EXPORT muster_error_t muster_listener_workers (
    muster_listener_t *self, char ***sources, size_t *count);

/*  Take the counts. Errors: MUSTER_INVAL, MUSTER_FORKED. */
MUSTER_EXPORT muster_error_t muster_listener_stats (muster_listener_t *self, muster_stats_t *stats);

/*  What is known of each worker, absent ones too, sorted by source: an array that the
    caller frees with muster_free. Errors: MUSTER_NOMEM, MUSTER_INVAL, MUSTER_FORKED;
    *workers is NULL then. */
MUSTER_EXPORT muster_error_t muster_listener_worker_stats (
    muster_listener_t *self, muster_worker_stats_t **workers, size_t *count);

/*  Free memory that the library gave to the caller. NULL is harmless. */
MUSTER_EXPORT void muster_free (void *memory);

MUSTER_END_DECLS

#endif
