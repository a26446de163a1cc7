/*  worker_wait.h - what callers of a worker wait for: a listener, progress, flush, goodbye

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    All with the core's lock, which a wait gives up meanwhile.
*/
#ifndef ACTOR_WORKER_WAIT_H_INCLUDED
#define ACTOR_WORKER_WAIT_H_INCLUDED

#include "actor/worker.h"

/*  What a wait for progress has seen; the caller's, begun with zeros. */
typedef struct {
    uint64_t marker;        /* session_progress */
    int64_t since;          /* when it moved last */
} worker_progress_t;

/*  Why nothing is sent or comes any more; 0 while the session may go on. */
muster_error_t worker_why_ended (muster_worker_t *self);

/*  Wait for a change until deadline, or until nothing has moved for too long. Errors:
    MUSTER_TIMEOUT, MUSTER_INTERRUPTED. */
muster_error_t worker_wait_for_change (worker_core_t *core, int64_t deadline, worker_progress_t *progress);

/*  Wait until all that was accepted is handled. patient: until deadline, though nothing moves. */
muster_error_t worker_flush_until (muster_worker_t *self, int64_t deadline, bool patient);

/*  Say goodbye, and wait for the answer. MUSTER_INTERRUPTED; deadline passed is no error. */
muster_error_t worker_say_goodbye (muster_worker_t *self, int64_t deadline);

#endif
