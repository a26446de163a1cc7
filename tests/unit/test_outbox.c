/*  test_outbox.c - the messages a session keeps

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <string.h>

#include "base/alloc.h"
#include "model/outbox.h"

#define CHUNK 1000

static void
append (outbox_t *box, size_t size, uint8_t fill)
{
    uint8_t *bytes = malloc (size);
    memset (bytes, fill, size);
    cr_assert_eq (outbox_append (box, bytes, size), 0);
    free (bytes);
}

static outbox_t
new_box (void)
{
    outbox_t box;
    outbox_init (&box, (position_t) { 0, 0 });
    return box;
}

Test (outbox, a_lone_message_is_sent_in_place)
{
    outbox_t box = new_box ();
    append (&box, 10, 1);
    outbox_piece_t piece;
    cr_assert (outbox_next (&box, UINT64_MAX, CHUNK, &piece));
    cr_assert_eq (piece.kind, FRAME_DATA);
    cr_assert (piece.in_place);
    cr_assert_eq (piece.data.first, 1);
    cr_assert_eq (piece.data.count, 1);
    cr_assert_eq (piece.size, 10);
    cr_assert_eq (piece.body [0], 1);
    blob_release (&piece.blob);
    cr_assert_not (outbox_next (&box, UINT64_MAX, CHUNK, &piece));
    outbox_clear (&box);
}

Test (outbox, messages_that_wait_share_a_frame)
{
    outbox_t box = new_box ();
    for (int i = 0; i < 100; i++)
        append (&box, 7, (uint8_t) i);
    outbox_piece_t piece;
    cr_assert (outbox_next (&box, UINT64_MAX, CHUNK, &piece));
    cr_assert_eq (piece.data.count, 100);
    cr_assert_eq (piece.size, 700);
    for (int i = 0; i < 100; i++)
        cr_assert_eq (piece.body [7 * i], i);
    blob_release (&piece.blob);
    outbox_clear (&box);
}

Test (outbox, a_frame_holds_no_more_messages_than_the_protocol_allows)
{
    outbox_t box = new_box ();
    for (int i = 0; i < 4 * FRAME_RUN_MESSAGES; i++)
        append (&box, 4, 0);
    outbox_piece_t piece;
    uint32_t most = 0;
    while (outbox_next (&box, UINT64_MAX, CHUNK, &piece)) {
        most = piece.data.count > most ? piece.data.count : most;
        blob_release (&piece.blob);
    }
    cr_assert_eq (most, FRAME_RUN_MESSAGES);
    outbox_clear (&box);
}

Test (outbox, nothing_is_sent_beyond_the_credit)
{
    outbox_t box = new_box ();
    for (int i = 0; i < 5; i++)
        append (&box, 10, (uint8_t) i);
    outbox_piece_t piece;
    cr_assert_not (outbox_next (&box, 9, CHUNK, &piece));
    cr_assert (outbox_next (&box, 25, CHUNK, &piece));
    cr_assert_eq (piece.data.count, 2);
    blob_release (&piece.blob);
    cr_assert_eq (outbox_need (&box), 30);
    cr_assert_not (outbox_next (&box, 29, CHUNK, &piece));
    cr_assert (outbox_next (&box, 50, CHUNK, &piece));
    cr_assert_eq (piece.data.first, 3);
    cr_assert_eq (piece.data.count, 3);
    cr_assert_eq (piece.body [0], 2);
    cr_assert_not (piece.in_place, "its header would overwrite what is under way");
    blob_release (&piece.blob);
    outbox_clear (&box);
}

Test (outbox, a_large_message_goes_in_chunks_that_make_it_up)
{
    outbox_t box = new_box ();
    uint8_t bytes [2500], joined [2500];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes [i] = (uint8_t) (i * 7);
    cr_assert_eq (outbox_append (&box, bytes, sizeof bytes), 0);
    outbox_piece_t piece;
    size_t filled = 0;
    while (outbox_next (&box, sizeof bytes, CHUNK, &piece)) {
        cr_assert_eq (piece.kind, FRAME_CHUNK);
        cr_assert_eq (piece.chunk.position, 1);
        cr_assert_eq (piece.chunk.total, sizeof bytes);
        cr_assert_eq (piece.chunk.offset, filled);
        memcpy (joined + filled, piece.body, piece.size);
        filled += piece.size;
        blob_release (&piece.blob);
    }
    cr_assert_eq (filled, sizeof bytes);
    cr_assert_arr_eq (joined, bytes, sizeof bytes);
    cr_assert_eq (box.sent.messages, 1);
    outbox_clear (&box);
}

Test (outbox, a_large_message_does_not_begin_without_credit_for_all_of_it)
{
    outbox_t box = new_box ();
    append (&box, 2500, 1);
    outbox_piece_t piece;
    cr_assert_not (outbox_next (&box, 2499, CHUNK, &piece));
    outbox_clear (&box);
}

Test (outbox, sends_again_from_the_first_message_not_received)
{
    outbox_t box = new_box ();
    for (int i = 1; i <= 10; i++)
        append (&box, 5, (uint8_t) i);
    outbox_piece_t piece;
    cr_assert (outbox_next (&box, UINT64_MAX, CHUNK, &piece));
    blob_release (&piece.blob);
    cr_assert (outbox_rewind (&box, 6));
    cr_assert (outbox_next (&box, UINT64_MAX, CHUNK, &piece));
    cr_assert_eq (piece.data.first, 7);
    cr_assert_eq (piece.data.count, 4);
    cr_assert_eq (piece.body [0], 7);
    cr_assert_not (piece.in_place);
    blob_release (&piece.blob);
    outbox_clear (&box);
}

Test (outbox, a_piece_that_was_not_sent_is_given_again)
{
    outbox_t box = new_box ();
    append (&box, 2500, 3);
    append (&box, 10, 4);
    outbox_piece_t piece, again;
    for (int i = 0; i < 4; i++) {
        cr_assert (outbox_next (&box, UINT64_MAX, CHUNK, &piece));
        outbox_untake (&box, &piece);
        cr_assert (outbox_next (&box, UINT64_MAX, CHUNK, &again));
        cr_assert_eq (again.kind, piece.kind);
        cr_assert_eq (again.body, piece.body);
        cr_assert_eq (again.size, piece.size);
        blob_release (&piece.blob);
        blob_release (&again.blob);
    }
    cr_assert_not (outbox_next (&box, UINT64_MAX, CHUNK, &piece));
    outbox_clear (&box);
}

Test (outbox, keeps_messages_until_they_are_handled)
{
    outbox_t box = new_box ();
    for (int i = 0; i < 1000; i++)
        append (&box, 100, 1);
    uint64_t full = outbox_charge (&box);
    cr_assert_geq (full, 100000);
    outbox_piece_t piece;
    while (outbox_next (&box, UINT64_MAX, CHUNK, &piece))
        blob_release (&piece.blob);
    cr_assert_eq (outbox_charge (&box), full);
    cr_assert (outbox_handled (&box, 999));
    cr_assert_lt (outbox_charge (&box), 1000);
    cr_assert (outbox_handled (&box, 1000));
    cr_assert_eq (outbox_charge (&box), 0);
    cr_assert_eq (box.handled.bytes, 100000);
    outbox_clear (&box);
}

Test (outbox, a_withdrawn_message_goes_as_a_chunk_of_no_bytes_and_the_others_as_they_are)
{
    outbox_t box = new_box ();
    size_t sizes [] = { 10, 200, 20, 300, 30 };
    for (int i = 0; i < 5; i++)
        append (&box, sizes [i], (uint8_t) i);
    outbox_withdraw (&box, 100);
    cr_assert_eq (box.accepted.bytes, 60);
    for (int round = 0; round < 2; round++) {
        outbox_piece_t piece;
        for (int i = 0; i < 5; i++) {
            cr_assert (outbox_next (&box, 60, CHUNK, &piece));
            if (sizes [i] > 100) {
                cr_assert_eq (piece.kind, FRAME_CHUNK);
                cr_assert_eq (piece.chunk.position, (uint64_t) i + 1);
                cr_assert_eq (piece.chunk.total, 0);
                cr_assert_eq (piece.size, 0);
            }
            else {
                cr_assert_eq (piece.kind, FRAME_DATA);
                cr_assert_eq (piece.data.first, (uint64_t) i + 1);
                cr_assert_eq (piece.data.count, 1);
                cr_assert_eq (piece.body [0], i);
            }
            blob_release (&piece.blob);
        }
        cr_assert_not (outbox_next (&box, 60, CHUNK, &piece));
        cr_assert_eq (box.sent.bytes, 60);
        cr_assert (outbox_rewind (&box, 0));
        cr_assert_eq (box.sent.bytes, 0);
    }
    cr_assert (outbox_rewind (&box, 5));
    cr_assert (outbox_handled (&box, 5));
    cr_assert_eq (box.handled.bytes, 60);
    cr_assert_eq (box.withdrawn, 0);
    cr_assert_eq (outbox_charge (&box), 0);
    outbox_clear (&box);
}

Test (outbox, refuses_positions_that_cannot_be)
{
    outbox_t box = new_box ();
    append (&box, 10, 1);
    append (&box, 10, 1);
    outbox_piece_t piece;
    cr_assert_not (outbox_handled (&box, 1), "handled before it was sent");
    cr_assert (outbox_next (&box, 10, CHUNK, &piece));
    blob_release (&piece.blob);
    cr_assert_not (outbox_handled (&box, 2));
    cr_assert_not (outbox_rewind (&box, 3));
    cr_assert (outbox_handled (&box, 1));
    cr_assert_not (outbox_rewind (&box, 0), "what is handled is gone");
    cr_assert_not (outbox_handled (&box, 0));
    outbox_clear (&box);
}

Test (outbox, a_shared_message_is_copied_when_it_is_sent)
{
    outbox_t one = new_box (), other = new_box ();
    blob_t *blob = blob_new (FRAME_HEADER_ROOM + 3);
    memcpy (blob->bytes + FRAME_HEADER_ROOM, "abc", 3);
    blob_part_t part = { .blob = blob, .bytes = blob->bytes + FRAME_HEADER_ROOM, .size = 3 };
    cr_assert_eq (outbox_append_part (&one, &part, true), 0);
    cr_assert_eq (outbox_append_part (&other, &part, true), 0);
    blob_release (&blob);
    outbox_piece_t piece;
    cr_assert (outbox_next (&one, UINT64_MAX, CHUNK, &piece));
    cr_assert_not (piece.in_place);
    cr_assert_arr_eq (piece.body, "abc", 3);
    blob_release (&piece.blob);
    outbox_clear (&one);
    cr_assert (outbox_next (&other, UINT64_MAX, CHUNK, &piece));
    cr_assert_arr_eq (piece.body, "abc", 3);
    blob_release (&piece.blob);
    outbox_clear (&other);
}

Test (outbox, what_waits_between_positions_goes_round_its_rings_unharmed)
{
    outbox_t box = new_box ();
    outbox_piece_t piece;
    uint64_t next = 1;
    for (uint32_t round = 0; round < 2000; round++) {
        for (uint32_t i = 0; i < 1 + round % 5; i++) {
            uint32_t number = (uint32_t) box.accepted.messages + 1;
            cr_assert_eq (outbox_append (&box, &number, sizeof number), 0);
        }
        while (outbox_next (&box, UINT64_MAX, CHUNK, &piece)) {
            for (uint32_t i = 0; i < piece.data.count; i++, next++) {
                uint32_t number;
                memcpy (&number, piece.body + i * sizeof number, sizeof number);
                cr_assert_eq (number, next);
            }
            blob_release (&piece.blob);
        }
        if (round % 3 == 0)
            cr_assert (outbox_handled (&box, box.sent.messages - round % 2));
    }
    outbox_clear (&box);
}

Test (outbox, without_memory_nothing_is_accepted_and_nothing_is_lost)
{
    outbox_t box = new_box ();
    size_t refused = 0;
    for (int i = 0; i < 300; i++) {
        alloc_fail_from (1);
        muster_error_t error = outbox_append (&box, "abcdefgh", 8);
        alloc_fail_from (0);
        if (error) {
            cr_assert_eq (error, MUSTER_NOMEM);
            refused++;
            cr_assert_eq (outbox_append (&box, "abcdefgh", 8), 0);
        }
    }
    cr_assert_gt (refused, 0);
    cr_assert_eq (box.accepted.messages, 300);
    outbox_piece_t piece;
    uint64_t count = 0;
    while (outbox_next (&box, UINT64_MAX, CHUNK, &piece)) {
        count += piece.data.count;
        blob_release (&piece.blob);
    }
    cr_assert_eq (count, 300);
    outbox_clear (&box);
}

/*  The sizes of messages that are handled lie before those of the run's others. */
/*  A peer that keeps no rules may say so. */
Test (outbox, what_is_accepted_after_messages_that_were_received_before_they_were_sent_is_sent)
{
    outbox_t box = new_box ();
    outbox_piece_t piece;
    append (&box, 10, 1);
    cr_assert (outbox_rewind (&box, 1));
    append (&box, 10, 2);
    cr_assert (outbox_next (&box, UINT64_MAX, CHUNK, &piece));
    cr_assert_eq (piece.data.first, 2);
    cr_assert_eq (piece.data.count, 1);
    cr_assert_eq (piece.size, 10);
    cr_assert_eq (piece.body [0], 2);
    blob_release (&piece.blob);
    cr_assert_not (outbox_next (&box, UINT64_MAX, CHUNK, &piece));
    outbox_clear (&box);
}

