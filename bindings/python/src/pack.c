/*  pack.c - from Python's values to msgpack

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "pack.h"

#include "array.h"
#include "errors.h"
#include "ext.h"

/*  Where a value is in the data: a list from the value up. */
typedef struct place place_t;

struct place {
    const place_t *up;      /* NULL: this is data itself */
    PyObject *key;          /* in a dict; NULL: in a sequence */
    Py_ssize_t index;
    int level;              /* containers, this one included */
};

static int pack_value (muster_writer_t *writer, PyObject *value, const place_t *place);

/*  --------------------------------------------------------------------------
    Complaints */

/*  data["a"][3]; of a very deep place the last steps. */
#define STEPS_MOST 12

/*  A key as JSON has it. */
static PyObject *
describe_key (PyObject *key)
{
    if (!PyUnicode_Check (key))
        return PyObject_ASCII (key);
    PyObject *json = PyImport_ImportModule ("json");
    PyObject *text = json ? PyObject_CallMethod (json, "dumps", "O", key) : NULL;
    Py_XDECREF (json);
    return text;
}

static PyObject *
describe (const place_t *place, int steps)
{
    if (!place->up)
        return PyUnicode_FromString ("data");
    if (steps == STEPS_MOST)
        return PyUnicode_FromString ("data…");
    PyObject *whole = NULL, *before = describe (place->up, steps + 1);
    PyObject *key = place->key ? describe_key (place->key) : PyUnicode_FromFormat ("%zd", place->index);
    if (before && key)
        whole = PyUnicode_FromFormat ("%U[%U]", before, key);
    Py_XDECREF (before);
    Py_XDECREF (key);
    return whole;
}

static int
complain (PyObject *exception, const place_t *place, const char *what, const char *about)
{
    PyObject *name = describe (place, 0);
    if (name)
        PyErr_Format (exception, "%U: %s%s", name, what, about);
    Py_XDECREF (name);
    return -1;
}

/*  --------------------------------------------------------------------------
    Scalars */

static int
pack_int (muster_writer_t *writer, PyObject *value, const place_t *place)
{
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow (value, &overflow);
    if (number == -1 && !overflow && PyErr_Occurred ())
        return -1;
    if (overflow == 0) {
        muster_writer_int (writer, number);
        return 0;
    }
    unsigned long long large = overflow > 0 ? PyLong_AsUnsignedLongLong (value) : 0;
    if (overflow > 0 && !PyErr_Occurred ()) {
        muster_writer_uint (writer, large);
        return 0;
    }
    PyErr_Clear ();
    return complain (PyExc_OverflowError, place, "int beyond 64 bits", "");
}

static int
pack_str (muster_writer_t *writer, PyObject *value, const place_t *place)
{
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize (value, &size);
    if (!text) {
        if (!PyErr_ExceptionMatches (PyExc_UnicodeError))
            return -1;
        PyErr_Clear ();
        return complain (PyExc_ValueError, place, "str with a lone surrogate, which UTF-8 does not have", "");
    }
    muster_writer_str (writer, text, (size_t) size);
    return 0;
}

static int
pack_buffer (muster_writer_t *writer, PyObject *value, const place_t *place)
{
    Py_buffer view;
    if (PyObject_GetBuffer (value, &view, PyBUF_CONTIG_RO)) {
        if (!PyErr_ExceptionMatches (PyExc_BufferError))
            return -1;
        PyErr_Clear ();
        return complain (PyExc_TypeError, place, "memoryview that is not contiguous", "");
    }
    muster_writer_bin (writer, view.buf, (size_t) view.len);
    PyBuffer_Release (&view);
    return 0;
}

static int
pack_ext (muster_writer_t *writer, PyObject *value, const place_t *place)
{
    int8_t type;
    Py_buffer view;
    if (ext_take_apart (value, &type, &view)) {
        if (!PyErr_ExceptionMatches (PyExc_TypeError) && !PyErr_ExceptionMatches (PyExc_ValueError)
            && !PyErr_ExceptionMatches (PyExc_BufferError))
            return -1;
        PyErr_Clear ();
        return complain (PyExc_TypeError, place, "Ext needs a type of -128 to 127 and bytes", "");
    }
    muster_writer_ext (writer, type, view.buf, (size_t) view.len);
    PyBuffer_Release (&view);
    return 0;
}

/*  --------------------------------------------------------------------------
    Containers. What they hold is kept alive while it is packed: it may run code
    that changes them. */

static int
enter (const place_t *place)
{
    return place->level <= MUSTER_DEPTH_MAX ? 0
        : complain (PyExc_ValueError, place, "more than 64 levels, or a container inside itself", "");
}

static int
pack_item (muster_writer_t *writer, PyObject *item, const place_t *place)
{
    Py_INCREF (item);
    int rc = pack_value (writer, item, place);
    Py_DECREF (item);
    return rc;
}

static int
pack_sequence (muster_writer_t *writer, PyObject *sequence, const place_t *place)
{
    if (enter (place))
        return -1;
    Py_ssize_t count = PySequence_Fast_GET_SIZE (sequence);
    muster_writer_seq (writer, (size_t) count);
    for (Py_ssize_t index = 0; index < count; index++) {
        if (index >= PySequence_Fast_GET_SIZE (sequence))
            break;
        place_t inside = { .up = place, .index = index, .level = place->level + 1 };
        if (pack_item (writer, PySequence_Fast_GET_ITEM (sequence, index), &inside))
            return -1;
    }
    if (PySequence_Fast_GET_SIZE (sequence) != count)
        return complain (PyExc_RuntimeError, place, "list changed while it was packed", "");
    return 0;
}

