/*  wake.c - waking an actor from any thread

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/wake.h"

#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/process.h"

wake_t *
wake_new (void)
{
    wake_t *self = alloc_zero (sizeof *self);
    if (!self)
        return NULL;
    atomic_init (&self->owners, 1);
    self->descriptor = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->descriptor < 0) {
        alloc_free (self);
        return NULL;
    }
    return self;
}

wake_t *
wake_share (wake_t *self)
{
    atomic_fetch_add (&self->owners, 1);
    return self;
}

void
wake_release (wake_t **self_p)
{
    wake_t *self = *self_p;
    *self_p = NULL;
    if (self && atomic_fetch_sub (&self->owners, 1) == 1) {
        close (self->descriptor);
        alloc_free (self);
    }
}

void
wake_call (wake_t *self)
{
    if (atomic_exchange (&self->pending, true))
        return;
    uint64_t one = 1;
    /*  Fails only if the counter is full: then it is readable anyway. */
    if (write (self->descriptor, &one, sizeof one) < 0)
        return;
}

void
wake_heard (wake_t *self)
{
    uint64_t count;
    if (read (self->descriptor, &count, sizeof count) < 0)
        count = 0;
    atomic_store (&self->pending, false);
}
