/*  worker.c - muster._core.Worker, which muster.Worker builds on

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "worker.h"

#include "arguments.h"
#include "errors.h"
#include "live.h"
#include "message.h"
#include "options.h"
#include "pack.h"
#include "progress.h"

typedef struct {
    PyObject_HEAD
    muster_worker_t *worker;    /* NULL: __init__ has not run */
    PyObject *taken;            /* borrowed: the command that a loop has */
    live_t live;                /* until close */
    progress_t progress;
} worker_t;

static PyTypeObject worker_type;

/*  --------------------------------------------------------------------------
    Options */

#define SETTER(name, type) \
    static void \
    set_##name (void *self, type value) \
    { \
        muster_worker_set_##name (self, value); \
    }

SETTER (return_endpoint, const char *)
SETTER (key, const char *)
SETTER (server, const char *)
SETTER (send_buffer, uint64_t)
SETTER (command_buffer, uint64_t)
SETTER (liveness, double)
SETTER (drain, double)
SETTER (no_progress, double)

static const option_t options [] = {
    { "return_endpoint", OPTION_TEXT, { .text = set_return_endpoint } },
    { "key", OPTION_PATH, { .text = set_key } },
    { "server", OPTION_PATH, { .text = set_server } },
    { "send_buffer", OPTION_BYTES, { .bytes = set_send_buffer } },
    { "command_buffer", OPTION_BYTES, { .bytes = set_command_buffer } },
    { "liveness", OPTION_SECONDS, { .seconds = set_liveness } },
    { "drain", OPTION_SECONDS, { .seconds = set_drain } },
    { "no_progress", OPTION_SECONDS, { .seconds = set_no_progress } },
    { NULL, OPTION_FLAG, { .flag = NULL } }
};

/*  --------------------------------------------------------------------------
    Progress */

static void
on_progress (const char *source, uint64_t position, uint64_t sent, uint64_t size, void *arg)
{
    (void) source;
    const worker_t *self = arg;
    progress_tell (&self->progress, NULL, position, sent, size);
}

static int
watch (worker_t *self, int descriptor)
{
    if (descriptor < 0)
        return 0;
    if (progress_begin (&self->progress, descriptor))
        return -1;
    muster_worker_set_progress (self->worker, on_progress, self);
    return 0;
}

/*  --------------------------------------------------------------------------
    Making and ending */

static worker_t *
worker_of (PyObject *object)
{
    worker_t *self = (worker_t *) object;
    if (self->worker)
        return self;
    errors_raise (MUSTER_CLOSED, "the Worker was never made");
    return NULL;
}

static PyObject *
fail (const worker_t *self, muster_error_t error)
{
    return errors_raise (error, muster_worker_reason (self->worker));
}

/*  Nothing is destroyed: a thread may wait in it. */
static void
end_at_exit (PyObject *object, int left_ms)
{
    worker_t *self = (worker_t *) object;
    muster_error_t error;
    CALL (error, muster_worker_flush (self->worker, left_ms));
    if (!error)
        CALL (error, muster_worker_close (self->worker, NULL));
    if (error && error != MUSTER_FORKED)
        PySys_FormatStderr ("muster: worker %s was not closed, and not all that it sent is confirmed: %s\n",
            muster_worker_source (self->worker), muster_error_text (error));
}

