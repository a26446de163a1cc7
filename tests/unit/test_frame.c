/*  test_frame.c - a session's frames as bytes, against the test vectors

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame_check.h"
#include "vectors.h"
#include "wire/frame.h"

static const char *const kinds [] = {
    [FRAME_DATA] = "DATA", [FRAME_CHUNK] = "CHUNK", [FRAME_HELLO] = "HELLO", [FRAME_WELCOME] = "WELCOME",
    [FRAME_POSITIONS] = "POSITIONS", [FRAME_WANT] = "WANT", [FRAME_GOODBYE] = "GOODBYE", [FRAME_END] = "END",
    [FRAME_OBSERVE] = "OBSERVE", [FRAME_REPORT] = "REPORT" };

typedef struct {
    json_object *vectors;
    json_object *vector;
    vectors_bytes_t bytes;
    size_t index;
} walk_t;

/*  The next vector, its bytes at the very end of their memory. */
static bool
next_vector (walk_t *self)
{
    if (!self->vectors)
        self->vectors = vectors_read ("frames.json");
    free (self->bytes.bytes);
    self->bytes.bytes = NULL;
    if (self->index == json_object_array_length (self->vectors)) {
        json_object_put (self->vectors);
        return false;
    }
    self->vector = json_object_array_get_idx (self->vectors, self->index++);
    self->bytes = vectors_bytes (self->vector, "hex");
    uint8_t *exact = realloc (self->bytes.bytes, self->bytes.size ? self->bytes.size : 1);
    cr_assert_not_null (exact);
    self->bytes.bytes = exact;
    return true;
}

static bool
is_valid (const walk_t *self)
{
    return strcmp (vectors_text (self->vector, "verdict"), "OK") == 0;
}

static const char *
name_of (const walk_t *self)
{
    return vectors_text (self->vector, "name");
}

static frame_kind_t
kind_of (const walk_t *self)
{
    frame_kind_t kind = FRAME_DATA;
    while (kind < FRAME_REPORT && strcmp (kinds [kind], vectors_text (self->vector, "kind")) != 0)
        kind++;
    cr_assert_str_eq (kinds [kind], vectors_text (self->vector, "kind"));
    return kind;
}

static bool
is_control (const walk_t *self)
{
    return kind_of (self) > FRAME_CHUNK;
}

/*  Valid, and in the encoding that the library writes. */
static bool
is_canonical (const walk_t *self)
{
    return is_valid (self) && !json_object_object_get (self->vector, "canonical");
}

static session_id_t
id_field (json_object *vector, const char *field)
{
    session_id_t id;
    vectors_bytes_t bytes = vectors_bytes (vector, field);
    cr_assert_eq (bytes.size, sizeof id.bytes);
    memcpy (id.bytes, bytes.bytes, sizeof id.bytes);
    free (bytes.bytes);
    return id;
}

static void
text_field (json_object *vector, const char *field, char *text)
{
    snprintf (text, MUSTER_NAME_MAX + 1, "%s", vectors_text (vector, field));
}

static bool
bool_field (json_object *vector, const char *field)
{
    const char *text = vectors_text (vector, field);
    cr_assert (strcmp (text, "true") == 0 || strcmp (text, "false") == 0);
    return *text == 't';
}

/*  For as long as the test runs. */
static const uint8_t *
map_field (json_object *vector, size_t *size)
{
    static uint8_t map [64];
    vectors_bytes_t bytes = vectors_bytes (vector, "map");
    cr_assert_leq (bytes.size, sizeof map);
    memcpy (map, bytes.bytes, bytes.size);
    *size = bytes.size;
    free (bytes.bytes);
    return map;
}

static void
fill_hello (json_object *vector, frame_hello_t *hello)
{
    text_field (vector, "source", hello->source);
    hello->fresh = bool_field (vector, "fresh");
    hello->listener = id_field (vector, "listener");
    hello->stream = (uint32_t) vectors_number (vector, "stream");
    hello->handled.messages = vectors_number (vector, "handled");
    hello->handled.bytes = vectors_number (vector, "handled_bytes");
    hello->received_commands = vectors_number (vector, "received_commands");
    hello->handled_commands = vectors_number (vector, "handled_commands");
}

