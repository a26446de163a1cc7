/*  test_scan.c - what the scan lets pass and what it refuses, and why

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <muster/data.h>

#include "base/alloc.h"
#include "scan_reference.h"
#include "vectors.h"
#include "wire/encode.h"
#include "wire/scan.h"
#include "wire/skim.h"

static const scan_limits_t usual = { .depth = 64, .message_size = 1 << 20 };
static const scan_limits_t disabled = { 0 };

/*  The prefix of a plain message, ["s", "c", up to its data. */
#define PREFIX "\x93\xa1s\xa1" "c"

#define PLAIN(text) plain ((const uint8_t *) (text), sizeof (text) - 1)
#define SESSION(text) session ((const uint8_t *) (text), sizeof (text) - 1)

static muster_refusal_t
plain (const uint8_t *bytes, size_t size)
{
    scan_message_t message;
    return scan_whole (bytes, size, SCAN_PLAIN, &usual, &message);
}

static muster_refusal_t
session (const uint8_t *bytes, size_t size)
{
    scan_message_t message;
    return scan_whole (bytes, size, SCAN_SESSION, &usual, &message);
}

/*  The same bytes at the very end of their memory, so that a sanitizer sees
    one byte read too many; and the reference's opinion. */
static void
agree (const uint8_t *bytes, size_t size, scan_form_t form, const scan_limits_t *limits)
{
    uint8_t *copy = malloc (size + 1);
    cr_assert_not_null (copy);
    uint8_t *exact = realloc (copy, size ? size : 1);
    if (size > 0)
        memcpy (exact, bytes, size);
    scan_message_t message;
    size_t expected_size = 0;
    muster_refusal_t verdict = scan_whole (exact, size, form, limits, &message);
    muster_refusal_t expected = scan_reference (exact, size, form, limits, &expected_size);
    if (verdict != expected || (!verdict && message.size != expected_size)) {
        for (size_t i = 0; i < size && i < 64; i++)
            fprintf (stderr, "%02x", exact [i]);
        cr_assert_fail (" is %d, not %d", verdict, expected);
    }
    free (exact);
}

static muster_writer_t *
packed_message (scan_form_t form)
{
    muster_writer_t *data = muster_writer_new ();
    muster_writer_map (data, 6);
    muster_writer_str (data, "loss", 4);
    muster_writer_double (data, 0.3);
    muster_writer_str (data, "\xc3\xa9t\xc3\xa9", 5);
    muster_writer_seq (data, 3);
    muster_writer_nil (data);
    muster_writer_int (data, -200);
    muster_writer_bool (data, true);
    muster_writer_str (data, "inner", 5);
    muster_writer_map (data, 2);
    muster_writer_str (data, "a", 1);
    muster_writer_uint (data, UINT64_MAX);
    muster_writer_str (data, "b", 1);
    muster_writer_map (data, 0);
    muster_writer_str (data, "bin", 3);
    muster_writer_bin (data, "\xff\xfe", 2);
    muster_writer_str (data, "ext", 3);
    muster_writer_ext (data, 5, "abcde", 5);
    muster_writer_str (data, "a text of more than thirty-one bytes", 36);
    muster_writer_float (data, 1.5f);
    const void *bytes;
    size_t size;
    cr_assert_eq (muster_writer_bytes (data, &bytes, &size), MUSTER_OK);
    muster_writer_t *message = muster_writer_new ();
    if (form == SCAN_PLAIN)
        encode_plain (message, "worker-1", "PROGRESS", bytes, size);
    else
        encode_session (message, "PROGRESS", bytes, size, MESSAGE_KIND_REPLY, 70000, UINT64_MAX);
    muster_writer_destroy (&data);
    return message;
}

/*  A map in which so many maps are one inside the other, itself the first. */
static muster_writer_t *
nested (size_t levels)
{
    muster_writer_t *writer = muster_writer_new ();
    muster_writer_raw (writer, PREFIX, sizeof PREFIX - 1);
    for (size_t level = 1; level < levels; level++)
        muster_writer_raw (writer, "\x81\xa1k", 3);
    muster_writer_raw (writer, "\x80", 1);
    return writer;
}

/*  A map of keys k0, k1 ...; the last is k0 again if repeats. */
static muster_writer_t *
wide (size_t keys, bool repeats)
{
    muster_writer_t *writer = muster_writer_new ();
    muster_writer_raw (writer, PREFIX, sizeof PREFIX - 1);
    muster_writer_map (writer, keys);
    for (size_t index = 0; index < keys; index++) {
        char key [32];
        size_t number = repeats && index + 1 == keys ? 0 : index;
        int size = snprintf (key, sizeof key, "k%zu", number);
        muster_writer_str (writer, key, (size_t) size);
        muster_writer_nil (writer);
    }
    return writer;
}

static muster_refusal_t
scan_and_destroy (muster_writer_t *writer, const scan_limits_t *limits, scan_message_t *message)
{
    const void *bytes;
    size_t size;
    cr_assert_eq (muster_writer_bytes (writer, &bytes, &size), MUSTER_OK);
    muster_refusal_t refusal = scan_whole (bytes, size, SCAN_PLAIN, limits, message);
    muster_writer_destroy (&writer);
    return refusal;
}

static muster_refusal_t
levels (size_t count, const scan_limits_t *limits)
{
    scan_message_t message;
    return scan_and_destroy (nested (count), limits, &message);
}

static muster_refusal_t
keys (size_t count, bool repeats)
{
    scan_message_t message;
    return scan_and_destroy (wide (count, repeats), &disabled, &message);
}

/*  --------------------------------------------------------------------------
    What passes */

Test (scan, finds_the_parts_of_a_plain_message)
{
    static const uint8_t bytes [] = "\x93\xa8worker-1\xa4" "DONE\x81\xa1n\x07 what follows";
    scan_message_t message;
    cr_assert_eq (scan_message (bytes, sizeof bytes - 1, SCAN_PLAIN, &usual, &message), MUSTER_REFUSAL_NONE);
    cr_assert_eq (message.size, 19);
    cr_assert_eq (message.source_size, 8);
    cr_assert_arr_eq (message.source, "worker-1", 8);
    cr_assert_eq (message.cmd_size, 4);
    cr_assert_arr_eq (message.cmd, "DONE", 4);
    cr_assert_eq (message.data, bytes + 15);
    cr_assert_eq (message.data_size, 4);
    cr_assert_eq (message.kind, 0);
    cr_assert_eq (message.most_keys, 0);
}

Test (scan, finds_the_parts_of_a_reply)
{
    static const uint8_t bytes [] = "\x95\xa4" "DONE\x80\x03\xce\x00\x01\x11\x70\xcd\x12\x34";
    scan_message_t message;
    cr_assert_eq (scan_message (bytes, sizeof bytes - 1, SCAN_SESSION, &usual, &message), MUSTER_REFUSAL_NONE);
    cr_assert_eq (message.size, sizeof bytes - 1);
    cr_assert_null (message.source);
    cr_assert_eq (message.data_size, 1);
    cr_assert_eq (message.kind, MESSAGE_KIND_ASKED | MESSAGE_KIND_REPLY);
    cr_assert_eq (message.stream, 70000);
    cr_assert_eq (message.position, 0x1234);
}

