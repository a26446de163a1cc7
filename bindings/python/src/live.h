/*  live.h - the listeners and workers that are at work

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    They are ended before the interpreter is: their threads may not call
    handlers after that. All of them together have a time for it.
*/
#ifndef LIVE_H_INCLUDED
#define LIVE_H_INCLUDED

#include "core.h"

typedef struct live live_t;

/*  Ends an object within so many milliseconds, 0 if there are none left. */
typedef void (live_end_fn) (PyObject *object, int left_ms);

/*  Part of an object. end is called at the interpreter's exit. */
struct live {
    live_t *prev, *next;
    live_end_fn *end;
    PyObject *object;       /* borrowed */
};

/*  Put it on the list, or take it off; each is harmless the second time. */
void live_add (live_t *self, PyObject *object, live_end_fn *end);
void live_remove (live_t *self);

/*  End all that are on the list. */
void live_end_all (void);

/*  In a forked child: the list is the parent's. */
void live_forget (void);

#endif
