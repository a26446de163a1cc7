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

/*  --------------------------------------------------------------------------
    Messages that are written where they are sent from */

static void
accept_in_place (outbox_t *box, const uint8_t *bytes, size_t size)
{
    uint8_t *at = outbox_reserve (box, size);
    cr_assert_not_null (at);
    memcpy (at, bytes, size);
    outbox_accept (box, size);
}

static void
assert_same_positions (const outbox_t *one, const outbox_t *other)
{
    cr_assert_eq (one->accepted.messages, other->accepted.messages);
    cr_assert_eq (one->accepted.bytes, other->accepted.bytes);
    cr_assert_eq (one->sent.messages, other->sent.messages);
    cr_assert_eq (one->sent.bytes, other->sent.bytes);
    cr_assert_eq (one->handled.bytes, other->handled.bytes);
    cr_assert_eq (one->largest, other->largest);
    cr_assert_eq (outbox_charge (one), outbox_charge (other));
    cr_assert_eq (outbox_need (one), outbox_need (other));
    cr_assert_eq (outbox_is_filling (one), outbox_is_filling (other));
}

/*  Returns whether there was a piece. */
static bool
take_same_piece (outbox_t *one, outbox_t *other, uint64_t credit)
{
    outbox_piece_t piece, same;
    bool taken = outbox_next (one, credit, FRAME_RUN_BYTES, &piece);
    cr_assert_eq (outbox_next (other, credit, FRAME_RUN_BYTES, &same), taken);
    if (!taken)
        return false;
    cr_assert_eq (piece.kind, same.kind);
    cr_assert_eq (piece.in_place, same.in_place);
    cr_assert_eq (piece.size, same.size);
    cr_assert_arr_eq (piece.body, same.body, piece.size);
    if (piece.kind == FRAME_DATA) {
        cr_assert_eq (piece.data.first, same.data.first);
        cr_assert_eq (piece.data.count, same.data.count);
    }
    else {
        cr_assert_eq (piece.chunk.position, same.chunk.position);
        cr_assert_eq (piece.chunk.offset, same.chunk.offset);
        cr_assert_eq (piece.chunk.total, same.chunk.total);
    }
    blob_release (&piece.blob);
    blob_release (&same.blob);
    return true;
}

Test (outbox, a_message_written_in_its_place_is_the_same_as_one_that_is_copied)
{
    static uint8_t bytes [3 * FRAME_RUN_BYTES];
    static const size_t sizes [] = { 1, 4, 30, 1000, 40000, FRAME_RUN_BYTES, FRAME_RUN_BYTES + 1, sizeof bytes };
    outbox_t copied = new_box (), written = new_box ();
    uint32_t luck = 1;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes [i] = (uint8_t) (i * 31 >> 3);
    for (int round = 0; round < 20000; round++) {
        luck = luck * 1103515245 + 12345;
        size_t largest = luck >> 16 & 63 ? 4 : sizeof sizes / sizeof *sizes;
        size_t size = sizes [(luck >> 22) % largest];
        const uint8_t *from = bytes + (sizeof bytes - size) / 2;
        cr_assert_eq (outbox_append (&copied, from, size), 0);
        accept_in_place (&written, from, size);
        assert_same_positions (&copied, &written);
        if ((luck >> 8 & 15) == 0)
            while (take_same_piece (&copied, &written, copied.accepted.bytes - (luck >> 12 & 7)))
                continue;
        if ((luck >> 8 & 31) == 1) {
            uint64_t handled = copied.sent.messages - (luck >> 13 & 1 && copied.sent.messages > copied.handled.messages);
            cr_assert (outbox_handled (&copied, handled));
            cr_assert (outbox_handled (&written, handled));
        }
        assert_same_positions (&copied, &written);
    }
    while (take_same_piece (&copied, &written, UINT64_MAX))
        continue;
    cr_assert_eq (written.sent.messages, 20000);
    outbox_clear (&copied);
    outbox_clear (&written);
}

Test (outbox, without_memory_no_place_is_reserved_and_nothing_is_lost)
{
    outbox_t box = new_box ();
    size_t refused = 0;
    uint8_t *bytes = calloc (1, 5000);
    for (uint32_t i = 0; i < 2000; i++) {
        uint8_t *at = NULL;
        for (size_t nth = 1; !at; nth++) {
            alloc_fail_from (nth);
            at = outbox_reserve (&box, 5000);
            alloc_fail_from (0);
            refused += !at;
            cr_assert_eq (box.accepted.messages, i);
        }
        memcpy (bytes, &i, sizeof i);
        memcpy (at, bytes, 5000);
        outbox_accept (&box, 5000);
    }
    cr_assert_gt (refused, 3);
    outbox_piece_t piece;
    uint32_t next = 0;
    while (outbox_next (&box, UINT64_MAX, FRAME_RUN_BYTES, &piece)) {
        cr_assert_eq (piece.size, 5000 * (size_t) piece.data.count);
        for (uint32_t i = 0; i < piece.data.count; i++, next++)
            cr_assert_eq (memcmp (piece.body + 5000 * (size_t) i, &next, sizeof next), 0);
        blob_release (&piece.blob);
    }
    cr_assert_eq (next, 2000);
    outbox_clear (&box);
    free (bytes);
}

