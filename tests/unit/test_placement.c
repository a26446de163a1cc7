/*  test_placement.c - which byte of a message should be aligned

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <muster/data.h>

#include "wire/placement.h"

static const float zeros [3000];

static muster_array_t
array_of (size_t elements)
{
    return (muster_array_t) { .dtype = "<f4", .dims = 1, .shape = { elements }, .bytes = zeros, .size = 4 * elements };
}

static muster_writer_t *
begin_message (size_t pairs)
{
    muster_writer_t *writer = muster_writer_new ();
    muster_writer_seq (writer, 2);
    muster_writer_str (writer, "CMD", 3);
    muster_writer_map (writer, pairs);
    return writer;
}

static void
put_array (muster_writer_t *writer, size_t elements)
{
    muster_array_t array = array_of (elements);
    muster_writer_str (writer, "key", 3);
    muster_writer_array (writer, &array);
}

static size_t
size_of (const muster_writer_t *writer)
{
    size_t size = 0;
    cr_assert_eq (muster_writer_bytes (writer, NULL, &size), 0);
    return size;
}

static size_t
place_in (const muster_writer_t *writer, size_t size)
{
    const void *bytes;
    cr_assert_eq (muster_writer_bytes (writer, &bytes, NULL), 0);
    return placement_find (bytes, size);
}

Test (placement, is_that_of_the_only_array_though_it_does_not_end)
{
    muster_writer_t *writer = begin_message (1);
    put_array (writer, 3000);
    size_t elements = size_of (writer) - 12000;
    cr_assert_eq (place_in (writer, size_of (writer)), elements);
    cr_assert_eq (place_in (writer, elements + 1), elements);
    cr_assert_eq (place_in (writer, elements), elements);
    for (size_t size = 0; size < elements; size++)
        cr_assert_eq (place_in (writer, size), 0, "its head is not whole in %zu bytes", size);
    muster_writer_destroy (&writer);
}

Test (placement, is_that_of_the_largest_of_several)
{
    muster_writer_t *writer = begin_message (3);
    put_array (writer, 10);
    put_array (writer, 3000);
    size_t elements = size_of (writer) - 12000;
    put_array (writer, 2000);
    cr_assert_eq (place_in (writer, size_of (writer)), elements);
    muster_writer_destroy (&writer);
}

Test (placement, is_found_in_containers)
{
    muster_writer_t *writer = begin_message (1);
    muster_writer_str (writer, "model", 5);
    muster_writer_seq (writer, 2);
    muster_writer_nil (writer);
    muster_writer_map (writer, 1);
    put_array (writer, 3000);
    cr_assert_eq (place_in (writer, size_of (writer)), size_of (writer) - 12000);
    muster_writer_destroy (&writer);
}

Test (placement, is_nowhere_without_an_array)
{
    muster_writer_t *writer = begin_message (3);
    muster_writer_str (writer, "a", 1);
    muster_writer_bin (writer, zeros, sizeof zeros);
    muster_writer_str (writer, "b", 1);
    muster_writer_ext (writer, 2, zeros, sizeof zeros);
    muster_writer_str (writer, "c", 1);
    muster_writer_ext (writer, MUSTER_EXT_ARRAY, zeros, sizeof zeros);
    cr_assert_eq (place_in (writer, size_of (writer)), 0);
    cr_assert_eq (placement_find ((const uint8_t *) "\xc1\xc7\x00\x01", 4), 0, "reserved");
    muster_writer_destroy (&writer);
}

Test (placement, is_not_looked_for_behind_many_values)
{
    muster_writer_t *writer = begin_message (2);
    muster_writer_str (writer, "many", 4);
    muster_writer_seq (writer, 10000);
    for (int i = 0; i < 10000; i++)
        muster_writer_nil (writer);
    put_array (writer, 3000);
    cr_assert_eq (place_in (writer, size_of (writer)), 0);
    muster_writer_destroy (&writer);
}
