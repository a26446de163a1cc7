/*  json_read.c - JSON as the data of messages

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/json.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "cli/base64.h"
#include "cli/json_check.h"

/*  Levels of JSON that MUSTER_DEPTH_MAX levels of data can take: each may stand
    in a "$map", the innermost value in an object with a list; and json-c counts
    what is in that. */
#define LEVELS (2 * MUSTER_DEPTH_MAX + 4)

typedef struct {
    muster_writer_t *writer;
    uint64_t keys;          /* met so far, those with "$" too */
    char *problem;
} packing_t;

static bool pack_value (packing_t *self, struct json_object *value, int depth);

static bool __attribute__ ((format (printf, 2, 3)))
complain (const packing_t *self, const char *format, ...)
{
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (self->problem, JSON_PROBLEM_ROOM, format, arguments);
    va_end (arguments);
    return false;
}

/*  --------------------------------------------------------------------------
    What JSON has no form for */

static bool
is_text (struct json_object *value)
{
    return json_object_is_type (value, json_type_string);
}

/*  Decode into memory that the caller frees; NULL, and the complaint is made. */
static uint8_t *
decode (packing_t *self, struct json_object *value, size_t *size)
{
    const char *text = json_object_get_string (value);
    size_t text_size = (size_t) json_object_get_string_len (value);
    uint8_t *bytes = malloc (text_size / 4 * 3 + 1);
    if (!bytes)
        complain (self, "out of memory");
    else
    if (!base64_read (text, text_size, bytes, size)) {
        complain (self, "text that is no base64");
        free (bytes);
        bytes = NULL;
    }
    return bytes;
}

static bool
pack_binary (packing_t *self, struct json_object *value)
{
    size_t size;
    if (!is_text (value))
        return complain (self, "\"$bin\" needs a string");
    uint8_t *bytes = decode (self, value, &size);
    if (!bytes)
        return false;
    muster_writer_bin (self->writer, bytes, size);
    free (bytes);
    return true;
}

static bool
pack_ext (packing_t *self, struct json_object *value)
{
    bool is_pair = json_object_is_type (value, json_type_array) && json_object_array_length (value) == 2;
    struct json_object *type = is_pair ? json_object_array_get_idx (value, 0) : NULL;
    struct json_object *text = is_pair ? json_object_array_get_idx (value, 1) : NULL;
    if (!json_object_is_type (type, json_type_int) || !is_text (text))
        return complain (self, "\"$ext\" needs [type, base64]");
    int64_t number = json_object_get_int64 (type);
    if (number < INT8_MIN || number > INT8_MAX)
        return complain (self, "\"$ext\" needs a type from -128 to 127");
    size_t size;
    uint8_t *bytes = decode (self, text, &size);
    if (!bytes)
        return false;
    muster_writer_ext (self->writer, (int8_t) number, bytes, size);
    free (bytes);
    return true;
}

static bool
pack_special_float (packing_t *self, struct json_object *value)
{
    static const struct {
        const char *name;
        double value;
    } floats [] = { { "nan", (double) NAN }, { "inf", (double) INFINITY }, { "-inf", (double) -INFINITY } };
    const char *name = is_text (value) ? json_object_get_string (value) : "";
    for (size_t i = 0; i < sizeof floats / sizeof floats [0]; i++) {
        if (strcmp (name, floats [i].name) == 0) {
            muster_writer_double (self->writer, floats [i].value);
            return true;
        }
    }
    return complain (self, "\"$float\" needs \"nan\", \"inf\" or \"-inf\"");
}

/*  --------------------------------------------------------------------------
    Containers */

static bool
enter (packing_t *self, int depth)
{
    return depth < MUSTER_DEPTH_MAX || complain (self, "more than %d levels of nesting", MUSTER_DEPTH_MAX);
}

static bool
pack_pairs (packing_t *self, struct json_object *value, int depth)
{
    if (!enter (self, depth))
        return false;
    muster_writer_map (self->writer, (size_t) json_object_object_length (value));
    json_object_object_foreach (value, key, member) {
        self->keys++;
        muster_writer_str (self->writer, key, strlen (key));
        if (!pack_value (self, member, depth + 1))
            return false;
    }
    return true;
}

static bool
pack_map_in_map (packing_t *self, struct json_object *value, int depth)
{
    return json_object_is_type (value, json_type_object)
        ? pack_pairs (self, value, depth)
        : complain (self, "\"$map\" needs an object");
}

static bool
pack_special (packing_t *self, const char *key, struct json_object *value, int depth)
{
    self->keys++;
    if (strcmp (key, "$map") == 0)
        return pack_map_in_map (self, value, depth);
    if (strcmp (key, "$bin") == 0)
        return pack_binary (self, value);
    if (strcmp (key, "$ext") == 0)
        return pack_ext (self, value);
    if (strcmp (key, "$float") == 0)
        return pack_special_float (self, value);
    return complain (self, "a map with the key \"%.80s\" is written {\"$map\": {...}}", key);
}

