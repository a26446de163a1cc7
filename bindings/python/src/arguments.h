/*  arguments.h - what Python hands to a method

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef ARGUMENTS_H_INCLUDED
#define ARGUMENTS_H_INCLUDED

#include "core.h"

/*  A method that takes a vectorcall with keywords, and what it is, for PyMethodDef. */
#define FAST(function) (PyCFunction) (void (*) (void)) function, METH_FASTCALL | METH_KEYWORDS

/*  Sort the arguments of a vectorcall into values, by position or by keyword. Those
    that are not given stay as they are; the first required must be. */
int arguments_from (PyObject *const *arguments, Py_ssize_t count, PyObject *names,
    const char *method, const char *const *keywords, int required, PyObject **values);

/*  Seconds as a number, None for ever, as milliseconds, rounded up. */
int arguments_timeout (PyObject *seconds, int *timeout_ms);

/*  The text of a str without NUL, which lasts as long as it does; NULL with an
    exception that says what it is. */
const char *arguments_name (PyObject *text, const char *what);

/*  The bytes of a path, a str or os.PathLike, which last as long as kept does; NULL with
    an exception that says what it is. The caller decrefs kept, NULL too. */
const char *arguments_path (PyObject *path, const char *what, PyObject **kept);

/*  The texts of an iterable of str, which last as long as kept does. */
typedef struct {
    PyObject *kept;
    const char **names;
    size_t count;
} names_t;

/*  what names them in the TypeError. The caller ends them, whatever comes of it. */
int arguments_names (PyObject *iterable, const char *what, names_t *names);
void arguments_names_end (names_t *names);

#endif
