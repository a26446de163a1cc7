/*  test_cli_json.c - tests of the command's JSON

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json.h"

/*  JSON text of packed bytes, which the caller frees. */
static char *
text_of (const void *bytes, size_t size)
{
    char *text = NULL;
    size_t text_size;
    FILE *out = open_memstream (&text, &text_size);
    cr_assert_eq (json_write_data (out, bytes, size), MUSTER_OK);
    fclose (out);
    return text;
}

static void
assert_writes (muster_writer_t *writer, const char *expected)
{
    const void *bytes;
    size_t size;
    cr_assert_eq (muster_writer_bytes (writer, &bytes, &size), MUSTER_OK);
    char *text = text_of (bytes, size);
    cr_assert_str_eq (text, expected);
    free (text);
    muster_writer_destroy (&writer);
}

static void
assert_packs_sized (const char *json, size_t json_size, const void *expected, size_t expected_size)
{
    char problem [JSON_PROBLEM_ROOM];
    muster_writer_t *writer = muster_writer_new ();
    cr_assert (json_read (writer, json, json_size, problem), "%s: %s", json, problem);
    const void *bytes;
    size_t size;
    cr_assert_eq (muster_writer_bytes (writer, &bytes, &size), MUSTER_OK);
    cr_assert_eq (size, expected_size, "%s", json);
    cr_assert_arr_eq (bytes, expected, size, "%s", json);
    muster_writer_destroy (&writer);
}

#define assert_packs(json, expected) assert_packs_sized (json, strlen (json), expected, sizeof (expected) - 1)

static void
assert_refuses_sized (const char *json, size_t size, const char *what)
{
    char problem [JSON_PROBLEM_ROOM];
    muster_writer_t *writer = muster_writer_new ();
    cr_assert_not (json_read (writer, json, size, problem), "%s", json);
    cr_assert_not_null (strstr (problem, what), "%s: %s", json, problem);
    muster_writer_destroy (&writer);
}

static void
assert_refuses (const char *json, const char *what)
{
    assert_refuses_sized (json, strlen (json), what);
}

/*  Read and written again it is the same. */
static void
assert_survives (const char *json)
{
    char problem [JSON_PROBLEM_ROOM];
    muster_writer_t *writer = muster_writer_new ();
    cr_assert (json_read (writer, json, strlen (json), problem), "%s: %s", json, problem);
    assert_writes (writer, json);
}

static void
assert_writes_float (double value, const char *expected)
{
    muster_writer_t *writer = muster_writer_new ();
    muster_writer_double (writer, value);
    assert_writes (writer, expected);
}

Test (json_write, writes_values_compactly_and_keys_in_the_order_received)
{
    muster_writer_t *writer = muster_writer_new ();
    muster_writer_map (writer, 3);
    muster_writer_str (writer, "z", 1);
    muster_writer_seq (writer, 4);
    muster_writer_nil (writer);
    muster_writer_bool (writer, true);
    muster_writer_bool (writer, false);
    muster_writer_map (writer, 0);
    muster_writer_str (writer, "a", 1);
    muster_writer_int (writer, -1);
    muster_writer_str (writer, "", 0);
    muster_writer_seq (writer, 0);
    assert_writes (writer, "{\"z\":[null,true,false,{}],\"a\":-1,\"\":[]}");
}

Test (json_write, writes_every_integer_exactly)
{
    muster_writer_t *writer = muster_writer_new ();
    muster_writer_seq (writer, 4);
    muster_writer_uint (writer, UINT64_MAX);
    muster_writer_uint (writer, INT64_MAX);
    muster_writer_int (writer, INT64_MIN);
    muster_writer_uint (writer, 0);
    assert_writes (writer, "[18446744073709551615,9223372036854775807,-9223372036854775808,0]");
}

Test (json_write, writes_a_float_as_the_shortest_text_that_looks_like_one)
{
    assert_writes_float (1, "1.0");
    assert_writes_float (-0.0, "-0.0");
    assert_writes_float (0.1, "0.1");
    assert_writes_float (0.1 + 0.2, "0.30000000000000004");
    assert_writes_float (1e15, "1e+15");
    assert_writes_float (123456789012345678.0, "1.2345678901234568e+17");
    assert_writes_float (1.7976931348623157e308, "1.7976931348623157e+308");
    assert_writes_float (5e-324, "5e-324");
    assert_writes_float (2.2250738585072014e-308, "2.2250738585072014e-308");
    assert_writes_float (0.1f, "0.10000000149011612");
}

