/*  patience.c - how a caller's thread waits: until something changes, a deadline, or its host's wish

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/patience.h"

#include <errno.h>
#include <stdatomic.h>

#include <muster/interrupt.h>

#include "actor/monotonic.h"

/*  How often the host is asked. */
#define SLICE_MS 50

static _Atomic (muster_interrupt_fn *) interrupt;

void
muster_interrupt_set (muster_interrupt_fn *fn)
{
    atomic_store (&interrupt, fn);
}

static muster_error_t
ask_host (muster_interrupt_fn *fn, pthread_mutex_t *lock)
{
    pthread_mutex_unlock (lock);
    bool interrupted = fn ();
    pthread_mutex_lock (lock);
    return interrupted ? MUSTER_INTERRUPTED : 0;
}

muster_error_t
patience_wait (pthread_cond_t *condition, pthread_mutex_t *lock, int64_t deadline_ms)
{
    muster_interrupt_fn *fn = atomic_load (&interrupt);
    int64_t slice = fn ? monotonic_deadline (SLICE_MS) : INT64_MAX;
    if (monotonic_cond_wait (condition, lock, slice < deadline_ms ? slice : deadline_ms))
        return 0;
    return slice < deadline_ms ? ask_host (fn, lock) : MUSTER_TIMEOUT;
}

muster_error_t
patience_wait_for_ever (pthread_cond_t *condition, pthread_mutex_t *lock)
{
    return patience_wait (condition, lock, INT64_MAX);
}

void
patience_lock_init (pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init (&attributes);
    pthread_mutexattr_settype (&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init (lock, &attributes);
    pthread_mutexattr_destroy (&attributes);
}

muster_error_t
patience_lock (pthread_mutex_t *lock)
{
    return pthread_mutex_lock (lock) == EDEADLK ? MUSTER_DEADLOCK : 0;
}
