/*  handlers.c - Python's handlers, called by the library

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "handlers.h"

#include <stdint.h>
#include <time.h>

#include "log.h"
#include "message.h"

/*  The handlers that a thread is in, the innermost first. */
typedef struct visit visit_t;

struct visit {
    const visit_t *outer;
    const PyObject *listener;
};

static _Thread_local const visit_t *visit;

bool
handlers_inside (const PyObject *listener)
{
    const visit_t *each = visit;
    while (each && each->listener != listener)
        each = each->outer;
    return each != NULL;
}

static unsigned forks;      /* how often this process is a child */

void
handlers_forget (void)
{
    forks++;
    visit = NULL;
}

/*  A handler that forked has returned in the child, whose only thread this is: there
    is no listener to return to. */
static void
end_child (PyObject *result)
{
    if (!result)
        PyErr_Print ();     /* ends the process, if it is SystemExit */
    Py_Exit (result ? 0 : 1);
}

/*  Whatever a handler raises, SystemExit too, is its failure and nobody else's. */
static int
call (PyObject *handler, PyObject *message)
{
    unsigned before = forks;
    PyObject *result = PyObject_CallOneArg (handler, message);
    if (forks != before)
        end_child (result);
    if (!result) {
        log_failed_handler (handler, message);
        return 1;
    }
    Py_DECREF (result);
    return 0;
}

/*  While there is always something to handle, handlers that are no Python code, a
    queue's put say, would never let another thread have the GIL. */
#define CALLS_BETWEEN_LOOKS 64
#define TURN_NS 5000000

static void
give_others_a_turn (void)
{
    static _Thread_local unsigned calls;
    static _Thread_local int64_t turn_ends;
    if (++calls % CALLS_BETWEEN_LOOKS)
        return;
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    int64_t now_ns = now.tv_sec * INT64_C (1000000000) + now.tv_nsec;
    if (now_ns < turn_ends)
        return;
    turn_ends = now_ns + TURN_NS;
    Py_BEGIN_ALLOW_THREADS
    Py_END_ALLOW_THREADS
}

int
handlers_call (const muster_message_t *message, void *arg)
{
    PyGILState_STATE state = PyGILState_Ensure ();
    PyObject *tuple = Py_NewRef ((PyObject *) arg);
    int failed = 1;
    PyObject *listener = PyTuple_GET_ITEM (tuple, 0);
    PyObject *object = message_new_lent (message, listener);
    visit_t here = { .outer = visit, .listener = listener };
    visit = &here;
    if (object) {
        failed = call (PyTuple_GET_ITEM (tuple, 1), object);
        message_end_loan (object);
    }
    else
        PyErr_Clear ();
    visit = here.outer;
    Py_DECREF (tuple);
    give_others_a_turn ();
    PyGILState_Release (state);
    return failed;
}

static void
end_thread (dispatch_state_t *self)
{
    if (self->thread) {
        PyEval_RestoreThread (self->thread);
        self->thread = NULL;
        PyGILState_Release (PyGILState_UNLOCKED);
    }
    atomic_fetch_add (&self->ended, 1);
}

/*  The thread state is made once, not for each burst: what handlers keep in
    threading.local stays. */
void
handlers_hook (muster_dispatch_moment_t moment, void *arg)
{
    dispatch_state_t *self = arg;
    switch (moment) {
        case MUSTER_DISPATCH_RESUME:
            if (self->thread)
                PyEval_RestoreThread (self->thread);
            else {
                PyGILState_Ensure ();
                self->thread = PyThreadState_Get ();
            }
            break;
        case MUSTER_DISPATCH_PAUSE:
            PyEval_SaveThread ();
            break;
        case MUSTER_DISPATCH_END:
            end_thread (self);
            break;
    }
}
