/*  test_writer.c - packing msgpack value by value

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#include <muster/data.h>

#include "base/alloc.h"
#include "vectors.h"
#include "wire/encode.h"
#include "wire/scan.h"
#include "wire/writer.h"

static muster_writer_t *writer;

static void
set_up (void)
{
    writer = muster_writer_new ();
    cr_assert_not_null (writer);
}

static void
tear_down (void)
{
    muster_writer_destroy (&writer);
    cr_assert_null (writer);
}

TestSuite (writer, .init = set_up, .fini = tear_down);

static void
expect (const void *expected, size_t expected_size)
{
    const void *bytes;
    size_t size;
    cr_assert_eq (muster_writer_bytes (writer, &bytes, &size), MUSTER_OK);
    cr_assert_eq (size, expected_size);
    cr_assert_arr_eq (bytes, expected, expected_size);
}

static muster_error_t
error_of (void)
{
    return muster_writer_bytes (writer, NULL, NULL);
}

static void
write_one_of_each (void)
{
    const float elements [] = { 1, 2, 3 };
    const muster_array_t array = { .dtype = "<f4", .dims = 1, .shape = { 3 }, .bytes = elements, .size = sizeof elements };
    muster_writer_seq (writer, 12);
    muster_writer_nil (writer);
    muster_writer_bool (writer, true);
    muster_writer_int (writer, -5);
    muster_writer_uint (writer, UINT64_MAX);
    muster_writer_float (writer, 0.5f);
    muster_writer_double (writer, 0.1);
    muster_writer_str (writer, "text", 4);
    muster_writer_bin (writer, "\xff", 1);
    muster_writer_ext (writer, -3, "abc", 3);
    muster_writer_map (writer, 1);
    muster_writer_str (writer, "k", 1);
    muster_writer_seq (writer, 0);
    muster_writer_array (writer, &array);
    muster_writer_raw (writer, "\x90", 1);
}

Test (writer, packs_each_kind_so_that_msgpack_c_reads_it)
{
    const void *bytes;
    size_t size;
    write_one_of_each ();
    cr_assert_eq (muster_writer_bytes (writer, &bytes, &size), MUSTER_OK);
    msgpack_unpacked result;
    size_t offset = 0;
    msgpack_unpacked_init (&result);
    cr_assert_eq (msgpack_unpack_next (&result, bytes, size, &offset), MSGPACK_UNPACK_SUCCESS);
    cr_assert_eq (offset, size);
    const msgpack_object *values = result.data.via.array.ptr;
    cr_assert_eq (result.data.via.array.size, 12);
    cr_assert_eq (values [0].type, MSGPACK_OBJECT_NIL);
    cr_assert (values [1].via.boolean);
    cr_assert_eq (values [2].via.i64, -5);
    cr_assert_eq (values [3].via.u64, UINT64_MAX);
    cr_assert_eq (values [4].type, MSGPACK_OBJECT_FLOAT32);
    cr_assert_eq (values [4].via.f64, 0.5);
    cr_assert_eq (values [5].via.f64, 0.1);
    cr_assert_eq (values [6].via.str.size, 4);
    cr_assert_eq (values [7].type, MSGPACK_OBJECT_BIN);
    cr_assert_eq (values [8].via.ext.type, -3);
    cr_assert_eq (values [8].via.ext.size, 3);
    cr_assert_eq (values [9].via.map.ptr [0].val.type, MSGPACK_OBJECT_ARRAY);
    cr_assert_eq (values [10].via.ext.type, MUSTER_EXT_ARRAY);
    cr_assert_eq (values [11].via.array.size, 0);
    msgpack_unpacked_destroy (&result);
}

Test (writer, packs_numbers_in_as_few_bytes_as_they_need)
{
    muster_writer_int (writer, 127);
    muster_writer_uint (writer, 128);
    muster_writer_int (writer, -32);
    muster_writer_int (writer, 65536);
    expect ("\x7f\xcc\x80\xe0\xce\x00\x01\x00\x00", 9);
}

Test (writer, is_empty_at_first_and_after_clear)
{
    expect ("", 0);
    muster_writer_nil (writer);
    muster_writer_clear (writer);
    expect ("", 0);
    muster_writer_bool (writer, false);
    expect ("\xc2", 1);
}

Test (writer, takes_nothing_for_empty_payloads)
{
    muster_writer_str (writer, NULL, 0);
    muster_writer_bin (writer, NULL, 0);
    muster_writer_ext (writer, 7, NULL, 0);
    muster_writer_raw (writer, NULL, 0);
    expect ("\xa0\xc4\x00\xc7\x00\x07", 6);
}

Test (writer, keeps_its_first_error_until_clear)
{
    muster_writer_str (writer, NULL, 1);
    cr_assert_eq (error_of (), MUSTER_INVAL);
    muster_writer_nil (writer);
    muster_writer_map (writer, (size_t) UINT32_MAX + 1);
    cr_assert_eq (error_of (), MUSTER_INVAL);
    muster_writer_clear (writer);
    expect ("", 0);
}

Test (writer, refuses_payloads_of_4_GiB_without_touching_them)
{
    const size_t over = (size_t) UINT32_MAX + 1;
    muster_writer_str (writer, "", over);
    cr_expect_eq (error_of (), MUSTER_TOOBIG);
    muster_writer_clear (writer);
    muster_writer_bin (writer, "", over);
    cr_expect_eq (error_of (), MUSTER_TOOBIG);
    muster_writer_clear (writer);
    muster_writer_ext (writer, 1, "", over);
    cr_expect_eq (error_of (), MUSTER_TOOBIG);
    muster_writer_clear (writer);
    muster_writer_seq (writer, over);
    cr_expect_eq (error_of (), MUSTER_TOOBIG);
    muster_writer_clear (writer);
    muster_writer_map (writer, UINT32_MAX);
    cr_expect_eq (error_of (), MUSTER_OK);
}

Test (writer, refuses_an_array_of_4_GiB)
{
    muster_array_t array = { .dtype = "|u1", .dims = 1, .shape = { UINT32_MAX }, .bytes = "", .size = UINT32_MAX };
    muster_writer_array (writer, &array);
    cr_assert_eq (error_of (), MUSTER_TOOBIG);
}

Test (writer, refuses_an_array_whose_parts_do_not_fit)
{
    const muster_array_t good = { .dtype = "<f4", .dims = 2, .shape = { 1, 2 }, .bytes = "12345678", .size = 8 };
    muster_array_t array = good;
    array.size = 7;
    muster_writer_array (writer, &array);
    cr_expect_eq (error_of (), MUSTER_INVAL);
    muster_writer_clear (writer);
    array = good;
    array.dims = MUSTER_ARRAY_DIMS_MAX + 1;
    muster_writer_array (writer, &array);
    cr_expect_eq (error_of (), MUSTER_INVAL);
    muster_writer_clear (writer);
    array = good;
    memcpy (array.dtype, "<f4<f4<f", 8);
    muster_writer_array (writer, &array);
    cr_expect_eq (error_of (), MUSTER_INVAL);
    muster_writer_clear (writer);
    array = good;
    array.bytes = NULL;
    muster_writer_array (writer, &array);
    cr_expect_eq (error_of (), MUSTER_INVAL);
    muster_writer_clear (writer);
    muster_writer_array (writer, NULL);
    cr_expect_eq (error_of (), MUSTER_INVAL);
    muster_writer_clear (writer);
    muster_writer_array (writer, &good);
    cr_expect_eq (error_of (), MUSTER_OK);
}

static muster_array_t
read_back (void)
{
    const void *bytes;
    size_t size;
    muster_reader_t reader;
    muster_value_t value;
    muster_array_t array;
    cr_assert_eq (muster_writer_bytes (writer, &bytes, &size), MUSTER_OK);
    muster_reader_init (&reader, bytes, size);
    cr_assert_eq (muster_reader_next (&reader, &value), MUSTER_OK);
    cr_assert_eq (muster_value_array (&value, &array), MUSTER_OK);
    return array;
}

Test (writer, packs_arrays_that_read_back_the_same)
{
    json_object *vectors = vectors_read ("arrays.json");
    for (size_t index = 0; index < json_object_array_length (vectors); index++) {
        json_object *vector = json_object_array_get_idx (vectors, index);
        if (!json_object_get_boolean (json_object_object_get (vector, "valid")))
            continue;
        vectors_bytes_t payload = vectors_bytes (vector, "hex");
        const muster_value_t value = { .type = MUSTER_VALUE_EXT, .ext_type = MUSTER_EXT_ARRAY,
            .bytes = payload.bytes, .size = (uint32_t) payload.size };
        muster_array_t array;
        cr_assert_eq (muster_value_array (&value, &array), MUSTER_OK);
        muster_writer_clear (writer);
        muster_writer_array (writer, &array);
        muster_array_t again = read_back ();
        cr_expect_eq (again.dims, array.dims);
        cr_expect_arr_eq (again.shape, array.shape, sizeof array.shape);
        cr_expect_eq (again.size, array.size);
        cr_expect_arr_eq (again.bytes, array.bytes, array.size);
        free (payload.bytes);
    }
    json_object_put (vectors);
}

Test (writer, says_the_byte_order_of_an_array)
{
    static const char *const dtypes [][2] = {
        { "=i1", "|i1" }, { "u1", "|u1" }, { "<u1", "<u1" }, { ">f4", ">f4" },
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        { "=f4", "<f4" }, { "f4", "<f4" }
#else
        { "=f4", ">f4" }, { "f4", ">f4" }
#endif
    };
    for (size_t index = 0; index < sizeof dtypes / sizeof *dtypes; index++) {
        muster_array_t array = { .dims = 1, .shape = { 0 }, .bytes = "", .size = 0 };
        strcpy (array.dtype, dtypes [index][0]);
        muster_writer_clear (writer);
        muster_writer_array (writer, &array);
        cr_expect_str_eq (read_back ().dtype, dtypes [index][1]);
    }
}

/*  Where in the writer the elements of each array begin. */
static size_t
elements_at (const muster_array_t *array)
{
    const void *bytes;
    size_t size = 0;
    muster_writer_array (writer, array);
    cr_assert_eq (muster_writer_bytes (writer, &bytes, &size), MUSTER_OK);
    return size - array->size;
}

