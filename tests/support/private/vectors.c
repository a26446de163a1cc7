/*  vectors.c - reading the test vectors

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "vectors.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_object *
vectors_read (const char *file)
{
    char path [4096];
    snprintf (path, sizeof path, "%s/vectors/%s", TESTS_DIR, file);
    json_object *vectors = json_object_from_file (path);
    cr_assert_not_null (vectors, "%s", path);
    cr_assert_gt (json_object_array_length (vectors), 0);
    return vectors;
}

static json_object *
field_of (json_object *vector, const char *field)
{
    json_object *value = json_object_object_get (vector, field);
    cr_assert_not_null (value, "no %s in %s", field, json_object_to_json_string (vector));
    return value;
}

const char *
vectors_text (json_object *vector, const char *field)
{
    return json_object_get_string (field_of (vector, field));
}

uint64_t
vectors_number (json_object *vector, const char *field)
{
    return json_object_get_uint64 (field_of (vector, field));
}

vectors_bytes_t
vectors_bytes (json_object *vector, const char *field)
{
    const char *text = vectors_text (vector, field);
    vectors_bytes_t self = { .size = strlen (text) / 2 };
    self.bytes = malloc (self.size + 1);
    cr_assert_not_null (self.bytes);
    for (size_t index = 0; index < self.size; index++) {
        unsigned byte;
        cr_assert_eq (sscanf (text + 2 * index, "%2x", &byte), 1);
        self.bytes [index] = (uint8_t) byte;
    }
    return self;
}