static int
pack_pair (muster_writer_t *writer, PyObject *key, PyObject *value, const place_t *place)
{
    place_t inside = { .up = place, .key = key, .level = place->level + 1 };
    if (!PyUnicode_Check (key))
        return complain (PyExc_TypeError, &inside, "key is not a str but ", Py_TYPE (key)->tp_name);
    if (pack_str (writer, key, &inside))
        return -1;
    return pack_value (writer, value, &inside);
}

static int
pack_dict (muster_writer_t *writer, PyObject *dict, const place_t *place)
{
    if (enter (place))
        return -1;
    Py_ssize_t count = PyDict_GET_SIZE (dict), position = 0, packed = 0;
    PyObject *key, *value;
    muster_writer_map (writer, (size_t) count);
    while (packed <= count && PyDict_Next (dict, &position, &key, &value)) {
        Py_INCREF (key);
        Py_INCREF (value);
        int rc = pack_pair (writer, key, value, place);
        Py_DECREF (key);
        Py_DECREF (value);
        if (rc)
            return -1;
        packed++;
    }
    if (packed != count || PyDict_GET_SIZE (dict) != count)
        return complain (PyExc_RuntimeError, place, "dict changed while it was packed", "");
    return 0;
}

/*  --------------------------------------------------------------------------
    NumPy */

static int
pack_array (muster_writer_t *writer, PyObject *value, const place_t *place)
{
    const char *trouble = NULL;
    if (array_write (writer, value, &trouble) == 0)
        return 0;
    return trouble ? complain (PyExc_TypeError, place, trouble, "") : -1;
}

/*  A NumPy scalar goes as the Python number that it stands for, or as an array
    without dimensions if there is none. */
static int
pack_numpy_scalar (muster_writer_t *writer, PyObject *value, const place_t *place)
{
    PyObject *plain = array_scalar_item (value);
    if (!plain)
        return -1;
    int rc;
    if (PyBool_Check (plain) || PyLong_Check (plain) || PyFloat_Check (plain) || PyBytes_Check (plain)
        || PyUnicode_Check (plain))
        rc = pack_value (writer, plain, place);
    else
        rc = pack_array (writer, value, place);
    Py_DECREF (plain);
    return rc;
}

/*  --------------------------------------------------------------------------
    Any value */

static int
pack_other (muster_writer_t *writer, PyObject *value, const place_t *place)
{
    if (array_is (value))
        return pack_array (writer, value, place);
    if (array_is_scalar (value))
        return pack_numpy_scalar (writer, value, place);
    if (ext_is (value))
        return pack_ext (writer, value, place);
    if (PyTuple_Check (value) || PyList_Check (value))
        return pack_sequence (writer, value, place);
    if (PyByteArray_Check (value) || PyMemoryView_Check (value))
        return pack_buffer (writer, value, place);
    return complain (PyExc_TypeError, place, "msgpack has no form for ", Py_TYPE (value)->tp_name);
}

static int
pack_value (muster_writer_t *writer, PyObject *value, const place_t *place)
{
    if (value == Py_None)
        muster_writer_nil (writer);
    else
    if (PyBool_Check (value))
        muster_writer_bool (writer, value == Py_True);
    else
    if (PyUnicode_Check (value))
        return pack_str (writer, value, place);
    else
    if (PyLong_Check (value))
        return pack_int (writer, value, place);
    else
    if (PyFloat_Check (value))
        muster_writer_double (writer, PyFloat_AS_DOUBLE (value));
    else
    if (PyDict_Check (value))
        return pack_dict (writer, value, place);
    else
    if (PyBytes_Check (value))
        muster_writer_bin (writer, PyBytes_AS_STRING (value), (size_t) PyBytes_GET_SIZE (value));
    else
        return pack_other (writer, value, place);
    return 0;
}

static int
pack_whole (muster_writer_t *writer, PyObject *data)
{
    place_t place = { .level = 1 };
    muster_writer_clear (writer);
    if (data == Py_None || !data) {
        muster_writer_map (writer, 0);
        return 0;
    }
    if (!PyDict_Check (data))
        return complain (PyExc_TypeError, &place, "must be a dict, not ", Py_TYPE (data)->tp_name);
    if (pack_dict (writer, data, &place))
        return -1;
    muster_error_t error = muster_writer_bytes (writer, NULL, NULL);
    if (error)
        errors_raise (error, "packing data");
    return error ? -1 : 0;
}

/*  --------------------------------------------------------------------------
    Writers. One that has held a large message is not kept: it keeps its memory. */

#define WRITERS_KEPT 4
#define BYTES_KEPT ((size_t) 1024 * 1024)

static muster_writer_t *kept [WRITERS_KEPT];
static int kept_count;

int
pack_init (void)
{
    return ext_init ();
}

static muster_writer_t *
borrow (void)
{
    if (kept_count > 0)
        return kept [--kept_count];
    muster_writer_t *writer = muster_writer_new ();
    if (!writer)
        PyErr_NoMemory ();
    return writer;
}

muster_writer_t *
pack_data (PyObject *data)
{
    muster_writer_t *writer = borrow ();
    if (writer && pack_whole (writer, data)) {
        pack_return (writer);
        writer = NULL;
    }
    return writer;
}

void
pack_return (muster_writer_t *writer)
{
    size_t size = 0;
    bool small = muster_writer_bytes (writer, NULL, &size) == 0 && size <= BYTES_KEPT;
    if (small && kept_count < WRITERS_KEPT)
        kept [kept_count++] = writer;
    else
        muster_writer_destroy (&writer);
}
