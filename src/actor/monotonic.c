/*  monotonic.c - the time, read only on this floor

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/monotonic.h"

#include <errno.h>
#include <time.h>

int64_t
monotonic_ns (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t
monotonic_ms (void)
{
    return monotonic_ns () / 1000000;
}

uint64_t
monotonic_us (void)
{
    return (uint64_t) monotonic_ns () / 1000;
}

int64_t
monotonic_deadline (int64_t timeout_ms)
{
    return timeout_ms < 0 ? INT64_MAX : monotonic_ms () + timeout_ms;
}

void
monotonic_cond_init (pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init (&attributes);
    pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
    pthread_cond_init (condition, &attributes);
    pthread_condattr_destroy (&attributes);
}

bool
monotonic_cond_wait (pthread_cond_t *condition, pthread_mutex_t *lock, int64_t deadline_ms)
{
    if (deadline_ms == INT64_MAX)
        return pthread_cond_wait (condition, lock) == 0;
    struct timespec until = { .tv_sec = deadline_ms / 1000, .tv_nsec = deadline_ms % 1000 * 1000000 };
    return pthread_cond_timedwait (condition, lock, &until) != ETIMEDOUT;
}