static void
check_distance (const muster_array_t *array, size_t padding, size_t alignment)
{
    static const char text [64] = { 0 };
    muster_writer_clear (writer);
    size_t first = elements_at (array);
    muster_writer_str (writer, text, padding);
    size_t before = 0;
    muster_writer_bytes (writer, NULL, &before);
    size_t second = elements_at (array);
    cr_expect_eq ((second - first) % alignment, 0, "%zu bytes between two of %zu", padding, array->dims);
    const void *bytes;
    size_t size = 0;
    muster_reader_t reader;
    muster_value_t value;
    muster_array_t again;
    muster_writer_bytes (writer, &bytes, &size);
    muster_reader_init (&reader, (const uint8_t *) bytes + before, size - before);
    cr_assert_eq (muster_reader_next (&reader, &value), MUSTER_OK);
    cr_assert_eq (muster_value_array (&value, &again), MUSTER_OK);
    cr_expect_str_eq (again.dtype, array->dtype);
    cr_expect_eq (again.dims, array->dims);
    cr_expect_arr_eq (again.shape, array->shape, sizeof again.shape);
    cr_expect_eq (again.size, array->size);
}

Test (writer, puts_large_arrays_where_all_are_aligned_if_one_is)
{
    static const char zeros [262144];
    const muster_array_t arrays [] = {
        { .dtype = "<f4", .dims = 1, .shape = { 65536 }, .bytes = zeros, .size = 262144 },
        { .dtype = "|u1", .dims = 1, .shape = { 65535 }, .bytes = zeros, .size = 65535 },
        { .dtype = "<f8", .dims = 1, .shape = { 8192 }, .bytes = zeros, .size = 65536 },
        { .dtype = "<f4", .dims = 2, .shape = { 64, 1024 }, .bytes = zeros, .size = 262144 },
        { .dtype = "<f4", .dims = 4, .shape = { 32, 64, 3, 3 }, .bytes = zeros, .size = 73728 },
        { .dtype = "<f2", .dims = 6, .shape = { 1, 1, 2, 2, 64, 512 }, .bytes = zeros, .size = 262144 },
        { .dtype = "<f2", .dims = 8, .shape = { 1, 1, 1, 1, 2, 2, 64, 512 }, .bytes = zeros, .size = 262144 } };
    static const size_t alignments [] = { 8, 1, 8, 16, 32, 32, 64 };
    for (size_t index = 0; index < sizeof arrays / sizeof *arrays; index++)
        for (size_t padding = 0; padding < 64; padding++)
            check_distance (&arrays [index], padding, alignments [index]);
}

