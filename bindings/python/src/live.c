/*  live.c - the listeners and workers that are at work

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "live.h"

#include <stddef.h>
#include <stdint.h>
#include <time.h>

static live_t *first;       /* guarded by the GIL */

void
live_add (live_t *self, PyObject *object, live_end_fn *end)
{
    if (self->object)
        return;
    *self = (live_t) { .next = first, .end = end, .object = object };
    if (first)
        first->prev = self;
    first = self;
}

void
live_remove (live_t *self)
{
    if (!self->object)
        return;
    if (self->prev)
        self->prev->next = self->next;
    else
        first = self->next;
    if (self->next)
        self->next->prev = self->prev;
    *self = (live_t) { .object = NULL };
}

#define EXIT_MS 2000

static int64_t
now_ms (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
live_end_all (void)
{
    int64_t until = now_ms () + EXIT_MS;
    while (first) {
        live_t *live = first;
        PyObject *object = Py_NewRef (live->object);
        live_end_fn *end = live->end;
        int64_t left = until - now_ms ();
        live_remove (live);
        end (object, left > 0 ? (int) left : 0);
        Py_DECREF (object);
    }
}

void
live_forget (void)
{
    while (first)
        live_remove (first);
}
