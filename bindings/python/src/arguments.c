/*  arguments.c - what Python hands to a method

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "arguments.h"

#include <limits.h>
#include <math.h>
#include <string.h>

static int
take_keyword (PyObject *name, PyObject *value, const char *method, const char *const *keywords, PyObject **values, Py_ssize_t count)
{
    for (int index = 0; keywords [index]; index++)
        if (PyUnicode_CompareWithASCIIString (name, keywords [index]) == 0) {
            if (index < count) {
                PyErr_Format (PyExc_TypeError, "%s() got multiple values for argument '%U'", method, name);
                return -1;
            }
            values [index] = value;
            return 0;
        }
    PyErr_Format (PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", method, name);
    return -1;
}

int
arguments_from (PyObject *const *arguments, Py_ssize_t count, PyObject *names,
    const char *method, const char *const *keywords, int required, PyObject **values)
{
    Py_ssize_t most = 0;
    while (keywords [most])
        most++;
    if (count > most) {
        PyErr_Format (PyExc_TypeError, "%s() takes at most %zd arguments (%zd given)", method, most, count);
        return -1;
    }
    for (Py_ssize_t index = 0; index < count; index++)
        values [index] = arguments [index];
    Py_ssize_t named = names ? PyTuple_GET_SIZE (names) : 0;
    for (Py_ssize_t index = 0; index < named; index++)
        if (take_keyword (PyTuple_GET_ITEM (names, index), arguments [count + index], method, keywords, values, count))
            return -1;
    for (int index = 0; index < required; index++)
        if (!values [index]) {
            PyErr_Format (PyExc_TypeError, "%s() missing required argument: '%s'", method, keywords [index]);
            return -1;
        }
    return 0;
}

int
arguments_timeout (PyObject *seconds, int *timeout_ms)
{
    *timeout_ms = -1;
    if (!seconds || seconds == Py_None)
        return 0;
    double number = PyFloat_AsDouble (seconds);
    if (number == -1 && PyErr_Occurred ())
        return -1;
    if (!(number >= 0)) {
        PyErr_SetString (PyExc_ValueError, "timeout must be 0 or more seconds, or None for ever");
        return -1;
    }
    double ms = ceil (number * 1000);
    *timeout_ms = ms < INT_MAX ? (int) ms : INT_MAX;
    return 0;
}

const char *
arguments_name (PyObject *text, const char *what)
{
    if (!PyUnicode_Check (text)) {
        PyErr_Format (PyExc_TypeError, "%s must be a str, not %s", what, Py_TYPE (text)->tp_name);
        return NULL;
    }
    Py_ssize_t size;
    const char *name = PyUnicode_AsUTF8AndSize (text, &size);
    if (!name && PyErr_ExceptionMatches (PyExc_UnicodeError)) {
        PyErr_Clear ();
        PyErr_Format (PyExc_ValueError, "%s has a lone surrogate, which UTF-8 does not have", what);
        return NULL;
    }
    if (name && strlen (name) != (size_t) size) {
        PyErr_Format (PyExc_ValueError, "%s must not contain NUL", what);
        return NULL;
    }
    return name;
}

const char *
arguments_path (PyObject *path, const char *what, PyObject **kept)
{
    *kept = NULL;
    if (!PyBytes_Check (path) && PyUnicode_FSConverter (path, kept))
        return PyBytes_AS_STRING (*kept);
    if (PyBytes_Check (path) || PyErr_ExceptionMatches (PyExc_TypeError))
        PyErr_Format (PyExc_TypeError, "%s must be a str or an os.PathLike, not %s", what, Py_TYPE (path)->tp_name);
    else
    if (PyErr_ExceptionMatches (PyExc_UnicodeError))
        PyErr_Format (PyExc_ValueError, "%s has a lone surrogate, which no path has", what);
    else
    if (PyErr_ExceptionMatches (PyExc_ValueError))
        PyErr_Format (PyExc_ValueError, "%s must not contain NUL", what);
    return NULL;
}

int
arguments_names (PyObject *iterable, const char *what, names_t *names)
{
    *names = (names_t) { .count = 0 };
    if (!PyUnicode_Check (iterable))
        names->kept = PySequence_Tuple (iterable);      /* a list could change during the call */
    if (!names->kept) {
        if (!PyErr_Occurred () || PyErr_ExceptionMatches (PyExc_TypeError))
            PyErr_Format (PyExc_TypeError, "%s, not %s", what, Py_TYPE (iterable)->tp_name);
        return -1;
    }
    names->count = (size_t) PyTuple_GET_SIZE (names->kept);
    names->names = PyMem_Calloc (names->count + 1, sizeof *names->names);
    if (!names->names)
        PyErr_NoMemory ();
    for (size_t index = 0; names->names && index < names->count && !PyErr_Occurred (); index++)
        names->names [index] = arguments_name (PyTuple_GET_ITEM (names->kept, (Py_ssize_t) index), "a source");
    return PyErr_Occurred () ? -1 : 0;
}

void
arguments_names_end (names_t *names)
{
    PyMem_Free (names->names);
    Py_CLEAR (names->kept);
}
