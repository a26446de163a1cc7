/*  fuzz_listener.c - a whole listener with keys, and a liar who has one

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    An input is a program: each byte chooses one thing that the liar, or the listener's
    owner, does, with the numbers that this takes. The listener stays from one execution to
    the next, so an input must leave nothing behind; an honest witness sends a
    message meanwhile, which arrives whatever the liar does.
*/
#include <string.h>

#include "fuzz.h"
#include "input.h"
#include "listener/owner.h"
#include "listener/stage.h"
#include "require.h"
#include "wire/frame.h"

#define STEPS_MOST 24
#define SYNCS_MOST 2
#define BODY_MOST (1 << 16)
#define BYTES_MOST (1 << 18)            /* of an execution: what is wild is kept */
/*  Larger ones on the way back would cut the liar's connection. */
#define CONTROL_MOST 16000
#define RESTART_EACH 4096

/*  What the liar knows of a session of his. */
typedef struct {
    uint32_t epoch;
    uint64_t next;                      /* position of the next message */
    uint8_t pieces [BODY_MOST];         /* a message that goes in pieces */
    size_t size, sent;
} played_t;

typedef struct {
    stage_t stage;
    owner_t owner;
    input_t in;
    played_t played [LEDGER_PLAYED];
    unsigned syncs;
    size_t bytes;
    muster_writer_t *writer;
    uint32_t restarted;                 /* in which execution */
    uint64_t genuine [8];               /* numbers of plain messages in the frame */
    unsigned genuine_count;
} world_t;

static world_t world;

const char *__asan_default_options (void);

/*  Memory that is freed waits to be caught in use, but not for so long that the caches
    cannot hold it; nor is each stack written down whole. */
const char *
__asan_default_options (void)
{
    return "quarantine_size_mb=8:malloc_context_size=8:allocator_may_return_null=1";
}

/*  --------------------------------------------------------------------------
    Sending, with a twist */

typedef enum {
    TWIST_NONE, TWIST_CHANNEL = 10, TWIST_FLIP, TWIST_CUT, TWIST_MORE, TWIST_PARTS, TWIST_TWICE
} twist_t;

typedef struct {
    channel_t channel;
    unsigned session;                   /* LEDGER_SESSIONS: none of the liar's */
    twist_t twist;
    size_t size;
    uint8_t bytes [FRAME_HEADER_ROOM + 2 * BODY_MOST];
} parcel_t;

static parcel_t parcel;

static void
put (world_t *self, bool more)
{
    self->bytes += parcel.size;
    stage_send (&self->stage, parcel.channel, parcel.bytes, parcel.size, more);
}

static void
flip (world_t *self)
{
    size_t at = input_byte (&self->in);
    if (parcel.size > 0)
        parcel.bytes [at % parcel.size] ^= (uint8_t) (1 + input_below (&self->in, 255));
}

static void
twist_bytes (world_t *self)
{
    const uint8_t *bytes;
    size_t size;
    switch (parcel.twist) {
        case TWIST_FLIP:
            flip (self);
            break;
        case TWIST_CUT:
            size = input_byte (&self->in);
            parcel.size = size < parcel.size ? size : parcel.size;
            break;
        case TWIST_MORE:
            size = input_take (&self->in, input_byte (&self->in), &bytes);
            memcpy (parcel.bytes + parcel.size, bytes, size);
            parcel.size += size;
            break;
        default:
            return;
    }
    ledger_go_wild (&self->stage.ledger, parcel.session, parcel.bytes, parcel.size);
    self->stage.ledger.wild_id = true;
}

/*  A plain message that goes whole, alone and on its channel is to be handled. */
static void
expect_genuine (world_t *self, unsigned times)
{
    for (unsigned i = 0; i < times * self->genuine_count; i++)
        ledger_expect (&self->stage.ledger, self->genuine [i % self->genuine_count]);
    self->genuine_count = 0;
}

