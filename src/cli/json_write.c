/*  json_write.c - the data of messages as JSON

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/base64.h"
#include "cli/utf8.h"

/*  Digits of a double that always read back the same, and those that any
    decimal of so many digits survives. */
#define DIGITS_ENOUGH 17
#define DIGITS_SAFE 15

static muster_error_t write_value (FILE *out, muster_reader_t *reader, int depth);

/*  How many bytes are a character that is written as its number: what JSON forbids, and what a terminal would
    obey, or a reader of lines. 0: none. */
static size_t
take_unsafe (const uint8_t *text, size_t size, uint32_t *character)
{
    *character = text [0];
    if (text [0] < 0x7f)
        return text [0] < 0x20 || text [0] == '"' || text [0] == '\\';
    size_t taken = utf8_take ((const char *) text, size, character);
    return utf8_is_obeyed (*character) ? taken : 0;
}

static void
write_escaped (FILE *out, uint32_t character)
{
    static const char short_forms [] = "b\bf\fn\nr\rt\t\"\"\\\\";
    for (const char *form = short_forms; *form; form += 2) {
        if ((unsigned char) form [1] == character) {
            fprintf (out, "\\%c", form [0]);
            return;
        }
    }
    fprintf (out, "\\u%04x", character);
}

static void
write_text (FILE *out, const uint8_t *text, size_t size)
{
    size_t done = 0, taken;
    uint32_t character;
    putc ('"', out);
    for (size_t i = 0; i < size; i += (taken > 0 ? taken : 1)) {
        taken = take_unsafe (text + i, size - i, &character);
        if (taken == 0)
            continue;
        fwrite (text + done, 1, i - done, out);
        write_escaped (out, character);
        done = i + taken;
    }
    if (size > done)
        fwrite (text + done, 1, size - done, out);
    putc ('"', out);
}

static void
write_finite (FILE *out, double value)
{
    char text [40];
    int digits = fpclassify (value) == FP_SUBNORMAL ? 1 : DIGITS_SAFE;
    do
        snprintf (text, sizeof text, "%.*g", digits, value);
    while (digits++ < DIGITS_ENOUGH && strtod (text, NULL) != value);
    fputs (text, out);
    if (!strpbrk (text, ".e"))
        fputs (".0", out);
}

static void
write_float (FILE *out, double value)
{
    if (isfinite (value))
        write_finite (out, value);
    else
        fprintf (out, "{\"$float\":\"%s\"}", isnan (value) ? "nan" : value > 0 ? "inf" : "-inf");
}

static void
write_binary (FILE *out, const muster_value_t *value)
{
    fputs ("{\"$bin\":\"", out);
    base64_write (out, value->bytes, value->size);
    fputs ("\"}", out);
}

static void
write_ext (FILE *out, const muster_value_t *value)
{
    fprintf (out, "{\"$ext\":[%d,\"", value->ext_type);
    base64_write (out, value->bytes, value->size);
    fputs ("\"]}", out);
}

static muster_error_t
write_list (FILE *out, muster_reader_t *reader, uint32_t count, int depth)
{
    muster_error_t error = 0;
    putc ('[', out);
    for (uint32_t i = 0; i < count && !error; i++) {
        if (i > 0)
            putc (',', out);
        error = write_value (out, reader, depth);
    }
    putc (']', out);
    return error;
}

static muster_error_t
write_key (FILE *out, muster_reader_t *reader)
{
    muster_value_t key;
    if (muster_reader_next (reader, &key) || key.type != MUSTER_VALUE_STR)
        return MUSTER_FORMAT;
    write_text (out, key.bytes, key.size);
    putc (':', out);
    return 0;
}

static muster_error_t
write_pairs (FILE *out, muster_reader_t *reader, uint32_t count, int depth)
{
    muster_error_t error = 0;
    putc ('{', out);
    for (uint32_t i = 0; i < count && !error; i++) {
        if (i > 0)
            putc (',', out);
        error = write_key (out, reader);
        if (!error)
            error = write_value (out, reader, depth);
    }
    putc ('}', out);
    return error;
}

/*  Has the map whose pairs follow a key that starts with "$"? */
static bool
has_dollar (muster_reader_t reader, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        muster_value_t key;
        if (muster_reader_next (&reader, &key) || key.type != MUSTER_VALUE_STR)
            return false;
        if (key.size > 0 && key.bytes [0] == '$')
            return true;
        if (muster_reader_skip (&reader))
            return false;
    }
    return false;
}

static muster_error_t
write_map (FILE *out, muster_reader_t *reader, uint32_t count, int depth)
{
    if (!has_dollar (*reader, count))
        return write_pairs (out, reader, count, depth);
    fputs ("{\"$map\":", out);
    muster_error_t error = write_pairs (out, reader, count, depth);
    putc ('}', out);
    return error;
}

static muster_error_t
write_container (FILE *out, muster_reader_t *reader, const muster_value_t *value, int depth)
{
    if (depth == MUSTER_DEPTH_MAX)
        return MUSTER_FORMAT;
    return value->type == MUSTER_VALUE_MAP
        ? write_map (out, reader, value->count, depth + 1)
        : write_list (out, reader, value->count, depth + 1);
}

static void
write_scalar (FILE *out, const muster_value_t *value)
{
    switch (value->type) {
        case MUSTER_VALUE_BOOL:
            fputs (value->boolean ? "true" : "false", out);
            break;
        case MUSTER_VALUE_UINT:
            fprintf (out, "%" PRIu64, value->u);
            break;
        case MUSTER_VALUE_INT:
            fprintf (out, "%" PRId64, value->i);
            break;
        case MUSTER_VALUE_FLOAT:
            write_float (out, value->f);
            break;
        case MUSTER_VALUE_STR:
            write_text (out, value->bytes, value->size);
            break;
        case MUSTER_VALUE_BIN:
            write_binary (out, value);
            break;
        case MUSTER_VALUE_EXT:
            write_ext (out, value);
            break;
        default:
            fputs ("null", out);
    }
}

/*  Recursion ends at MUSTER_DEPTH_MAX. */
static muster_error_t
write_value (FILE *out, muster_reader_t *reader, int depth)
{
    muster_value_t value;
    if (muster_reader_next (reader, &value))
        return MUSTER_FORMAT;
    if (value.type == MUSTER_VALUE_MAP || value.type == MUSTER_VALUE_ARRAY)
        return write_container (out, reader, &value, depth);
    write_scalar (out, &value);
    return 0;
}

muster_error_t
json_write_data (FILE *out, const void *bytes, size_t size)
{
    muster_reader_t reader;
    muster_reader_init (&reader, bytes, size);
    muster_error_t error = write_value (out, &reader, 0);
    return error ? error : ferror (out) ? MUSTER_SYSTEM : 0;
}

static void
write_name (FILE *out, const char *name)
{
    write_text (out, (const uint8_t *) name, strlen (name));
}

muster_error_t
json_write_message (FILE *out, const muster_message_t *message)
{
    size_t size;
    const void *data = muster_message_data (message, &size);
    fputs ("{\"source\":", out);
    write_name (out, muster_message_source (message));
    fputs (",\"cmd\":", out);
    write_name (out, muster_message_cmd (message));
    fputs (",\"data\":", out);
    muster_error_t error = json_write_data (out, data, size);
    fputs ("}\n", out);
    return error ? error : ferror (out) ? MUSTER_SYSTEM : 0;
}
