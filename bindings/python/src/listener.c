/*  listener.c - muster._core.Listener, which muster.Listener builds on

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "listener.h"

#include "arguments.h"
#include "errors.h"
#include "options.h"
#include "pack.h"
#include "stats.h"

static PyTypeObject listener_type;

/*  --------------------------------------------------------------------------
    Options */

#define SETTER(name, type) \
    static void \
    set_##name (void *self, type value) \
    { \
        muster_listener_set_##name (self, value); \
    }

SETTER (return_endpoint, const char *)
SETTER (advertise, const char *)
SETTER (key, const char *)
SETTER (allow, const char *)
SETTER (insecure, bool)
SETTER (message_limit, uint64_t)
SETTER (frame_limit, uint64_t)
SETTER (receive_budget, uint64_t)
SETTER (plain_share, uint64_t)
SETTER (credit_floor, uint64_t)
SETTER (command_buffer, uint64_t)
SETTER (liveness, double)
SETTER (drain, double)
SETTER (no_progress, double)
SETTER (retention, double)
SETTER (retained_sessions, size_t)

static const option_t options [] = {
    { "return_endpoint", OPTION_TEXT, { .text = set_return_endpoint } },
    { "advertise", OPTION_TEXT, { .text = set_advertise } },
    { "key", OPTION_PATH, { .text = set_key } },
    { "allow", OPTION_PATH, { .text = set_allow } },
    { "insecure", OPTION_FLAG, { .flag = set_insecure } },
    { "message_limit", OPTION_BYTES, { .bytes = set_message_limit } },
    { "frame_limit", OPTION_BYTES, { .bytes = set_frame_limit } },
    { "receive_budget", OPTION_BYTES, { .bytes = set_receive_budget } },
    { "plain_share", OPTION_BYTES, { .bytes = set_plain_share } },
    { "credit_floor", OPTION_BYTES, { .bytes = set_credit_floor } },
    { "command_buffer", OPTION_BYTES, { .bytes = set_command_buffer } },
    { "liveness", OPTION_SECONDS, { .seconds = set_liveness } },
    { "drain", OPTION_SECONDS, { .seconds = set_drain } },
    { "no_progress", OPTION_SECONDS, { .seconds = set_no_progress } },
    { "retention", OPTION_SECONDS, { .seconds = set_retention } },
    { "retained_sessions", OPTION_COUNT, { .count = set_retained_sessions } },
    { NULL, OPTION_FLAG, { .flag = NULL } }
};

/*  --------------------------------------------------------------------------
    Making and ending */

listener_t *
listener_of (PyObject *object)
{
    if (!PyObject_TypeCheck (object, &listener_type)) {
        PyErr_Format (PyExc_TypeError, "must be a muster.Listener, not %s", Py_TYPE (object)->tp_name);
        return NULL;
    }
    listener_t *self = (listener_t *) object;
    if (self->listener && !self->cleared)
        return self;
    errors_raise (MUSTER_CLOSED, "the Listener was never made");
    return NULL;
}

static PyObject *
fail (const listener_t *self, muster_error_t error)
{
    return errors_raise (error, muster_listener_reason (self->listener));
}

static void
on_progress (const char *source, uint64_t position, uint64_t sent, uint64_t size, void *arg)
{
    const listener_t *self = arg;
    progress_tell (&self->progress, source, position, sent, size);
}

/*  calls: with the pipe's descriptor, or None. */
static int
watch (listener_t *self, PyObject *calls)
{
    if (calls == Py_None)
        return 0;
    PyObject *number = PyObject_GetAttrString (calls, "descriptor");
    int descriptor = number ? PyObject_AsFileDescriptor (number) : -1;
    Py_XDECREF (number);
    if (descriptor < 0 || progress_begin (&self->progress, descriptor))
        return -1;
    self->calls = Py_NewRef (calls);
    muster_listener_set_progress (self->listener, on_progress, self);
    return 0;
}

