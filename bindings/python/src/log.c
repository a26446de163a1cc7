/*  log.c - the library's log lines on their way to Python

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "log.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/*  Lines that wait at most; more are counted and dropped. */
#define LINES_MOST 1024

typedef struct line line_t;

struct line {
    line_t *next;
    muster_log_level_t level;
    char text [];
};

static struct {
    pthread_mutex_t lock;       /* guards what follows; nobody who has it waits for the GIL */
    pthread_cond_t changed;
    line_t *first;
    line_t **end;
    unsigned count;
    unsigned long dropped;
    bool ended;                 /* nobody waits for more */
} queue = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .end = &queue.first };

static PyObject *report;        /* muster._log.report_failure */

int
log_init (void)
{
    PyObject *module = PyImport_ImportModule ("muster._log");
    if (!module)
        return -1;
    report = PyObject_GetAttrString (module, "report_failure");
    Py_DECREF (module);
    return report ? 0 : -1;
}

/*  --------------------------------------------------------------------------
    Putting: any thread, without the GIL */

static line_t *
line_new (muster_log_level_t level, const char *text)
{
    size_t size = strlen (text) + 1;
    line_t *line = malloc (sizeof *line + size);
    if (!line)
        return NULL;
    *line = (line_t) { .level = level };
    memcpy (line->text, text, size);
    return line;
}

static void
put (muster_log_level_t level, const char *text, void *unused)
{
    (void) unused;
    line_t *line = line_new (level, text);
    pthread_mutex_lock (&queue.lock);
    if (line && queue.count < LINES_MOST) {
        *queue.end = line;
        queue.end = &line->next;
        queue.count++;
        line = NULL;
    }
    else
        queue.dropped++;
    pthread_cond_signal (&queue.changed);
    pthread_mutex_unlock (&queue.lock);
    free (line);
}

void
log_begin (void)
{
    muster_log_set (put, NULL, MUSTER_LOG_INFO);
}

void
log_forget (void)
{
    pthread_mutex_init (&queue.lock, NULL);
    pthread_cond_init (&queue.changed, NULL);
    queue.first = NULL;
    queue.end = &queue.first;
    queue.count = 0;
    queue.dropped = 0;
    queue.ended = false;
}

/*  --------------------------------------------------------------------------
    Taking */

static line_t *
take_all (unsigned long *dropped)
{
    pthread_mutex_lock (&queue.lock);
    while (!queue.ended && !queue.first && !queue.dropped)
        pthread_cond_wait (&queue.changed, &queue.lock);
    line_t *first = queue.first;
    *dropped = queue.dropped;
    queue.first = NULL;
    queue.end = &queue.first;
    queue.count = 0;
    queue.dropped = 0;
    pthread_mutex_unlock (&queue.lock);
    return first;
}

static int
append (PyObject *list, int level, const char *text)
{
    PyObject *pair = Py_BuildValue ("iN", level, PyUnicode_DecodeUTF8 (text, (Py_ssize_t) strlen (text), "replace"));
    int rc = pair ? PyList_Append (list, pair) : -1;
    Py_XDECREF (pair);
    return rc;
}

static int
append_dropped (PyObject *list, unsigned long dropped)
{
    char text [64];
    if (!dropped)
        return 0;
    snprintf (text, sizeof text, "%lu log lines were dropped", dropped);
    return append (list, MUSTER_LOG_WARNING, text);
}

static void
end (void)
{
    pthread_mutex_lock (&queue.lock);
    queue.ended = true;
    pthread_cond_signal (&queue.changed);
    pthread_mutex_unlock (&queue.lock);
}

PyObject *
log_end (PyObject *module, PyObject *unused)
{
    (void) module, (void) unused;
    end ();
    Py_RETURN_NONE;
}

PyObject *
log_take (PyObject *module, PyObject *unused)
{
    (void) module, (void) unused;
    line_t *line;
    unsigned long dropped;
    CALL (line, take_all (&dropped));
    if (!line && !dropped)
        Py_RETURN_NONE;
    PyObject *list = PyList_New (0);
    int rc = list ? 0 : -1;
    while (line) {
        line_t *next = line->next;
        if (!rc)
            rc = append (list, (int) line->level, line->text);
        free (line);
        line = next;
    }
    if (!rc)
        rc = append_dropped (list, dropped);
    if (rc)
        Py_CLEAR (list);
    return list;
}

/*  --------------------------------------------------------------------------
    Handlers that fail */

void
log_failed_handler (PyObject *handler, PyObject *message)
{
    PyObject *type, *value, *trace;
    PyErr_Fetch (&type, &value, &trace);
    PyErr_NormalizeException (&type, &value, &trace);
    if (trace && value)
        PyException_SetTraceback (value, trace);
    PyObject *result = value ? PyObject_CallFunctionObjArgs (report, handler, message, value, NULL) : NULL;
    if (!result)
        PyErr_WriteUnraisable (handler);
    Py_XDECREF (result);
    Py_XDECREF (type);
    Py_XDECREF (value);
    Py_XDECREF (trace);
}
