/*  test_reader.c - reading msgpack value by value

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <math.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#include <muster/data.h>

#include "vectors.h"

#define START(reader, text) muster_reader_init (&reader, text, sizeof (text) - 1)

static muster_value_t
next (muster_reader_t *reader)
{
    muster_value_t value;
    cr_assert_eq (muster_reader_next (reader, &value), MUSTER_OK);
    return value;
}

static json_object *read_json (muster_reader_t *reader);

static json_object *
read_container (muster_reader_t *reader, const muster_value_t *value)
{
    json_object *list = json_object_new_array ();
    json_object *map = json_object_new_object ();
    for (uint32_t index = 0; index < value->count; index++) {
        if (value->type == MUSTER_VALUE_ARRAY) {
            json_object_array_add (list, read_json (reader));
            continue;
        }
        muster_value_t name = next (reader);
        char *key = strndup ((const char *) name.bytes, name.size);
        json_object_object_add (map, key, read_json (reader));
        free (key);
    }
    bool is_map = value->type == MUSTER_VALUE_MAP;
    json_object_put (is_map ? list : map);
    return is_map ? map : list;
}

static json_object *
read_json (muster_reader_t *reader)
{
    muster_value_t value = next (reader);
    switch (value.type) {
        case MUSTER_VALUE_NIL:
            return NULL;
        case MUSTER_VALUE_BOOL:
            return json_object_new_boolean (value.boolean);
        case MUSTER_VALUE_UINT:
            return json_object_new_uint64 (value.u);
        case MUSTER_VALUE_INT:
            return json_object_new_int64 (value.i);
        case MUSTER_VALUE_FLOAT:
            return json_object_new_double (value.f);
        case MUSTER_VALUE_STR:
            return json_object_new_string_len ((const char *) value.bytes, (int) value.size);
        default:
            return read_container (reader, &value);
    }
}

Test (reader, reads_numbers_of_each_encoding)
{
    muster_reader_t reader;
    START (reader, "\x7f\xcc\xff\xcd\xff\xff\xce\xff\xff\xff\xff\xcf\xff\xff\xff\xff\xff\xff\xff\xff");
    cr_assert_eq (next (&reader).u, 127);
    cr_assert_eq (next (&reader).u, UINT8_MAX);
    cr_assert_eq (next (&reader).u, UINT16_MAX);
    cr_assert_eq (next (&reader).u, UINT32_MAX);
    cr_assert_eq (next (&reader).u, UINT64_MAX);
    START (reader, "\xe0\xff\xd0\x80\xd1\x80\x00\xd2\x80\x00\x00\x00\xd3\x80\x00\x00\x00\x00\x00\x00\x00");
    cr_assert_eq (next (&reader).i, -32);
    cr_assert_eq (next (&reader).i, -1);
    cr_assert_eq (next (&reader).i, INT8_MIN);
    cr_assert_eq (next (&reader).i, INT16_MIN);
    cr_assert_eq (next (&reader).i, INT32_MIN);
    muster_value_t least = next (&reader);
    cr_assert_eq (least.type, MUSTER_VALUE_INT);
    cr_assert_eq (least.i, INT64_MIN);
}

Test (reader, calls_an_integer_of_0_or_more_unsigned_however_it_came)
{
    muster_reader_t reader;
    START (reader, "\xd0\x05\xd1\x00\x05\xd2\x00\x00\x00\x05\xd3\x00\x00\x00\x00\x00\x00\x00\x05");
    for (int index = 0; index < 4; index++) {
        muster_value_t value = next (&reader);
        cr_assert_eq (value.type, MUSTER_VALUE_UINT);
        cr_assert_eq (value.u, 5);
    }
}

Test (reader, reads_floats_of_both_sizes)
{
    muster_reader_t reader;
    START (reader, "\xca\x3f\xc0\x00\x00\xcb\x3f\xd0\x00\x00\x00\x00\x00\x00\xca\x7f\xc0\x00\x00");
    cr_assert_eq (next (&reader).f, 1.5);
    cr_assert_eq (next (&reader).f, 0.25);
    muster_value_t nan_value = next (&reader);
    cr_assert_eq (nan_value.type, MUSTER_VALUE_FLOAT);
    cr_assert (isnan (nan_value.f));
}

Test (reader, reads_nil_and_booleans)
{
    muster_reader_t reader;
    START (reader, "\xc0\xc2\xc3");
    cr_assert_eq (next (&reader).type, MUSTER_VALUE_NIL);
    cr_assert_not (next (&reader).boolean);
    cr_assert (next (&reader).boolean);
}

Test (reader, points_at_payloads_where_they_are)
{
    static const char bytes [] = "\xa3" "abc\xd9\x02" "de\xc4\x01\xff\xd5\xfe" "gh\xc7\x03\x07xyz";
    muster_reader_t reader;
    START (reader, bytes);
    muster_value_t value = next (&reader);
    cr_assert_eq (value.type, MUSTER_VALUE_STR);
    cr_assert_eq ((const char *) value.bytes, bytes + 1);
    cr_assert_eq (value.size, 3);
    value = next (&reader);
    cr_assert_eq ((const char *) value.bytes, bytes + 6);
    value = next (&reader);
    cr_assert_eq (value.type, MUSTER_VALUE_BIN);
    cr_assert_eq (value.size, 1);
    value = next (&reader);
    cr_assert_eq (value.type, MUSTER_VALUE_EXT);
    cr_assert_eq (value.ext_type, -2);
    cr_assert_arr_eq (value.bytes, "gh", 2);
    value = next (&reader);
    cr_assert_eq (value.ext_type, 7);
    cr_assert_arr_eq (value.bytes, "xyz", 3);
}

Test (reader, gives_the_count_of_a_container_and_then_its_content)
{
    muster_reader_t reader;
    START (reader, "\x81\xa1k\x92\x01\x02");
    muster_value_t value = next (&reader);
    cr_assert_eq (value.type, MUSTER_VALUE_MAP);
    cr_assert_eq (value.count, 1);
    cr_assert_eq (next (&reader).type, MUSTER_VALUE_STR);
    value = next (&reader);
    cr_assert_eq (value.type, MUSTER_VALUE_ARRAY);
    cr_assert_eq (value.count, 2);
    cr_assert_eq (next (&reader).u, 1);
    cr_assert_eq (next (&reader).u, 2);
    cr_assert_eq (muster_reader_next (&reader, &value), MUSTER_END);
}

Test (reader, says_END_of_no_bytes)
{
    muster_reader_t reader;
    muster_value_t value;
    muster_reader_init (&reader, NULL, 0);
    cr_assert_eq (muster_reader_next (&reader, &value), MUSTER_END);
    cr_assert_eq (muster_reader_skip (&reader), MUSTER_END);
}

Test (reader, stays_where_bytes_are_no_msgpack)
{
    static const struct {
        const char *bytes;
        size_t size;
    } wrong [] = {
        { "\xc1", 1 }, { "\xd9", 1 }, { "\xa2x", 2 }, { "\xcb\0", 2 }, { "\xc7\x01", 2 }, { "\xd4\x01", 2 },
        { "\x92\xc0", 2 }, { "\x81\xa0", 2 }, { "\xdd\xff\xff\xff\xff\xc0", 6 }, { "\xdf\xff\xff\xff\xff\xc0", 6 } };
    for (size_t index = 0; index < sizeof wrong / sizeof *wrong; index++) {
        muster_reader_t reader;
        muster_value_t value;
        muster_reader_init (&reader, wrong [index].bytes, wrong [index].size);
        cr_expect_eq (muster_reader_next (&reader, &value), MUSTER_FORMAT, "%zu", index);
        cr_expect_eq (muster_reader_skip (&reader), MUSTER_FORMAT, "%zu", index);
        cr_expect_eq ((const char *) reader.next, wrong [index].bytes);
    }
}

Test (reader, skips_a_value_and_all_that_is_in_it)
{
    muster_reader_t reader;
    START (reader, "\x82\xa1" "a\x93\x01\x80\x90\xa1" "b\x81\xa1" "c\xc4\x02xy\x07");
    cr_assert_eq (muster_reader_skip (&reader), MUSTER_OK);
    cr_assert_eq (next (&reader).u, 7);
    cr_assert_eq (muster_reader_skip (&reader), MUSTER_END);
}

Test (reader, stays_when_what_it_skips_is_cut_short)
{
    static const char bytes [] = "\x82\xa1" "a\x92\x01\x80\xa1" "b\xa3" "cd";
    muster_reader_t reader;
    START (reader, bytes);
    cr_assert_eq (muster_reader_skip (&reader), MUSTER_FORMAT);
    cr_assert_eq ((const char *) reader.next, bytes);
}

Test (reader, skips_64_levels_and_no_more)
{
    uint8_t bytes [MUSTER_DEPTH_MAX + 1];
    muster_reader_t reader;
    memset (bytes, 0x91, sizeof bytes);
    bytes [MUSTER_DEPTH_MAX - 1] = 0x90;
    muster_reader_init (&reader, bytes, MUSTER_DEPTH_MAX);
    cr_assert_eq (muster_reader_skip (&reader), MUSTER_OK);
    bytes [MUSTER_DEPTH_MAX - 1] = 0x91;
    bytes [MUSTER_DEPTH_MAX] = 0x90;
    muster_reader_init (&reader, bytes, sizeof bytes);
    cr_assert_eq (muster_reader_skip (&reader), MUSTER_FORMAT);
}

Test (reader, reads_what_msgpack_c_packs)
{
    msgpack_sbuffer buffer;
    msgpack_packer packer;
    msgpack_sbuffer_init (&buffer);
    msgpack_packer_init (&packer, &buffer, msgpack_sbuffer_write);
    static const int64_t numbers [] = { 0, 1, 127, 128, 255, 256, 65535, 65536, 4294967295, 4294967296, INT64_MAX,
        -1, -32, -33, -128, -129, -32768, -32769, INT32_MIN, (int64_t) INT32_MIN - 1, INT64_MIN };
    enum { NUMBERS = sizeof numbers / sizeof *numbers };
    static const size_t sizes [] = { 0, 1, 2, 4, 8, 15, 16, 17, 31, 32, 255, 256, 65535, 65536 };
    enum { SIZES = sizeof sizes / sizeof *sizes };
    static char payload [65536];
    for (int index = 0; index < NUMBERS; index++)
        msgpack_pack_int64 (&packer, numbers [index]);
    for (int index = 0; index < SIZES; index++) {
        msgpack_pack_str_with_body (&packer, payload, sizes [index]);
        msgpack_pack_bin_with_body (&packer, payload, sizes [index]);
        msgpack_pack_ext_with_body (&packer, payload, sizes [index], -128);
    }
    muster_reader_t reader;
    muster_reader_init (&reader, buffer.data, buffer.size);
    for (int index = 0; index < NUMBERS; index++) {
        muster_value_t value = next (&reader);
        cr_assert_eq (value.type, numbers [index] < 0 ? MUSTER_VALUE_INT : MUSTER_VALUE_UINT);
        cr_assert_eq (value.i, numbers [index]);
    }
    for (int index = 0; index < 3 * SIZES; index++) {
        muster_value_t value = next (&reader);
        cr_assert_eq ((int) value.type, (int) MUSTER_VALUE_STR + index % 3);
        cr_assert_eq (value.size, sizes [index / 3]);
    }
    cr_assert_eq (reader.next, reader.end);
    msgpack_sbuffer_destroy (&buffer);
}

Test (reader, finds_the_JSON_of_each_vector_in_its_data)
{
    json_object *vectors = vectors_read ("messages.json");
    size_t compared = 0;
    for (size_t index = 0; index < json_object_array_length (vectors); index++) {
        json_object *vector = json_object_array_get_idx (vectors, index);
        json_object *expected = json_object_object_get (vector, "json");
        if (!expected)
            continue;
        vectors_bytes_t data = vectors_bytes (vector, "data");
        muster_reader_t reader;
        muster_reader_init (&reader, data.bytes, data.size);
        json_object *found = read_json (&reader);
        cr_expect (json_object_equal (found, expected), "%s: %s", vectors_text (vector, "name"),
            json_object_to_json_string (found));
        cr_expect_eq (reader.next, reader.end);
        json_object_put (found);
        free (data.bytes);
        compared++;
    }
    cr_assert_gt (compared, 10);
    json_object_put (vectors);
}

/*  --------------------------------------------------------------------------
    Arrays */

