/*  array.h - NumPy's arrays, in and out

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef ARRAY_H_INCLUDED
#define ARRAY_H_INCLUDED

#include <stdbool.h>

#include "core.h"

bool array_is (PyObject *value);
bool array_is_scalar (PyObject *value);

/*  What a scalar's item () gives; a time, which may be an int there, itself. */
PyObject *array_scalar_item (PyObject *scalar);

/*  Write an array, or a scalar as one without dimensions. trouble is set, and no
    exception, if its dtype has no form in msgpack. */
int array_write (muster_writer_t *writer, PyObject *value, const char **trouble);

/*  An array of its own, or, if owner is not NULL and the bytes are aligned, a view of the bytes,
    which owner keeps. */
PyObject *array_new (const muster_array_t *array, PyObject *owner);

#endif