static int
listener_construct (listener_t *self, PyObject *arguments, PyObject *named)
{
    static char *keywords [] = { "endpoint", "options", "progress", NULL };
    PyObject *endpoint, *dict, *progress;
    if (!PyArg_ParseTupleAndKeywords (arguments, named, "OO!O:Listener", keywords,
        &endpoint, &PyDict_Type, &dict, &progress))
        return -1;
    const char *text = arguments_name (endpoint, "endpoint");
    if (!text)
        return -1;
    if (self->listener) {
        errors_raise (MUSTER_BUSY, "__init__ was called before");
        return -1;
    }
    self->handlers = PyDict_New ();
    self->retired = PyList_New (0);
    self->doubtful = PyList_New (0);
    if (!self->handlers || !self->retired || !self->doubtful)
        return -1;
    self->listener = muster_listener_new (text);
    if (!self->listener) {
        PyErr_NoMemory ();
        return -1;
    }
    muster_listener_set_dispatch_hook (self->listener, handlers_hook, &self->dispatch);
    return options_set (options, self->listener, dict) || watch (self, progress) ? -1 : 0;
}

/*  A handler has a second in any case, or none. */
static void
end_at_exit (PyObject *object, int left_ms)
{
    listener_t *self = (listener_t *) object;
    muster_error_t error = MUSTER_TIMEOUT;
    muster_listener_set_drain (self->listener, left_ms > 1000 ? (left_ms - 1000) / 1e3 : 0);
    if (left_ms > 0)
        CALL (error, muster_listener_stop (self->listener, NULL));
    if (error)
        Py_INCREF (self);       /* a handler is still in it: it stays until the process ends */
    Py_DECREF (self);
}

static void
begin_life (listener_t *self)
{
    if (self->live.object)
        return;
    live_add (&self->live, (PyObject *) self, end_at_exit);
    Py_INCREF (self);
}

static void
end_life (listener_t *self)
{
    if (!self->live.object)
        return;
    live_remove (&self->live);
    Py_DECREF (self);           /* the caller has another */
}

/*  Where several threads start and stop it, Python's lock does not come to them in the order in which the
    library let them: what counts is whether each thread that was started has ended. */
static bool
is_running (const listener_t *self)
{
    return self->started != atomic_load (&self->dispatch.ended);
}

/*  What is let go of comes last: it may run code that starts the listener again. */
static void
settle (listener_t *self)
{
    if (is_running (self)) {
        begin_life (self);
        return;
    }
    end_life (self);
    PyList_SetSlice (self->retired, 0, PyList_GET_SIZE (self->retired), NULL);
}

static int
listener_traverse (listener_t *self, visitproc visit, void *arg)
{
    Py_VISIT (self->handlers);
    Py_VISIT (self->retired);
    Py_VISIT (self->doubtful);
    Py_VISIT (self->calls);
    return 0;
}

static int
listener_clear (listener_t *self)
{
    self->cleared = true;
    Py_CLEAR (self->handlers);
    Py_CLEAR (self->retired);
    Py_CLEAR (self->doubtful);
    Py_CLEAR (self->calls);
    return 0;
}

/*  Commands may have arrived that were not told of yet. What the garbage collector has cleared is told nothing. */
static void
tell_the_rest (listener_t *self)
{
    PyObject *type, *value, *trace;
    if (!self->calls)
        return;
    PyErr_Fetch (&type, &value, &trace);
    PyObject *result = PyObject_CallMethod (self->calls, "outlive", NULL);
    if (!result)
        PyErr_WriteUnraisable (self->calls);
    Py_XDECREF (result);
    PyErr_Restore (type, value, trace);
}

static void
listener_dealloc (listener_t *self)
{
    PyObject_GC_UnTrack (self);
    live_remove (&self->live);
    muster_error_t error = 0;
    if (self->listener)
        CALL (error, muster_listener_destroy (&self->listener));
    tell_the_rest (self);
    progress_end (&self->progress, error);
    Py_XDECREF (self->handlers);
    Py_XDECREF (self->retired);
    Py_XDECREF (self->doubtful);
    Py_XDECREF (self->calls);
    Py_TYPE (self)->tp_free (self);
}

/*  --------------------------------------------------------------------------
    Start and stop */

PyDoc_STRVAR (start_doc,
"start($self, /)\n--\n\n"
"Bind and take messages in.\n\n"
"Raises Endpoint or InUse for the endpoint, Access for an address beyond\n"
"loopback without keys, Invalid for options that do not fit together; NotFound,\n"
"Access, Format or System for the files of key and allow; Resource,\n"
"NoMemory, Busy if it runs. After stop it may be started again: the same\n"
"endpoint, the same handlers, sessions go on; the files are read again.");

