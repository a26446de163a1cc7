/*  message.c - muster.Message

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "message.h"

#include <stdbool.h>

#include "arguments.h"
#include "errors.h"
#include "handlers.h"
#include "pack.h"
#include "unpack.h"

/*  Whose the message is. */
typedef enum { LENT, TAKEN, COPIED, GONE } hold_t;

typedef struct {
    PyObject_HEAD
    const muster_message_t *message;    /* NULL when GONE */
    hold_t hold;
    unsigned users;                     /* calls that need the message, and may give the GIL away */
    bool moved_on;                      /* ... and somebody moved on meanwhile */
    PyObject **slot;                    /* refers to this one while it is TAKEN; NULL: somebody moved on */
    PyObject *peer;
    PyObject *source, *cmd, *data;      /* NULL: not asked for yet */
} message_t;

static PyTypeObject message_type;

/*  Memory of a message that has gone, for the next one: handlers have one at a time. */
static message_t *spare;

static message_t *
new_memory (void)
{
    message_t *self = spare;
    if (!self)
        return PyObject_GC_New (message_t, &message_type);
    spare = NULL;
    return (message_t *) PyObject_Init ((PyObject *) self, &message_type);
}

static void
free_memory (message_t *self)
{
    if (spare)
        PyObject_GC_Del (self);
    else
        spare = self;
}

static PyObject *
new_message (const muster_message_t *message, hold_t hold, PyObject *peer)
{
    message_t *self = new_memory ();
    if (!self)
        return NULL;
    self->message = message;
    self->hold = hold;
    self->users = 0;
    self->moved_on = false;
    self->slot = NULL;
    self->peer = Py_NewRef (peer);
    self->source = self->cmd = self->data = NULL;
    PyObject_GC_Track (self);
    return (PyObject *) self;
}

PyObject *
message_new_lent (const muster_message_t *message, PyObject *peer)
{
    return new_message (message, LENT, peer);
}

PyObject *
message_new_taken (muster_message_t *message, PyObject *peer, PyObject **slot)
{
    PyObject *self = new_message (message, TAKEN, peer);
    if (!self) {
        muster_message_done (&message, 1);
        return NULL;
    }
    ((message_t *) self)->slot = slot;
    *slot = self;
    return self;
}

/*  --------------------------------------------------------------------------
    Letting go */

static void
give_back (message_t *self)
{
    muster_message_t *message = (muster_message_t *) self->message;
    hold_t hold = self->hold;
    if (self->slot && *self->slot == (PyObject *) self)
        *self->slot = NULL;
    self->slot = NULL;
    self->message = NULL;
    self->hold = GONE;
    if (hold == TAKEN)
        muster_message_done (&message, 0);
    else
    if (hold == COPIED)
        muster_message_destroy (&message);
}

/*  Without memory for it whoever has the object finds the message gone. */
static void
go_on_with_copy (message_t *self)
{
    muster_message_t *copy = muster_message_dup (self->message);
    give_back (self);
    if (copy) {
        self->message = copy;
        self->hold = COPIED;
    }
}

static void
end_use (message_t *self)
{
    if (--self->users > 0 || !self->moved_on)
        return;
    self->moved_on = false;
    go_on_with_copy (self);
}

void
message_end_loan (PyObject *object)
{
    message_t *self = (message_t *) object;
    if (Py_REFCNT (self) > 1)
        go_on_with_copy (self);
    else
        give_back (self);
    Py_DECREF (self);
}

static void
move_on (message_t *self)
{
    self->slot = NULL;
    self->moved_on = self->users > 0;
    if (self->moved_on)
        return;
    if (Py_REFCNT (self) > 2 || !self->data)    /* ours, and a loop's variable */
        go_on_with_copy (self);
    else {
        give_back (self);
        Py_CLEAR (self->data);
    }
}

void
message_move_on (PyObject **slot)
{
    PyObject *object = *slot;
    *slot = NULL;
    if (!object)
        return;
    Py_INCREF (object);
    move_on ((message_t *) object);
    Py_DECREF (object);
}

