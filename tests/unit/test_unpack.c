/*  test_unpack.c - taking a message's data apart by a picture

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <muster/data.h>

#include "base/alloc.h"
#include "model/message.h"

static muster_message_t message;

static void
tear_down (void)
{
    message_return_loans (&message);
}

TestSuite (unpack, .fini = tear_down);

static void
set_data (const void *bytes, size_t size)
{
    message.data = bytes;
    message.size = size;
}

#define DATA(text) set_data (text, sizeof (text) - 1)

#define unpack(...) muster_message_unpack (&message, __VA_ARGS__)

/*  One key, k, with a value of these bytes. */
#define VALUE(text) DATA ("\x81\xa1k" text)

Test (unpack, takes_text_and_terminates_it)
{
    const char *text = NULL;
    VALUE ("\xa4text");
    cr_assert_eq (unpack ("{s:s}", "k", &text), MUSTER_OK);
    cr_assert_str_eq (text, "text");
}

Test (unpack, takes_text_with_NUL_only_with_its_size)
{
    const char *text = NULL;
    size_t size = 0;
    VALUE ("\xa3" "a\0b");
    cr_assert_eq (unpack ("{s:s}", "k", &text), MUSTER_TYPE);
    cr_assert_null (text);
    cr_assert_eq (unpack ("{s:s%}", "k", &text, &size), MUSTER_OK);
    cr_assert_eq (size, 3);
    cr_assert_arr_eq (text, "a\0b", 4);
}

Test (unpack, takes_numbers)
{
    int i = 0;
    int64_t wide = 0;
    uint64_t u = 0;
    double f = 0;
    DATA ("\x84\xa1i\xd0\xfb\xa1I\xd3\x80\x00\x00\x00\x00\x00\x00\x00\xa1U\xcf\xff\xff\xff\xff\xff\xff\xff\xff"
        "\xa1" "f\xcb\x3f\xd0\x00\x00\x00\x00\x00\x00");
    cr_assert_eq (unpack ("{s:i, s:I, s:U, s:f}", "i", &i, "I", &wide, "U", &u, "f", &f), MUSTER_OK);
    cr_assert_eq (i, -5);
    cr_assert_eq (wide, INT64_MIN);
    cr_assert_eq (u, UINT64_MAX);
    cr_assert_eq (f, 0.25);
}

Test (unpack, takes_integers_as_doubles)
{
    double f = 0;
    VALUE ("\x07");
    cr_assert_eq (unpack ("{s:f}", "k", &f), MUSTER_OK);
    cr_assert_eq (f, 7);
    VALUE ("\xff");
    cr_assert_eq (unpack ("{s:f}", "k", &f), MUSTER_OK);
    cr_assert_eq (f, -1);
    VALUE ("\xca\x3f\x00\x00\x00");
    cr_assert_eq (unpack ("{s:f}", "k", &f), MUSTER_OK);
    cr_assert_eq (f, 0.5);
}

Test (unpack, refuses_an_integer_that_does_not_fit)
{
    int i = 0;
    int64_t wide = 0;
    uint64_t u = 0;
    VALUE ("\xce\x7f\xff\xff\xff");
    cr_expect_eq (unpack ("{s:i}", "k", &i), MUSTER_OK);
    cr_expect_eq (i, INT_MAX);
    VALUE ("\xce\x80\x00\x00\x00");
    cr_expect_eq (unpack ("{s:i}", "k", &i), MUSTER_TYPE);
    VALUE ("\xd2\x80\x00\x00\x00");
    cr_expect_eq (unpack ("{s:i}", "k", &i), MUSTER_OK);
    cr_expect_eq (i, INT_MIN);
    VALUE ("\xd3\xff\xff\xff\xff\x7f\xff\xff\xff");
    cr_expect_eq (unpack ("{s:i}", "k", &i), MUSTER_TYPE);
    VALUE ("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff");
    cr_expect_eq (unpack ("{s:I}", "k", &wide), MUSTER_OK);
    cr_expect_eq (wide, INT64_MAX);
    VALUE ("\xcf\x80\x00\x00\x00\x00\x00\x00\x00");
    cr_expect_eq (unpack ("{s:I}", "k", &wide), MUSTER_TYPE);
    VALUE ("\xff");
    cr_expect_eq (unpack ("{s:U}", "k", &u), MUSTER_TYPE);
}

Test (unpack, takes_nil_and_booleans)
{
    int truth = 7;
    DATA ("\x82\xa1n\xc0\xa1" "b\xc3");
    cr_assert_eq (unpack ("{s:n, s:b}", "n", "b", &truth), MUSTER_OK);
    cr_assert_eq (truth, 1);
}

