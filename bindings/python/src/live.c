/*  live.c - the listeners and workers that are at work

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "live.h"

#include <stddef.h>

static live_t *first;       /* guarded by the GIL */

void
live_add (live_t *self, PyObject *object, void (*end) (PyObject *object))
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

void
live_end_all (void)
{
    while (first) {
        live_t *live = first;
        PyObject *object = Py_NewRef (live->object);
        void (*end) (PyObject *object) = live->end;
        live_remove (live);
        end (object);
        Py_DECREF (object);
    }
}

void
live_forget (void)
{
    while (first)
        live_remove (first);
}
