/*  unpack.h - from msgpack to Python's values

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef UNPACK_H_INCLUDED
#define UNPACK_H_INCLUDED

#include "core.h"

/*  The value that bytes hold. Large arrays in it are views of bytes, which owner
    keeps; without an owner (NULL) all are copies. */
PyObject *unpack_value (const void *bytes, size_t size, PyObject *owner);

#endif
