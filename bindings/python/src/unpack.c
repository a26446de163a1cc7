/*  unpack.c - from msgpack to Python's values

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "unpack.h"

#include <string.h>

#include "array.h"
#include "errors.h"
#include "ext.h"
#include "keys.h"

/*  An array from here on is a view. Smaller ones are copied: they may lie in a
    frame with other messages, or, over inproc, in the sender's memory. */
#define VIEW_LEAST ((size_t) 1024 * 1024)

static PyObject *next_value (muster_reader_t *reader, PyObject *owner);

static PyObject *
next_sequence (muster_reader_t *reader, uint32_t count, PyObject *owner)
{
    PyObject *list = PyList_New (0);
    for (uint32_t index = 0; list && index < count; index++) {
        PyObject *item = next_value (reader, owner);
        if (!item || PyList_Append (list, item))
            Py_CLEAR (list);
        Py_XDECREF (item);
    }
    return list;
}

static PyObject *
checked (PyObject *text)
{
    if (!text && PyErr_ExceptionMatches (PyExc_UnicodeError)) {
        PyErr_Clear ();
        errors_raise (MUSTER_FORMAT, "a str is not UTF-8");
    }
    return text;
}

static PyObject *
text_of (const muster_value_t *value)
{
    return checked (PyUnicode_DecodeUTF8 ((const char *) value->bytes, value->size, NULL));
}

static PyObject *
next_key (muster_reader_t *reader)
{
    muster_value_t value;
    if (muster_reader_next (reader, &value) || value.type != MUSTER_VALUE_STR)
        return errors_raise (MUSTER_FORMAT, "key");
    return checked (keys_get (value.bytes, value.size));
}

static PyObject *
next_map (muster_reader_t *reader, uint32_t pairs, PyObject *owner)
{
    PyObject *dict = PyDict_New ();
    for (uint32_t index = 0; dict && index < pairs; index++) {
        PyObject *key = next_key (reader);
        PyObject *value = key ? next_value (reader, owner) : NULL;
        if (!value || PyDict_SetItem (dict, key, value))
            Py_CLEAR (dict);
        Py_XDECREF (key);
        Py_XDECREF (value);
    }
    return dict;
}

static PyObject *
ext_of (const muster_value_t *value, PyObject *owner)
{
    muster_array_t array;
    if (muster_value_array (value, &array))
        return ext_new (value->ext_type, value->bytes, value->size);
    return array_new (&array, array.size >= VIEW_LEAST ? owner : NULL);
}

static PyObject *
next_value (muster_reader_t *reader, PyObject *owner)
{
    muster_value_t value;
    if (muster_reader_next (reader, &value))
        return errors_raise (MUSTER_FORMAT, "data");
    switch (value.type) {
        case MUSTER_VALUE_NIL: Py_RETURN_NONE;
        case MUSTER_VALUE_BOOL: return PyBool_FromLong (value.boolean);
        case MUSTER_VALUE_UINT: return PyLong_FromUnsignedLongLong (value.u);
        case MUSTER_VALUE_INT: return PyLong_FromLongLong (value.i);
        case MUSTER_VALUE_FLOAT: return PyFloat_FromDouble (value.f);
        case MUSTER_VALUE_STR: return text_of (&value);
        case MUSTER_VALUE_BIN: return PyBytes_FromStringAndSize ((const char *) value.bytes, value.size);
        case MUSTER_VALUE_EXT: return ext_of (&value, owner);
        case MUSTER_VALUE_ARRAY: return next_sequence (reader, value.count, owner);
        case MUSTER_VALUE_MAP: return next_map (reader, value.count, owner);
    }
    return errors_raise (MUSTER_FORMAT, "data");
}

PyObject *
unpack_value (const void *bytes, size_t size, PyObject *owner)
{
    muster_reader_t reader;
    muster_reader_init (&reader, bytes, size);
    return next_value (&reader, owner);
}
