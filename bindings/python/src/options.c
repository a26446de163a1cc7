/*  options.c - options of a Listener or a Worker, by name

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "options.h"

#include <math.h>

#include "arguments.h"

static int
set_number (const option_t *option, void *self, PyObject *value)
{
    PyObject *index = PyNumber_Index (value);
    if (!index) {
        PyErr_Format (PyExc_TypeError, "%s must be an int, not %s", option->name, Py_TYPE (value)->tp_name);
        return -1;
    }
    unsigned long long number = PyLong_AsUnsignedLongLong (index);
    Py_DECREF (index);
    if (number == (unsigned long long) -1 && PyErr_Occurred ()) {
        PyErr_Format (PyExc_ValueError, "%s must be 0 to 2**64 - 1", option->name);
        return -1;
    }
    if (option->kind == OPTION_BYTES)
        option->set.bytes (self, number);
    else
        option->set.count (self, number);
    return 0;
}

static int
set_seconds (const option_t *option, void *self, PyObject *value)
{
    double seconds = PyFloat_AsDouble (value);
    if (seconds == -1 && PyErr_Occurred ()) {
        PyErr_Format (PyExc_TypeError, "%s must be a number of seconds, not %s", option->name, Py_TYPE (value)->tp_name);
        return -1;
    }
    if (isnan (seconds)) {
        PyErr_Format (PyExc_ValueError, "%s must not be NaN", option->name);
        return -1;
    }
    option->set.seconds (self, seconds);
    return 0;
}

static int
set_path (const option_t *option, void *self, PyObject *value)
{
    PyObject *kept;
    const char *path = arguments_path (value, option->name, &kept);
    if (path)
        option->set.text (self, path);
    Py_XDECREF (kept);
    return path ? 0 : -1;
}

static int
set_option (const option_t *option, void *self, PyObject *value)
{
    const char *text;
    int flag;
    switch (option->kind) {
        case OPTION_BYTES:
        case OPTION_COUNT:
            return set_number (option, self, value);
        case OPTION_SECONDS:
            return set_seconds (option, self, value);
        case OPTION_TEXT:
            text = arguments_name (value, option->name);
            if (text)
                option->set.text (self, text);
            return text ? 0 : -1;
        case OPTION_PATH:
            return set_path (option, self, value);
        case OPTION_FLAG:
            flag = PyObject_IsTrue (value);
            if (flag >= 0)
                option->set.flag (self, flag);
            return flag >= 0 ? 0 : -1;
    }
    return -1;
}

static const option_t *
find (const option_t *options, PyObject *name)
{
    for (; options->name; options++)
        if (PyUnicode_Check (name) && PyUnicode_CompareWithASCIIString (name, options->name) == 0)
            return options;
    PyErr_Format (PyExc_TypeError, "no option is named %R", name);
    return NULL;
}

int
options_set (const option_t *options, void *self, PyObject *dict)
{
    Py_ssize_t position = 0;
    PyObject *name, *value;
    while (PyDict_Next (dict, &position, &name, &value)) {
        const option_t *option = find (options, name);
        if (!option || (value != Py_None && set_option (option, self, value)))
            return -1;
    }
    return 0;
}