static int
worker_construct (worker_t *self, PyObject *arguments, PyObject *named)
{
    static char *keywords [] = { "endpoint", "source", "options", "ends_at_exit", "progress", NULL };
    PyObject *endpoint, *source, *dict;
    int ends_at_exit, progress;
    if (!PyArg_ParseTupleAndKeywords (arguments, named, "OOO!pi:Worker", keywords,
        &endpoint, &source, &PyDict_Type, &dict, &ends_at_exit, &progress))
        return -1;
    if (self->worker) {
        errors_raise (MUSTER_BUSY, "__init__ was called before");
        return -1;
    }
    const char *text = arguments_name (endpoint, "endpoint"), *name = NULL;
    if (text && source != Py_None)
        name = arguments_name (source, "source");
    if (!text || (source != Py_None && !name))
        return -1;
    self->worker = muster_worker_new (text, name);
    if (!self->worker) {
        PyErr_NoMemory ();
        return -1;
    }
    if (options_set (options, self->worker, dict) || watch (self, progress))
        return -1;
    muster_error_t error;
    CALL (error, muster_worker_start (self->worker));
    if (error) {
        fail (self, error);
        return -1;
    }
    if (ends_at_exit)
        live_add (&self->live, (PyObject *) self, end_at_exit);
    return 0;
}

static void
warn_unclosed (worker_t *self)
{
    PyObject *type, *value, *trace;
    PyErr_Fetch (&type, &value, &trace);
    if (PyErr_ResourceWarning ((PyObject *) self, 1, "unclosed muster.Worker %s", muster_worker_source (self->worker)))
        PyErr_WriteUnraisable ((PyObject *) self);
    PyErr_Restore (type, value, trace);
}

static void
worker_finalize (worker_t *self)
{
    if (self->live.object)
        warn_unclosed (self);
}

static void
worker_dealloc (worker_t *self)
{
    if (PyObject_CallFinalizerFromDealloc ((PyObject *) self))
        return;
    live_remove (&self->live);
    message_move_on (&self->taken);
    muster_error_t error = 0;
    if (self->worker)
        CALL (error, muster_worker_destroy (&self->worker));
    progress_end (&self->progress, error);
    Py_TYPE (self)->tp_free (self);
}

/*  --------------------------------------------------------------------------
    Sending */

PyDoc_STRVAR (send_doc,
"send($self, /, cmd, data=None)\n--\n\n"
"Send a message. When this returns it is accepted: kept until its handler has returned.\n\n"
"cmd: str of 1 to 255 bytes. data: dict with str keys, None for {}; it is copied.\n"
"Waits while the send buffer is full.\n"
"Raises Timeout after no_progress seconds, TooBig, Invalid for cmd, Closed, why the session\n"
"ended (Access, Full, Replaced, Revoked, Reserved, Version); TypeError, ValueError,\n"
"OverflowError or RuntimeError for data that cannot be packed.");

/*  Up to this size a message is sent without giving the GIL away, if nothing has to be waited for:
    whoever else wants it would have it for 5 ms. */
#define SMALL ((size_t) 64 * 1024)

/*  cmd and a writer that holds data; NULL with an exception. */
static const char *
packed (PyObject *cmd, PyObject *data, muster_writer_t **writer)
{
    const char *name = arguments_name (cmd, "cmd");
    *writer = name ? pack_data (data) : NULL;
    return *writer ? name : NULL;
}

static muster_error_t
send_writer (worker_t *self, const char *cmd, muster_writer_t *writer)
{
    size_t size = 0;
    muster_error_t error = MUSTER_AGAIN;
    muster_writer_bytes (writer, NULL, &size);
    if (size <= SMALL)
        error = muster_worker_try_send_writer (self->worker, cmd, writer);
    if (error == MUSTER_AGAIN)
        CALL (error, muster_worker_send_writer (self->worker, cmd, writer));
    return error;
}

static PyObject *
worker_send (PyObject *object, PyObject *const *arguments, Py_ssize_t count, PyObject *names)
{
    static const char *const keywords [] = { "cmd", "data", NULL };
    PyObject *values [2] = { NULL, NULL };
    worker_t *self = worker_of (object);
    if (!self || arguments_from (arguments, count, names, "send", keywords, 1, values))
        return NULL;
    muster_writer_t *writer;
    const char *cmd = packed (values [0], values [1], &writer);
    if (!cmd)
        return NULL;
    muster_error_t error = send_writer (self, cmd, writer);
    pack_return (writer);
    return error ? fail (self, error) : Py_NewRef (Py_None);
}