static bool
pack_object (packing_t *self, struct json_object *value, int depth)
{
    json_object_object_foreach (value, key, member) {
        if (key [0] != '$')
            continue;
        if (json_object_object_length (value) == 1)
            return pack_special (self, key, member, depth);
        return complain (self, "a map with the key \"%.80s\" is written {\"$map\": {...}}", key);
    }
    return pack_pairs (self, value, depth);
}

static bool
pack_list (packing_t *self, struct json_object *value, int depth)
{
    size_t length = json_object_array_length (value);
    if (!enter (self, depth))
        return false;
    muster_writer_seq (self->writer, length);
    for (size_t i = 0; i < length; i++)
        if (!pack_value (self, json_object_array_get_idx (value, i), depth + 1))
            return false;
    return true;
}

static bool
pack_integer (packing_t *self, struct json_object *value)
{
    if (json_object_get_int64 (value) < 0)
        muster_writer_int (self->writer, json_object_get_int64 (value));
    else
        muster_writer_uint (self->writer, json_object_get_uint64 (value));
    return true;
}

/*  Recursion ends where json-c has ended it, at LEVELS. */
static bool
pack_value (packing_t *self, struct json_object *value, int depth)
{
    switch (json_object_get_type (value)) {
        case json_type_object:
            return pack_object (self, value, depth);
        case json_type_array:
            return pack_list (self, value, depth);
        case json_type_int:
            return pack_integer (self, value);
        case json_type_double:
            muster_writer_double (self->writer, json_object_get_double (value));
            return true;
        case json_type_string:
            muster_writer_str (self->writer,
                json_object_get_string (value), (size_t) json_object_get_string_len (value));
            return true;
        case json_type_boolean:
            muster_writer_bool (self->writer, json_object_get_boolean (value));
            return true;
        default:
            muster_writer_nil (self->writer);
            return true;
    }
}

/*  --------------------------------------------------------------------------
    The whole */

static const char *
parse_problem (enum json_tokener_error error)
{
    switch (error) {
        case json_tokener_error_depth: return "too many levels of nesting";
        case json_tokener_continue: return "JSON that ends too early";
        default: return json_tokener_error_desc (error);
    }
}

/*  Parse all of text, which a NUL follows. NULL, and problem says why. */
static struct json_object *
parse (const char *text, size_t size, char *problem)
{
    struct json_tokener *tokener = json_tokener_new_ex (LEVELS);
    if (!tokener) {
        snprintf (problem, JSON_PROBLEM_ROOM, "out of memory");
        return NULL;
    }
    json_tokener_set_flags (tokener, JSON_TOKENER_STRICT);
    struct json_object *value = json_tokener_parse_ex (tokener, text, (int) size + 1);
    enum json_tokener_error error = json_tokener_get_error (tokener);
    if (error != json_tokener_success)
        snprintf (problem, JSON_PROBLEM_ROOM, "%s at byte %zu",
            parse_problem (error), json_tokener_get_parse_end (tokener) + 1);
    json_tokener_free (tokener);
    return value;
}

static bool
pack_all (packing_t *self, struct json_object *value, uint64_t keys)
{
    muster_value_t first;
    muster_reader_t reader;
    const void *bytes;
    size_t size;
    size_t before = 0;
    muster_writer_bytes (self->writer, NULL, &before);
    if (!pack_value (self, value, 0))
        return false;
    if (self->keys != keys)
        return complain (self, "a key comes twice in an object");
    muster_error_t error = muster_writer_bytes (self->writer, &bytes, &size);
    if (error)
        return complain (self, "%s", muster_error_text (error));
    muster_reader_init (&reader, (const uint8_t *) bytes + before, size - before);
    if (muster_reader_next (&reader, &first) || first.type != MUSTER_VALUE_MAP)
        return complain (self, "data must be a map: {...}");
    return true;
}

bool
json_read (muster_writer_t *writer, const char *text, size_t size, char *problem)
{
    packing_t packing = { .writer = writer, .problem = problem };
    uint64_t keys;
    *problem = 0;
    if (size >= INT_MAX)
        return complain (&packing, "more than 2 GiB of JSON");
    if (!json_check (text, size, &keys, problem))
        return false;
    struct json_object *value = parse (text, size, problem);
    if (!value && !*problem)
        complain (&packing, "data must be a map: {...}");
    if (!value)
        return false;
    bool packed = pack_all (&packing, value, keys);
    json_object_put (value);
    return packed;
}
