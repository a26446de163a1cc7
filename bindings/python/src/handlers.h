/*  handlers.h - Python's handlers, called by the library

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    The argument of a registered handler is a tuple (listener, callable), kept
    by a dict of the listener: under its source, True for the default handler,
    False for the system handler.
*/
#ifndef HANDLERS_H_INCLUDED
#define HANDLERS_H_INCLUDED

#include <stdatomic.h>
#include <stdbool.h>

#include "core.h"

int handlers_init (void);

/*  What the library calls, with the tuple as arg. */
int handlers_call (const muster_message_t *message, void *arg);

/*  In a forked child. */
void handlers_forget (void);

/*  Is this thread in a handler of the listener? */
bool handlers_inside (const PyObject *listener);

/*  The hook of the dispatch thread: it has the GIL for as long as there is
    something to handle. state is the listener's, whose threads follow each other. */
typedef struct {
    PyThreadState *thread;      /* NULL: it never had the GIL */
    atomic_uint ended;          /* how many threads have come to their end; none of them calls a handler any more */
} dispatch_state_t;

void handlers_hook (muster_dispatch_moment_t moment, void *state);

#endif