PyDoc_STRVAR (try_send_doc,
"_try_send($self, cmd, data, /)\n--\n\nAs send, but False where it would have to wait.");

static PyObject *
worker_try_send (PyObject *object, PyObject *const *arguments, Py_ssize_t count)
{
    worker_t *self = worker_of (object);
    if (!self)
        return NULL;
    if (count != 2) {
        PyErr_SetString (PyExc_TypeError, "_try_send() takes cmd and data");
        return NULL;
    }
    muster_writer_t *writer;
    const char *cmd = packed (arguments [0], arguments [1], &writer);
    if (!cmd)
        return NULL;
    muster_error_t error = muster_worker_try_send_writer (self->worker, cmd, writer);
    pack_return (writer);
    if (error && error != MUSTER_AGAIN)
        return fail (self, error);
    return PyBool_FromLong (!error);
}

/*  A worker cannot know what its listener has registered: what waits for a first handler
    looks like what a slow one has. */
static const char *
where_they_are (const worker_t *self, uint64_t unhandled, uint64_t received)
{
    if (muster_worker_wait_for_listener (self->worker, 0))
        return "no listener answers";
    if (received == 0)
        return "the listener has not said that it has any";
    return received < unhandled ? "the listener has some"
        : "the listener has all, and a handler is at work there or none is registered yet";
}

static PyObject *
fail_flush (const worker_t *self, muster_error_t error)
{
    uint64_t unhandled = 0, received = 0;
    char detail [200];
    if (error != MUSTER_TIMEOUT || muster_worker_unhandled (self->worker, &unhandled, &received) || unhandled == 0)
        return fail (self, error);
    snprintf (detail, sizeof detail, "%llu %s not handled: %s", (unsigned long long) unhandled,
        unhandled == 1 ? "message is" : "messages are", where_they_are (self, unhandled, received));
    return errors_raise (error, detail);
}

PyDoc_STRVAR (flush_doc,
"flush($self, /, timeout=None)\n--\n\n"
"Wait until the handler of every message accepted so far has returned.\n\n"
"timeout: seconds, None for as long as something moves.\n"
"Raises Timeout, which says how many are not handled and where they wait, Rejected if the\n"
"listener refused one since the last flush, Closed, why the session ended.");

static PyObject *
worker_flush (PyObject *object, PyObject *const *arguments, Py_ssize_t count, PyObject *names)
{
    static const char *const keywords [] = { "timeout", NULL };
    PyObject *timeout = NULL;
    int timeout_ms;
    worker_t *self = worker_of (object);
    if (!self || arguments_from (arguments, count, names, "flush", keywords, 0, &timeout)
        || arguments_timeout (timeout, &timeout_ms))
        return NULL;
    muster_error_t error;
    CALL (error, muster_worker_flush (self->worker, timeout_ms));
    return error ? fail_flush (self, error) : Py_NewRef (Py_None);
}

PyDoc_STRVAR (close_doc,
"_close($self, /)\n--\n\n"
"Flush within the drain limit, say goodbye, disconnect. Returns how many messages were\n"
"not confirmed, and the exception that says why, or None.");

static PyObject *
worker_close (PyObject *object, PyObject *unused)
{
    (void) unused;
    worker_t *self = worker_of (object);
    if (!self)
        return NULL;
    uint64_t unconfirmed = 0;
    muster_error_t error;
    CALL (error, muster_worker_close (self->worker, &unconfirmed));
    if (error == MUSTER_INTERRUPTED || error == MUSTER_FORKED || error == MUSTER_DEADLOCK)
        return fail (self, error);
    live_remove (&self->live);
    progress_end (&self->progress, error);
    if (!error)
        return Py_BuildValue ("KO", (unsigned long long) unconfirmed, Py_None);
    PyObject *type, *value, *trace;
    fail (self, error);
    PyErr_Fetch (&type, &value, &trace);
    PyErr_NormalizeException (&type, &value, &trace);
    PyObject *result = Py_BuildValue ("KO", (unsigned long long) unconfirmed, value);
    Py_XDECREF (type);
    Py_XDECREF (value);
    Py_XDECREF (trace);
    return result;
}