static void
deliver (world_t *self)
{
    if (self->bytes + parcel.size > BYTES_MOST) {
        self->genuine_count = 0;
        return;
    }
    twist_bytes (self);
    if (parcel.twist == TWIST_CHANNEL)
        parcel.channel = parcel.channel == CHANNEL_PUSH ? CHANNEL_DEALER : CHANNEL_PUSH;
    if (parcel.channel == CHANNEL_DEALER && parcel.size > CONTROL_MOST)
        parcel.size = CONTROL_MOST;
    if (parcel.twist == TWIST_PARTS)
        for (unsigned parts = 1 + input_below (&self->in, 3); parts > 0; parts--)
            put (self, true);
    if (parcel.twist == TWIST_TWICE)
        put (self, false);
    put (self, false);
    if (parcel.twist < TWIST_CHANNEL || parcel.twist == TWIST_TWICE)
        expect_genuine (self, parcel.twist == TWIST_TWICE ? 2 : 1);
    self->genuine_count = 0;
}

static void
begin_parcel (channel_t channel, unsigned session, const void *bytes, size_t size)
{
    parcel.channel = channel;
    parcel.session = session;
    parcel.size = size < sizeof parcel.bytes / 2 ? size : sizeof parcel.bytes / 2;
    memcpy (parcel.bytes, bytes, parcel.size);
}

/*  What the writer has, after the header of a data or chunk frame. */
static void
deliver_body (world_t *self, const frame_t *frame, unsigned session, const void *body, size_t size)
{
    begin_parcel (CHANNEL_PUSH, session, "", 0);
    frame_write_header (frame, parcel.bytes);
    parcel.size = frame_header_size (frame->kind);
    memcpy (parcel.bytes + parcel.size, body, size);
    parcel.size += size;
    deliver (self);
}

static void
deliver_control (world_t *self, const frame_t *frame, unsigned session)
{
    const void *bytes;
    size_t size;
    muster_writer_clear (self->writer);
    frame_write (frame, self->writer);
    require (muster_writer_bytes (self->writer, &bytes, &size) == 0, "no memory for a frame");
    begin_parcel (CHANNEL_DEALER, session, bytes, size);
    deliver (self);
}

/*  --------------------------------------------------------------------------
    Frames */

/*  As a rule the right one, or an input would seldom get as far as a second frame. */
static uint64_t
some_number (world_t *self, uint64_t right)
{
    return input_byte (&self->in) % 8 ? right : input_number (&self->in, right);
}

/*  One of the liar's sessions, or (the index is LEDGER_SESSIONS) the witness's. */
static unsigned
some_session (world_t *self)
{
    unsigned choice = input_below (&self->in, 3 * LEDGER_PLAYED + 1);
    return choice < 3 * LEDGER_PLAYED ? choice % LEDGER_PLAYED : LEDGER_SESSIONS;
}

static played_t *
played_of (world_t *self, unsigned session)
{
    return &self->played [session % LEDGER_PLAYED];
}

static frame_t
some_frame (world_t *self, unsigned session, frame_kind_t kind, uint32_t near)
{
    frame_t frame = { .kind = kind };
    frame.session = self->stage.ledger.sessions [session < LEDGER_SESSIONS ? session : LEDGER_WITNESS].id;
    frame.epoch = (uint32_t) some_number (self, near);
    return frame;
}

static void
choose_source (world_t *self, char *source)
{
    unsigned choice = input_below (&self->in, 16);
    if (choice == 15)
        strcpy (source, muster_listener_source (self->stage.listener));
    else
    if (choice == 14)
        strcpy (source, ledger_sources [SOURCE_WITNESS]);
    else
    if (choice == 13)
        strcpy (source, "nobody");
    else
        strcpy (source, ledger_sources [choice & 1]);
}

static void
note_source (world_t *self, unsigned session, const char *source)
{
    for (unsigned i = 0; i < SOURCE_SYNC && session < LEDGER_SESSIONS; i++)
        if (strcmp (source, ledger_sources [i]) == 0)
            self->stage.ledger.sessions [session].sources |= 1u << i;
}