static PyObject *
listener_start (PyObject *object, PyObject *unused)
{
    (void) unused;
    listener_t *self = listener_of (object);
    if (!self)
        return NULL;
    muster_error_t error;
    CALL (error, muster_listener_start (self->listener));
    if (error)
        return fail (self, error);
    self->started++;
    settle (self);
    Py_RETURN_NONE;
}

PyDoc_STRVAR (stop_doc,
"stop($self, /)\n--\n\n"
"Stop: take no more, handle what has come within the drain limit, say goodbye.\n\n"
"Returns how many messages were left unhandled: 0 if all went well. Harmless when it\n"
"does not run. Inside a handler it asks and does not wait.\n"
"Raises Timeout if a handler outlives the drain limit: the listener then\n"
"stops when that returns.");

static PyObject *
listener_stop (PyObject *object, PyObject *unused)
{
    (void) unused;
    listener_t *self = listener_of (object);
    if (!self)
        return NULL;
    uint64_t dropped = 0;
    muster_error_t error;
    CALL (error, muster_listener_stop (self->listener, &dropped));
    if (error)
        return errors_raise (error, error == MUSTER_TIMEOUT ? "a handler outlives the drain limit" : NULL);
    if (!handlers_inside (object))
        settle (self);
    return PyLong_FromUnsignedLongLong (dropped);
}

PyDoc_STRVAR (reload_doc,
"reload($self, /)\n--\n\n"
"Read the allow file again.\n\n"
"When it returns, workers that may not use their source any more are gone: REVOKED, and\n"
"what of their messages no handler had taken is dropped, and counted. A file with a fault\n"
"changes nothing.\n"
"Raises NotFound, Access, Format or System for the file, with the line that is wrong;\n"
"Invalid if it was not started with keys.");

static PyObject *
listener_reload (PyObject *object, PyObject *unused)
{
    (void) unused;
    listener_t *self = listener_of (object);
    if (!self)
        return NULL;
    muster_error_t error;
    CALL (error, muster_listener_reload (self->listener));
    return error ? fail (self, error) : Py_NewRef (Py_None);
}

/*  --------------------------------------------------------------------------
    Handlers */

/*  The library and the dict below change one after the other. Where two threads do so at once, the dict
    may get another handler than the library has: what goes out of it then is kept as long as the listener. */
static void
begin_change (listener_t *self)
{
    if (self->changing++ > 0)
        self->overlapping = true;
}

static bool
end_change (listener_t *self)
{
    bool overlapping = self->overlapping;
    if (--self->changing == 0)
        self->overlapping = false;
    return overlapping;
}

/*  A system handler may run in several threads at once; one that replaces it from
    inside does not wait for the others. */
static int
keep_handler (listener_t *self, PyObject *key, PyObject *tuple, bool overlapping, bool in_use)
{
    in_use = in_use || (key == Py_False && handlers_inside ((PyObject *) self));
    PyObject *old = PyDict_GetItemWithError (self->handlers, key);
    PyObject *list = overlapping ? self->doubtful : in_use ? self->retired : NULL;
    if (old && list && PyList_Append (list, old))
        return -1;
    if (tuple)
        return PyDict_SetItem (self->handlers, key, tuple);
    return old ? PyDict_DelItem (self->handlers, key) : 0;
}

/*  key: the source, a plain str, since one of a class of its own may hash and compare as it likes; True for the default
    handler, False for the system handler. */
static muster_error_t
call_register (listener_t *self, PyObject *key, const char *source, PyObject *tuple, bool overwrite)
{
    muster_error_t error;
    muster_listener_t *listener = self->listener;
    if (source)
        CALL (error, muster_listener_register_handler (listener, source, handlers_call, tuple, overwrite));
    else
    if (key == Py_True)
        CALL (error, muster_listener_register_default_handler (listener, handlers_call, tuple));
    else
        CALL (error, muster_listener_register_system_handler (listener, handlers_call, tuple));
    return error;
}

static PyObject *
change_handler (listener_t *self, PyObject *key, const char *source, PyObject *tuple, bool overwrite)
{
    begin_change (self);
    muster_error_t error = call_register (self, key, source, tuple, overwrite);
    bool overlapping = end_change (self);
    int rc = 0;
    if (!error || error == MUSTER_INTERRUPTED)
        rc = keep_handler (self, key, tuple, overlapping, error != 0);
    if (rc)
        Py_INCREF (tuple);      /* the library has it all the same */
    return rc ? NULL : errors_none (error, source);
}