static int
message_traverse (message_t *self, visitproc visit, void *arg)
{
    Py_VISIT (self->peer);
    Py_VISIT (self->data);
    return 0;
}

static int
message_clear (message_t *self)
{
    Py_CLEAR (self->data);
    return 0;
}

static void
message_dealloc (message_t *self)
{
    PyObject_GC_UnTrack (self);
    give_back (self);
    Py_XDECREF (self->source);
    Py_XDECREF (self->cmd);
    Py_XDECREF (self->data);
    Py_XDECREF (self->peer);
    free_memory (self);
}

/*  --------------------------------------------------------------------------
    What it says */

static PyObject *
gone (void)
{
    return errors_raise (MUSTER_CLOSED, "the message was freed when its loop moved on: keep its data instead");
}

static PyObject *
cached (PyObject **place, PyObject *made)
{
    Py_XSETREF (*place, Py_XNewRef (made));
    return made;
}

static PyObject *
get_source (message_t *self, void *unused)
{
    (void) unused;
    if (self->source)
        return Py_NewRef (self->source);
    return self->message ? cached (&self->source, PyUnicode_FromString (muster_message_source (self->message))) : gone ();
}

static PyObject *
get_cmd (message_t *self, void *unused)
{
    (void) unused;
    if (self->cmd)
        return Py_NewRef (self->cmd);
    return self->message ? cached (&self->cmd, PyUnicode_FromString (muster_message_cmd (self->message))) : gone ();
}

/*  Views of a message's memory outlive it: they hold a copy that shares it. */
#define SHARED_LEAST ((size_t) 1024 * 1024)

static void
destroy_owner (PyObject *capsule)
{
    muster_message_t *message = PyCapsule_GetPointer (capsule, NULL);
    muster_message_destroy (&message);
}

static PyObject *
unpack_shared (const message_t *self)
{
    muster_message_t *shared = muster_message_dup (self->message);
    if (!shared)
        return PyErr_NoMemory ();
    PyObject *owner = PyCapsule_New (shared, NULL, destroy_owner);
    if (!owner) {
        muster_message_destroy (&shared);
        return NULL;
    }
    size_t size;
    const void *bytes = muster_message_data (shared, &size);
    PyObject *data = unpack_value (bytes, size, owner);
    Py_DECREF (owner);
    return data;
}

/*  Unpacking may run code: NumPy is imported, garbage collected. Another thread's handler may have returned
    after that, and its message is gone. */
static PyObject *
unpack_data (const message_t *self)
{
    size_t size;
    const void *bytes = muster_message_data (self->message, &size);
    bool may_go = self->hold == LENT && !handlers_inside (self->peer);
    return may_go || size >= SHARED_LEAST ? unpack_shared (self) : unpack_value (bytes, size, NULL);
}

static PyObject *
get_data (message_t *self, void *unused)
{
    (void) unused;
    if (self->data)
        return Py_NewRef (self->data);
    if (!self->message)
        return gone ();
    self->users++;
    PyObject *data = unpack_data (self);
    end_use (self);
    return cached (&self->data, data);
}

static PyObject *
get_session (message_t *self, void *unused)
{
    (void) unused;
    return self->message ? PyUnicode_FromString (muster_message_session (self->message)) : gone ();
}

static PyObject *
get_position (message_t *self, void *unused)
{
    (void) unused;
    return self->message ? PyLong_FromUnsignedLongLong (muster_message_position (self->message)) : gone ();
}

static PyObject *
get_answers (message_t *self, void *unused)
{
    (void) unused;
    return self->message ? PyLong_FromUnsignedLongLong (muster_message_answers (self->message)) : gone ();
}

static PyObject *
get_late (message_t *self, void *unused)
{
    (void) unused;
    return self->message ? PyBool_FromLong (muster_message_late (self->message)) : gone ();
}

