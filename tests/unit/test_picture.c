/*  test_picture.c - packing arguments by a picture

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <stdarg.h>
#include <string.h>

#include <muster/data.h>

#include "base/alloc.h"
#include "wire/picture.h"
#include "wire/scan.h"

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
}

TestSuite (picture, .init = set_up, .fini = tear_down);

static muster_error_t
pack (const char *picture, ...)
{
    va_list arguments;
    va_start (arguments, picture);
    muster_error_t error = picture_pack (writer, picture, arguments);
    va_end (arguments);
    return error;
}

static void
expect (const void *expected, size_t expected_size)
{
    const void *bytes;
    size_t size;
    cr_assert_eq (muster_writer_bytes (writer, &bytes, &size), MUSTER_OK);
    cr_assert_eq (size, expected_size);
    cr_assert_arr_eq (bytes, expected, expected_size);
    cr_assert_eq (scan_data (bytes, size, &(scan_limits_t) { .depth = 64 }), MUSTER_REFUSAL_NONE);
    muster_writer_clear (writer);
}

#define EXPECT(text) expect (text, sizeof (text) - 1)

Test (picture, packs_an_empty_map_for_none)
{
    cr_assert_eq (pack (NULL), MUSTER_OK);
    EXPECT ("\x80");
    cr_assert_eq (pack ("{}"), MUSTER_OK);
    EXPECT ("\x80");
}

Test (picture, packs_text)
{
    cr_assert_eq (pack ("{s:s}", "k", "text"), MUSTER_OK);
    EXPECT ("\x81\xa1k\xa4text");
    cr_assert_eq (pack ("{s:s%}", "k", "a\0b", (size_t) 3), MUSTER_OK);
    EXPECT ("\x81\xa1k\xa3" "a\0b");
}

Test (picture, packs_nil_and_booleans)
{
    cr_assert_eq (pack ("{s:n, s:b, s:b}", "n", "f", 0, "t", 2), MUSTER_OK);
    EXPECT ("\x83\xa1n\xc0\xa1" "f\xc2\xa1t\xc3");
}

Test (picture, packs_integers)
{
    cr_assert_eq (pack ("{s:i, s:I, s:U}", "i", -1, "I", INT64_MIN, "U", UINT64_MAX), MUSTER_OK);
    EXPECT ("\x83\xa1i\xff\xa1I\xd3\x80\x00\x00\x00\x00\x00\x00\x00\xa1U\xcf\xff\xff\xff\xff\xff\xff\xff\xff");
}

Test (picture, packs_a_double)
{
    cr_assert_eq (pack ("{s:f}", "f", 0.25), MUSTER_OK);
    EXPECT ("\x81\xa1" "f\xcb\x3f\xd0\x00\x00\x00\x00\x00\x00");
}

Test (picture, packs_bin)
{
    cr_assert_eq (pack ("{s:y, s:y}", "y", "\xff\x00", (size_t) 2, "z", NULL, (size_t) 0), MUSTER_OK);
    EXPECT ("\x82\xa1y\xc4\x02\xff\x00\xa1z\xc4\x00");
}

Test (picture, packs_an_array)
{
    const muster_array_t array = { .dtype = "|u1", .dims = 1, .shape = { 2 }, .bytes = "\x07\x08", .size = 2 };
    cr_assert_eq (pack ("{s:A}", "w", &array), MUSTER_OK);
    EXPECT ("\x81\xa1w\xd7\x01\xa3|u1\x91\x02\x07\x08");
}

Test (picture, packs_a_value_that_is_packed_already)
{
    cr_assert_eq (pack ("{s:O, s:i}", "o", "\x92\x01\x02", (size_t) 3, "i", 5), MUSTER_OK);
    EXPECT ("\x82\xa1o\x92\x01\x02\xa1i\x05");
}

Test (picture, packs_containers_in_containers)
{
    cr_assert_eq (pack ("{s:[i{s:[]}[ii]],s:{}}", "a", 1, "b", 2, 3, "c"), MUSTER_OK);
    EXPECT ("\x82\xa1" "a\x93\x01\x81\xa1" "b\x90\x92\x02\x03\xa1" "c\x80");
}

Test (picture, may_have_spaces_commas_and_colons_anywhere)
{
    cr_assert_eq (pack (" ,:{ s :i,, s\ti\n} ", "a", 1, "b", 2), MUSTER_OK);
    EXPECT ("\x82\xa1" "a\x01\xa1" "b\x02");
}

Test (picture, appends_to_what_is_written)
{
    muster_writer_seq (writer, 1);
    cr_assert_eq (pack ("{s:i}", "a", 1), MUSTER_OK);
    size_t size;
    cr_assert_eq (muster_writer_bytes (writer, NULL, &size), MUSTER_OK);
    cr_assert_eq (size, 5);
}

Test (picture, is_refused_when_it_is_not_one_map)
{
    static const char *const bad [] = {
        "", " ", "i", "[]", "s", "{", "}", "{}}", "{}{}", "{}i", "{s}", "{s:i", "{s:i]", "{s:[}", "{s:[i}]", "{i:i}",
        "{{}:i}", "{s%:i}", "{s?:i}", "{s:i!}", "{s:s?}", "{s:z}", "{s:i%}", "{%s:i}", "{s:s%%}", "{s:s %}", "{s:i?}",
        "{s:?}", "{!}", "{s:\x80}", "{s:i;s:i}", "?{}", "{}%" };
    for (size_t index = 0; index < sizeof bad / sizeof *bad; index++)
        cr_expect_eq (pack (bad [index], "a", "b", "c", "d"), MUSTER_INVAL, "%s", bad [index]);
    size_t size;
    cr_assert_eq (muster_writer_bytes (writer, NULL, &size), MUSTER_OK);
    cr_assert_eq (size, 0);
}

static void
nest (char *picture, size_t levels)
{
    picture [0] = 0;
    strcat (picture, "{s:");
    for (size_t level = 1; level < levels; level++)
        strcat (picture, "[");
    for (size_t level = 1; level < levels; level++)
        strcat (picture, "]");
    strcat (picture, "}");
}

Test (picture, may_have_64_levels_and_no_more)
{
    char picture [256];
    nest (picture, MUSTER_DEPTH_MAX);
    cr_assert_eq (pack (picture, "k"), MUSTER_OK);
    nest (picture, MUSTER_DEPTH_MAX + 1);
    cr_assert_eq (pack (picture, "k"), MUSTER_INVAL);
}

Test (picture, refuses_arguments_that_cannot_be_packed)
{
    const muster_array_t array = { .dtype = "|u1", .dims = 1, .shape = { 2 }, .bytes = "\x07", .size = 1 };
    const muster_array_t no_bytes = { .dtype = "|u1", .dims = 1, .shape = { 2 }, .size = 2 };
    cr_expect_eq (pack ("{s:s}", "k", NULL), MUSTER_INVAL);
    cr_expect_eq (pack ("{s:s}", NULL, "v"), MUSTER_INVAL);
    cr_expect_eq (pack ("{s:s%}", "k", NULL, (size_t) 0), MUSTER_INVAL);
    cr_expect_eq (pack ("{s:s}", "k", "\xff"), MUSTER_INVAL);
    cr_expect_eq (pack ("{s:i}", "\xc0\x80", 1), MUSTER_INVAL);
    cr_expect_eq (pack ("{s:y}", "k", NULL, (size_t) 1), MUSTER_INVAL);
    cr_expect_eq (pack ("{s:A}", "k", NULL), MUSTER_INVAL);
    cr_expect_eq (pack ("{s:A}", "k", &array), MUSTER_INVAL);
    cr_expect_eq (pack ("{s:A}", "k", &no_bytes), MUSTER_INVAL);
    cr_expect_eq (pack ("{s:O}", "k", NULL, (size_t) 0), MUSTER_INVAL);
    cr_expect_eq (pack ("{s:O}", "k", "", (size_t) 0), MUSTER_INVAL);
    cr_expect_eq (pack ("{s:O}", "k", "\x01\x02", (size_t) 2), MUSTER_INVAL);
    cr_expect_eq (pack ("{s:O}", "k", "\x91", (size_t) 1), MUSTER_INVAL);
}

Test (picture, leaves_the_writer_as_it_was_when_refused)
{
    muster_writer_nil (writer);
    cr_assert_eq (pack ("{s:i, s:s}", "a", 1, "b", NULL), MUSTER_INVAL);
    size_t size;
    cr_assert_eq (muster_writer_bytes (writer, NULL, &size), MUSTER_OK);
    cr_assert_eq (size, 1);
}

Test (picture, says_so_when_bytes_are_too_many)
{
    cr_assert_eq (pack ("{s:y}", "k", "", (size_t) UINT32_MAX + 1), MUSTER_TOOBIG);
}

Test (picture, says_so_when_there_is_no_memory)
{
    static char large [100000];
    muster_error_t error = MUSTER_NOMEM;
    for (size_t nth = 1; error == MUSTER_NOMEM; nth++) {
        cr_assert_lt (nth, 10);
        muster_writer_destroy (&writer);
        writer = muster_writer_new ();
        alloc_fail_from (nth);
        error = pack ("{s:i, s:y, s:y}", "a", 1, "b", large, sizeof large, "c", large, sizeof large);
        alloc_fail_from (0);
    }
    cr_assert_eq (error, MUSTER_OK);
}
