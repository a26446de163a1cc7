/*  ext.c - muster.Ext, a msgpack ext that is no array

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "ext.h"

static PyObject *class;     /* a named tuple of Python's */

int
ext_init (void)
{
    PyObject *module = PyImport_ImportModule ("muster._ext");
    if (!module)
        return -1;
    class = PyObject_GetAttrString (module, "Ext");
    Py_DECREF (module);
    return class ? 0 : -1;
}

bool
ext_is (PyObject *value)
{
    return (PyObject *) Py_TYPE (value) == class;
}

PyObject *
ext_new (int8_t type, const void *bytes, size_t size)
{
    return PyObject_CallFunction (class, "iy#", (int) type, bytes, (Py_ssize_t) size);
}

int
ext_take_apart (PyObject *value, int8_t *type, Py_buffer *view)
{
    long number = PyLong_AsLong (PyTuple_GET_ITEM (value, 0));
    if (number == -1 && PyErr_Occurred ())
        return -1;
    if (number < INT8_MIN || number > INT8_MAX) {
        PyErr_SetString (PyExc_ValueError, "type of an ext");
        return -1;
    }
    *type = (int8_t) number;
    return PyObject_GetBuffer (PyTuple_GET_ITEM (value, 1), view, PyBUF_CONTIG_RO);
}
