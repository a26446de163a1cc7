/*  token.c - muster._core.Token, by which one thread ends a call that waits in another

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "token.h"

#include <stdatomic.h>

typedef struct {
    PyObject_HEAD
    atomic_bool cancelled;
} token_t;

static _Thread_local token_t *current;      /* whose call this thread makes */

bool
token_is_cancelled (void)
{
    return current && atomic_load (&current->cancelled);
}

PyDoc_STRVAR (run_doc,
"run($self, function, /, *arguments)\n--\n\n"
"Call function in this thread; waits of the library inside it end with Interrupted after cancel().");

static PyObject *
token_run (PyObject *object, PyObject *const *arguments, Py_ssize_t count)
{
    if (count < 1) {
        PyErr_SetString (PyExc_TypeError, "run() needs a function");
        return NULL;
    }
    token_t *before = current;
    current = (token_t *) object;
    PyObject *result = PyObject_Vectorcall (arguments [0], arguments + 1, (size_t) (count - 1), NULL);
    current = before;
    return result;
}

PyDoc_STRVAR (cancel_doc, "cancel($self, /)\n--\n\nEnd the waits under way in run(), and all that follow there. Any thread.");

static PyObject *
token_cancel (PyObject *object, PyObject *unused)
{
    (void) unused;
    atomic_store (&((token_t *) object)->cancelled, true);
    Py_RETURN_NONE;
}

static PyMethodDef methods [] = {
    { "run", (PyCFunction) (void (*) (void)) token_run, METH_FASTCALL, run_doc },
    { "cancel", token_cancel, METH_NOARGS, cancel_doc },
    { NULL, NULL, 0, NULL }
};

static PyTypeObject token_type = {
    PyVarObject_HEAD_INIT (NULL, 0)
    .tp_name = "muster._core.Token",
    .tp_basicsize = sizeof (token_t),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = PyType_GenericNew,
    .tp_methods = methods,
};

int
token_init (PyObject *module)
{
    return PyModule_AddType (module, &token_type);
}
