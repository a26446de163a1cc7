/*  array.h - n-dimensional arrays as msgpack ext values

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    The payload of ext type 1 is a msgpack str, the dtype; a msgpack array of
    unsigned integers, the shape; then the elements' bytes in C order and
    nothing else.
*/
#ifndef WIRE_ARRAY_H_INCLUDED
#define WIRE_ARRAY_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <muster/data.h>

/*  Take a payload apart; false if it is no valid array. The array's bytes
    point into it. */
bool array_read (const uint8_t *payload, size_t size, muster_array_t *array);

/*  Do dtype, shape and size of an array that a caller made fit together? */
bool array_valid (const muster_array_t *array);

/*  What the elements of a valid dtype must be aligned to. */
size_t array_alignment (const char *dtype);

/*  The dtype with its byte order said: "=f4" and "f4" are this machine's. text
    has the room of a muster_array_t's. */
void array_explicit_dtype (const char *dtype, char *text);

#endif