static void
fill_welcome (json_object *vector, frame_welcome_t *welcome)
{
    text_field (vector, "source", welcome->source);
    welcome->listener = id_field (vector, "listener");
    welcome->stream = (uint32_t) vectors_number (vector, "stream");
    welcome->received.messages = vectors_number (vector, "received");
    welcome->received.bytes = vectors_number (vector, "received_bytes");
    welcome->handled.messages = vectors_number (vector, "handled");
    welcome->handled.bytes = vectors_number (vector, "handled_bytes");
    welcome->credit = vectors_number (vector, "credit");
    welcome->message_limit = vectors_number (vector, "message_limit");
    welcome->liveness_ms = (uint32_t) vectors_number (vector, "liveness");
}

static void
fill_positions (json_object *vector, frame_positions_t *positions)
{
    positions->received = vectors_number (vector, "received");
    positions->handled = vectors_number (vector, "handled");
    positions->refused = vectors_number (vector, "refused");
    positions->credit = vectors_number (vector, "credit");
    positions->flags = (uint8_t) vectors_number (vector, "flags");
    positions->stamped = json_object_object_get (vector, "stamp");
    if (positions->stamped) {
        positions->stamp = vectors_number (vector, "stamp");
        positions->span_us = vectors_number (vector, "span");
    }
}

static void
fill_small (json_object *vector, frame_t *frame)
{
    switch (frame->kind) {
        case FRAME_WANT:
            frame->want.use = vectors_number (vector, "use");
            frame->want.need = vectors_number (vector, "need");
            frame->want.want = vectors_number (vector, "want");
            frame->want.handled = vectors_number (vector, "handled");
            break;
        case FRAME_GOODBYE:
            frame->goodbye.last = vectors_number (vector, "last");
            frame->goodbye.keep = bool_field (vector, "keep");
            break;
        case FRAME_OBSERVE:
            frame->observe.version = (uint32_t) vectors_number (vector, "understands");
            break;
        default:
            frame->end.error = (uint32_t) vectors_number (vector, "error");
            text_field (vector, "text", frame->end.text);
            if (json_object_object_get (vector, "time"))
                frame->end.time_ms = vectors_number (vector, "time");
            break;
    }
}

static void
fill_place (json_object *vector, frame_t *frame)
{
    if (frame->kind == FRAME_DATA) {
        frame->data.first = vectors_number (vector, "first");
        frame->data.count = (uint32_t) vectors_number (vector, "count");
        return;
    }
    frame->chunk.position = vectors_number (vector, "position");
    frame->chunk.total = vectors_number (vector, "total");
    frame->chunk.offset = vectors_number (vector, "offset");
}

/*  The frame that a valid vector of our version says it is. */
static frame_t
frame_of (const walk_t *self)
{
    frame_t frame;
    memset (&frame, 0, sizeof frame);
    frame.kind = kind_of (self);
    frame.session = id_field (self->vector, "session");
    frame.epoch = (uint32_t) vectors_number (self->vector, "epoch");
    switch (frame.kind) {
        case FRAME_DATA:
        case FRAME_CHUNK:
            fill_place (self->vector, &frame);
            break;
        case FRAME_HELLO:
            fill_hello (self->vector, &frame.hello);
            break;
        case FRAME_WELCOME:
            fill_welcome (self->vector, &frame.welcome);
            break;
        case FRAME_POSITIONS:
            fill_positions (self->vector, &frame.positions);
            break;
        case FRAME_REPORT:
            frame.report.map = map_field (self->vector, &frame.report.size);
            break;
        default:
            fill_small (self->vector, &frame);
            break;
    }
    return frame;
}

static muster_writer_t *
written (const frame_t *frame, const void **bytes, size_t *size)
{
    muster_writer_t *writer = muster_writer_new ();
    cr_assert_not_null (writer);
    frame_write (frame, writer);
    cr_assert_eq (muster_writer_bytes (writer, bytes, size), MUSTER_OK);
    return writer;
}

static void
assert_same_frame (const frame_t *one, const frame_t *other, const char *name)
{
    const void *one_bytes, *other_bytes;
    size_t one_size, other_size;
    muster_writer_t *one_writer = written (one, &one_bytes, &one_size);
    muster_writer_t *other_writer = written (other, &other_bytes, &other_size);
    cr_assert_eq (one_size, other_size, "%s", name);
    cr_assert_arr_eq (one_bytes, other_bytes, one_size, "%s", name);
    muster_writer_destroy (&one_writer);
    muster_writer_destroy (&other_writer);
}

