/*  test_transfer.c - who is told how far a large message has come, and when

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include "actor/transfer.h"

#define SIZE (10 * (uint64_t) FRAME_CHUNK_BYTES)

typedef struct {
    unsigned calls;
    uint64_t position, sent, size;      /* of the last call */
} told_t;

static void
note (const char *source, uint64_t position, uint64_t sent, uint64_t size, void *arg)
{
    told_t *told = arg;
    cr_assert_str_eq (source, "a");
    *told = (told_t) { .calls = told->calls + 1, .position = position, .sent = sent, .size = size };
}

static void
send_chunk (transfers_t *self, uint64_t position, uint64_t total, uint64_t offset)
{
    uint64_t left = total - offset;
    frame_chunk_t chunk = { .position = position, .total = total, .offset = offset };
    transfers_note (self, &chunk, left < FRAME_CHUNK_BYTES ? left : FRAME_CHUNK_BYTES);
}

static void
send_all (transfers_t *self, uint64_t position, uint64_t total)
{
    for (uint64_t offset = 0; offset < total; offset += FRAME_CHUNK_BYTES)
        send_chunk (self, position, total, offset);
}

#define TELL(received, now) transfers_tell (&transfers, &hook, "a", received, now)

#define SCENE \
    told_t told = { 0 }; \
    progress_hook_t hook = { .fn = note, .arg = &told }; \
    transfers_t transfers = { 0 }

Test (transfer, the_first_chunk_is_told_and_then_no_more_often_than_ten_times_a_second)
{
    SCENE;
    for (uint64_t now = 1000; now < 1300; now += 10) {
        send_chunk (&transfers, 1, 2 * SIZE * FRAME_CHUNK_BYTES, (now - 1000) / 10 * FRAME_CHUNK_BYTES);
        TELL (0, (int64_t) now);
    }
    cr_assert_eq (told.calls, 3);
    cr_assert_eq (told.sent, 21 * (uint64_t) FRAME_CHUNK_BYTES);
    transfers_clear (&transfers);
}

Test (transfer, a_message_of_one_chunk_is_not_told_of_and_one_of_a_byte_more_is)
{
    SCENE;
    send_chunk (&transfers, 1, FRAME_CHUNK_BYTES, 0);
    TELL (1, 1000);
    cr_assert_eq (told.calls, 0);
    send_chunk (&transfers, 2, FRAME_CHUNK_BYTES + 1, 0);
    TELL (2, 1000);
    cr_assert_eq (told.calls, 1);
    cr_assert_eq (told.size, FRAME_CHUNK_BYTES + 1);
    cr_assert_null (transfers.list);
}

Test (transfer, what_is_sent_and_not_received_is_not_told_to_be_complete)
{
    SCENE;
    send_all (&transfers, 7, SIZE);
    TELL (6, 1000);
    cr_assert_eq (told.calls, 0);
    TELL (7, 1001);
    cr_assert_eq (told.calls, 1);
    cr_assert_eq (told.position, 7);
    cr_assert_eq (told.sent, SIZE);
}

Test (transfer, each_message_has_one_last_call_however_fast_they_come)
{
    SCENE;
    for (uint64_t position = 1; position <= 5; position++)
        send_all (&transfers, position, SIZE);
    TELL (3, 1000);
    cr_assert_eq (told.calls, 3);
    cr_assert_eq (told.position, 3);
    TELL (5, 1000);
    TELL (5, 2000);
    cr_assert_eq (told.calls, 5);
    cr_assert_null (transfers.list);
}

Test (transfer, a_message_that_is_sent_again_goes_back)
{
    SCENE;
    send_chunk (&transfers, 1, SIZE, 0);
    send_chunk (&transfers, 1, SIZE, FRAME_CHUNK_BYTES);
    TELL (0, 1000);
    cr_assert_eq (told.sent, 2 * FRAME_CHUNK_BYTES);
    send_chunk (&transfers, 1, SIZE, 0);
    TELL (0, 2000);
    cr_assert_eq (told.sent, FRAME_CHUNK_BYTES);
    transfers_clear (&transfers);
}

Test (transfer, a_message_that_stands_still_is_told_once)
{
    SCENE;
    send_chunk (&transfers, 1, SIZE, 0);
    TELL (0, 1000);
    TELL (0, 9000);
    cr_assert_eq (told.calls, 1);
    transfers_clear (&transfers);
}

Test (transfer, a_message_that_is_withdrawn_is_not_told_of_any_more)
{
    SCENE;
    send_chunk (&transfers, 1, SIZE, 0);
    send_chunk (&transfers, 1, 0, 0);
    TELL (1, 1000);
    cr_assert_eq (told.calls, 0);
    cr_assert_null (transfers.list);
}