Test (writer, keeps_the_shortest_forms_for_small_arrays_and_the_first_large_one)
{
    static const char zeros [65536];
    const muster_array_t large = { .dtype = "|u1", .dims = 2, .shape = { 64, 1024 }, .bytes = zeros, .size = 65536 };
    const muster_array_t small = { .dtype = "|u1", .dims = 2, .shape = { 1, 2 }, .bytes = zeros, .size = 2 };
    cr_expect_eq (elements_at (&large), 6 + 4 + 1 + 1 + 3);
    size_t before = 0;
    muster_writer_bytes (writer, NULL, &before);
    cr_expect_eq (elements_at (&small) - before, 3 + 4 + 1 + 1 + 1);
    muster_writer_clear (writer);
    cr_expect_eq (elements_at (&large), 6 + 4 + 1 + 1 + 3, "after clear it is the first again");
}

Test (writer, grows_to_what_is_needed)
{
    static char megabyte [1 << 20];
    for (int index = 0; index < 5; index++)
        muster_writer_bin (writer, megabyte, sizeof megabyte);
    size_t size;
    cr_assert_eq (muster_writer_bytes (writer, NULL, &size), MUSTER_OK);
    cr_assert_eq (size, 5 * (sizeof megabyte + 5));
}

Test (writer, says_so_when_there_is_no_memory)
{
    bool done = false;
    for (size_t nth = 1; !done; nth++) {
        muster_writer_destroy (&writer);
        alloc_fail_from (nth);
        writer = muster_writer_new ();
        for (int index = 0; writer && index < 20; index++)
            write_one_of_each ();
        muster_error_t error = writer ? error_of () : MUSTER_NOMEM;
        alloc_fail_from (0);
        cr_assert (error == MUSTER_OK || error == MUSTER_NOMEM);
        cr_assert_lt (nth, 20);
        done = error == MUSTER_OK;
        cr_assert (done || nth < 20);
    }
    cr_assert_not_null (writer);
}

