/*  vectors.h - reading the test vectors

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef SUPPORT_VECTORS_H_INCLUDED
#define SUPPORT_VECTORS_H_INCLUDED

#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint8_t *bytes;     /* the caller frees them */
    size_t size;
} vectors_bytes_t;

/*  The array in a file of tests/vectors; the caller puts it. Ends the test if
    it cannot be read. */
json_object *vectors_read (const char *file);

/*  A field of a vector: text (it belongs to the vector), a number, or bytes
    written in hexadecimal. Ends the test if it is not there. */
const char *vectors_text (json_object *vector, const char *field);
uint64_t vectors_number (json_object *vector, const char *field);
vectors_bytes_t vectors_bytes (json_object *vector, const char *field);

#endif