static muster_error_t
take (const vectors_bytes_t *payload, muster_array_t *array)
{
    const muster_value_t value = { .type = MUSTER_VALUE_EXT, .ext_type = MUSTER_EXT_ARRAY,
        .bytes = payload->bytes, .size = (uint32_t) payload->size };
    return muster_value_array (&value, array);
}

static void
check_array (json_object *vector, const muster_array_t *array)
{
    const char *name = vectors_text (vector, "name");
    json_object *shape = json_object_object_get (vector, "shape");
    vectors_bytes_t data = vectors_bytes (vector, "data");
    cr_expect_str_eq (array->dtype, vectors_text (vector, "dtype"), "%s", name);
    cr_expect_eq (array->dims, json_object_array_length (shape), "%s", name);
    for (size_t index = 0; index < array->dims; index++)
        cr_expect_eq (array->shape [index], json_object_get_uint64 (json_object_array_get_idx (shape, index)),
            "%s", name);
    cr_expect_eq (array->size, data.size, "%s", name);
    cr_expect_arr_eq (array->bytes, data.bytes, data.size, "%s", name);
    free (data.bytes);
}

Test (reader, takes_each_array_vector_apart_or_refuses_it)
{
    json_object *vectors = vectors_read ("arrays.json");
    for (size_t index = 0; index < json_object_array_length (vectors); index++) {
        json_object *vector = json_object_array_get_idx (vectors, index);
        vectors_bytes_t payload = vectors_bytes (vector, "hex");
        bool valid = json_object_get_boolean (json_object_object_get (vector, "valid"));
        muster_array_t array;
        cr_expect_eq (take (&payload, &array), valid ? MUSTER_OK : MUSTER_TYPE, "%s", vectors_text (vector, "name"));
        if (valid)
            check_array (vector, &array);
        free (payload.bytes);
    }
    json_object_put (vectors);
}

Test (reader, finds_no_array_in_another_value)
{
    muster_array_t array;
    muster_value_t value = { .type = MUSTER_VALUE_BIN, .bytes = (const uint8_t *) "\xa3|u1\x90\x07", .size = 6 };
    cr_assert_eq (muster_value_array (&value, &array), MUSTER_TYPE);
    value.type = MUSTER_VALUE_EXT;
    value.ext_type = 2;
    cr_assert_eq (muster_value_array (&value, &array), MUSTER_TYPE);
    value.ext_type = MUSTER_EXT_ARRAY;
    cr_assert_eq (muster_value_array (&value, &array), MUSTER_OK);
}