Test (writer, can_be_used_again_after_there_was_no_memory)
{
    alloc_fail_from (1);
    muster_writer_nil (writer);
    alloc_fail_from (0);
    muster_writer_nil (writer);
    cr_assert_eq (error_of (), MUSTER_NOMEM);
    muster_writer_clear (writer);
    muster_writer_nil (writer);
    expect ("\xc0", 1);
}

Test (writer, destroys_nothing_without_harm)
{
    muster_writer_t *none = NULL;
    muster_writer_destroy (&none);
    muster_writer_destroy (NULL);
}

/*  --------------------------------------------------------------------------
    Whole messages */

Test (writer, encodes_a_plain_message)
{
    encode_plain (writer, "worker-1", "DONE", "\x80", 1);
    expect ("\x93\xa8worker-1\xa4" "DONE\x80", 16);
}

static void
check_around (size_t size, uint8_t kind)
{
    static uint8_t payload [200000];
    muster_writer_t *data = muster_writer_new ();
    blob_part_t part, whole;
    muster_writer_bin (data, payload, size);
    cr_assert_eq (writer_part (data, &part), MUSTER_OK);
    cr_assert_not_null (part.blob);
    muster_writer_clear (writer);
    encode_session (writer, "DONE", part.bytes, part.size, kind, 70000, UINT64_MAX);
    cr_assert_eq (writer_part (writer, &whole), MUSTER_OK);
    cr_assert_eq (encode_session_around (&part, "DONE", kind, 70000, UINT64_MAX), MUSTER_OK);
    cr_assert_eq (part.size, whole.size);
    cr_assert_arr_eq (part.bytes, whole.bytes, whole.size);
    cr_assert_geq (part.bytes - part.blob->bytes, FRAME_HEADER_ROOM);
    muster_writer_destroy (&data);
}