static PyObject *
register_any (listener_t *self, PyObject *key, const char *source, PyObject *handler, bool overwrite)
{
    if (handler == Py_None)
        return errors_raise (MUSTER_INVAL, "a handler must not be None");
    if (!PyCallable_Check (handler)) {
        PyErr_Format (PyExc_TypeError, "a handler must be callable, not %s", Py_TYPE (handler)->tp_name);
        return NULL;
    }
    PyObject *tuple = PyTuple_Pack (2, self, handler);
    PyObject *result = tuple ? change_handler (self, key, source, tuple, overwrite) : NULL;
    Py_XDECREF (tuple);
    return result;
}

PyDoc_STRVAR (register_handler_doc,
"register_handler($self, /, source, handler, overwrite=False)\n--\n\n"
"Register the handler of one source: handler(message), which is called on the\n"
"listener's dispatch thread, one at a time.\n\n"
"A change holds for every message handled after the call. What a handler returns is\n"
"ignored; what it raises is logged and counted.\n"
"Raises Exists unless overwrite, Reserved for the listener's own source, Invalid for\n"
"None or a source that no message can have, Busy if messages are taken with\n"
"messages().");

static PyObject *
listener_register_handler (PyObject *object, PyObject *const *arguments, Py_ssize_t count, PyObject *names)
{
    static const char *const keywords [] = { "source", "handler", "overwrite", NULL };
    PyObject *values [3] = { NULL, NULL, Py_False };
    listener_t *self = listener_of (object);
    if (!self || arguments_from (arguments, count, names, "register_handler", keywords, 2, values))
        return NULL;
    const char *source = arguments_name (values [0], "source");
    int overwrite = source ? PyObject_IsTrue (values [2]) : -1;
    PyObject *key = overwrite < 0 ? NULL : PyUnicode_FromObject (values [0]);
    PyObject *result = key ? register_any (self, key, source, values [1], overwrite) : NULL;
    Py_XDECREF (key);
    return result;
}

PyDoc_STRVAR (register_default_doc,
"register_default_handler($self, handler, /)\n--\n\n"
"Set the handler of messages whose source has none. Raises Invalid for None, Busy.");

static PyObject *
listener_register_default (PyObject *object, PyObject *handler)
{
    listener_t *self = listener_of (object);
    return self ? register_any (self, Py_True, NULL, handler, true) : NULL;
}

PyDoc_STRVAR (register_system_doc,
"register_system_handler($self, handler, /)\n--\n\n"
"Set the handler of the listener's events, JOINED, LOST and so on: messages from\n"
"its own source with data {\"source\": ...}. Raises Invalid for None.");

static PyObject *
listener_register_system (PyObject *object, PyObject *handler)
{
    listener_t *self = listener_of (object);
    return self ? register_any (self, Py_False, NULL, handler, true) : NULL;
}

PyDoc_STRVAR (unregister_doc,
"unregister_handler($self, source, /)\n--\n\n"
"Remove the handler of one source; returns once it is not running, unless it is the\n"
"caller. Raises NotFound.");

static PyObject *
listener_unregister (PyObject *object, PyObject *name)
{
    listener_t *self = listener_of (object);
    const char *source = self ? arguments_name (name, "source") : NULL;
    PyObject *key = source ? PyUnicode_FromObject (name) : NULL;
    if (!key)
        return NULL;
    muster_error_t error;
    begin_change (self);
    CALL (error, muster_listener_unregister_handler (self->listener, source));
    bool overlapping = end_change (self);
    int rc = !error || error == MUSTER_INTERRUPTED ? keep_handler (self, key, NULL, overlapping, error != 0) : 0;
    Py_DECREF (key);
    return rc ? NULL : errors_none (error, source);
}

/*  --------------------------------------------------------------------------
    Taking messages instead: messages.c; here is when there are any */

PyDoc_STRVAR (descriptor_doc,
"_descriptor($self, /)\n--\n\nA descriptor that is readable while messages do not have to be waited for.");

static PyObject *
listener_descriptor (PyObject *object, PyObject *unused)
{
    (void) unused;
    int descriptor;
    listener_t *self = listener_of (object);
    if (!self)
        return NULL;
    muster_error_t error = muster_listener_descriptor (self->listener, &descriptor);
    return error ? errors_raise (error, NULL) : PyLong_FromLong (descriptor);
}

/*  --------------------------------------------------------------------------
    Commands */