Test (scan, accepts_each_width_of_the_outer_array)
{
    cr_assert_eq (PLAIN ("\x93\xa1s\xa1" "c\x80"), MUSTER_REFUSAL_NONE);
    cr_assert_eq (PLAIN ("\xdc\x00\x03\xa1s\xa1" "c\x80"), MUSTER_REFUSAL_NONE);
    cr_assert_eq (PLAIN ("\xdd\x00\x00\x00\x03\xa1s\xa1" "c\x80"), MUSTER_REFUSAL_NONE);
}

Test (scan, accepts_longer_encodings_than_needed)
{
    cr_assert_eq (PLAIN ("\x93\xd9\x01s\xdb\x00\x00\x00\x01" "c\xdf\x00\x00\x00\x00"), MUSTER_REFUSAL_NONE);
    cr_assert_eq (SESSION ("\x95\xa1" "c\x80\xd0\x02\xd2\x00\x00\x00\x05\xd3\x00\x00\x00\x00\x00\x00\x00\x09"),
        MUSTER_REFUSAL_NONE);
}

Test (scan, accepts_each_form_of_a_session_message)
{
    cr_assert_eq (SESSION ("\x92\xa1" "c\x80"), MUSTER_REFUSAL_NONE);
    cr_assert_eq (SESSION ("\x93\xa1" "c\x80\x00"), MUSTER_REFUSAL_NONE);
    cr_assert_eq (SESSION ("\x93\xa1" "c\x80\x01"), MUSTER_REFUSAL_NONE);
    cr_assert_eq (SESSION ("\x95\xa1" "c\x80\x02\x00\x00"), MUSTER_REFUSAL_NONE);
    cr_assert_eq (SESSION ("\x95\xa1" "c\x80\x03\xce\xff\xff\xff\xff\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
        MUSTER_REFUSAL_NONE);
}

/*  --------------------------------------------------------------------------
    What is refused */

Test (scan, refuses_a_frame_without_a_message)
{
    cr_assert_eq (PLAIN (""), MUSTER_REFUSAL_EMPTY);
    cr_assert_eq (SESSION (""), MUSTER_REFUSAL_EMPTY);
}

Test (scan, refuses_another_shape)
{
    cr_assert_eq (PLAIN ("\x92\xa1s\xa1" "c"), MUSTER_REFUSAL_SHAPE);
    cr_assert_eq (PLAIN ("\x94\xa1s\xa1" "c\x80\xc0"), MUSTER_REFUSAL_SHAPE);
    cr_assert_eq (PLAIN ("\x80"), MUSTER_REFUSAL_SHAPE);
    cr_assert_eq (PLAIN ("\xa1x"), MUSTER_REFUSAL_SHAPE);
    cr_assert_eq (PLAIN ("\xdd\xff\xff\xff\xff"), MUSTER_REFUSAL_SHAPE);
    cr_assert_eq (SESSION ("\x91\xa1" "c"), MUSTER_REFUSAL_SHAPE);
    cr_assert_eq (SESSION ("\x94\xa1" "c\x80\x02\x00"), MUSTER_REFUSAL_SHAPE);
}

Test (scan, refuses_a_kind_that_does_not_fit_the_count)
{
    cr_assert_eq (SESSION ("\x93\xa1" "c\x80\x02"), MUSTER_REFUSAL_SHAPE);
    cr_assert_eq (SESSION ("\x95\xa1" "c\x80\x01\x00\x00"), MUSTER_REFUSAL_SHAPE);
    cr_assert_eq (SESSION ("\x93\xa1" "c\x80\x04"), MUSTER_REFUSAL_SHAPE);
    cr_assert_eq (SESSION ("\x93\xa1" "c\x80\xff"), MUSTER_REFUSAL_SHAPE);
    cr_assert_eq (SESSION ("\x93\xa1" "c\x80\xa1k"), MUSTER_REFUSAL_SHAPE);
}

Test (scan, refuses_a_stream_or_position_that_is_no_number_of_its_range)
{
    cr_assert_eq (SESSION ("\x95\xa1" "c\x80\x02\xcf\x00\x00\x00\x01\x00\x00\x00\x00\x01"), MUSTER_REFUSAL_SHAPE);
    cr_assert_eq (SESSION ("\x95\xa1" "c\x80\x02\xff\x01"), MUSTER_REFUSAL_SHAPE);
    cr_assert_eq (SESSION ("\x95\xa1" "c\x80\x02\x01\xd1\xff\x00"), MUSTER_REFUSAL_SHAPE);
    cr_assert_eq (SESSION ("\x95\xa1" "c\x80\x02\x01\xcb\x00\x00\x00\x00\x00\x00\x00\x00"), MUSTER_REFUSAL_SHAPE);
}

Test (scan, refuses_a_source_that_is_no_name)
{
    cr_assert_eq (PLAIN ("\x93\x01\xa1" "c\x80"), MUSTER_REFUSAL_SOURCE);
    cr_assert_eq (PLAIN ("\x93\xa0\xa1" "c\x80"), MUSTER_REFUSAL_SOURCE);
    cr_assert_eq (PLAIN ("\x93\xa2s\n\xa1" "c\x80"), MUSTER_REFUSAL_SOURCE);
    cr_assert_eq (PLAIN ("\x93\xa2s\xff\xa1" "c\x80"), MUSTER_REFUSAL_SOURCE);
    cr_assert_eq (PLAIN ("\x93\xc4\x01s\xa1" "c\x80"), MUSTER_REFUSAL_SOURCE);
}

Test (scan, refuses_a_cmd_that_is_no_name)
{
    cr_assert_eq (PLAIN ("\x93\xa1s\xc0\x80"), MUSTER_REFUSAL_CMD);
    cr_assert_eq (PLAIN ("\x93\xa1s\xa0\x80"), MUSTER_REFUSAL_CMD);
    cr_assert_eq (PLAIN ("\x93\xa1s\xa1\x7f\x80"), MUSTER_REFUSAL_CMD);
    cr_assert_eq (SESSION ("\x92\xa0\x80"), MUSTER_REFUSAL_CMD);
}

Test (scan, refuses_data_that_is_no_map)
{
    cr_assert_eq (PLAIN (PREFIX "\x90"), MUSTER_REFUSAL_DATA);
    cr_assert_eq (PLAIN (PREFIX "\xc0"), MUSTER_REFUSAL_DATA);
}

Test (scan, refuses_the_reserved_byte)
{
    cr_assert_eq (PLAIN ("\xc1"), MUSTER_REFUSAL_RESERVED);
    cr_assert_eq (PLAIN ("\x93\xc1"), MUSTER_REFUSAL_RESERVED);
    cr_assert_eq (PLAIN (PREFIX "\xc1"), MUSTER_REFUSAL_RESERVED);
    cr_assert_eq (PLAIN (PREFIX "\x81\xc1\xc0"), MUSTER_REFUSAL_RESERVED);
    cr_assert_eq (PLAIN (PREFIX "\x81\xa1k\xc1"), MUSTER_REFUSAL_RESERVED);
}

Test (scan, refuses_a_text_that_is_not_utf8)
{
    cr_assert_eq (PLAIN (PREFIX "\x81\xa1k\xa1\xff"), MUSTER_REFUSAL_UTF8);
    cr_assert_eq (PLAIN (PREFIX "\x81\xa1\x80\xc0"), MUSTER_REFUSAL_UTF8);
    cr_assert_eq (PLAIN (PREFIX "\x81\xa1k\xc4\x01\xff"), MUSTER_REFUSAL_NONE);
}

Test (scan, refuses_a_key_that_is_no_text)
{
    cr_assert_eq (PLAIN (PREFIX "\x81\x01\x02"), MUSTER_REFUSAL_KEY);
    cr_assert_eq (PLAIN (PREFIX "\x81\xc4\x01k\x02"), MUSTER_REFUSAL_KEY);
    cr_assert_eq (PLAIN (PREFIX "\x81\xa1k\x81\xc0\xc0"), MUSTER_REFUSAL_KEY);
}

Test (scan, refuses_a_key_that_comes_twice)
{
    cr_assert_eq (PLAIN (PREFIX "\x82\xa1k\x01\xa1k\x02"), MUSTER_REFUSAL_DUPLICATE);
    cr_assert_eq (PLAIN (PREFIX "\x82\xa1k\x01\xd9\x01k\x02"), MUSTER_REFUSAL_DUPLICATE);
    cr_assert_eq (PLAIN (PREFIX "\x82\xa0\x01\xa0\x02"), MUSTER_REFUSAL_DUPLICATE);
    cr_assert_eq (PLAIN (PREFIX "\x81\xa1k\x91\x82\xa1x\x01\xa1x\x02"), MUSTER_REFUSAL_DUPLICATE);
}

Test (scan, lets_one_key_be_in_several_maps)
{
    cr_assert_eq (PLAIN (PREFIX "\x82\xa1k\x81\xa1k\x01\xa1m\x81\xa1k\x01"), MUSTER_REFUSAL_NONE);
}

Test (scan, refuses_a_count_that_the_bytes_cannot_hold_at_once)
{
    cr_assert_eq (PLAIN (PREFIX "\xdf\xff\xff\xff\xff\xc1"), MUSTER_REFUSAL_TRUNCATED);
    cr_assert_eq (PLAIN (PREFIX "\x81\xa1k\xdd\xff\xff\xff\xff\xc1"), MUSTER_REFUSAL_TRUNCATED);
    cr_assert_eq (PLAIN (PREFIX "\x81\xa1k\xdb\xff\xff\xff\xff\xff"), MUSTER_REFUSAL_TRUNCATED);
    cr_assert_eq (PLAIN (PREFIX "\x81\xa1k\xc9\xff\xff\xff\xff\x01\xff"), MUSTER_REFUSAL_TRUNCATED);
}

/*  --------------------------------------------------------------------------
    Limits */

Test (scan, accepts_names_of_255_bytes_and_refuses_longer_ones)
{
    char name [256];
    memset (name, 'n', sizeof name);
    cr_assert (scan_name (name, 255));
    cr_assert_not (scan_name (name, 256));
    cr_assert_not (scan_name (name, 0));
    for (size_t size = 255; size <= 256; size++) {
        muster_writer_t *writer = muster_writer_new ();
        scan_message_t message;
        muster_writer_seq (writer, 3);
        muster_writer_str (writer, name, size);
        muster_writer_raw (writer, "\xa1" "c\x80", 3);
        cr_assert_eq (scan_and_destroy (writer, &usual, &message),
            size == 255 ? MUSTER_REFUSAL_NONE : MUSTER_REFUSAL_SOURCE);
    }
}

Test (scan, accepts_data_of_64_levels)
{
    cr_assert_eq (levels (64, &usual), MUSTER_REFUSAL_NONE);
}

Test (scan, refuses_data_of_65_levels)
{
    cr_assert_eq (levels (65, &usual), MUSTER_REFUSAL_DEPTH);
}

Test (scan, has_a_wall_where_the_depth_limit_is_disabled)
{
    cr_assert_eq (levels (65, &disabled), MUSTER_REFUSAL_NONE);
    cr_assert_eq (levels (SCAN_DEPTH_WALL, &disabled), MUSTER_REFUSAL_NONE);
    cr_assert_eq (levels (SCAN_DEPTH_WALL + 1, &disabled), MUSTER_REFUSAL_DEPTH);
}

Test (scan, counts_arrays_as_levels_too)
{
    const scan_limits_t two = { .depth = 2 };
    scan_message_t message;
    static const uint8_t at_limit [] = PREFIX "\x81\xa1k\x90";
    static const uint8_t over [] = PREFIX "\x81\xa1k\x91\x90";
    cr_assert_eq (scan_message (at_limit, sizeof at_limit - 1, SCAN_PLAIN, &two, &message), MUSTER_REFUSAL_NONE);
    cr_assert_eq (scan_message (over, sizeof over - 1, SCAN_PLAIN, &two, &message), MUSTER_REFUSAL_DEPTH);
}

Test (scan, refuses_a_message_over_the_size_limit)
{
    static const uint8_t bytes [] = PREFIX "\x81\xa1k\xa4text" PREFIX "\x80";
    const size_t first = sizeof PREFIX - 1 + 8;
    scan_limits_t limits = { .message_size = first };
    scan_message_t message;
    cr_assert_eq (scan_message (bytes, sizeof bytes - 1, SCAN_PLAIN, &limits, &message), MUSTER_REFUSAL_NONE);
    cr_assert_eq (message.size, first);
    limits.message_size--;
    cr_assert_eq (scan_message (bytes, sizeof bytes - 1, SCAN_PLAIN, &limits, &message), MUSTER_REFUSAL_SIZE);
    cr_assert_eq (scan_message (bytes, sizeof bytes - 1, SCAN_PLAIN, &disabled, &message), MUSTER_REFUSAL_NONE);
}

/*  --------------------------------------------------------------------------
    Large maps */

Test (scan, leaves_only_large_maps_for_a_second_look)
{
    scan_message_t message;
    cr_assert_eq (scan_and_destroy (wide (SCAN_KEYS_CHECKED, false), &usual, &message), MUSTER_REFUSAL_NONE);
    cr_assert_eq (message.most_keys, 0);
    cr_assert_eq (scan_and_destroy (wide (SCAN_KEYS_CHECKED + 1, false), &usual, &message), MUSTER_REFUSAL_NONE);
    cr_assert_eq (message.most_keys, SCAN_KEYS_CHECKED + 1);
}

Test (scan, finds_a_repeated_key_in_maps_of_any_size)
{
    for (size_t count = 2; count < 200; count++) {
        cr_assert_eq (keys (count, false), MUSTER_REFUSAL_NONE);
        cr_assert_eq (keys (count, true), MUSTER_REFUSAL_DUPLICATE);
    }
    cr_assert_eq (keys (70000, false), MUSTER_REFUSAL_NONE);
    cr_assert_eq (keys (70000, true), MUSTER_REFUSAL_DUPLICATE);
}

Test (scan, tells_keys_apart_that_differ_in_their_last_byte_only)
{
    enum { COUNT = 3000, SIZE = 301 };
    for (int repeats = 0; repeats < 2; repeats++) {
        muster_writer_t *writer = muster_writer_new ();
        scan_message_t message;
        muster_writer_raw (writer, PREFIX, sizeof PREFIX - 1);
        muster_writer_map (writer, COUNT);
        for (int index = 0; index < COUNT; index++) {
            char key [SIZE + 1];
            snprintf (key, sizeof key, "%0*d", SIZE, repeats && index == COUNT - 1 ? 1234 : index);
            muster_writer_str (writer, key, SIZE);
            muster_writer_nil (writer);
        }
        cr_assert_eq (scan_and_destroy (writer, &disabled, &message),
            repeats ? MUSTER_REFUSAL_DUPLICATE : MUSTER_REFUSAL_NONE);
    }
}

Test (scan, finds_a_repeated_key_in_large_maps_inside_large_maps)
{
    for (int repeats = 0; repeats < 2; repeats++) {
        muster_writer_t *writer = muster_writer_new ();
        scan_message_t message;
        muster_writer_raw (writer, PREFIX, sizeof PREFIX - 1);
        for (int level = 0; level < 3; level++) {
            muster_writer_map (writer, 20);
            for (int index = 0; index < 20; index++) {
                char key [2] = { 'k', (char) ('a' + (repeats && level == 1 && index == 19 ? 3 : index)) };
                muster_writer_str (writer, key, 2);
                if (index < 19 || level == 2)
                    muster_writer_nil (writer);
            }
        }
        cr_assert_eq (scan_and_destroy (writer, &usual, &message),
            repeats ? MUSTER_REFUSAL_DUPLICATE : MUSTER_REFUSAL_NONE);
        cr_assert_eq (message.most_keys, 60);
    }
}

Test (scan, finds_a_repeated_key_where_bytes_are_too_few_for_different_ones)
{
    enum { COUNT = 40000 };
    muster_writer_t *writer = muster_writer_new ();
    scan_message_t message;
    muster_writer_raw (writer, PREFIX, sizeof PREFIX - 1);
    muster_writer_map (writer, COUNT);
    for (int index = 0; index < COUNT; index++)
        muster_writer_raw (writer, "\xa1k\xc0", 3);
    const void *bytes;
    size_t size;
    cr_assert_eq (muster_writer_bytes (writer, &bytes, &size), MUSTER_OK);
    cr_assert_eq (scan_message (bytes, size, SCAN_PLAIN, &usual, &message), MUSTER_REFUSAL_DUPLICATE);
    muster_writer_destroy (&writer);
}

Test (scan, says_so_when_there_is_no_memory_for_a_large_map)
{
    muster_writer_t *writer = wide (1000, true);
    scan_message_t message;
    const void *bytes;
    size_t size;
    cr_assert_eq (muster_writer_bytes (writer, &bytes, &size), MUSTER_OK);
    alloc_fail_from (1);
    cr_expect_eq (scan_whole (bytes, size, SCAN_PLAIN, &usual, &message), MUSTER_REFUSAL_MEMORY);
    alloc_fail_from (2);
    cr_expect_eq (scan_whole (bytes, size, SCAN_PLAIN, &usual, &message), MUSTER_REFUSAL_DUPLICATE);
    alloc_fail_from (0);
    muster_writer_destroy (&writer);
}

/*  --------------------------------------------------------------------------
    Against the reference */

/*  The plain build sees that the two agree, on all; AddressSanitizer, ten times as slow, that
    neither reads beyond its bytes, on one in so many: no power of two, so that each byte
    has all its values. */
#ifdef __SANITIZE_ADDRESS__
#define STEP 31
#else
#define STEP 1
#endif

Test (scan, agrees_with_the_reference_on_every_string_of_up_to_3_bytes)
{
    static const size_t counts [] = { 1, 1 << 8, 1 << 16, 1 << 24 };
    for (size_t size = 0; size <= 3; size++)
        for (size_t number = 0; number < counts [size]; number += size == 3 ? STEP : 1) {
            const uint8_t bytes [3] = { (uint8_t) number, (uint8_t) (number >> 8), (uint8_t) (number >> 16) };
            for (scan_form_t form = SCAN_PLAIN; form <= SCAN_SESSION; form++) {
                scan_message_t message;
                size_t ignored;
                cr_assert_eq (scan_whole (bytes, size, form, &usual, &message),
                    scan_reference (bytes, size, form, &usual, &ignored));
            }
        }
}

Test (scan, agrees_with_the_reference_on_data_of_up_to_3_bytes)
{
    for (uint32_t number = 0; number < 1u << 24; number += STEP) {
        const uint8_t bytes [3] = { 0x80 | (number & 0x7f), (uint8_t) (number >> 8), (uint8_t) (number >> 16) };
        size_t size = 1 + (number >> 7 & 1) + (number > 1u << 16);
        cr_assert_eq (scan_data (bytes, size, &usual), scan_reference_data (bytes, size, &usual));
    }
}

Test (scan, agrees_with_the_reference_on_every_truncation)
{
    for (scan_form_t form = SCAN_PLAIN; form <= SCAN_SESSION; form++) {
        muster_writer_t *writer = packed_message (form);
        const void *bytes;
        size_t size;
        cr_assert_eq (muster_writer_bytes (writer, &bytes, &size), MUSTER_OK);
        for (size_t part = 0; part <= size; part++)
            agree (bytes, part, form, &usual);
        scan_message_t message;
        cr_assert_eq (scan_whole (bytes, size, form, &usual, &message), MUSTER_REFUSAL_NONE);
        cr_assert_neq (scan_whole (bytes, size - 1, form, &usual, &message), MUSTER_REFUSAL_NONE);
        muster_writer_destroy (&writer);
    }
}

Test (scan, agrees_with_the_reference_on_every_change_of_one_byte)
{
    for (scan_form_t form = SCAN_PLAIN; form <= SCAN_SESSION; form++) {
        muster_writer_t *writer = packed_message (form);
        const void *packed;
        size_t size;
        cr_assert_eq (muster_writer_bytes (writer, &packed, &size), MUSTER_OK);
        uint8_t *bytes = malloc (size);
        cr_assert_not_null (bytes);
        memcpy (bytes, packed, size);
        for (size_t at = 0; at < size; at++) {
            uint8_t kept = bytes [at];
            for (unsigned change = 1; change < 256; change++) {
                bytes [at] = (uint8_t) (kept ^ change);
                agree (bytes, size, form, &usual);
            }
            bytes [at] = kept;
        }
        free (bytes);
        muster_writer_destroy (&writer);
    }
}

Test (scan, agrees_with_the_reference_under_every_size_limit)
{
    muster_writer_t *writer = packed_message (SCAN_PLAIN);
    const void *bytes;
    size_t size;
    cr_assert_eq (muster_writer_bytes (writer, &bytes, &size), MUSTER_OK);
    for (size_t limit = 1; limit <= size + 1; limit++)
        agree (bytes, size, SCAN_PLAIN, &(scan_limits_t) { .depth = 3, .message_size = limit });
    muster_writer_destroy (&writer);
}

Test (scan, agrees_with_the_reference_on_every_name_of_two_bytes)
{
    for (unsigned number = 0; number < 1 << 16; number++) {
        uint8_t bytes [] = { 0x93, 0xa2, (uint8_t) number, (uint8_t) (number >> 8), 0xa1, 'c', 0x80 };
        agree (bytes, sizeof bytes, SCAN_PLAIN, &usual);
    }
}

/*  text as a source, and as a key. */
static void
agree_on_text (const char *text, size_t text_size)
{
    for (int as_key = 0; as_key < 2; as_key++) {
        muster_writer_t *writer = muster_writer_new ();
        const void *bytes;
        size_t size;
        muster_writer_seq (writer, 3);
        muster_writer_str (writer, as_key ? "s" : text, as_key ? 1 : text_size);
        muster_writer_raw (writer, "\xa1" "c\x81", 3);
        muster_writer_str (writer, text, text_size);
        muster_writer_nil (writer);
        cr_assert_eq (muster_writer_bytes (writer, &bytes, &size), MUSTER_OK);
        agree (bytes, size, SCAN_PLAIN, &usual);
        muster_writer_destroy (&writer);
    }
}

Test (scan, agrees_with_the_reference_on_characters_at_the_edges)
{
    static const char *const texts [] = {
        "\xc2\x80", "\xc2\x9f", "\xc2\xa0", "\xc1\xbf", "\xdf\xbf", "\xe0\x9f\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
        "\xed\xa0\x80", "\xed\xbf\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf0\x90\x80\x80",
        "\xf4\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xf0\x9f\x98",
        "\x80", "\x1f", " ", "~", "\x7f" };
    for (size_t index = 0; index < sizeof texts / sizeof *texts; index++)
        for (int before = 0; before < 20; before++)
            for (int after = 0; after < 10; after++) {
                char text [64];
                int size = snprintf (text, sizeof text, "%.*s%s%.*s", before, "aaaaaaaaaaaaaaaaaaaa",
                    texts [index], after, "zzzzzzzzzz");
                agree_on_text (text, (size_t) size);
            }
}

/*  --------------------------------------------------------------------------
    The skim. What it takes the full scan takes too, in the same parts; the scan decides
    on the rest. Heads of more bytes than needed are not for the skim: a message whose
    array, and a map whose count, is written so is scanned in full. */

#define PADDED 2048

static void
assert_same_parts (const scan_message_t *one, const uint8_t *one_at, const scan_message_t *other, const uint8_t *other_at)
{
    cr_assert_eq (one->size, other->size);
    cr_assert_null (one->source);
    cr_assert_eq (one->source_size, other->source_size);
    cr_assert_eq (one->cmd - one_at, other->cmd - other_at);
    cr_assert_eq (one->cmd_size, other->cmd_size);
    cr_assert_eq (one->data - one_at, other->data - other_at);
    cr_assert_eq (one->data_size, other->data_size);
    cr_assert_eq (one->kind, other->kind);
    cr_assert_eq (one->stream, other->stream);
    cr_assert_eq (one->position, other->position);
    cr_assert_eq (one->most_keys, other->most_keys);
}

/*  The message, which begins with 0x92, without the skim: its parts as if it had been
    there all the same. */
static muster_refusal_t
full_scan (const uint8_t *bytes, size_t size, const scan_limits_t *limits, uint8_t *padded, scan_message_t *message)
{
    cr_assert_lt (size + 2, PADDED);
    memcpy (padded, "\xdc\x00\x02", 3);
    memcpy (padded + 3, bytes + 1, size - 1);
    scan_limits_t wider = *limits;
    if (wider.message_size > 0)
        wider.message_size += 2;
    muster_refusal_t refusal = scan_whole (padded, size + 2, SCAN_SESSION, &wider, message);
    message->size -= 2;
    return refusal;
}

/*  exact lies at the very end of its memory. */
static void
skim_agrees (const uint8_t *exact, size_t size, const scan_limits_t *limits)
{
    uint8_t padded [PADDED];
    scan_message_t skimmed = { 0 }, scanned = { 0 }, full = { 0 }, split = { 0 };
    bool taken = skim_message (exact, exact + size, &skimmed);
    muster_refusal_t verdict = scan_whole (exact, size, SCAN_SESSION, limits, &scanned);
    muster_refusal_t expected = full_scan (exact, size, limits, padded, &full);
    if (verdict != expected) {
        for (size_t i = 0; i < size && i < 100; i++)
            fprintf (stderr, "%02x", exact [i]);
        cr_assert_fail (" is %d, not %d", verdict, expected);
    }
    if (taken)
        cr_assert (!expected || (expected == MUSTER_REFUSAL_SIZE && skimmed.size > limits->message_size));
    if (verdict)
        return;
    assert_same_parts (&scanned, exact, &full, padded + 2);
    if (taken)
        assert_same_parts (&skimmed, exact, &full, padded + 2);
    scan_split (exact, scanned.size, SCAN_SESSION, &split);
    assert_same_parts (&split, exact, &full, padded + 2);
}

/*  A map alone, which begins with 0x80 to 0x8f. */
static void
skim_of_map_agrees (const uint8_t *exact, size_t size)
{
    uint8_t padded [PADDED];
    const uint8_t *end = skim_map (exact, exact + size);
    cr_assert_lt (size + 2, PADDED);
    memcpy (padded, (uint8_t []) { 0xde, 0, exact [0] & 0x0f }, 3);
    memcpy (padded + 3, exact + 1, size - 1);
    muster_refusal_t expected = scan_data (padded, size + 2, &usual);
    cr_assert_eq (scan_data (exact, size, &usual), expected);
    if (end == exact + size)
        cr_assert_eq (expected, MUSTER_REFUSAL_NONE);
}

/*  beginning, then each string of up to 2 bytes and most of 3. */
static void
skim_agrees_on_endings (const char *beginning, size_t beginning_size, bool is_map)
{
    for (size_t more = 0; more <= 3; more++) {
        size_t size = beginning_size + more;
        uint8_t *exact = malloc (size);
        memcpy (exact, beginning, beginning_size);
        for (uint32_t number = 0; number < 1u << (8 * more); number++) {
            for (size_t i = 0; i < more; i++)
                exact [beginning_size + i] = (uint8_t) (number >> (8 * i));
            /*  Of three bytes the first is of each kind, not each. */
            if (more == 3 && (number & 0xff) % 16 > 1 && (number & 0xff) < 0xc0)
                continue;
            if (is_map)
                skim_of_map_agrees (exact, size);
            else
                skim_agrees (exact, size, &usual);
        }
        free (exact);
    }
}

#define MESSAGE "\x92\xa3" "cmd"
#define SKIM_AGREES(text) skim_agrees_on_endings ((text), sizeof (text) - 1, false)
#define SKIM_OF_MAP_AGREES(text) skim_agrees_on_endings ((text), sizeof (text) - 1, true)

Test (skim, takes_the_usual_message)
{
    static const uint8_t bytes [] =
        "\x92\xa8PROGRESS\x83\xa4loss\xcb\x3f\xd3\x33\x33\x33\x33\x33\x33\xa5round\x07\xaalayer-name\xa3top and more";
    scan_message_t message;
    cr_assert (skim_message (bytes, bytes + sizeof bytes - 1, &message));
    cr_assert_eq (message.size, sizeof bytes - 1 - 9);
    cr_assert_eq (message.cmd_size, 8);
    cr_assert_eq (message.cmd, bytes + 2);
    cr_assert_eq (message.data, bytes + 10);
    cr_assert_eq (message.data_size, message.size - 10);
    cr_assert_eq (message.most_keys, 0);
    skim_agrees (bytes, sizeof bytes - 1, &usual);
}

Test (skim, agrees_with_the_scan_on_every_ending_of_a_message)
{
    SKIM_AGREES (MESSAGE "\x80");
    SKIM_AGREES (MESSAGE "\x81\xa1k");
    SKIM_AGREES (MESSAGE "\x82\xa1k\x01\xa1");
}

Test (skim, agrees_with_the_scan_on_every_second_pair)
{
    SKIM_AGREES (MESSAGE "\x82\xa1" "a\xcb\x3f\xd3\x33\x33\x33\x33\x33\x33\xa2");
    SKIM_AGREES (MESSAGE "\x82\xa7_______\xc0\xa8_______");
}

Test (skim, agrees_with_the_scan_on_every_value_before_many_bytes)
{
    SKIM_AGREES (MESSAGE "\x81\xa8" "eightkey");
    SKIM_AGREES (MESSAGE "\x82\xa9" "ninechars\xcf\x01\x02\x03\x04\x05\x06\x07\x08\xa9" "ninechar");
}

Test (skim, agrees_with_the_scan_on_every_cmd)
{
    for (uint32_t number = 0; number < 1 << 24; number += number & 0x80 ? 1 : 37) {
        uint8_t bytes [] = { 0x92, 0xa3, (uint8_t) number, (uint8_t) (number >> 8), (uint8_t) (number >> 16),
            0x81, 0xa1, 'k', 0x01, 0x92, 0xa1, 'c', 0x80 };
        skim_agrees (bytes, sizeof bytes, &usual);
    }
}

Test (skim, agrees_with_the_scan_on_every_beginning)
{
    for (uint32_t number = 0; number < 1 << 16; number++) {
        uint8_t bytes [40] = { 0x92, (uint8_t) number };
        memset (bytes + 2, 'x', sizeof bytes - 2);
        uint32_t cmd_size = number & 0x1f;
        bytes [2 + cmd_size] = (uint8_t) (number >> 8);
        skim_agrees (bytes, sizeof bytes, &usual);
    }
}

Test (skim, agrees_with_the_scan_on_bare_maps)
{
    SKIM_OF_MAP_AGREES ("\x80");
    SKIM_OF_MAP_AGREES ("\x81");
    SKIM_OF_MAP_AGREES ("\x81\xa9" "ninechar\xc3");
    SKIM_OF_MAP_AGREES ("\x82\xa2no\xc2");
}

/*  --------------------------------------------------------------------------
    Keys and values of each size, cut off at each byte */

typedef struct {
    uint8_t bytes [PADDED];
    size_t size;
} packed_bytes_t;

static void
add (packed_bytes_t *self, const void *bytes, size_t size)
{
    cr_assert_leq (self->size + size, sizeof self->bytes);
    memcpy (self->bytes + self->size, bytes, size);
    self->size += size;
}

static void
add_key (packed_bytes_t *self, const void *text, size_t size)
{
    uint8_t head [] = { size > 31 ? 0xd9 : (uint8_t) (0xa0 | size), (uint8_t) size };
    add (self, head, size > 31 ? 2 : 1);
    add (self, text, size);
}

static packed_bytes_t
packed_pairs (uint8_t pairs)
{
    packed_bytes_t self = { .size = 0 };
    add (&self, MESSAGE, sizeof MESSAGE - 1);
    add (&self, &(uint8_t) { 0x80 | pairs }, 1);
    return self;
}

/*  All of it, and what is left when it is cut off at each byte. */
static void
agrees_in_all_parts (const packed_bytes_t *self)
{
    for (size_t size = 1; size <= self->size; size++) {
        uint8_t *exact = malloc (size);
        memcpy (exact, self->bytes, size);
        skim_agrees (exact, size, &usual);
        if (size > sizeof MESSAGE - 1) {
            size_t map_size = size - (sizeof MESSAGE - 1);
            uint8_t *map = malloc (map_size);
            memcpy (map, exact + sizeof MESSAGE - 1, map_size);
            skim_of_map_agrees (map, map_size);
            free (map);
        }
        free (exact);
    }
}

static muster_refusal_t
verdict_on (const packed_bytes_t *self)
{
    return session (self->bytes, self->size);
}

static void
assert_verdict_on_keys (const void *one, size_t one_size, const void *two, size_t two_size, muster_refusal_t expected)
{
    static const char *const values [] = { "\x01", "\xcb\x3f\xd3\x33\x33\x33\x33\x33\x33", "\xa5hello" };
    static const size_t sizes [] = { 1, 9, 6 };
    for (size_t value = 0; value < 3; value++) {
        packed_bytes_t packed = packed_pairs (2);
        add_key (&packed, one, one_size);
        add (&packed, values [value], sizes [value]);
        add_key (&packed, two, two_size);
        add (&packed, values [value], sizes [value]);
        cr_assert_eq (verdict_on (&packed), expected, "%zu and %zu: %d", one_size, two_size, verdict_on (&packed));
        agrees_in_all_parts (&packed);
        add (&packed, "\x92\xa1" "c\x80\x92\xa1" "c\x80\x92\xa1" "c\x80\x92\xa1" "c\x80\x92\xa1" "c\x80", 20);
        cr_assert_eq (verdict_on (&packed), expected);
        skim_agrees (packed.bytes, packed.size, &usual);
    }
}

Test (skim, finds_a_key_that_comes_twice_whatever_its_size)
{
    char key [41];
    for (size_t size = 0; size <= 40; size++) {
        memset (key, 'k', sizeof key);
        assert_verdict_on_keys (key, size, key, size, MUSTER_REFUSAL_DUPLICATE);
        for (size_t i = 0; i < size; i++)
            key [i] = (char) ('a' + i % 26);
        assert_verdict_on_keys (key, size, key, size, MUSTER_REFUSAL_DUPLICATE);
    }
}

Test (skim, tells_keys_apart_that_differ_in_any_one_byte)
{
    for (size_t size = 1; size <= 34; size++)
        for (size_t at = 0; at < size; at++) {
            char one [34], two [34];
            memset (one, 'k', sizeof one);
            memset (two, 'k', sizeof two);
            two [at] = 'l';
            assert_verdict_on_keys (one, size, two, size, MUSTER_REFUSAL_NONE);
            if (size > 1)
                assert_verdict_on_keys (one, size, one, size - 1, MUSTER_REFUSAL_NONE);
        }
}

/*  The skim's number of both keys is the same: it leaves them to the scan. */
static void
assert_looks_alike (const void *one, size_t one_size, const void *two, size_t two_size)
{
    packed_bytes_t packed = packed_pairs (2);
    scan_message_t message;
    add_key (&packed, one, one_size);
    add (&packed, "\x01", 1);
    add_key (&packed, two, two_size);
    add (&packed, "\xcb\x3f\xd3\x33\x33\x33\x33\x33\x33", 9);
    cr_assert_not (skim_message (packed.bytes, packed.bytes + packed.size, &message));
    assert_verdict_on_keys (one, one_size, two, two_size, MUSTER_REFUSAL_NONE);
}

Test (skim, tells_keys_apart_that_look_alike_at_a_glance)
{
    assert_looks_alike ("a", 1, "\0a", 2);
    assert_looks_alike ("\0a", 2, "a", 1);
    assert_looks_alike ("\0\0\0\0\0\0\0a", 8, "a", 1);
    assert_looks_alike ("\0", 1, "\0\0", 2);
    assert_looks_alike ("\0\0\0\0\0\0\0\0", 8, "\0", 1);
    assert_looks_alike ("", 0, "\0", 1);
    /*  first + 3 * last: one more at the end weighs as three at the beginning */
    assert_looks_alike ("daaaaaaaaaaaaaaa", 16, "aaaaaaaabaaaaaaa", 16);
    assert_looks_alike ("aaaaaaaaXaaaaaaaa", 17, "aaaaaaaaYaaaaaaaa", 17);
    assert_looks_alike ("aaaaaaaa-one-way-aaaaaaaa", 25, "aaaaaaaa-another-aaaaaaaa", 25);
    assert_looks_alike ("aaaaaaaaaaaa", 12, "aaaaaaaaaaaaa", 13);
}

Test (skim, tells_texts_of_keys_that_are_utf8_from_others)
{
    static const struct {
        const char *text;
        bool is_utf8;
    } texts [] = {
        { "\xc3\xa9", true }, { "\xe2\x82\xac", true }, { "\xf0\x9f\x8e\xb5", true }, { "\xff", false },
        { "\xc3", false }, { "\xa9", false }, { "\xed\xa0\x80", false }, { "\xc0\x80", false }, { "\xf4\x90\x80\x80", false } };
    for (size_t index = 0; index < sizeof texts / sizeof *texts; index++)
        for (size_t before = 0; before < 29; before++)
            for (size_t after = 0; after < 4; after++) {
                char key [64];
                size_t size = (size_t) snprintf (key, sizeof key, "%.*s%s%.*s", (int) before,
                    "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", texts [index].text, (int) after, "zzzz");
                packed_bytes_t as_key = packed_pairs (1), as_value = packed_pairs (1);
                muster_refusal_t expected = texts [index].is_utf8 ? MUSTER_REFUSAL_NONE : MUSTER_REFUSAL_UTF8;
                add_key (&as_key, key, size);
                add (&as_key, "\xc0", 1);
                add_key (&as_value, "k", 1);
                add_key (&as_value, key, size);
                cr_assert_eq (verdict_on (&as_key), expected);
                cr_assert_eq (verdict_on (&as_value), expected);
                agrees_in_all_parts (&as_key);
                agrees_in_all_parts (&as_value);
            }
}

Test (skim, passes_over_values_of_every_kind)
{
    static const struct {
        const char *bytes;
        size_t size;
    } values [] = {
        { "\x00", 1 }, { "\x7f", 1 }, { "\xff", 1 }, { "\xe0", 1 }, { "\xc0", 1 }, { "\xc2", 1 }, { "\xc3", 1 },
        { "\xcc\x80", 2 }, { "\xcd\x80\x00", 3 }, { "\xce\x80\x00\x00\x00", 5 }, { "\xcf\x80\x00\x00\x00\x00\x00\x00\x00", 9 },
        { "\xd0\x80", 2 }, { "\xd1\x80\x00", 3 }, { "\xd2\x80\x00\x00\x00", 5 }, { "\xd3\x80\x00\x00\x00\x00\x00\x00\x00", 9 },
        { "\xca\x00\x00\x00\x00", 5 }, { "\xcb\x00\x00\x00\x00\x00\x00\x00\x00", 9 }, { "\xa0", 1 }, { "\xa3" "abc", 4 },
        { "\xd9\x01" "a", 3 }, { "\xda\x00\x01" "a", 4 }, { "\xdb\x00\x00\x00\x01" "a", 6 }, { "\xc4\x02\xff\xfe", 4 },
        { "\xc5\x00\x01\xff", 4 }, { "\xc6\x00\x00\x00\x01\xff", 6 }, { "\xd4\x05\xff", 3 }, { "\xd5\x05\xff\xff", 4 },
        { "\xd6\x05\xff\xff\xff\xff", 6 }, { "\xc7\x01\x05\xff", 4 }, { "\xc8\x00\x01\x05\xff", 5 },
        { "\xc9\x00\x00\x00\x01\x05\xff", 7 }, { "\x90", 1 }, { "\x80", 1 }, { "\x92\x01\x80", 3 },
        { "\x82\xa1" "a\x01\xa1" "b\x02", 7 } };
    enum { COUNT = sizeof values / sizeof *values };
    for (size_t one = 0; one < COUNT; one++)
        for (size_t two = 0; two < COUNT; two++)
            for (size_t key_size = 1; key_size <= 9; key_size += 4) {
                packed_bytes_t packed = packed_pairs (2);
                add_key (&packed, "firstkey9", key_size);
                add (&packed, values [one].bytes, values [one].size);
                add_key (&packed, "otherkey9", key_size);
                add (&packed, values [two].bytes, values [two].size);
                cr_assert_eq (verdict_on (&packed), MUSTER_REFUSAL_NONE);
                agrees_in_all_parts (&packed);
            }
}

Test (skim, agrees_with_the_scan_on_maps_of_up_to_15_pairs_and_a_key_that_comes_twice_anywhere)
{
    for (uint8_t pairs = 0; pairs <= 15; pairs++)
        for (unsigned twice = 0; twice <= pairs; twice++)
            for (size_t size = 2; size <= 10; size += 8) {
                packed_bytes_t packed = packed_pairs (pairs);
                for (uint8_t pair = 0; pair < pairs; pair++) {
                    char key [] = "key-----a-";
                    key [size - 1] = (char) ('a' + (twice > 0 && pair == twice ? 0 : pair));
                    add_key (&packed, key, size);
                    add (&packed, "\xcd\x01\x00", 3);
                }
                bool repeats = twice > 0 && twice < pairs;
                cr_assert_eq (verdict_on (&packed), repeats ? MUSTER_REFUSAL_DUPLICATE : MUSTER_REFUSAL_NONE);
                agrees_in_all_parts (&packed);
            }
}

Test (skim, heeds_the_size_limit)
{
    packed_bytes_t packed = packed_pairs (1);
    add_key (&packed, "key", 3);
    add (&packed, "\x01", 1);
    size_t size = packed.size;
    add (&packed, "\x92\xa1" "c\x80\x92\xa1" "c\x80", 8);
    for (size_t limit = 1; limit <= packed.size; limit++) {
        scan_limits_t limits = { .depth = 1, .message_size = limit };
        scan_message_t message;
        skim_agrees (packed.bytes, packed.size, &limits);
        cr_assert_eq (scan_whole (packed.bytes, packed.size, SCAN_SESSION, &limits, &message),
            limit < size ? MUSTER_REFUSAL_SIZE : MUSTER_REFUSAL_NONE);
    }
}

Test (skim, agrees_with_the_scan_on_every_change_of_one_byte)
{
    packed_bytes_t packed = packed_pairs (4);
    add_key (&packed, "loss", 4);
    add (&packed, "\xcb\x3f\xd3\x33\x33\x33\x33\x33\x33", 9);
    add_key (&packed, "a-longer-key", 12);
    add (&packed, "\xa4text", 5);
    add_key (&packed, "eightkey", 8);
    add (&packed, "\x05", 1);
    add_key (&packed, "k", 1);
    add (&packed, "\xcd\x01\x00", 3);
    for (size_t at = 1; at < packed.size; at++)
        for (unsigned change = 1; change < 256; change++) {
            packed.bytes [at] ^= (uint8_t) change;
            uint8_t *exact = malloc (packed.size);
            memcpy (exact, packed.bytes, packed.size);
            skim_agrees (exact, packed.size, &usual);
            free (exact);
            packed.bytes [at] ^= (uint8_t) change;
        }
}

/*  --------------------------------------------------------------------------
    The rest */

Test (scan, splits_what_it_let_pass_into_the_same_parts)
{
    for (scan_form_t form = SCAN_PLAIN; form <= SCAN_SESSION; form++) {
        muster_writer_t *writer = packed_message (form);
        const void *bytes;
        size_t size;
        muster_writer_raw (writer, "what follows", 12);
        cr_assert_eq (muster_writer_bytes (writer, &bytes, &size), MUSTER_OK);
        scan_message_t scanned;
        scan_message_t split;
        cr_assert_eq (scan_message (bytes, size, form, &usual, &scanned), MUSTER_REFUSAL_NONE);
        scan_split (bytes, scanned.size, form, &split);
        cr_assert_eq (split.size, size - 12);
        cr_assert_eq (split.size, scanned.size);
        cr_assert_eq (split.source, scanned.source);
        cr_assert_eq (split.source_size, scanned.source_size);
        cr_assert_eq (split.cmd, scanned.cmd);
        cr_assert_eq (split.cmd_size, scanned.cmd_size);
        cr_assert_eq (split.data, scanned.data);
        cr_assert_eq (split.data_size, scanned.data_size);
        cr_assert_eq (split.kind, scanned.kind);
        cr_assert_eq (split.stream, scanned.stream);
        cr_assert_eq (split.position, scanned.position);
        muster_writer_destroy (&writer);
    }
}

Test (scan, takes_bare_data_that_is_one_map_and_nothing_else)
{
    cr_assert_eq (scan_data ((const uint8_t *) "\x80", 1, &usual), MUSTER_REFUSAL_NONE);
    cr_assert_eq (scan_data ((const uint8_t *) "\x80\x80", 2, &usual), MUSTER_REFUSAL_DATA);
    cr_assert_eq (scan_data ((const uint8_t *) "\x90", 1, &usual), MUSTER_REFUSAL_DATA);
    cr_assert_eq (scan_data (NULL, 0, &usual), MUSTER_REFUSAL_DATA);
    cr_assert_eq (scan_data ((const uint8_t *) "\x81\xa1k", 3, &usual), MUSTER_REFUSAL_TRUNCATED);
    cr_assert_eq (scan_data ((const uint8_t *) "\x82\xa1k\xc0\xa1k\xc0", 7, &usual), MUSTER_REFUSAL_DUPLICATE);
}

Test (scan, looks_for_repeated_keys_in_bare_data_of_a_large_map)
{
    muster_writer_t *writer = wide (300, true);
    const void *bytes;
    size_t size;
    cr_assert_eq (muster_writer_bytes (writer, &bytes, &size), MUSTER_OK);
    const uint8_t *data = (const uint8_t *) bytes + sizeof PREFIX - 1;
    cr_expect_eq (scan_data (data, size - (sizeof PREFIX - 1), &usual), MUSTER_REFUSAL_DUPLICATE);
    alloc_fail_from (1);
    cr_expect_eq (scan_data (data, size - (sizeof PREFIX - 1), &usual), MUSTER_REFUSAL_MEMORY);
    alloc_fail_from (0);
    muster_writer_destroy (&writer);
}

Test (scan, knows_a_name)
{
    cr_assert (scan_name ("worker-1", 8));
    cr_assert (scan_name ("\xe2\x82\xac", 3));
    cr_assert_not (scan_name ("a\tb", 3));
    cr_assert_not (scan_name ("\xc2\x85", 2));
    cr_assert_not (scan_name (NULL, 0));
}

Test (scan, gives_the_verdict_of_each_vector)
{
    json_object *vectors = vectors_read ("messages.json");
    for (size_t index = 0; index < json_object_array_length (vectors); index++) {
        json_object *vector = json_object_array_get_idx (vectors, index);
        vectors_bytes_t bytes = vectors_bytes (vector, "hex");
        bool is_plain = strcmp (vectors_text (vector, "form"), "plain") == 0;
        scan_message_t message;
        muster_refusal_t refusal = scan_whole (
            bytes.bytes, bytes.size, is_plain ? SCAN_PLAIN : SCAN_SESSION, &usual, &message);
        const char *verdict = refusal ? muster_refusal_name (refusal) : "OK";
        cr_expect_str_eq (verdict, vectors_text (vector, "verdict"), "%s", vectors_text (vector, "name"));
        if (!refusal) {
            cr_expect_eq (message.size, bytes.size);
            cr_expect_eq (message.cmd_size, strlen (vectors_text (vector, "cmd")));
            cr_expect_arr_eq (message.cmd, vectors_text (vector, "cmd"), message.cmd_size);
            vectors_bytes_t data = vectors_bytes (vector, "data");
            cr_expect_eq (message.data_size, data.size);
            cr_expect_arr_eq (message.data, data.bytes, data.size);
            free (data.bytes);
        }
        if (!refusal && is_plain) {
            cr_expect_eq (message.source_size, strlen (vectors_text (vector, "source")));
            cr_expect_arr_eq (message.source, vectors_text (vector, "source"), message.source_size);
        }
        free (bytes.bytes);
    }
    json_object_put (vectors);
}