Test (frame, each_vector_is_read_as_it_says)
{
    walk_t walk = { 0 };
    while (next_vector (&walk)) {
        frame_t frame;
        const uint8_t *body;
        size_t body_size;
        uint8_t version;
        muster_refusal_t refusal = frame_read (
            walk.bytes.bytes, walk.bytes.size, &frame, &body, &body_size, &version);
        cr_assert_str_eq (refusal ? muster_refusal_name (refusal) : "OK",
            vectors_text (walk.vector, "verdict"), "%s", name_of (&walk));
        if (refusal)
            continue;
        session_id_t id = id_field (walk.vector, "session");
        cr_assert_eq (version, vectors_number (walk.vector, "version"), "%s", name_of (&walk));
        cr_assert_eq (frame.kind, kind_of (&walk), "%s", name_of (&walk));
        cr_assert_eq (frame.epoch, vectors_number (walk.vector, "epoch"), "%s", name_of (&walk));
        cr_assert_arr_eq (frame.session.bytes, id.bytes, sizeof id.bytes, "%s", name_of (&walk));
        if (version == PROTOCOL_VERSION) {
            frame_t expected = frame_of (&walk);
            assert_same_frame (&frame, &expected, name_of (&walk));
        }
    }
}

Test (frame, the_body_of_a_data_or_chunk_frame_is_what_follows_its_header)
{
    walk_t walk = { 0 };
    size_t bodies = 0;
    while (next_vector (&walk)) {
        if (!is_valid (&walk) || is_control (&walk))
            continue;
        frame_t frame;
        const uint8_t *body;
        size_t body_size;
        uint8_t version;
        frame_read (walk.bytes.bytes, walk.bytes.size, &frame, &body, &body_size, &version);
        vectors_bytes_t expected = vectors_bytes (walk.vector, "body");
        cr_assert_eq (body_size, expected.size, "%s", name_of (&walk));
        if (body_size > 0)
            cr_assert_arr_eq (body, expected.bytes, body_size, "%s", name_of (&walk));
        free (expected.bytes);
        bodies++;
    }
    cr_assert_gt (bodies, 0);
}

Test (frame, each_control_frame_is_written_as_its_vector)
{
    walk_t walk = { 0 };
    bool seen [FRAME_REPORT + 1] = { 0 };
    while (next_vector (&walk)) {
        if (!is_canonical (&walk) || !is_control (&walk))
            continue;
        const void *bytes;
        size_t size;
        frame_t frame = frame_of (&walk);
        muster_writer_t *writer = written (&frame, &bytes, &size);
        cr_assert_eq (size, walk.bytes.size, "%s", name_of (&walk));
        cr_assert_arr_eq (bytes, walk.bytes.bytes, size, "%s", name_of (&walk));
        muster_writer_destroy (&writer);
        seen [frame.kind] = true;
    }
    for (frame_kind_t kind = FRAME_HELLO; kind <= FRAME_REPORT; kind++)
        cr_assert (seen [kind], "no vector of %s", kinds [kind]);
}

Test (frame, the_time_behind_another_version_is_read)
{
    walk_t walk = { 0 };
    size_t timed = 0;
    while (next_vector (&walk)) {
        frame_t frame;
        const uint8_t *body;
        size_t body_size;
        uint8_t version;
        if (!is_valid (&walk) || kind_of (&walk) != FRAME_END)
            continue;
        frame_read (walk.bytes.bytes, walk.bytes.size, &frame, &body, &body_size, &version);
        bool told = json_object_object_get (walk.vector, "time");
        cr_assert_eq (frame.end.time_ms, told ? vectors_number (walk.vector, "time") : 0, "%s", name_of (&walk));
        timed += told;
    }
    cr_assert_gt (timed, 0);
}

Test (frame, a_time_is_written_behind_another_version_alone)
{
    frame_t one = { .kind = FRAME_END, .end = { .error = MUSTER_LEFT, .time_ms = 1 } };
    frame_t other = { .kind = FRAME_END, .end = { .error = MUSTER_LEFT } };
    assert_same_frame (&one, &other, "LEFT");
}