PyDoc_STRVAR (send_doc,
"send($self, /, source, cmd, data=None)\n--\n\n"
"Send a command to one worker; returns its source.\n\n"
"cmd: str of 1 to 255 bytes. data: dict with str keys, None for {}; it is\n"
"copied. Waits while the worker's command buffer is full, in a handler it does not.\n"
"Raises NotFound if the worker is not here, Again, Timeout after no_progress seconds,\n"
"TooBig, Invalid, Closed.");

static PyObject *
listener_send (PyObject *object, PyObject *const *arguments, Py_ssize_t count, PyObject *names)
{
    static const char *const keywords [] = { "source", "cmd", "data", NULL };
    PyObject *values [3] = { NULL, NULL, NULL };
    listener_t *self = listener_of (object);
    if (!self || arguments_from (arguments, count, names, "send", keywords, 2, values))
        return NULL;
    const char *source = arguments_name (values [0], "source");
    const char *cmd = source ? arguments_name (values [1], "cmd") : NULL;
    muster_writer_t *writer = cmd ? pack_data (values [2]) : NULL;
    if (!writer)
        return NULL;
    muster_error_t error;
    CALL (error, muster_listener_send_writer (self->listener, source, cmd, writer));
    pack_return (writer);
    return error ? errors_raise (error, source) : Py_NewRef (values [0]);
}

static PyObject *
list_of (char **sources, size_t count)
{
    PyObject *list = PyList_New ((Py_ssize_t) count);
    for (size_t index = 0; list && index < count; index++) {
        PyObject *source = PyUnicode_FromString (sources [index]);
        if (source)
            PyList_SET_ITEM (list, (Py_ssize_t) index, source);
        else
            Py_CLEAR (list);
    }
    return list;
}

PyDoc_STRVAR (broadcast_doc,
"broadcast($self, /, cmd, data=None)\n--\n\n"
"Send a command to all workers that are here; returns the list of their sources. A worker\n"
"whose command buffer is full is left out. Arguments and exceptions as for send.");

static PyObject *
listener_broadcast (PyObject *object, PyObject *const *arguments, Py_ssize_t count, PyObject *names)
{
    static const char *const keywords [] = { "cmd", "data", NULL };
    PyObject *values [2] = { NULL, NULL };
    listener_t *self = listener_of (object);
    if (!self || arguments_from (arguments, count, names, "broadcast", keywords, 1, values))
        return NULL;
    const char *cmd = arguments_name (values [0], "cmd");
    muster_writer_t *writer = cmd ? pack_data (values [1]) : NULL;
    if (!writer)
        return NULL;
    muster_error_t error;
    char **sources = NULL;
    size_t sent = 0;
    CALL (error, muster_listener_broadcast_writer (self->listener, &sources, &sent, cmd, writer));
    pack_return (writer);
    PyObject *list = error ? errors_raise (error, NULL) : list_of (sources, sent);
    muster_free (sources);
    return list;
}

/*  --------------------------------------------------------------------------
    Who is here */

PyDoc_STRVAR (wait_doc,
"wait_for_workers($self, /, workers, timeout=None)\n--\n\n"
"Wait until so many workers (an int), or each of these sources (an iterable of str), are\n"
"here. timeout: seconds, None for ever.\n"
"Raises Timeout, Closed, Deadlock inside a handler.");

static PyObject *
wait_for_sources (listener_t *self, PyObject *workers, int timeout_ms)
{
    names_t names;
    int rc = arguments_names (workers, "workers must be an int or an iterable of str", &names);
    muster_error_t error = 0;
    if (!rc)
        CALL (error, muster_listener_wait_for_sources (self->listener, names.names, names.count, timeout_ms));
    arguments_names_end (&names);
    return rc ? NULL : errors_none (error, "waiting for workers");
}

static PyObject *
listener_wait (PyObject *object, PyObject *const *arguments, Py_ssize_t count, PyObject *names)
{
    static const char *const keywords [] = { "workers", "timeout", NULL };
    PyObject *values [2] = { NULL, NULL };
    int timeout_ms;
    listener_t *self = listener_of (object);
    if (!self || arguments_from (arguments, count, names, "wait_for_workers", keywords, 1, values)
        || arguments_timeout (values [1], &timeout_ms))
        return NULL;
    if (!PyIndex_Check (values [0]))
        return wait_for_sources (self, values [0], timeout_ms);
    Py_ssize_t workers = PyNumber_AsSsize_t (values [0], PyExc_OverflowError);
    if (workers == -1 && PyErr_Occurred ())
        return NULL;
    if (workers < 0) {
        PyErr_SetString (PyExc_ValueError, "workers must be 0 or more");
        return NULL;
    }
    muster_error_t error;
    CALL (error, muster_listener_wait_for_workers (self->listener, (size_t) workers, timeout_ms));
    return errors_none (error, "waiting for workers");
}