Test (writer, encodes_the_same_around_data_that_stays_where_it_is)
{
    for (uint8_t kind = 0; kind <= MESSAGE_KIND_MAX; kind++) {
        check_around (65536, kind);
        check_around (200000, kind);
    }
}

Test (writer, has_room_around_its_data_for_the_longest_cmd_and_the_longest_end)
{
    static uint8_t payload [100000];
    char cmd [MUSTER_NAME_MAX + 1];
    blob_part_t part;
    memset (cmd, 'x', MUSTER_NAME_MAX);
    cmd [MUSTER_NAME_MAX] = 0;
    muster_writer_bin (writer, payload, sizeof payload);
    cr_assert_eq (writer_part (writer, &part), MUSTER_OK);
    const uint8_t *data = part.bytes, *end = data + part.size;
    cr_assert_eq (encode_session_around (&part, cmd, MESSAGE_KIND_MAX, UINT32_MAX, UINT64_MAX), MUSTER_OK);
    cr_assert_geq (part.bytes - part.blob->bytes, FRAME_HEADER_ROOM);
    cr_assert_leq (part.bytes + part.size, part.blob->bytes + part.blob->room);
    cr_assert_leq (part.bytes + part.size - end, WRITER_AFTER);
}

Test (writer, gives_away_what_is_large_and_most_of_its_memory)
{
    static uint8_t payload [300000];
    blob_part_t part;
    muster_writer_raw (writer, payload, 65535);
    cr_assert_eq (writer_part (writer, &part), MUSTER_OK);
    cr_assert_null (part.blob, "small");
    muster_writer_raw (writer, payload, sizeof payload);
    cr_assert_eq (writer_part (writer, &part), MUSTER_OK);
    cr_assert_not_null (part.blob);
    muster_writer_clear (writer);
    muster_writer_raw (writer, payload, 100000);
    cr_assert_eq (writer_part (writer, &part), MUSTER_OK);
    cr_assert_null (part.blob, "its owner would keep three times its size");
}

Test (writer, encodes_each_form_of_a_session_message)
{
    encode_session (writer, "DONE", "\x80", 1, 0, 1, 2);
    expect ("\x92\xa4" "DONE\x80", 7);
    muster_writer_clear (writer);
    encode_session (writer, "DONE", "\x80", 1, MESSAGE_KIND_ASKED, 1, 2);
    expect ("\x93\xa4" "DONE\x80\x01", 8);
    muster_writer_clear (writer);
    encode_session (writer, "DONE", "\x80", 1, MESSAGE_KIND_ASKED | MESSAGE_KIND_REPLY, 1, 200);
    expect ("\x95\xa4" "DONE\x80\x03\x01\xcc\xc8", 11);
}