/*  What the owner holds may take the whole share of plain producers, and nothing more is read. */
static void
sync_some (world_t *self, channel_t channel)
{
    if (self->syncs == SYNCS_MOST)
        return;
    self->syncs++;
    if (channel == CHANNEL_PUSH)
        owner_release (&self->owner);
    stage_sync (&self->stage, channel);
}

static void
say_hello (world_t *self)
{
    unsigned session = some_session (self);
    played_t *played = played_of (self, session);
    frame_t frame = some_frame (self, session, FRAME_HELLO, played->epoch + 1);
    frame_hello_t *hello = &frame.hello;
    uint8_t choice = input_byte (&self->in);
    choose_source (self, hello->source);
    hello->fresh = !(choice & 1);
    hello->stream = 7;
    if (choice & 2)
        hello->listener = self->stage.listener_id;
    if (choice & 4) {
        hello->handled.messages = some_number (self, 0);
        hello->handled.bytes = some_number (self, 0);
        hello->received_commands = some_number (self, 0);
        hello->handled_commands = some_number (self, 0);
    }
    played->epoch = frame.epoch;
    if (hello->fresh)
        played->next = hello->handled.messages + 1;
    note_source (self, session, hello->source);
    deliver_control (self, &frame, session);
    if (choice & 8)
        sync_some (self, CHANNEL_DEALER);
}

/*  Mostly small; some that a floor, a share or a limit does not hold. */
static size_t
some_pad (world_t *self)
{
    uint8_t choice = input_byte (&self->in);
    return choice < 0xe0 ? choice / 8 : choice < 0xf8 ? (size_t) (choice - 0xdf) * 512 : (size_t) (choice - 0xef) * 4080;
}

/*  A message of a session: genuine, if it goes where it says. */
static void
write_message (world_t *self, unsigned session, uint64_t position)
{
    uint8_t choice = input_byte (&self->in);
    bool reply = (choice & 7) == 7;
    muster_writer_seq (self->writer, reply ? 5 : (choice & 7) == 6 ? 3 : 2);
    muster_writer_str (self->writer, "DO", 2);
    ledger_write (&self->stage.ledger, self->writer, session < LEDGER_SESSIONS ? session : LEDGER_WITNESS,
        position, some_pad (self));
    if (reply || (choice & 7) == 6)
        muster_writer_uint (self->writer, choice >> 3 & 3);
    if (reply) {
        muster_writer_uint (self->writer,
            choice & 0x20 || session == LEDGER_SESSIONS ? 7 : self->stage.ledger.sessions [session].stream);
        muster_writer_uint (self->writer, some_number (self, 1));
    }
}

static bool
take_writer (const world_t *self, const uint8_t **bytes, size_t *size)
{
    const void *written;
    require (muster_writer_bytes (self->writer, &written, size) == 0, "no memory for a message");
    *bytes = written;
    return *size <= 2 * BODY_MOST - 1024;
}

static void
send_data (world_t *self)
{
    unsigned session = some_session (self);
    played_t *played = played_of (self, session);
    frame_t frame = some_frame (self, session, FRAME_DATA, played->epoch);
    const uint8_t *bytes;
    size_t size;
    unsigned count = input_below (&self->in, 4);
    frame.data.first = some_number (self, played->next);
    frame.data.count = (uint32_t) some_number (self, count);
    muster_writer_clear (self->writer);
    for (unsigned i = 0; i < count; i++)
        write_message (self, session, frame.data.first + i);
    if (!take_writer (self, &bytes, &size))
        return;
    played->next = frame.data.first + frame.data.count;
    deliver_body (self, &frame, session, bytes, size);
}

static void
begin_pieces (world_t *self, unsigned session, played_t *played)
{
    const uint8_t *bytes;
    muster_writer_clear (self->writer);
    write_message (self, session, played->next);
    if (!take_writer (self, &bytes, &played->size) || played->size > sizeof played->pieces)
        played->size = 1;
    memcpy (played->pieces, bytes, played->size);
    played->sent = 0;
}