static PyObject *
message_repr (message_t *self)
{
    PyObject *source = get_source (self, NULL);
    PyObject *cmd = source ? get_cmd (self, NULL) : NULL;
    PyObject *text = cmd ? PyUnicode_FromFormat ("<muster.Message %R from %R>", cmd, source) : NULL;
    Py_XDECREF (source);
    Py_XDECREF (cmd);
    return text;
}

/*  --------------------------------------------------------------------------
    Reply */

PyDoc_STRVAR (reply_doc,
"reply($self, /, cmd, data=None)\n--\n\n"
"Send an answer to where the message came from.\n\n"
"cmd: str of 1 to 255 bytes. data: dict with str keys, None for {}.\n"
"Raises NotFound if a plain producer sent the message or its sender is\n"
"gone, Again inside a handler if the worker's command buffer is full, and what\n"
"Listener.send and Worker.send raise.");

/*  A message that is lent may go while the GIL is given up, if its handler has left it
    to another thread; one that was taken waits. */
static muster_error_t
send_reply (message_t *self, const char *cmd, muster_writer_t *writer)
{
    muster_message_t *copy = self->hold == LENT ? muster_message_dup (self->message) : NULL;
    if (self->hold == LENT && !copy)
        return MUSTER_NOMEM;
    const muster_message_t *message = copy ? copy : self->message;
    muster_error_t error;
    self->users++;
    CALL (error, muster_message_reply_writer (message, cmd, writer));
    end_use (self);
    muster_message_destroy (&copy);
    return error;
}

static PyObject *
message_reply (message_t *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names)
{
    static const char *const keywords [] = { "cmd", "data", NULL };
    PyObject *values [2] = { NULL, NULL };
    if (arguments_from (arguments, count, names, "reply", keywords, 1, values))
        return NULL;
    const char *cmd = arguments_name (values [0], "cmd");
    muster_writer_t *writer = cmd ? pack_data (values [1]) : NULL;
    if (!writer)
        return NULL;
    PyObject *result = self->message ? errors_none (send_reply (self, cmd, writer), "reply") : gone ();
    pack_return (writer);
    return result;
}

static PyMethodDef methods [] = {
    { "reply", FAST (message_reply), reply_doc },
    { NULL, NULL, 0, NULL }
};

static PyGetSetDef getters [] = {
    { "source", (getter) get_source, NULL, "str: who the message is from.", NULL },
    { "cmd", (getter) get_cmd, NULL, "str: what it asks for.", NULL },
    { "data", (getter) get_data, NULL,
      "dict: its data, unpacked when first asked for. Arrays are numpy arrays with the dtype\n"
      "and shape that were sent, in C order; those of 1 MiB and more are, where they lie\n"
      "aligned, views of the message's memory, which lasts as long as they do. Raises Closed when\n"
      "its loop has moved on and freed it.", NULL },
    { "session", (getter) get_session, NULL,
      "str: 32 hexadecimal digits; \"\" for a plain producer's message and for events.", NULL },
    { "position", (getter) get_position, NULL,
      "int: place in its session, from 1; 0 without a session.", NULL },
    { "answers", (getter) get_answers, NULL,
      "int: position of the command that this message answers; 0 if it is no reply.", NULL },
    { "late", (getter) get_late, NULL, "bool: a reply that came after its ask had ended.", NULL },
    { NULL, NULL, NULL, NULL, NULL }
};

PyDoc_STRVAR (type_doc,
"A message: who it is from, what it asks for, its data.\n\n"
"It may be kept for as long as one likes. One thread at a time may use it.");

static PyTypeObject message_type = {
    PyVarObject_HEAD_INIT (NULL, 0)
    .tp_name = "muster.Message",
    .tp_doc = type_doc,
    .tp_basicsize = sizeof (message_t),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = (traverseproc) message_traverse,
    .tp_clear = (inquiry) message_clear,
    .tp_dealloc = (destructor) message_dealloc,
    .tp_repr = (reprfunc) message_repr,
    .tp_methods = methods,
    .tp_getset = getters,
};

int
message_init (PyObject *module)
{
    return PyModule_AddType (module, &message_type);
}