/*  --------------------------------------------------------------------------
    Memory that is used again */

#define LARGE 100000            /* a run each, and two of them a blob */

static void
send_all (outbox_t *box)
{
    outbox_piece_t piece;
    while (outbox_next (box, UINT64_MAX, FRAME_RUN_BYTES, &piece))
        blob_release (&piece.blob);
}

/*  count large messages have come and gone. */
static outbox_t
used_box (int count)
{
    outbox_t box = new_box ();
    for (int i = 0; i < count; i++)
        append (&box, LARGE, (uint8_t) i);
    send_all (&box);
    cr_assert_eq (box.spares, 0);
    cr_assert (outbox_handled (&box, box.accepted.messages));
    return box;
}

/*  How many large messages can be accepted without memory from elsewhere. */
static int
accepted_without_memory (outbox_t *box)
{
    uint8_t *bytes = calloc (1, LARGE);
    int count = 0;
    alloc_fail_from (1);
    while (outbox_append (box, bytes, LARGE) == 0)
        count++;
    alloc_fail_from (0);
    free (bytes);
    return count;
}

Test (outbox, memory_of_what_is_handled_is_filled_again)
{
    outbox_t box = used_box (8);
    cr_assert_gt (box.spares, 0);
    int spares = (int) box.spares;
    cr_assert_eq (accepted_without_memory (&box), 2 * spares);
    cr_assert_eq (box.spares, 0);
    send_all (&box);
    cr_assert (outbox_handled (&box, box.accepted.messages));
    cr_assert_eq ((int) box.spares, spares);
    outbox_clear (&box);
    cr_assert_eq (box.spares, 0);
}

Test (outbox, no_more_memory_waits_than_so_many_blobs)
{
    outbox_t box = used_box (400);
    cr_assert_eq (box.spares, OUTBOX_SPARES_MOST);
    outbox_clear (&box);
}

Test (outbox, an_outbox_that_rests_has_no_memory_that_waits)
{
    outbox_t box = used_box (100);
    outbox_rest (&box);
    cr_assert_eq (box.spares, 0);
    cr_assert_eq (accepted_without_memory (&box), 0);
    outbox_rest (&box);
    append (&box, LARGE, 1);
    send_all (&box);
    cr_assert (outbox_handled (&box, 101));
    outbox_clear (&box);
}

Test (outbox, small_messages_keep_no_memory)
{
    outbox_t box = new_box ();
    append (&box, 100, 1);
    send_all (&box);
    cr_assert (outbox_handled (&box, 1));
    cr_assert_eq (box.spares, 0);
    cr_assert_null (box.filling);
    outbox_clear (&box);
}

Test (outbox, memory_that_is_under_way_is_not_filled_again)
{
    outbox_t box = new_box ();
    outbox_piece_t pieces [40];
    for (int i = 0; i < 40; i++) {
        append (&box, LARGE, (uint8_t) i);
        cr_assert (outbox_next (&box, UINT64_MAX, FRAME_RUN_BYTES, &pieces [i]));
    }
    cr_assert (outbox_handled (&box, 40));
    cr_assert_eq (box.spares, 0);
    for (int i = 0; i < 40; i++)
        append (&box, LARGE, 0xff);
    for (int i = 0; i < 40; i++) {
        for (size_t at = 0; at < LARGE; at++)
            cr_assert_eq (pieces [i].body [at], i);
        blob_release (&pieces [i].blob);
    }
    outbox_clear (&box);
}

Test (outbox, a_message_larger_than_what_waits_gets_memory_of_its_own)
{
    enum { HUGE = 4 * FRAME_RUN_BYTES };
    outbox_t box = used_box (8);
    unsigned spares = box.spares;
    outbox_piece_t piece;
    append (&box, HUGE, 7);
    cr_assert_eq (box.spares, spares);
    cr_assert (outbox_next (&box, UINT64_MAX, HUGE, &piece));
    cr_assert_eq (piece.size, HUGE);
    for (size_t at = 0; at < HUGE; at++)
        cr_assert_eq (piece.body [at], 7);
    blob_release (&piece.blob);
    cr_assert (outbox_handled (&box, 9));
    cr_assert_eq (box.spares, spares, "it is of another size");
    outbox_clear (&box);
}