/*  --------------------------------------------------------------------------
    Commands */

static PyObject *
take (worker_t *self, int timeout_ms)
{
    message_move_on (&self->taken);
    muster_message_t *message;
    muster_error_t error = muster_worker_recv (self->worker, &message, 0);
    if (error == MUSTER_TIMEOUT && timeout_ms != 0)
        CALL (error, muster_worker_recv (self->worker, &message, timeout_ms));
    return error ? fail (self, error) : message_new_taken (message, (PyObject *) self, &self->taken);
}

PyDoc_STRVAR (recv_doc,
"recv($self, /, timeout=None)\n--\n\n"
"Take the next command, a Message. It is done, and its room in the command buffer free, with the\n"
"next recv, or when nobody refers to it any more.\n\n"
"timeout: seconds, None for ever.\n"
"Raises Timeout, Closed, why the session ended.");

static PyObject *
worker_recv (PyObject *object, PyObject *const *arguments, Py_ssize_t count, PyObject *names)
{
    static const char *const keywords [] = { "timeout", NULL };
    PyObject *timeout = NULL;
    int timeout_ms;
    worker_t *self = worker_of (object);
    if (!self || arguments_from (arguments, count, names, "recv", keywords, 0, &timeout)
        || arguments_timeout (timeout, &timeout_ms))
        return NULL;
    return take (self, timeout_ms);
}

/*  A loop over commands ends with close. */
static PyObject *
worker_next (PyObject *object)
{
    worker_t *self = worker_of (object);
    PyObject *message = self ? take (self, -1) : NULL;
    if (!message && PyErr_ExceptionMatches (errors_class (MUSTER_CLOSED)))
        PyErr_Clear ();
    return message;
}

PyDoc_STRVAR (descriptor_doc,
"_descriptor($self, /)\n--\n\nA descriptor that is readable while recv would not wait.");

static PyObject *
worker_descriptor (PyObject *object, PyObject *unused)
{
    (void) unused;
    int descriptor;
    worker_t *self = worker_of (object);
    if (!self)
        return NULL;
    muster_error_t error = muster_worker_descriptor (self->worker, &descriptor);
    return error ? fail (self, error) : PyLong_FromLong (descriptor);
}

static PyObject *
get_source (PyObject *object, void *unused)
{
    (void) unused;
    worker_t *self = worker_of (object);
    return self ? PyUnicode_FromString (muster_worker_source (self->worker)) : NULL;
}

static PyMethodDef methods [] = {
    { "send", FAST (worker_send), send_doc },
    { "_try_send", (PyCFunction) (void (*) (void)) worker_try_send, METH_FASTCALL, try_send_doc },
    { "flush", FAST (worker_flush), flush_doc },
    { "recv", FAST (worker_recv), recv_doc },
    { "_close", worker_close, METH_NOARGS, close_doc },
    { "_descriptor", worker_descriptor, METH_NOARGS, descriptor_doc },
    { NULL, NULL, 0, NULL }
};

static PyGetSetDef getters [] = {
    { "source", get_source, NULL, "str: the worker's source.", NULL },
    { NULL, NULL, NULL, NULL, NULL }
};

static PyTypeObject worker_type = {
    PyVarObject_HEAD_INIT (NULL, 0)
    .tp_name = "muster._core.Worker",
    .tp_basicsize = sizeof (worker_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_new = PyType_GenericNew,
    .tp_init = (initproc) worker_construct,
    .tp_finalize = (destructor) worker_finalize,
    .tp_dealloc = (destructor) worker_dealloc,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = worker_next,
    .tp_methods = methods,
    .tp_getset = getters,
};

int
worker_init (PyObject *module)
{
    return PyModule_AddType (module, &worker_type);
}
