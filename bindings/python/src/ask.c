/*  ask.c - muster.Ask, a round

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "ask.h"

#include <stdbool.h>

#include "arguments.h"
#include "errors.h"
#include "listener.h"
#include "message.h"
#include "pack.h"

typedef struct {
    PyObject_HEAD
    muster_ask_t *ask;
    PyObject *listener;     /* it outlives the ask */
    PyObject *taken;        /* borrowed: the reply that the loop has */
    bool waiting;           /* a thread is in next */
} ask_t;

static PyTypeObject ask_type;

/*  --------------------------------------------------------------------------
    Options */

static int
set_workers (muster_ask_t *ask, PyObject *workers)
{
    if (workers == Py_None)
        return 0;
    names_t names;
    int rc = arguments_names (workers, "workers must be an iterable of str", &names);
    muster_error_t error = rc ? 0 : muster_ask_set_workers (ask, names.names, names.count);
    arguments_names_end (&names);
    if (error)
        errors_raise (error, "workers");
    return rc || error ? -1 : 0;
}

/*  An int counts replies, a float is a fraction of those asked. */
static int
set_at_least (muster_ask_t *ask, PyObject *at_least)
{
    if (at_least == Py_None)
        return 0;
    if (!PyIndex_Check (at_least)) {
        double fraction = PyFloat_AsDouble (at_least);
        if (fraction == -1 && PyErr_Occurred ())
            return -1;
        if (fraction > 0 && fraction <= 1) {
            muster_ask_set_at_least_fraction (ask, fraction);
            return 0;
        }
        PyErr_SetString (PyExc_ValueError, "at_least as a fraction must be over 0 and at most 1");
        return -1;
    }
    Py_ssize_t replies = PyNumber_AsSsize_t (at_least, PyExc_OverflowError);
    if (replies == -1 && PyErr_Occurred ())
        return -1;
    if (replies < 1) {
        PyErr_SetString (PyExc_ValueError, "at_least must be 1 or more replies, or a fraction");
        return -1;
    }
    muster_ask_set_at_least (ask, (size_t) replies);
    return 0;
}

static int
seconds_of (PyObject *value, const char *name, double *seconds)
{
    *seconds = PyFloat_AsDouble (value);
    if (*seconds == -1 && PyErr_Occurred ())
        return -1;
    if (*seconds >= 0)
        return 0;
    PyErr_Format (PyExc_ValueError, "%s must be 0 or more seconds", name);
    return -1;
}

static int
set_times (muster_ask_t *ask, PyObject *grace, PyObject *timeout)
{
    double seconds;
    if (seconds_of (grace, "grace", &seconds))
        return -1;
    muster_ask_set_grace (ask, seconds);
    seconds = -1;
    if (timeout != Py_None && seconds_of (timeout, "timeout", &seconds))
        return -1;
    muster_ask_set_timeout (ask, seconds);
    return 0;
}

/*  --------------------------------------------------------------------------
    Making and ending */

static int
send (ask_t *self, const char *cmd, PyObject *data)
{
    muster_writer_t *writer = pack_data (data);
    if (!writer)
        return -1;
    muster_error_t error;
    CALL (error, muster_ask_send_writer (self->ask, cmd, writer));
    pack_return (writer);
    if (error)
        errors_raise (error, "ask");
    return error ? -1 : 0;
}

static int
ask_construct (ask_t *self, PyObject *arguments, PyObject *named)
{
    static char *keywords [] = { "listener", "cmd", "data", "workers", "at_least", "grace", "timeout", NULL };
    PyObject *listener, *cmd, *data, *workers, *at_least, *grace, *timeout;
    if (!PyArg_ParseTupleAndKeywords (arguments, named, "OOOOOOO:Ask", keywords,
        &listener, &cmd, &data, &workers, &at_least, &grace, &timeout))
        return -1;
    listener_t *owner = listener_of (listener);
    const char *text = owner ? arguments_name (cmd, "cmd") : NULL;
    if (!text)
        return -1;
    if (self->ask) {
        errors_raise (MUSTER_BUSY, "__init__ was called before");
        return -1;
    }
    self->listener = Py_NewRef (listener);
    self->ask = muster_ask_new (owner->listener);
    if (!self->ask) {
        PyErr_NoMemory ();
        return -1;
    }
    if (set_workers (self->ask, workers) || set_at_least (self->ask, at_least) || set_times (self->ask, grace, timeout))
        return -1;
    return send (self, text, data);
}

static int
ask_traverse (ask_t *self, visitproc visit, void *arg)
{
    Py_VISIT (self->listener);
    return 0;
}

/*  The ask goes before its listener. */
static int
ask_clear (ask_t *self)
{
    message_move_on (&self->taken);
    if (self->ask)
        WITHOUT_GIL (muster_ask_destroy (&self->ask));
    Py_CLEAR (self->listener);
    return 0;
}

static void
ask_dealloc (ask_t *self)
{
    PyObject_GC_UnTrack (self);
    ask_clear (self);
    Py_TYPE (self)->tp_free (self);
}