Test (json_write, writes_what_is_no_finite_number_by_name)
{
    assert_writes_float (NAN, "{\"$float\":\"nan\"}");
    assert_writes_float (INFINITY, "{\"$float\":\"inf\"}");
    assert_writes_float (-INFINITY, "{\"$float\":\"-inf\"}");
}

Test (json_write, escapes_what_json_forbids_and_what_a_terminal_or_a_reader_of_lines_obeys_and_nothing_else)
{
    muster_writer_t *writer = muster_writer_new ();
    muster_writer_str (writer, "\"\\/\b\f\n\r\t\0\x1f\x7f\xc3\xa9\xf0\x9f\x98\x80", 17);
    assert_writes (writer, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\\u007f\xc3\xa9\xf0\x9f\x98\x80\"");
    writer = muster_writer_new ();
    muster_writer_str (writer, "\xc2\x80\xc2\x9f\xc2\xa0\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xae\xe2\x80\xaf", 21);
    assert_writes (writer, "\"\\u0080\\u009f\xc2\xa0\xe2\x80\xa7\\u2028\\u2029\\u202e\xe2\x80\xaf\"");
    writer = muster_writer_new ();
    muster_writer_str (writer, "\xd8\x9c\xe2\x80\x8d\xe2\x80\x8e\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa", 20);
    assert_writes (writer, "\"\\u061c\xe2\x80\x8d\\u200e\xe2\x81\xa5\\u2066\\u2069\xe2\x81\xaa\"");
}

Test (json_write, writes_binary_and_ext_as_base64)
{
    muster_writer_t *writer = muster_writer_new ();
    muster_writer_seq (writer, 6);
    muster_writer_bin (writer, "", 0);
    muster_writer_bin (writer, "\xff", 1);
    muster_writer_bin (writer, "\xff\xfe", 2);
    muster_writer_bin (writer, "\xff\xfe\xfd", 3);
    muster_writer_ext (writer, -1, "\x00", 1);
    muster_writer_ext (writer, 127, "", 0);
    assert_writes (writer, "[{\"$bin\":\"\"},{\"$bin\":\"/w==\"},{\"$bin\":\"//4=\"},{\"$bin\":\"//79\"},"
        "{\"$ext\":[-1,\"AA==\"]},{\"$ext\":[127,\"\"]}]");
}

Test (json_write, writes_large_binary_whole)
{
    enum { SIZE = 3 * 5000 };
    char *zeros = calloc (SIZE, 1);
    muster_writer_t *writer = muster_writer_new ();
    muster_writer_bin (writer, zeros, SIZE);
    char *expected = malloc (SIZE / 3 * 4 + 32);
    char *at = stpcpy (expected, "{\"$bin\":\"");
    memset (at, 'A', SIZE / 3 * 4);
    strcpy (at + SIZE / 3 * 4, "\"}");
    assert_writes (writer, expected);
    free (expected);
    free (zeros);
}

Test (json_write, wraps_a_map_with_a_key_that_starts_with_a_dollar)
{
    assert_survives ("{\"$map\":{\"$bin\":1}}");
    assert_survives ("{\"$map\":{\"a\":1,\"$\":{\"b\":{\"$map\":{\"$x\":null}}}}}");
    assert_survives ("{\"a$\":{\"b\":\"$c\"}}");
}

Test (json_write, says_format_for_bytes_that_are_no_data)
{
    static const struct {
        const char *bytes;
        size_t size;
    } bad [] = { { "", 0 }, { "\x81\xa1k", 3 }, { "\x81\x01\x02", 3 }, { "\xc1", 1 }, { "\x92\x01", 2 } };
    FILE *out = fopen ("/dev/null", "w");
    for (size_t i = 0; i < sizeof bad / sizeof bad [0]; i++)
        cr_assert_eq (json_write_data (out, bad [i].bytes, bad [i].size), MUSTER_FORMAT, "%zu", i);
    fclose (out);
}

