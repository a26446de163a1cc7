/*  messages.c - muster._core.Messages, a loop over a listener's messages

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "messages.h"

#include "arguments.h"
#include "errors.h"
#include "listener.h"
#include "message.h"

/*  It belongs to one loop: when that ends, the last message is done. */
typedef struct {
    PyObject_HEAD
    PyObject *listener;
    PyObject *taken;        /* borrowed: the message that the loop has */
    int timeout_ms;
} messages_t;

static int
messages_construct (messages_t *self, PyObject *arguments, PyObject *named)
{
    static char *keywords [] = { "listener", "timeout", NULL };
    PyObject *listener, *timeout;
    if (!PyArg_ParseTupleAndKeywords (arguments, named, "OO:Messages", keywords, &listener, &timeout))
        return -1;
    if (!listener_of (listener) || arguments_timeout (timeout, &self->timeout_ms))
        return -1;
    Py_XSETREF (self->listener, Py_NewRef (listener));
    return 0;
}

static int
messages_traverse (messages_t *self, visitproc visit, void *arg)
{
    Py_VISIT (self->listener);
    return 0;
}

static int
messages_clear (messages_t *self)
{
    message_move_on (&self->taken);
    Py_CLEAR (self->listener);
    return 0;
}

static void
messages_dealloc (messages_t *self)
{
    PyObject_GC_UnTrack (self);
    messages_clear (self);
    Py_TYPE (self)->tp_free (self);
}

/*  A new reference; NULL without an exception past the timeout. */
static PyObject *
next_within (messages_t *self, int timeout_ms)
{
    listener_t *listener = self->listener ? listener_of (self->listener) : NULL;
    if (!listener)
        return errors_raise (MUSTER_CLOSED, "the loop has ended");
    message_move_on (&self->taken);
    muster_message_t *message;
    muster_error_t error = muster_listener_next (listener->listener, &message, 0);
    if (error == MUSTER_TIMEOUT && timeout_ms != 0)
        CALL (error, muster_listener_next (listener->listener, &message, timeout_ms));
    if (error == MUSTER_TIMEOUT)
        return NULL;
    return error ? errors_raise (error, NULL) : message_new_taken (message, self->listener, &self->taken);
}

static PyObject *
messages_iternext (PyObject *object)
{
    messages_t *self = (messages_t *) object;
    PyObject *message = next_within (self, self->timeout_ms);
    if (!message && PyErr_Occurred () && PyErr_ExceptionMatches (errors_class (MUSTER_CLOSED)))
        PyErr_Clear ();
    return message;
}

PyDoc_STRVAR (next_doc,
"next($self, /, timeout=None)\n--\n\n"
"The next message, None past timeout seconds. The one before is done. Raises Closed when the\n"
"listener is stopped and empty, Busy if it has handlers.");

static PyObject *
messages_next (PyObject *object, PyObject *const *arguments, Py_ssize_t count, PyObject *names)
{
    static const char *const keywords [] = { "timeout", NULL };
    PyObject *timeout = NULL;
    int timeout_ms;
    if (arguments_from (arguments, count, names, "next", keywords, 0, &timeout) || arguments_timeout (timeout, &timeout_ms))
        return NULL;
    PyObject *message = next_within ((messages_t *) object, timeout_ms);
    return message || PyErr_Occurred () ? message : Py_NewRef (Py_None);
}

static PyMethodDef methods [] = {
    { "next", FAST (messages_next), next_doc },
    { NULL, NULL, 0, NULL }
};

PyDoc_STRVAR (type_doc,
"The messages of a listener, one by one; each is done when the loop moves on or ends.");

static PyTypeObject messages_type = {
    PyVarObject_HEAD_INIT (NULL, 0)
    .tp_name = "muster._core.Messages",
    .tp_doc = type_doc,
    .tp_basicsize = sizeof (messages_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = PyType_GenericNew,
    .tp_init = (initproc) messages_construct,
    .tp_traverse = (traverseproc) messages_traverse,
    .tp_clear = (inquiry) messages_clear,
    .tp_dealloc = (destructor) messages_dealloc,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = messages_iternext,
    .tp_methods = methods,
};

int
messages_init (PyObject *module)
{
    return PyModule_AddType (module, &messages_type);
}