/*  A piece, of some size, from where the last one ended. */
static void
send_chunk (world_t *self)
{
    unsigned session = some_session (self);
    played_t *played = played_of (self, session);
    frame_t frame = some_frame (self, session, FRAME_CHUNK, played->epoch);
    if (played->sent == played->size)
        begin_pieces (self, session, played);
    size_t left = played->size - played->sent, size = input_byte (&self->in) * (size_t) 16;
    if (size == 0 || size > left)
        size = left;
    frame.chunk.position = some_number (self, played->next);
    frame.chunk.total = some_number (self, played->size);
    frame.chunk.offset = some_number (self, played->sent);
    if (session < LEDGER_SESSIONS)
        self->stage.ledger.sessions [session].wild = self->stage.ledger.sessions [session].wild_pieces = true;
    deliver_body (self, &frame, session, played->pieces + played->sent, size);
    played->sent += size;
    if (played->sent == played->size)
        played->next++;
}

static void
fill_control (world_t *self, frame_t *frame, const played_t *played)
{
    switch (frame->kind) {
        case FRAME_POSITIONS:
            frame->positions.received = some_number (self, 0);
            frame->positions.handled = some_number (self, 0);
            frame->positions.refused = some_number (self, 0);
            frame->positions.credit = some_number (self, BODY_MOST);
            frame->positions.flags = input_byte (&self->in);
            frame->positions.stamped = frame->positions.flags & 0x80;
            if (frame->positions.stamped) {
                frame->positions.stamp = some_number (self, 1);
                frame->positions.span_us = some_number (self, 1);
            }
            break;
        case FRAME_OBSERVE:
            frame->observe.version = (uint32_t) some_number (self, 1);
            break;
        case FRAME_WANT:
            frame->want.use = some_number (self, 0);
            frame->want.need = some_number (self, STAGE_FLOOR);
            frame->want.want = some_number (self, frame->want.need);
            frame->want.handled = some_number (self, played->next - 1);
            break;
        case FRAME_GOODBYE:
            frame->goodbye.last = some_number (self, played->next - 1);
            frame->goodbye.keep = input_byte (&self->in) & 1;
            break;
        case FRAME_WELCOME:
            frame->welcome.credit = some_number (self, 0);
            break;
        default:
            frame->end.error = input_below (&self->in, END_ERRORS + 1);
            break;
    }
}

static void
send_control (world_t *self)
{
    static const frame_kind_t kinds [] = {
        FRAME_POSITIONS, FRAME_POSITIONS, FRAME_WANT, FRAME_WANT, FRAME_GOODBYE, FRAME_OBSERVE, FRAME_WELCOME, FRAME_END };
    unsigned session = some_session (self);
    frame_kind_t kind = kinds [input_below (&self->in, 8)];
    frame_t frame = some_frame (self, session, kind, played_of (self, session)->epoch);
    fill_control (self, &frame, played_of (self, session));
    deliver_control (self, &frame, session);
}

/*  --------------------------------------------------------------------------
    Without a session */

static bool
is_the_liars (const char *source, unsigned *index)
{
    for (*index = 0; *index < SOURCE_SYNC; ++*index)
        if (strcmp (source, ledger_sources [*index]) == 0)
            return true;
    return false;
}

/*  A frame with a message in another's name is refused whole. */
static void
send_plain (world_t *self)
{
    const uint8_t *bytes;
    size_t size;
    bool all = true;
    char source [MUSTER_NAME_MAX + 1];
    self->genuine_count = 0;
    muster_writer_clear (self->writer);
    for (unsigned count = 1 + input_below (&self->in, 3); count > 0; count--) {
        unsigned index;
        choose_source (self, source);
        all = is_the_liars (source, &index) && all;
        muster_writer_seq (self->writer, 3);
        muster_writer_str (self->writer, source, strlen (source));
        muster_writer_str (self->writer, "DO", 2);
        self->genuine [self->genuine_count++] = ledger_write_plain (
            &self->stage.ledger, self->writer, index, some_pad (self));
    }
    if (!take_writer (self, &bytes, &size))
        size = STAGE_LIMIT + 1;
    if (!all || size > STAGE_LIMIT)
        self->genuine_count = 0;
    begin_parcel (CHANNEL_PUSH, LEDGER_SESSIONS, bytes, size);
    deliver (self);
}