Test (json_write, says_system_when_the_stream_fails)
{
    FILE *out = fopen ("/dev/full", "w");
    setvbuf (out, NULL, _IONBF, 0);
    cr_assert_eq (json_write_data (out, "\x80", 1), MUSTER_SYSTEM);
    fclose (out);
}

Test (json_read, packs_what_was_written)
{
    assert_survives ("{}");
    assert_survives ("{\"z\":[null,true,false,{}],\"a\":-1,\"\":[]}");
    assert_survives ("{\"i\":[18446744073709551615,9223372036854775808,9223372036854775807,-9223372036854775808,0]}");
    assert_survives ("{\"f\":[1.0,-0.0,0.1,1e+300,5e-324,-1.5]}");
    assert_survives ("{\"f\":[{\"$float\":\"nan\"},{\"$float\":\"inf\"},{\"$float\":\"-inf\"}]}");
    assert_survives ("{\"s\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000x\\u001f\\u007f\xc3\xa9\xf0\x9f\x98\x80\"}");
    assert_survives ("{\"b\":[{\"$bin\":\"\"},{\"$bin\":\"/w==\"},{\"$bin\":\"//4=\"},{\"$bin\":\"//79\"}]}");
    assert_survives ("{\"e\":[{\"$ext\":[-128,\"AA==\"]},{\"$ext\":[127,\"\"]}]}");
}

Test (json_read, packs_each_type_in_its_smallest_form)
{
    assert_packs ("{\"a\":1}", "\x81\xa1" "a\x01");
    assert_packs (" {\t\"a\" : [ 1 , -1 ]\r\n} ", "\x81\xa1" "a\x92\x01\xff");
    assert_packs ("{\"a\":1.0}", "\x81\xa1" "a\xcb\x3f\xf0\0\0\0\0\0\0");
    assert_packs ("{\"a\":-0.0}", "\x81\xa1" "a\xcb\x80\0\0\0\0\0\0\0");
    assert_packs ("{\"a\":1E2}", "\x81\xa1" "a\xcb\x40\x59\0\0\0\0\0\0");
    assert_packs ("{\"a\":18446744073709551615}", "\x81\xa1" "a\xcf\xff\xff\xff\xff\xff\xff\xff\xff");
    assert_packs ("{\"a\":{\"$bin\":\"/w==\"}}", "\x81\xa1" "a\xc4\x01\xff");
    assert_packs ("{\"a\":{\"$ext\":[5,\"/w==\"]}}", "\x81\xa1" "a\xd4\x05\xff");
    assert_packs ("{\"a\":{\"$map\":{\"$bin\":\"/w==\"}}}", "\x81\xa1" "a\x81\xa4$bin\xa4/w==");
    assert_packs ("{\"$map\":{\"$map\":{}}}", "\x81\xa4$map\x80");
    assert_packs ("{\"$map\":{}}", "\x80");
    assert_packs ("{\"\\u0061\":\"\\ud83d\\ude00\\u0000\"}", "\x81\xa1" "a\xa5\xf0\x9f\x98\x80\0");
}

Test (json_read, appends_to_what_the_writer_holds)
{
    char problem [JSON_PROBLEM_ROOM];
    muster_writer_t *writer = muster_writer_new ();
    muster_writer_seq (writer, 2);
    cr_assert (json_read (writer, "{}", 2, problem));
    cr_assert (json_read (writer, "{\"a\":1}", 7, problem));
    assert_writes (writer, "[{},{\"a\":1}]");
}

Test (json_read, refuses_an_integer_that_does_not_fit)
{
    assert_refuses ("{\"a\":18446744073709551616}", "18446744073709551616 is no integer from -2^63 to 2^64 - 1");
    assert_refuses ("{\"a\":-9223372036854775809}", "-9223372036854775809 is no integer");
    assert_refuses ("{\"a\":1e400}", "1e400 is too large for a float");
    assert_refuses ("{\"a\":-1e400}", "too large");
}

