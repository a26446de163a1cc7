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

/*  FNV-1a, folded. */
static unsigned
place_of (const uint8_t *bytes, size_t size)
{
    uint32_t hash = 2166136261u;
    for (size_t index = 0; index < size; index++)
        hash = (hash ^ bytes [index]) * 16777619u;
    return (hash ^ hash >> 16) % PLACES;
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