/*  --------------------------------------------------------------------------
    Replies */

static bool
is_usable (ask_t *self)
{
    if (!self->ask)
        errors_raise (MUSTER_CLOSED, "the round is closed");
    else
    if (self->waiting)
        errors_raise (MUSTER_BUSY, "another thread waits for a reply of this round");
    else
        return true;
    return false;
}

/*  A new reference to the next reply; NULL at the end, with an exception if it came to grief. */
static PyObject *
next_within (ask_t *self, int timeout_ms)
{
    if (!is_usable (self))
        return NULL;
    message_move_on (&self->taken);
    muster_message_t *reply;
    self->waiting = true;
    muster_error_t error = muster_ask_next_within (self->ask, &reply, 0);
    if (error == MUSTER_TIMEOUT && timeout_ms != 0)
        CALL (error, muster_ask_next_within (self->ask, &reply, timeout_ms));
    self->waiting = false;
    if (error == MUSTER_END)
        return NULL;
    return error ? errors_raise (error, "ask") : message_new_taken (reply, self->listener, &self->taken);
}

static PyObject *
ask_next (PyObject *object)
{
    return next_within ((ask_t *) object, -1);
}

PyDoc_STRVAR (next_doc,
"next($self, /, timeout=None)\n--\n\n"
"The next reply, a Message; None when the round is over and all were taken.\n\n"
"timeout: seconds, None until the round ends. Raises Timeout, Closed if the listener\n"
"stopped.");

static PyObject *
ask_next_method (PyObject *object, PyObject *const *arguments, Py_ssize_t count, PyObject *names)
{
    static const char *const keywords [] = { "timeout", NULL };
    PyObject *timeout = NULL;
    int timeout_ms;
    if (arguments_from (arguments, count, names, "next", keywords, 0, &timeout) || arguments_timeout (timeout, &timeout_ms))
        return NULL;
    PyObject *reply = next_within ((ask_t *) object, timeout_ms);
    return reply || PyErr_Occurred () ? reply : Py_NewRef (Py_None);
}

/*  --------------------------------------------------------------------------
    Who has replied, and who not */

/*  Why, in the words of the contract. */
static const char *
why_text (muster_error_t why)
{
    switch (why) {
        case MUSTER_LATE: return "late";
        case MUSTER_REJECTED: return "REFUSED";
        default: return muster_error_name (why);
    }
}

static PyObject *
get_missing (PyObject *object, void *unused)
{
    (void) unused;
    ask_t *self = (ask_t *) object;
    PyObject *dict = self->ask ? PyDict_New () : errors_raise (MUSTER_CLOSED, "the round is closed");
    const char *source;
    muster_error_t why;
    for (size_t index = 0; dict && muster_ask_missing (self->ask, index, &source, &why) == 0; index++) {
        PyObject *text = PyUnicode_FromString (why_text (why));
        if (!text || PyDict_SetItemString (dict, source, text))
            Py_CLEAR (dict);
        Py_XDECREF (text);
    }
    return dict;
}

static PyObject *
get_asked (PyObject *object, void *unused)
{
    (void) unused;
    return PyLong_FromSize_t (muster_ask_asked (((ask_t *) object)->ask));
}

static PyObject *
get_replied (PyObject *object, void *unused)
{
    (void) unused;
    return PyLong_FromSize_t (muster_ask_replied (((ask_t *) object)->ask));
}

static PyMethodDef methods [] = {
    { "next", FAST (ask_next_method), next_doc },
    { NULL, NULL, 0, NULL }
};

static PyGetSetDef getters [] = {
    { "missing", get_missing, NULL,
      "dict of str: str: who has not replied, and why: NOTFOUND (not here when asked), LEFT, LOST,\n"
      "REPLACED, REVOKED, REFUSED (the worker refused the command), AGAIN (its command buffer was\n"
      "full) or late.", NULL },
    { "asked", get_asked, NULL, "int: how many workers were asked.", NULL },
    { "replied", get_replied, NULL, "int: how many have replied so far.", NULL },
    { NULL, NULL, NULL, NULL, NULL }
};

PyDoc_STRVAR (type_doc,
"A round: a command to several workers, and an iterator over their replies as they come.\n\n"
"Each reply is freed when the loop moves on; what was taken from its data stays. One thread\n"
"at a time may use it.");

static PyTypeObject ask_type = {
    PyVarObject_HEAD_INIT (NULL, 0)
    .tp_name = "muster.Ask",
    .tp_doc = type_doc,
    .tp_basicsize = sizeof (ask_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = PyType_GenericNew,
    .tp_init = (initproc) ask_construct,
    .tp_traverse = (traverseproc) ask_traverse,
    .tp_clear = (inquiry) ask_clear,
    .tp_dealloc = (destructor) ask_dealloc,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = ask_next,
    .tp_methods = methods,
    .tp_getset = getters,
};

int
ask_init (PyObject *module)
{
    return PyModule_AddType (module, &ask_type);
}