Test (json_read, refuses_a_number_that_json_does_not_have)
{
    static const char *const bad [] = { "01", "-01", "00", "00.5", "1.", "-.5", "-", "1e", "1e+", "1.5e", "--1", "-a" };
    char text [32];
    for (size_t i = 0; i < sizeof bad / sizeof bad [0]; i++) {
        snprintf (text, sizeof text, "{\"a\":%s}", bad [i]);
        assert_refuses (text, "no number as JSON has it at byte 6");
    }
    assert_refuses ("{\"a\":+1}", "at byte 6");
    assert_refuses ("{\"a\":.5}", "at byte 6");
    assert_refuses ("{\"a\":0x10}", "is no word");
    assert_refuses ("{\"a\":1-2}", "at byte");
}

Test (json_read, refuses_words_that_json_does_not_have)
{
    assert_refuses ("{\"a\":NaN}", "NaN is no word of JSON");
    assert_refuses ("{\"a\":Infinity}", "Infinity is no word of JSON");
    assert_refuses ("{\"a\":-Infinity}", "at byte 6");
    assert_refuses ("{\"a\":TRUE}", "TRUE is no word");
    assert_refuses ("{\"a\":nul}", "nul is no word");
    assert_refuses ("{a:1}", "a is no word");
}

Test (json_read, refuses_a_key_that_comes_twice)
{
    assert_refuses ("{\"a\":1,\"a\":2}", "a key comes twice");
    assert_refuses ("{\"a\":1,\"\\u0061\":2}", "a key comes twice");
    assert_refuses ("{\"b\":[{\"a\":{\"x\":1,\"y\":2,\"x\":3}}]}", "a key comes twice");
    assert_refuses ("{\"$map\":{},\"$map\":{}}", "a key comes twice");
    assert_packs ("{\"a\":{\"a\":\"a\"}}", "\x81\xa1" "a\x81\xa1" "a\xa1" "a");
}

Test (json_read, refuses_what_is_no_whole_json)
{
    assert_refuses ("", "at byte 1");
    assert_refuses ("   ", "at byte");
    assert_refuses ("{\"a\":1", "at byte");
    assert_refuses ("{\"a\":\"x", "unfinished string");
    assert_refuses ("{\"a\":\"x\\", "unfinished string");
    assert_refuses ("{\"a\":1} x", "x is no word");
    assert_refuses ("{} {}", "at byte 4");
    assert_refuses ("{}]", "at byte 3");
    assert_refuses ("{\"a\":1,}", "at byte 8");
    assert_refuses ("{\"a\":[1,]}", "at byte 9");
    assert_refuses ("{\"a\" 1}", "at byte 6");
    assert_refuses ("{'a':1}", "unexpected character at byte 2");
    assert_refuses ("{/**/\"a\":1}", "unexpected character at byte 2");
    assert_refuses ("{,}", "at byte 2");
}

Test (json_read, refuses_what_is_no_map)
{
    static const char *const bad [] = {
        "[]", "1", "1.5", "\"a\"", "null", "true", "{\"$bin\":\"\"}", "{\"$float\":\"nan\"}" };
    for (size_t i = 0; i < sizeof bad / sizeof bad [0]; i++)
        assert_refuses (bad [i], "data must be a map");
}

Test (json_read, refuses_text_that_is_not_utf8)
{
    assert_refuses ("{\"a\":\"\xff\"}", "no UTF-8 at byte 7");
    assert_refuses ("{\"a\":\"\xc0\x80\"}", "no UTF-8 at byte 7");
    assert_refuses ("{\"a\":\"\xe0\x80\x80\"}", "no UTF-8 at byte 7");
    assert_refuses ("{\"a\":\"\xed\xa0\x80\"}", "no UTF-8 at byte 7");
    assert_refuses ("{\"a\":\"\xf4\x90\x80\x80\"}", "no UTF-8 at byte 7");
    assert_refuses ("{\"a\":\"\xc3", "no UTF-8 at byte 7");
    assert_refuses ("\xef\xbb\xbf{}", "unexpected character at byte 1");
    assert_survives ("{\"a\":\"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\"}");
}