static void
send_raw (world_t *self)
{
    const uint8_t *bytes;
    uint8_t choice = input_byte (&self->in);
    size_t size = input_take (&self->in, choice / 2, &bytes);
    begin_parcel (choice & 1 ? CHANNEL_PUSH : CHANNEL_DEALER, LEDGER_SESSIONS, bytes, size);
    ledger_go_wild (&self->stage.ledger, LEDGER_SESSIONS, bytes, size);
    self->stage.ledger.wild_id = true;
    deliver (self);
}

/*  A message of a session with a body that the input makes up. */
static void
send_wild_data (world_t *self)
{
    unsigned session = some_session (self);
    played_t *played = played_of (self, session);
    frame_t frame = some_frame (self, session, FRAME_DATA, played->epoch);
    const uint8_t *bytes;
    frame.data.first = some_number (self, played->next);
    frame.data.count = (uint32_t) some_number (self, 1);
    size_t size = input_take (&self->in, input_byte (&self->in), &bytes);
    ledger_go_wild (&self->stage.ledger, session, bytes, size);
    played->next = frame.data.first + frame.data.count;
    deliver_body (self, &frame, session, bytes, size);
}

/*  --------------------------------------------------------------------------
    The listener's owner */

static void
restart (world_t *self)
{
    if (self->stage.execution - self->restarted < RESTART_EACH)
        return;
    self->restarted = self->stage.execution;
    owner_restart (&self->owner);
}

static void
send_command (world_t *self)
{
    uint8_t choice = input_byte (&self->in);
    owner_send (&self->owner, (choice & 3) == 3 ? SOURCES : choice & 1, (choice >> 2) * (size_t) 64);
}

static void
act_as_owner (world_t *self)
{
    static void (*const acts []) (owner_t *) = {
        owner_hold, owner_hold, owner_reply, owner_reply, owner_ask, owner_ask, owner_take_reply, owner_revoke };
    unsigned choice = input_below (&self->in, 16);
    if (choice < 8)
        (*acts [choice]) (&self->owner);
    else
    if (choice < 12)
        send_command (self);
    else
    if (choice < 15)
        sync_some (self, choice & 1 ? CHANNEL_PUSH : CHANNEL_DEALER);
    else
        restart (self);
}

/*  --------------------------------------------------------------------------
    The program */

typedef void (op_fn) (world_t *self);

static void
do_one (world_t *self)
{
    static op_fn *const ops [16] = {
        say_hello, say_hello, say_hello, send_data, send_data, send_data, send_chunk, send_chunk,
        send_control, send_control, send_control, send_plain, send_plain, send_raw, send_wild_data, act_as_owner };
    uint8_t choice = input_byte (&self->in);
    parcel.twist = choice >> 4;
    (*ops [choice & 15]) (self);
}

static void
close_stage (void)
{
    owner_close (&world.owner);
    stage_close (&world.stage);
    muster_writer_destroy (&world.writer);
}

static void
open_once (void)
{
    static bool open;
    if (open)
        return;
    open = true;
    world.writer = muster_writer_new ();
    world.restarted = (uint32_t) -RESTART_EACH;
    stage_open (&world.stage);
    owner_open (&world.owner, &world.stage);
    atexit (close_stage);
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
    open_once ();
    for (played_t *played = world.played; played < world.played + LEDGER_PLAYED; played++) {
        played->epoch = 0;
        played->next = 1;
        played->size = played->sent = 0;
    }
    world.in = (input_t) { bytes, bytes + size };
    world.syncs = 0;
    world.bytes = 0;
    stage_begin (&world.stage);
    for (int steps = 0; steps < STEPS_MOST && !input_is_over (&world.in); steps++)
        do_one (&world);
    owner_yield (&world.owner);
    stage_settle (&world.stage);
    owner_end_round (&world.owner);
    stage_end (&world.stage);
    return 0;
}
