/*  keys.c - the keys of dicts, which are the same ones again and again

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "keys.h"

#include <stdbool.h>
#include <string.h>

/*  The last short key of each hash is kept: hostile peers can make others be
    made anew, not more be kept. */
#define PLACES 256
#define SIZE_MOST 24

static PyObject *places [PLACES];       /* guarded by the GIL */

/*  Of the first and the last eight bytes and the size: that tells the keys of a program apart. */
static unsigned
place_of (const uint8_t *bytes, size_t size)
{
    uint64_t first = 0, last = 0;
    size_t part = size < sizeof first ? size : sizeof first;
    memcpy (&first, bytes, part);
    memcpy (&last, bytes + size - part, part);
    uint64_t hash = (first ^ last << 1 ^ size) * UINT64_C (0x9e3779b97f4a7c15);
    return (unsigned) (hash >> 56) % PLACES;
}

static bool
is_key (PyObject *key, const uint8_t *bytes, size_t size)
{
    return key && (size_t) PyUnicode_GET_LENGTH (key) == size && memcmp (PyUnicode_1BYTE_DATA (key), bytes, size) == 0;
}

static PyObject *
decode (const uint8_t *bytes, size_t size)
{
    return PyUnicode_DecodeUTF8 ((const char *) bytes, (Py_ssize_t) size, NULL);
}

PyObject *
keys_get (const uint8_t *bytes, size_t size)
{
    if (size > SIZE_MOST)
        return decode (bytes, size);
    PyObject **place = &places [place_of (bytes, size)];
    if (is_key (*place, bytes, size))
        return Py_NewRef (*place);
    PyObject *key = decode (bytes, size);
    if (key && PyUnicode_IS_ASCII (key)) {
        PyUnicode_InternInPlace (&key);
        Py_XSETREF (*place, Py_NewRef (key));
    }
    return key;
}
