/*  listener.h - muster._core.Listener, which muster.Listener builds on

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef LISTENER_H_INCLUDED
#define LISTENER_H_INCLUDED

#include <stdbool.h>

#include "handlers.h"
#include "live.h"
#include "progress.h"

typedef struct {
    PyObject_HEAD
    muster_listener_t *listener;    /* NULL: __init__ has not run */
    PyObject *handlers;             /* dict of tuples: see handlers.h */
    PyObject *retired;              /* list of tuples that may still be in use, until stop */
    PyObject *doubtful;             /* list of tuples that the library may still have: see begin_change */
    unsigned changing;              /* calls that change handlers, under way */
    bool overlapping;               /* two of them were under way at once */
    dispatch_state_t dispatch;
    unsigned started;               /* how often */
    live_t live;                    /* while it runs, and the object lives so long */
    progress_t progress;            /* of commands */
    PyObject *calls;                /* who is told of it (muster._progress); NULL: nobody */
    bool cleared;                   /* by the garbage collector */
} listener_t;

int listener_init (PyObject *module);

/*  Is it one, and made? Sets an exception if not. */
listener_t *listener_of (PyObject *object);

#endif
