/*  core.h - what the files of the extension module share

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Every function here is called with the GIL held, and returns as the C API
    of Python does: NULL or -1 with an exception set.
*/
#ifndef CORE_H_INCLUDED
#define CORE_H_INCLUDED

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <muster/muster.h>

/*  A call of the library that may wait: without the GIL. */
#define CALL(result, call) WITHOUT_GIL ((result) = (call))
#define WITHOUT_GIL(call) \
    do { \
        Py_BEGIN_ALLOW_THREADS \
        call; \
        Py_END_ALLOW_THREADS \
    } while (0)

#endif
