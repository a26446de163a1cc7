/*  diagnose.h - what stands between here and a listener

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef MUSTER_DIAGNOSE_H_INCLUDED
#define MUSTER_DIAGNOSE_H_INCLUDED

#include <stdbool.h>

#include "error.h"

MUSTER_BEGIN_DECLS

/*  One thing that was looked at. Names, in their order: "name" of a host ("return name", if the way back has
    another), "port" and "return port"; with ipc "path" and "return path", "socket" and "return socket"; then
    "handshake", "protocol", "round trip", "throughput" and "clock". "endpoint" or "keys"
    comes alone, if they can be none. Texts are UTF-8 without control characters. */
typedef struct {
    const char *name;       /* what was looked at */
    bool ok;                /* it is as it should be */
    const char *text;       /* what was found */
    const char *advice;     /* what to do, "" if nothing; a remark where ok is true */
    bool measured;          /* there is a value */
    double value;           /* the number in text: seconds, bytes a second, a version; a clock ahead is above 0 */
} muster_step_t;

/*  Called for each step when it is done, on the caller's thread. step lasts for the call. */
typedef void (muster_step_fn) (const muster_step_t *step, void *arg);

/*  Look step by step whether a worker here could reach the listener at endpoint (tcp or ipc), until one
    step fails: fn gets each of them. It opens no session, and no handler of the listener
    sees anything of it; who is not let in is told as REFUSED, as a worker would be.
    return_endpoint: NULL for the one that follows from endpoint. key and server are the
    caller's secret key file and the listener's public one; both NULL where the listener
    has no keys. timeout_ms: for each step; less than 0 for no limit. A name resolves as slowly
    as its resolver does; a port that does not answer takes up to a second more. The
    throughput is that of the control connection, to the listener: 4 MiB in frames of 16,000
    bytes, or as much as a second takes.
    Errors, which are those of the last step: MUSTER_TIMEOUT if nobody answers, MUSTER_ACCESS if
    this key, or nobody without one, is let in, MUSTER_CLOSED if the listener is about to
    stop, MUSTER_VERSION, MUSTER_LOST if the connection breaks, MUSTER_ENDPOINT,
    MUSTER_INVAL, MUSTER_NOTFOUND or MUSTER_FORMAT for the key files, MUSTER_RESOURCE,
    MUSTER_NOMEM, MUSTER_SYSTEM. MUSTER_INVAL without a step for NULL in place of endpoint or fn. Any
    thread; muster_interrupt_set does not end the wait. */
MUSTER_EXPORT muster_error_t muster_diagnose (const char *endpoint, const char *return_endpoint,
    const char *key, const char *server, int timeout_ms, muster_step_fn *fn, void *arg);

MUSTER_END_DECLS

#endif