Test (json_read, refuses_control_characters_and_bad_escapes)
{
    assert_refuses ("{\"a\":\"\x01\"}", "control character at byte 7");
    assert_refuses ("{\"a\":\"\n\"}", "control character in a string at byte 7");
    assert_refuses_sized ("{\"a\":1}\0{", 9, "control character at byte 8");
    assert_refuses ("{\"a\":\"\\q\"}", "at byte");
    assert_refuses ("{\"a\":\"\\'\"}", "at byte");
    assert_refuses ("{\"a\":\"\\u12g4\"}", "no escape as JSON has it at byte 7");
    assert_refuses ("{\"a\":\"\\u12\"}", "no escape");
    assert_refuses ("{\"a\":\"\\ud800\"}", "surrogate alone at byte 7");
    assert_refuses ("{\"a\":\"\\ud800\\u0041\"}", "surrogate alone");
    assert_refuses ("{\"a\":\"\\udc00\\ud800\"}", "surrogate alone");
    assert_refuses ("{\"a\":\"\\ud800", "surrogate alone");
    assert_refuses ("{\"a\\u0000b\":1}", "a key with a NUL at byte 2");
}

Test (json_read, refuses_an_object_of_ours_that_is_malformed)
{
    assert_refuses ("{\"a\":{\"$bin\":1}}", "\"$bin\" needs a string");
    assert_refuses ("{\"a\":{\"$bin\":\"/w=\"}}", "no base64");
    assert_refuses ("{\"a\":{\"$bin\":\"/x==\"}}", "no base64");
    assert_refuses ("{\"a\":{\"$bin\":\"/w==/w==\"}}", "no base64");
    assert_refuses ("{\"a\":{\"$bin\":\"====\"}}", "no base64");
    assert_refuses ("{\"a\":{\"$bin\":\"a-_b\"}}", "no base64");
    assert_refuses ("{\"a\":{\"$bin\":\"AAA\\u0000\"}}", "no base64");
    assert_refuses ("{\"a\":{\"$ext\":\"\"}}", "\"$ext\" needs [type, base64]");
    assert_refuses ("{\"a\":{\"$ext\":[1]}}", "\"$ext\" needs [type, base64]");
    assert_refuses ("{\"a\":{\"$ext\":[1.0,\"\"]}}", "\"$ext\" needs [type, base64]");
    assert_refuses ("{\"a\":{\"$ext\":[128,\"\"]}}", "from -128 to 127");
    assert_refuses ("{\"a\":{\"$ext\":[-129,\"\"]}}", "from -128 to 127");
    assert_refuses ("{\"a\":{\"$ext\":[1,\"!\"]}}", "no base64");
    assert_refuses ("{\"a\":{\"$float\":\"NaN\"}}", "\"$float\" needs");
    assert_refuses ("{\"a\":{\"$float\":1.5}}", "\"$float\" needs");
    assert_refuses ("{\"a\":{\"$map\":1}}", "\"$map\" needs an object");
}

Test (json_read, refuses_a_key_with_a_dollar_outside_a_map_object)
{
    assert_refuses ("{\"$x\":1}", "{\"$map\": {...}}");
    assert_refuses ("{\"a\":1,\"$bin\":\"\"}", "{\"$map\": {...}}");
    assert_refuses ("{\"$bin\":\"\",\"a\":1}", "{\"$map\": {...}}");
}

/*  levels maps, each in the one before; innermost: what the last one holds. */
static char *
nested (int levels, const char *open, const char *innermost, const char *close)
{
    char *text = calloc (1, (size_t) levels * 64 + 64);
    char *at = text;
    for (int i = 0; i < levels; i++)
        at = stpcpy (at, open);
    at = stpcpy (at, innermost);
    for (int i = 0; i < levels; i++)
        at = stpcpy (at, close);
    return text;
}

Test (json_read, takes_64_levels_and_refuses_65)
{
    static const char dollar [] = "{\"$map\":{\"$\":";
    char *text = nested (64, "{\"a\":", "{\"$ext\":[1,\"\"]}", "}");
    assert_survives (text);
    free (text);
    text = nested (64, dollar, "{\"$ext\":[1,\"\"]}", "}}");
    assert_survives (text);
    free (text);
    text = nested (65, "{\"a\":", "1", "}");
    assert_refuses (text, "more than 64 levels of nesting");
    free (text);
    text = nested (65, dollar, "1", "}}");
    assert_refuses (text, "more than 64 levels of nesting");
    free (text);
    text = nested (500, "{\"a\":", "1", "}");
    assert_refuses (text, "too many levels of nesting");
    free (text);
}