Test (unpack, takes_bin_where_it_is)
{
    const void *bytes = NULL;
    size_t size = 0;
    VALUE ("\xc4\x02\xff\xfe");
    cr_assert_eq (unpack ("{s:y}", "k", &bytes, &size), MUSTER_OK);
    cr_assert_eq (size, 2);
    cr_assert_eq (bytes, message.data + 5);
    cr_assert_null (message.loans);
}

Test (unpack, takes_any_value_as_its_bytes)
{
    const void *bytes = NULL;
    size_t size = 0;
    DATA ("\x82\xa1k\x92\x81\xa1x\x01\x02\xa1z\x00");
    cr_assert_eq (unpack ("{s:O}", "k", &bytes, &size), MUSTER_OK);
    cr_assert_eq (size, 6);
    cr_assert_arr_eq (bytes, "\x92\x81\xa1x\x01\x02", 6);
}

Test (unpack, refuses_a_value_of_another_type)
{
    static const struct {
        const char *sign;
        const char *fits;
    } signs [] = {
        { "{s:s}", "\xa1x" }, { "{s:s%}", "\xa1x" }, { "{s:n}", "\xc0" }, { "{s:b}", "\xc2" }, { "{s:i}", "\x05" },
        { "{s:I}", "\x05" },
        { "{s:U}", "\x05" }, { "{s:f}", "\x05" }, { "{s:y}", "\xc4\x01x" },
        { "{s:A}", "\xc7\x06\x01\xa3|u1\x90\x07" }, { "{s:[]}", "\x90" } };
    enum { SIGNS = sizeof signs / sizeof *signs };
    for (int sign = 0; sign < SIGNS; sign++)
        for (int value = 0; value < SIGNS; value++) {
            muster_array_t out;
            size_t size;
            char data [32] = "\x81\xa1k";
            strcat (data, signs [value].fits);
            set_data (data, strlen (data));
            bool fits = strcmp (signs [sign].fits, signs [value].fits) == 0;
            cr_expect_eq (unpack (signs [sign].sign, "k", &out, &size), fits ? MUSTER_OK : MUSTER_TYPE,
                "%s %d", signs [sign].sign, value);
        }
}

/*  A message whose array's elements are offset bytes past an aligned place. */
static uint8_t *
message_with_floats (size_t offset)
{
    static const uint8_t data [] = "\x81\xa1k\xc7\x0e\x01\xa3<f4\x91\x02\x00\x00\x80\x3f\x00\x00\x00\x40";
    const size_t elements = sizeof data - 1 - 8;
    uint8_t *memory = aligned_alloc (64, 128);
    cr_assert_not_null (memory);
    uint8_t *start = memory + 64 + offset - elements;
    memcpy (start, data, sizeof data - 1);
    set_data (start, sizeof data - 1);
    return memory;
}

Test (unpack, gives_out_an_array_that_is_aligned_without_a_copy)
{
    muster_array_t array;
    uint8_t *memory = message_with_floats (4);
    cr_assert_eq (unpack ("{s:A}", "k", &array), MUSTER_OK);
    cr_assert_eq (array.bytes, memory + 68);
    cr_assert_null (message.loans);
    free (memory);
}

Test (unpack, gives_out_an_array_aligned_however_it_came)
{
    for (size_t offset = 0; offset < 8; offset++) {
        muster_array_t array;
        uint8_t *memory = message_with_floats (offset);
        cr_assert_eq (unpack ("{s:A}", "k", &array), MUSTER_OK);
        cr_assert_str_eq (array.dtype, "<f4");
        cr_assert_eq (array.dims, 1);
        cr_assert_eq (array.shape [0], 2);
        cr_assert_eq (array.size, 8);
        cr_assert_eq ((uintptr_t) array.bytes % 4, 0);
        cr_assert_arr_eq (array.bytes, "\x00\x00\x80\x3f\x00\x00\x00\x40", 8);
        free (memory);
    }
}

Test (unpack, finds_keys_in_any_order_and_passes_others_over)
{
    int a = 0;
    int b = 0;
    int c = 0;
    DATA ("\x85\xa1" "a\x01\xa1x\x92\x01\x02\xa1" "b\x02\xa1y\x81\xa1" "c\x09\xa1" "c\x03");
    cr_assert_eq (unpack ("{s:i, s:i, s:i}", "c", &c, "a", &a, "b", &b), MUSTER_OK);
    cr_assert_eq (a, 1);
    cr_assert_eq (b, 2);
    cr_assert_eq (c, 3);
    cr_assert_eq (unpack ("{}"), MUSTER_OK);
}