Test (outbox, no_header_is_written_over_messages_that_were_received_before_they_were_sent)
{
    outbox_t box = new_box ();
    outbox_piece_t piece;
    append (&box, 10, 1);
    append (&box, 10, 2);
    cr_assert (outbox_rewind (&box, 1));
    cr_assert (outbox_next (&box, UINT64_MAX, CHUNK, &piece));
    cr_assert_eq (piece.data.first, 2);
    cr_assert_not (piece.in_place);
    blob_release (&piece.blob);
    outbox_clear (&box);
}

Test (outbox, what_is_sent_again_from_inside_a_run_is_right_however_many_were_accepted_since)
{
    outbox_t box = new_box ();
    outbox_piece_t piece;
    for (int i = 1; i <= 60; i++)
        append (&box, (size_t) i, (uint8_t) i);
    cr_assert (outbox_next (&box, UINT64_MAX, CHUNK, &piece));
    blob_release (&piece.blob);
    cr_assert (outbox_handled (&box, 50));
    for (int i = 61; i <= 110; i++)
        append (&box, 200, (uint8_t) i);
    cr_assert (outbox_rewind (&box, 50));
    cr_assert (outbox_next (&box, UINT64_MAX, CHUNK, &piece));
    cr_assert_eq (piece.data.first, 51);
    cr_assert_eq (piece.data.count, 10);
    cr_assert_eq (piece.body [0], 51);
    cr_assert_eq (piece.body [50], 51);
    cr_assert_eq (piece.body [51], 52);
    blob_release (&piece.blob);
    outbox_clear (&box);
}
