/*  stats.c - what a listener counts, as a dict

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "stats.h"

#include <stddef.h>

#define COUNTS(XX) \
    XX (received) XX (received_bytes) XX (handled) XX (failed) XX (unhandled) XX (rejected) \
    XX (stale) XX (gaps) XX (duplicates) XX (dropped) XX (joined) XX (disconnects) \
    XX (workers) XX (sessions) XX (queued) XX (queued_bytes)

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

PyObject *
stats_dict (const muster_stats_t *stats)
{
    PyObject *dict = PyDict_New ();
    PyObject *refused = dict ? refused_dict (stats) : NULL;
    int rc = refused ? PyDict_SetItemString (dict, "refused", refused) : -1;
    Py_XDECREF (refused);
#define XX(name) if (!rc) rc = put (dict, #name, stats->name);
    COUNTS (XX)
#undef XX
    if (rc)
        Py_CLEAR (dict);
    return dict;
}
