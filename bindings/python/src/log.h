/*  log.h - the library's log lines on their way to Python

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    The library's threads leave lines here and go on; a thread of Python's takes
    them to the logger "muster".
*/
#ifndef LOG_H_INCLUDED
#define LOG_H_INCLUDED

#include "core.h"

int log_init (void);

/*  From now on lines come here. */
void log_begin (void);

/*  In a forked child: locks are new. */
void log_forget (void);

/*  The lines that wait, as a list of (level of C, text); waits until there are any. None after
    log_end, when all were taken. */
PyObject *log_take (PyObject *module, PyObject *unused);
PyObject *log_end (PyObject *module, PyObject *unused);

/*  Log the exception that is set, with its trace, and clear it. */
void log_failed_handler (PyObject *handler, PyObject *message);

#endif