Test (unpack, takes_containers_in_containers)
{
    int numbers [4] = { 0 };
    DATA ("\x82\xa1" "a\x93\x01\x81\xa1" "b\x92\x02\x03\x90\xa1z\x04");
    cr_assert_eq (unpack ("{s:[i{s:[ii]}[]], s:i}", "a", &numbers [0], "b", &numbers [1], &numbers [2],
        "z", &numbers [3]), MUSTER_OK);
    for (int index = 0; index < 4; index++)
        cr_assert_eq (numbers [index], index + 1);
}

Test (unpack, says_which_error_a_missing_key_is)
{
    int i = 7;
    VALUE ("\x05");
    cr_assert_eq (unpack ("{s:i}", "other", &i), MUSTER_NOTFOUND);
    cr_assert_eq (i, 7);
    DATA ("\x80");
    cr_assert_eq (unpack ("{s:i}", "k", &i), MUSTER_NOTFOUND);
}

Test (unpack, leaves_the_variables_of_a_missing_optional_key)
{
    int i = 7;
    int deep = 8;
    const char *text = "text";
    size_t size = 9;
    int last = 0;
    DATA ("\x81\xa1z\x05");
    cr_assert_eq (unpack ("{s?i, s?[{s:s%!}i!], s?n, s:i}", "k", &i, "m", "t", &text, &size, &deep, "n",
        "z", &last), MUSTER_OK);
    cr_assert_eq (i, 7);
    cr_assert_eq (deep, 8);
    cr_assert_str_eq (text, "text");
    cr_assert_eq (size, 9);
    cr_assert_eq (last, 5);
}

Test (unpack, takes_the_value_of_an_optional_key_that_is_there)
{
    int i = 7;
    VALUE ("\x05");
    cr_assert_eq (unpack ("{s?:i}", "k", &i), MUSTER_OK);
    cr_assert_eq (i, 5);
    VALUE ("\xc0");
    cr_assert_eq (unpack ("{s?:i}", "k", &i), MUSTER_TYPE);
}

Test (unpack, forbids_other_keys_where_the_picture_says_so)
{
    int i = 0;
    DATA ("\x82\xa1k\x05\xa1m\x06");
    cr_assert_eq (unpack ("{s:i}", "k", &i), MUSTER_OK);
    cr_assert_eq (unpack ("{s:i!}", "k", &i), MUSTER_TYPE);
    cr_assert_eq (unpack ("{s:i s:i!}", "k", &i, "m", &i), MUSTER_OK);
    cr_assert_eq (unpack ("{!}"), MUSTER_TYPE);
}

Test (unpack, takes_the_first_elements_of_an_array_or_all)
{
    int i = 0;
    VALUE ("\x92\x05\x06");
    cr_assert_eq (unpack ("{s:[i]}", "k", &i), MUSTER_OK);
    cr_assert_eq (i, 5);
    cr_assert_eq (unpack ("{s:[i!]}", "k", &i), MUSTER_TYPE);
    cr_assert_eq (unpack ("{s:[ii!]}", "k", &i, &i), MUSTER_OK);
    cr_assert_eq (unpack ("{s:[iii]}", "k", &i, &i, &i), MUSTER_TYPE);
}

Test (unpack, sets_the_variables_before_a_misfit)
{
    int a = 0;
    int b = 0;
    DATA ("\x82\xa1" "a\x01\xa1" "b\xa1x");
    cr_assert_eq (unpack ("{s:i, s:i}", "a", &a, "b", &b), MUSTER_TYPE);
    cr_assert_eq (a, 1);
    cr_assert_eq (b, 0);
}

Test (unpack, refuses_a_bad_picture)
{
    static const char *const bad [] = {
        "", "i", "[]", "{s:i", "{s:i}}", "{s%:i}", "{s:i!s:i}", "{s!:i}", "{s:i!!}", "!{}", "{}!", "{s:z}" };
    int i = 0;
    VALUE ("\x05");
    for (size_t index = 0; index < sizeof bad / sizeof *bad; index++)
        cr_expect_eq (unpack (bad [index], "k", &i, "k", &i), MUSTER_INVAL, "%s", bad [index]);
    cr_expect_eq (muster_message_unpack (&message, NULL), MUSTER_INVAL);
    cr_expect_eq (muster_message_unpack (NULL, "{}"), MUSTER_INVAL);
    cr_expect_eq (unpack ("{s:i}", NULL, &i), MUSTER_INVAL);
}

Test (unpack, says_so_when_there_is_no_memory)
{
    const char *text = NULL;
    muster_array_t array;
    VALUE ("\xa4text");
    alloc_fail_from (1);
    cr_expect_eq (unpack ("{s:s}", "k", &text), MUSTER_NOMEM);
    uint8_t *memory = message_with_floats (1);
    cr_expect_eq (unpack ("{s:A}", "k", &array), MUSTER_NOMEM);
    alloc_fail_from (0);
    cr_expect_eq (unpack ("{s:A}", "k", &array), MUSTER_OK);
    free (memory);
}
