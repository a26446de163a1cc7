/*  patience.h - how a caller's thread waits: until something changes, a deadline, or its host's wish

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef ACTOR_PATIENCE_H_INCLUDED
#define ACTOR_PATIENCE_H_INCLUDED

#include <pthread.h>
#include <stdint.h>

#include <muster/error.h>

/*  Wait until condition is called, or for less: look again afterwards. The lock is
    given up meanwhile, and while the host is asked. Errors: MUSTER_TIMEOUT past
    deadline_ms (monotonic; INT64_MAX: never), MUSTER_INTERRUPTED. */
muster_error_t patience_wait (pthread_cond_t *condition, pthread_mutex_t *lock, int64_t deadline_ms);

/*  The same without a deadline. */
muster_error_t patience_wait_for_ever (pthread_cond_t *condition, pthread_mutex_t *lock);

/*  A lock of calls that start, stop or close. Errors: MUSTER_DEADLOCK if the caller has
    it: its host was asked in such a call, and calls another one. */
void patience_lock_init (pthread_mutex_t *lock);
muster_error_t patience_lock (pthread_mutex_t *lock);

#endif
