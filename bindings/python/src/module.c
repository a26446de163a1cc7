/*  module.c - muster._core, the extension module

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <pthread.h>
#include <stdbool.h>

#include "ask.h"
#include "errors.h"
#include "handlers.h"
#include "keyfiles.h"
#include "listener.h"
#include "live.h"
#include "log.h"
#include "message.h"
#include "messages.h"
#include "pack.h"
#include "token.h"
#include "unpack.h"
#include "worker.h"

/*  --------------------------------------------------------------------------
    Who ends a call that waits: a signal, Ctrl-C say, if it is in the main thread; another
    thread by a token */

static pthread_t main_thread;

/*  It need not be the one that imports the package. */
static int
find_main_thread (void)
{
    PyObject *threading = PyImport_ImportModule ("threading");
    PyObject *thread = threading ? PyObject_CallMethod (threading, "main_thread", NULL) : NULL;
    PyObject *ident = thread ? PyObject_GetAttrString (thread, "ident") : NULL;
    main_thread = ident && ident != Py_None ? (pthread_t) PyLong_AsUnsignedLong (ident) : pthread_self ();
    Py_XDECREF (ident);
    Py_XDECREF (thread);
    Py_XDECREF (threading);
    return PyErr_Occurred () ? -1 : 0;
}

static bool
check_signals (void)
{
    if (token_is_cancelled ())
        return true;
    if (!pthread_equal (pthread_self (), main_thread) || !Py_IsInitialized ())
        return false;
    PyGILState_STATE state = PyGILState_Ensure ();
    bool interrupted = PyErr_CheckSignals () != 0;
    PyGILState_Release (state);
    return interrupted;
}

/*  --------------------------------------------------------------------------
    Functions */

static PyObject *
end_all (PyObject *module, PyObject *unused)
{
    (void) module, (void) unused;
    live_end_all ();
    Py_RETURN_NONE;
}

static PyObject *
after_fork (PyObject *module, PyObject *unused)
{
    (void) module, (void) unused;
    main_thread = pthread_self ();
    handlers_forget ();
    live_forget ();
    log_forget ();
    Py_RETURN_NONE;
}

PyDoc_STRVAR (pack_doc,
"pack($module, data, /)\n--\n\n"
"The msgpack bytes of a message's data, a dict, as send makes them.\n\n"
"Raises TypeError, ValueError, OverflowError or RuntimeError, naming the place in data.");

static PyObject *
pack (PyObject *module, PyObject *data)
{
    (void) module;
    muster_writer_t *writer = pack_data (data);
    if (!writer)
        return NULL;
    const void *bytes;
    size_t size;
    muster_error_t error = muster_writer_bytes (writer, &bytes, &size);
    PyObject *result = error ? errors_raise (error, NULL) : PyBytes_FromStringAndSize (bytes, (Py_ssize_t) size);
    pack_return (writer);
    return result;
}

PyDoc_STRVAR (unpack_doc,
"unpack($module, bytes, /)\n--\n\n"
"The data that msgpack bytes hold, as Message.data gives it. Raises Format.");

static PyObject *
unpack (PyObject *module, PyObject *bytes)
{
    (void) module;
    Py_buffer view;
    if (PyObject_GetBuffer (bytes, &view, PyBUF_CONTIG_RO))
        return NULL;
    muster_reader_t reader;
    muster_reader_init (&reader, view.buf, (size_t) view.len);
    muster_error_t error = muster_reader_skip (&reader);
    PyObject *data = error || reader.next != reader.end
        ? errors_raise (MUSTER_FORMAT, "not one msgpack value") : unpack_value (view.buf, (size_t) view.len, NULL);
    PyBuffer_Release (&view);
    return data;
}

static PyMethodDef functions [] = {
    { "end_all", end_all, METH_NOARGS, "end_all($module, /)\n--\n\nEnd all listeners and workers: the interpreter ends." },
    { "after_fork", after_fork, METH_NOARGS, "after_fork($module, /)\n--\n\nIn a forked child: what is live is the parent's." },
    { "take_log", log_take, METH_NOARGS,
      "take_log($module, /)\n--\n\nThe next log lines, a list of (level, text); None after end_log, when all were taken." },
    { "end_log", log_end, METH_NOARGS, "end_log($module, /)\n--\n\nWhoever waits for log lines waits no more." },
    { "pack", pack, METH_O, pack_doc },
    { "unpack", unpack, METH_O, unpack_doc },
    { NULL, NULL, 0, NULL }
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "muster._core",
    .m_doc = "The C library for Python. Use the package muster.",
    .m_size = -1,
    .m_methods = functions,
};

static int
fill (PyObject *module)
{
    if (PyModule_AddStringConstant (module, "version", muster_version ()))
        return -1;
    return find_main_thread () || errors_init (module) || pack_init () || log_init () || message_init (module)
        || listener_init (module) || messages_init (module) || worker_init (module) || ask_init (module) || token_init (module)
        || keyfiles_init (module) ? -1 : 0;
}

PyMODINIT_FUNC PyInit__core (void);

PyMODINIT_FUNC
PyInit__core (void)
{
    PyObject *module = PyModule_Create (&definition);
    if (!module)
        return NULL;
    if (fill (module)) {
        Py_DECREF (module);
        return NULL;
    }
    log_begin ();
    muster_interrupt_set (check_signals);
    return module;
}
