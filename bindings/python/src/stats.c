/*  stats.c - what a listener counts, as a dict

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "stats.h"

#include <stddef.h>

static int
put (PyObject *dict, const char *name, uint64_t count)
{
    PyObject *number = PyLong_FromUnsignedLongLong (count);
    int rc = number ? PyDict_SetItemString (dict, name, number) : -1;
    Py_XDECREF (number);
    return rc;
}

/*  The reasons that there were. */
static PyObject *
refused_dict (const muster_stats_t *stats)
{
    PyObject *dict = PyDict_New ();
    for (int reason = 1; dict && reason < MUSTER_REFUSAL_COUNT; reason++)
        if (stats->refused [reason] && put (dict, muster_refusal_name (reason), stats->refused [reason]))
            Py_CLEAR (dict);
    return dict;
}

static PyObject *
times_list (const muster_stats_t *stats)
{
    PyObject *list = PyList_New (MUSTER_TIMES_COUNT);
    for (int i = 0; list && i < MUSTER_TIMES_COUNT; i++) {
        PyObject *number = PyLong_FromUnsignedLongLong (stats->times [i]);
        if (number)
            PyList_SET_ITEM (list, i, number);
        else
            Py_CLEAR (list);
    }
    return list;
}

/*  Takes value over, which may be NULL after an error. */
static int
put_object (PyObject *dict, const char *name, PyObject *value)
{
    int rc = value ? PyDict_SetItemString (dict, name, value) : -1;
    Py_XDECREF (value);
    return rc;
}

static PyObject *
worker_dict (const muster_worker_stats_t *worker)
{
    PyObject *dict = PyDict_New ();
    int rc = dict ? put_object (dict, "source", PyUnicode_FromString (worker->source)) : -1;
    if (!rc)
        rc = put_object (dict, "address", PyUnicode_FromString (worker->address));
    if (!rc)
        rc = put_object (dict, "session", PyUnicode_FromString (worker->session));
    if (!rc)
        rc = put_object (dict, "present", PyBool_FromLong (worker->present));
#define XX(name) if (!rc) rc = put (dict, #name, worker->name);
    MUSTER_WORKER_STATS_MAP (XX)
#undef XX
    if (rc)
        Py_CLEAR (dict);
    return dict;
}

static PyObject *
roster_list (const muster_worker_stats_t *workers, size_t count)
{
    PyObject *list = PyList_New ((Py_ssize_t) count);
    for (size_t i = 0; list && i < count; i++) {
        PyObject *dict = worker_dict (&workers [i]);
        if (dict)
            PyList_SET_ITEM (list, (Py_ssize_t) i, dict);
        else
            Py_CLEAR (list);
    }
    return list;
}

PyObject *
stats_dict (const muster_stats_t *stats, const muster_worker_stats_t *workers, size_t count)
{
    PyObject *dict = PyDict_New ();
    int rc = dict ? put_object (dict, "refused", refused_dict (stats)) : -1;
    if (!rc)
        rc = put_object (dict, "times", times_list (stats));
    if (!rc)
        rc = put_object (dict, "roster", roster_list (workers, count));
#define XX(name) if (!rc) rc = put (dict, #name, stats->name);
    MUSTER_STATS_MAP (XX)
#undef XX
    if (rc)
        Py_CLEAR (dict);
    return dict;
}
