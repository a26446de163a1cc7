/*  monotonic.h - the time, read only on this floor

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef ACTOR_MONOTONIC_H_INCLUDED
#define ACTOR_MONOTONIC_H_INCLUDED

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/*  Milliseconds of a clock that no one sets. */
int64_t monotonic_ms (void);

/*  Nanoseconds and microseconds of the same clock. */
int64_t monotonic_ns (void);
uint64_t monotonic_us (void);

/*  The time timeout_ms from now; INT64_MAX for less than 0 (never). */
int64_t monotonic_deadline (int64_t timeout_ms);

/*  A condition that waits by that clock. */
void monotonic_cond_init (pthread_cond_t *condition);

/*  Wait until called or until deadline_ms (INT64_MAX: for ever). False when
    the deadline has passed. */
bool monotonic_cond_wait (pthread_cond_t *condition, pthread_mutex_t *lock, int64_t deadline_ms);

#endif
