/*  errors.c - the library's errors as exceptions

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "errors.h"

#include <string.h>

static PyObject *base;
static PyObject *classes [MUSTER_ERROR_COUNT];

/*  Names that are more than one word; the others are the code's, in lower case
    but for the first letter. */
static const char *
class_name (int error, char *room)
{
    switch (error) {
        case MUSTER_INVAL: return "Invalid";
        case MUSTER_NOMEM: return "NoMemory";
        case MUSTER_NOTFOUND: return "NotFound";
        case MUSTER_INUSE: return "InUse";
        case MUSTER_TOOBIG: return "TooBig";
        default: break;
    }
    strcpy (room, muster_error_name (error));
    for (char *c = room + 1; *c; c++)
        *c = (char) Py_TOLOWER (*c);
    return room;
}

/*  What a Python programmer would catch, where there is such a class; borrowed. */
static PyObject *
builtin_of (int error)
{
    switch (error) {
        case MUSTER_INVAL:
        case MUSTER_ENDPOINT: return PyExc_ValueError;
        case MUSTER_NOMEM: return PyExc_MemoryError;
        case MUSTER_TIMEOUT: return PyExc_TimeoutError;
        case MUSTER_NOTFOUND: return PyExc_LookupError;
        case MUSTER_ACCESS: return PyExc_PermissionError;
        case MUSTER_TYPE: return PyExc_TypeError;
        case MUSTER_INTERRUPTED: return PyExc_InterruptedError;
        default: return NULL;
    }
}

static PyObject *
new_class (int error, const char *name)
{
    char full [64], doc [160];
    snprintf (full, sizeof full, "muster.%s", name);
    snprintf (doc, sizeof doc, "MUSTER_%s: %s.", muster_error_name (error), muster_error_text (error));
    PyObject *builtin = builtin_of (error);
    PyObject *bases = builtin ? PyTuple_Pack (2, base, builtin) : PyTuple_Pack (1, base);
    PyObject *code = PyUnicode_FromString (muster_error_name (error));
    PyObject *dict = code ? Py_BuildValue ("{s:O}", "code", code) : NULL;
    PyObject *class = bases && dict ? PyErr_NewExceptionWithDoc (full, doc, bases, dict) : NULL;
    Py_XDECREF (bases);
    Py_XDECREF (code);
    Py_XDECREF (dict);
    return class;
}

int
errors_init (PyObject *module)
{
    PyObject *dict = Py_BuildValue ("{s:s}", "code", "");
    base = dict ? PyErr_NewExceptionWithDoc ("muster.Error",
        "An error of muster. `code` is its name in C, \"TIMEOUT\" say; there is a subclass for each.",
        NULL, dict) : NULL;
    Py_XDECREF (dict);
    if (!base || PyModule_AddObjectRef (module, "Error", base))
        return -1;
    for (int error = 1; error < MUSTER_ERROR_COUNT; error++) {
        char room [32];
        const char *name = class_name (error, room);
        classes [error] = new_class (error, name);
        if (!classes [error] || PyModule_AddObjectRef (module, name, classes [error]))
            return -1;
    }
    return 0;
}

PyObject *
errors_class (muster_error_t error)
{
    return error > 0 && error < MUSTER_ERROR_COUNT ? classes [error] : base;
}

PyObject *
errors_raise (muster_error_t error, const char *detail)
{
    if (PyErr_Occurred ())
        return NULL;
    if (detail && *detail)
        PyErr_Format (errors_class (error), "%s: %s", muster_error_text (error), detail);
    else
        PyErr_SetString (errors_class (error), muster_error_text (error));
    return NULL;
}

PyObject *
errors_none (muster_error_t error, const char *detail)
{
    if (error)
        return errors_raise (error, detail);
    Py_RETURN_NONE;
}
