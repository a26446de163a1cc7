/*  test_encode.c - whole messages, packed

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include <muster/data.h>

#include "wire/encode.h"
#include "wire/scan.h"

/*  In memory of exactly this size, between nothing. */
static void
assert_same (const char *cmd, const uint8_t *data, size_t data_size)
{
    size_t cmd_size = strlen (cmd), size;
    const void *bytes;
    muster_writer_t *writer = muster_writer_new ();
    encode_session (writer, cmd, data, data_size, 0, 0, 0);
    cr_assert_eq (muster_writer_bytes (writer, &bytes, &size), 0);
    cr_assert_eq (encode_size (cmd_size, data_size), size, "a cmd of %zu bytes", cmd_size);
    uint8_t *at = malloc (size);
    memset (at, 0xee, size);
    encode_at (at, cmd, cmd_size, data, data_size);
    cr_assert_arr_eq (at, bytes, size, "a cmd of %zu bytes", cmd_size);
    scan_message_t message;
    cr_assert_eq (scan_whole (at, size, SCAN_SESSION, &(scan_limits_t) { 0 }, &message), MUSTER_REFUSAL_NONE);
    cr_assert_eq (message.size, size);
    cr_assert_eq (message.cmd_size, cmd_size);
    cr_assert_eq (message.data_size, data_size);
    free (at);
    muster_writer_destroy (&writer);
}

Test (encode, a_message_written_in_its_place_is_the_one_that_a_writer_makes_for_each_size_of_cmd)
{
    char cmd [256];
    for (size_t size = 1; size <= 255; size++) {
        memset (cmd, 'c', size);
        cmd [size] = 0;
        assert_same (cmd, (const uint8_t *) "\x80", 1);
        assert_same (cmd, (const uint8_t *) "\x81\xa1k\xcd\x01\x00", 6);
    }
}

Test (encode, a_message_written_in_its_place_may_have_large_data)
{
    enum { TEXT = 100000 };
    muster_writer_t *data = muster_writer_new ();
    char *text = calloc (1, TEXT);
    const void *bytes;
    size_t size;
    memset (text, 't', TEXT);
    muster_writer_map (data, 1);
    muster_writer_str (data, "k", 1);
    muster_writer_str (data, text, TEXT);
    cr_assert_eq (muster_writer_bytes (data, &bytes, &size), 0);
    assert_same ("CMD", bytes, size);
    muster_writer_destroy (&data);
    free (text);
}