/*  --------------------------------------------------------------------------
    What it is */

static PyObject *
get_endpoint (PyObject *object, void *unused)
{
    (void) unused;
    listener_t *self = listener_of (object);
    return self ? PyUnicode_FromString (muster_listener_endpoint (self->listener)) : NULL;
}

static PyObject *
get_source (PyObject *object, void *unused)
{
    (void) unused;
    listener_t *self = listener_of (object);
    return self ? PyUnicode_FromString (muster_listener_source (self->listener)) : NULL;
}

static PyObject *
get_workers (PyObject *object, void *unused)
{
    (void) unused;
    listener_t *self = listener_of (object);
    if (!self)
        return NULL;
    char **sources = NULL;
    size_t count = 0;
    muster_error_t error;
    CALL (error, muster_listener_workers (self->listener, &sources, &count));
    PyObject *list = error ? errors_raise (error, NULL) : list_of (sources, count);
    muster_free (sources);
    return list;
}

static PyObject *
get_stats (PyObject *object, void *unused)
{
    (void) unused;
    listener_t *self = listener_of (object);
    if (!self)
        return NULL;
    muster_stats_t stats;
    muster_error_t error;
    muster_worker_stats_t *workers = NULL;
    size_t count = 0;
    CALL (error, muster_listener_stats (self->listener, &stats));
    if (!error)
        CALL (error, muster_listener_worker_stats (self->listener, &workers, &count));
    PyObject *dict = error ? errors_raise (error, NULL) : stats_dict (&stats, workers, count);
    muster_free (workers);
    return dict;
}

static PyObject *
get_running (PyObject *object, void *unused)
{
    (void) unused;
    listener_t *self = listener_of (object);
    return self ? PyBool_FromLong (self->live.object != NULL) : NULL;
}

static PyMethodDef methods [] = {
    { "start", listener_start, METH_NOARGS, start_doc },
    { "stop", listener_stop, METH_NOARGS, stop_doc },
    { "reload", listener_reload, METH_NOARGS, reload_doc },
    { "register_handler", FAST (listener_register_handler), register_handler_doc },
    { "register_default_handler", listener_register_default, METH_O, register_default_doc },
    { "register_system_handler", listener_register_system, METH_O, register_system_doc },
    { "unregister_handler", listener_unregister, METH_O, unregister_doc },
    { "_descriptor", listener_descriptor, METH_NOARGS, descriptor_doc },
    { "send", FAST (listener_send), send_doc },
    { "broadcast", FAST (listener_broadcast), broadcast_doc },
    { "wait_for_workers", FAST (listener_wait), wait_doc },
    { NULL, NULL, 0, NULL }
};

static PyGetSetDef getters [] = {
    { "endpoint", get_endpoint, NULL, "str: what a worker connects to; \"\" before the first start.", NULL },
    { "source", get_source, NULL, "str: the listener's own source, a UUID; its events are from it.", NULL },
    { "workers", get_workers, NULL, "list of str: the sources of the workers that are here.", NULL },
    { "stats", get_stats, NULL,
      "dict: what the listener counts, by the names of stats.h; \"refused\" is a dict of frames by reason.", NULL },
    { "_running", get_running, NULL, "bool: started and not stopped.", NULL },
    { NULL, NULL, NULL, NULL, NULL }
};

static PyTypeObject listener_type = {
    PyVarObject_HEAD_INIT (NULL, 0)
    .tp_name = "muster._core.Listener",
    .tp_basicsize = sizeof (listener_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_new = PyType_GenericNew,
    .tp_init = (initproc) listener_construct,
    .tp_traverse = (traverseproc) listener_traverse,
    .tp_clear = (inquiry) listener_clear,
    .tp_dealloc = (destructor) listener_dealloc,
    .tp_methods = methods,
    .tp_getset = getters,
};

int
listener_init (PyObject *module)
{
    return PyModule_AddType (module, &listener_type);
}