Test (frame, a_question_is_a_hello_of_version_0)
{
    uint8_t bytes [FRAME_HEADER_ROOM] = { 0 };
    frame_t frame;
    const uint8_t *body;
    size_t body_size;
    uint8_t version;
    frame_write_question (7, bytes);
    cr_assert_eq (frame_read (bytes, frame_header_size (FRAME_HELLO), &frame, &body, &body_size, &version),
        MUSTER_REFUSAL_NONE);
    cr_assert_eq (version, PROTOCOL_QUESTION);
    cr_assert_eq (frame.kind, FRAME_HELLO);
    cr_assert_eq (frame.epoch, 7);
}

Test (frame, each_data_and_chunk_header_is_written_as_its_vector)
{
    walk_t walk = { 0 };
    while (next_vector (&walk)) {
        if (!is_canonical (&walk) || is_control (&walk))
            continue;
        uint8_t header [FRAME_HEADER_ROOM];
        frame_t frame = frame_of (&walk);
        size_t size = frame_header_size (frame.kind);
        frame_write_header (&frame, header);
        cr_assert_leq (size, sizeof header);
        cr_assert_arr_eq (header, walk.bytes.bytes, size, "%s", name_of (&walk));
    }
}

/*  The same bytes at the very end of memory of their own. */
static void
assert_no_fault (const uint8_t *bytes, size_t size, const char *name)
{
    uint8_t *exact = malloc (size ? size : 1);
    cr_assert_not_null (exact);
    if (size > 0)
        memcpy (exact, bytes, size);
    const char *fault = frame_fault (exact, size);
    free (exact);
    cr_assert_null (fault, "%s: %s", name, fault);
}

Test (frame, every_truncation_of_a_vector_is_refused_or_a_sane_frame)
{
    walk_t walk = { 0 };
    while (next_vector (&walk))
        for (size_t size = 0; size <= walk.bytes.size; size++)
            assert_no_fault (walk.bytes.bytes, size, name_of (&walk));
}

Test (frame, a_control_frame_that_is_cut_short_is_refused)
{
    walk_t walk = { 0 };
    while (next_vector (&walk)) {
        if (!is_canonical (&walk) || !is_control (&walk))
            continue;
        for (size_t size = 0; size < walk.bytes.size; size++) {
            frame_t frame;
            const uint8_t *body;
            size_t body_size;
            uint8_t version;
            cr_assert_neq (frame_read (walk.bytes.bytes, size, &frame, &body, &body_size, &version),
                MUSTER_REFUSAL_NONE, "%zu bytes of %s", size, name_of (&walk));
        }
    }
}

/*  The scratch memory is exact, so that the sanitizers see one byte too many. */
static void
change_each_byte (const walk_t *walk, size_t index)
{
    uint8_t before = walk->bytes.bytes [index];
    for (int value = 0; value < 256; value++) {
        walk->bytes.bytes [index] = (uint8_t) value;
        const char *fault = frame_fault (walk->bytes.bytes, walk->bytes.size);
        cr_assert_null (fault, "%s, byte %zu as %02x: %s", name_of (walk), index, value, fault);
    }
    walk->bytes.bytes [index] = before;
}

Test (frame, every_change_of_one_byte_is_refused_or_a_sane_frame)
{
    walk_t walk = { 0 };
    while (next_vector (&walk))
        if (is_valid (&walk))
            for (size_t index = 0; index < walk.bytes.size; index++)
                change_each_byte (&walk, index);
}

Test (frame, all_that_begins_with_other_bytes_is_plain)
{
    for (int first = 0; first < 256; first++)
        for (int third = 0; third < 256; third++) {
            const uint8_t bytes [] = { (uint8_t) first, 22, (uint8_t) third, 1 };
            cr_assert_eq (frame_is_session (bytes, sizeof bytes), first == 0xc7 && third == FRAME_EXT);
        }
    cr_assert_not (frame_is_session ((const uint8_t *) "\xc7\x16", 2));
}

/*  The array says how many elements are its own; what follows it is not. */
Test (frame, a_control_frame_whose_array_is_too_short_is_refused_whatever_follows_it)
{
    static const uint8_t bytes [] = {
        0xc7, 22, FRAME_EXT, PROTOCOL_VERSION, FRAME_GOODBYE, 0, 0, 0, 1,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x90, 5, 0xc3 };
    frame_t frame;
    const uint8_t *body;
    size_t body_size;
    uint8_t version;
    cr_assert_eq (frame_read (bytes, sizeof bytes, &frame, &body, &body_size, &version), MUSTER_REFUSAL_CONTROL);
}
