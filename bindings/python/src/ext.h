/*  ext.h - muster.Ext, a msgpack ext that is no array

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef EXT_H_INCLUDED
#define EXT_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include "core.h"

int ext_init (void);

bool ext_is (PyObject *value);
PyObject *ext_new (int8_t type, const void *bytes, size_t size);

/*  Its type and its bytes, which the caller releases. */
int ext_take_apart (PyObject *value, int8_t *type, Py_buffer *view);

#endif
