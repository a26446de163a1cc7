/*  fuzz_session.c - sessions whose peers keep no rules

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    An input is a program: its first byte chooses the side and the budget, each after
    that one thing that happens, with the numbers that this takes. A listener has
    several sessions, which share a budget.
*/
#include <string.h>

#include "base/alloc.h"
#include "fuzz.h"
#include "input.h"
#include "model/hello.h"
#include "model/session.h"
#include "require.h"
#include "session_check.h"
#include "wire/frame.h"

#define SESSIONS 3
#define BATCHES 16
#define BODY_MOST 4096
#define LIVENESS 1000
#define STEPS_MOST 200
/*  Control frames that a session can have to send at one time. */
#define CONTROLS_MOST 12

typedef struct {
    uint64_t count, size;
    bool refused;
    bool before;            /* of a listener before this one */
} batch_t;

typedef struct {
    session_t session;
    session_mark_t mark;
    bool used;
    batch_t batches [BATCHES];      /* received and not handled */
    unsigned first, end;
} side_t;

typedef struct {
    input_t in;
    int64_t now;
    bool worker;
    session_limits_t limits;
    credit_t credit;
    side_t sides [SESSIONS];
} world_t;

typedef struct {
    uint64_t budget, floor, message_limit;
} plan_t;

static const plan_t plans [] = {
    { 65536, 1000, 5000 },
    { 4000, 100, 2000 },
    { 3000, 1000, 1000 },                   /* two floors and a message */
    { INT64_MAX, INT64_MAX / 4, 3000 } };   /* sums near their limits */

static const session_id_t listener_ids [] = { { { 0 } }, { { 1 } }, { { 2 } }, { { 3 } } };

/*  What a frame comes in, and what follows its header. */
static uint8_t wire [FRAME_HEADER_ROOM + BODY_MOST];

/*  --------------------------------------------------------------------------
    What holds at any moment */

static void
check (world_t *self)
{
    const session_t *sessions [SESSIONS];
    size_t count = 0;
    for (side_t *side = self->sides; side < self->sides + SESSIONS; side++)
        if (side->used) {
            require_no_fault (session_fault (&side->session));
            require_no_fault (session_moved_back (&side->mark, &side->session, false));
            sessions [count++] = &side->session;
        }
    require_no_fault (credit_fault (&self->credit, sessions, count));
}

/*  --------------------------------------------------------------------------
    Beginning and ending */

static void
clear (side_t *side)
{
    session_clear (&side->session);
    side->used = false;
}

static void
begin (side_t *side)
{
    memset (&side->mark, 0, sizeof side->mark);
    side->mark.listener = side->session.listener;
    side->mark.received = side->mark.handled = side->session.in.handled;
    side->session.out.chunk = 1024;
    side->first = side->end = 0;
    side->used = true;
}

static void
begin_worker (world_t *self)
{
    side_t *side = self->sides;
    session_init_worker (&side->session, &(session_id_t) { { 'w' } }, "worker", 7, &self->limits, &self->credit, self->now);
    begin (side);
}

static frame_t
some_frame (world_t *self, const side_t *side, frame_kind_t kind)
{
    frame_t frame = { .kind = kind, .session = { { (uint8_t) (side - self->sides) } } };
    if (self->worker)
        frame.session = side->session.id;
    frame.epoch = (uint32_t) input_number (&self->in, side->used ? side->session.epoch : 0);
    return frame;
}

static void
make_listener (world_t *self, side_t *side, const frame_t *hello)
{
    session_init_listener (&side->session, hello, &listener_ids [1], "listener", 9, &self->limits, &self->credit);
    begin (side);
}

/*  As the listener's presence.c has it. */
static void
take_hello (world_t *self, side_t *side)
{
    const session_t *session = &side->session;
    frame_t frame = some_frame (self, side, FRAME_HELLO);
    frame_hello_t *hello = &frame.hello;
    uint8_t choice = input_byte (&self->in);
    frame.epoch++;
    hello->source [0] = choice & 1 ? 'b' : 'a';
    hello->fresh = choice & 2;
    hello->listener = listener_ids [choice >> 2 & 3];
    hello->handled.messages = input_number (&self->in, side->used ? session->in.handled.messages : 0);
    hello->handled.bytes = input_number (&self->in, side->used ? session->in.handled.bytes : 0);
    hello->received_commands = input_number (&self->in, side->used ? session->out.box.sent.messages : 0);
    hello->handled_commands = input_number (&self->in, side->used ? session->out.box.handled.messages : 0);
    if (hello->handled_commands > hello->received_commands
        || hello->handled.messages >= INT64_MAX || hello->handled.bytes >= INT64_MAX)
        return;
    muster_error_t error;
    hello_verdict_t verdict = hello_judge (&frame, side->used ? session : NULL, 0, NULL, false, &error);
    if (verdict == HELLO_REFUSE || verdict == HELLO_STALE)
        return;
    if (side->used && verdict == HELLO_BEGIN_ANEW)
        clear (side);
    if (!side->used)
        make_listener (self, side, &frame);
    error = session_greet (&side->session, &frame, self->now);
    require (!error || error == MUSTER_FULL || error == MUSTER_REJECTED, "an error that greet has not");
    if (error && verdict != HELLO_RESUME)
        clear (side);
}

/*  --------------------------------------------------------------------------
    What comes in */

static void
keep_batch (world_t *self, side_t *side, uint64_t count, uint64_t size, bool refused)
{
    session_received (&side->session, count, size, self->now);
    side->batches [side->end++ % BATCHES] = (batch_t) { .count = count, .size = size, .refused = refused };
}

/*  A worker gives a connection up where a listener gives the peer up. */
static void
note_arrival (side_t *side, arrival_t arrival)
{
    if (arrival != ARRIVAL_CREDIT && arrival != ARRIVAL_MEMORY)
        return;
    if (side->session.role == SESSION_WORKER)
        side->session.down_due = true;
    else
    if (arrival == ARRIVAL_CREDIT)
        session_end (&side->session, MUSTER_REJECTED, "beyond its credit");
}

static bool
read_frame (const frame_t *frame, size_t size, frame_t *read, const uint8_t **body)
{
    uint8_t version;
    size_t body_size;
    frame_write_header (frame, wire);
    return frame_read (wire, frame_header_size (frame->kind) + size, read, body, &body_size, &version) == 0;
}

static void
take_data (world_t *self, side_t *side)
{
    const uint8_t *body;
    frame_t read, frame = some_frame (self, side, FRAME_DATA);
    uint32_t skip = UINT32_MAX;
    frame.data.first = input_number (&self->in, side->session.in.received.messages + 1);
    frame.data.count = (uint32_t) input_number (&self->in, 1);
    uint64_t size = input_number (&self->in, 20) & 0xfffff;
    bool refused = input_byte (&self->in) & 1;
    if (side->end - side->first == BATCHES || !read_frame (&frame, 0, &read, &body))
        return;
    arrival_t arrival = session_data (&side->session, &read, size, &skip, self->now);
    require (arrival != ARRIVAL_PART && arrival != ARRIVAL_WITHDRAWN, "an arrival that data has not");
    note_arrival (side, arrival);
    if (arrival != ARRIVAL_TAKE)
        return;
    require (skip < frame.data.count, "all is skipped that is taken");
    require (frame.data.first + skip == side->session.in.received.messages + 1, "the wrong message is next");
    keep_batch (self, side, frame.data.count - skip, refused || !skip ? size : size / 2, refused);
}

static void
take_chunk (world_t *self, side_t *side)
{
    const uint8_t *body;
    session_in_t *in = &side->session.in;
    frame_t read, frame = some_frame (self, side, FRAME_CHUNK);
    frame.chunk.position = input_number (&self->in, in->received.messages + 1);
    frame.chunk.total = input_number (&self->in, in->partial_size);
    frame.chunk.offset = input_number (&self->in, in->partial_filled);
    size_t size = input_number (&self->in, in->partial_size - in->partial_filled);
    size_t aligned = input_byte (&self->in);
    if (size > BODY_MOST || side->end - side->first == BATCHES || !read_frame (&frame, size, &read, &body))
        return;
    alloc_fail_from (aligned == 0xff);
    arrival_t arrival = session_chunk (&side->session, &read, body, size, aligned, self->now);
    alloc_fail_from (0);
    note_arrival (side, arrival);
    require ((arrival == ARRIVAL_WITHDRAWN) <= (frame.chunk.total == 0), "withdrawn that has bytes");
    require (arrival != ARRIVAL_PART || in->partial, "a part that is kept nowhere");
    if (arrival == ARRIVAL_WITHDRAWN)
        keep_batch (self, side, 1, 0, true);
    if (arrival != ARRIVAL_TAKE)
        return;
    uint64_t total;
    uint8_t *message = session_take_partial (&side->session, &total);
    require (message && total == frame.chunk.total && memcmp (message + frame.chunk.offset, body, size) == 0,
        "another message than its pieces");
    keep_batch (self, side, 1, total, false);
    alloc_block_free (message);
}

/*  What a listener before this one has sent counts for nobody. */
static void
note_another (side_t *side)
{
    if (!side->session.met_another)
        return;
    side->session.met_another = false;
    for (unsigned i = side->first; i != side->end; i++)
        side->batches [i % BATCHES].before = true;
}

static void
take_positions (world_t *self, const side_t *side, frame_t *frame)
{
    const session_out_t *out = &side->session.out;
    frame->positions.received = input_number (&self->in, out->box.sent.messages);
    frame->positions.handled = input_number (&self->in, out->box.handled.messages);
    frame->positions.refused = input_number (&self->in, 0);
    frame->positions.credit = input_number (&self->in, out->box.accepted.bytes);
    frame->positions.flags = input_byte (&self->in);
    frame->positions.stamped = frame->positions.flags & 0x80;
    if (!frame->positions.stamped)
        return;
    frame->positions.stamp = input_number (&self->in, side->session.stamp);
    frame->positions.span_us = input_number (&self->in, 1000);
}

static uint64_t
microseconds (const world_t *self)
{
    return (uint64_t) self->now * 1000;
}

static void
take_want (world_t *self, const side_t *side, frame_t *frame)
{
    const session_in_t *in = &side->session.in;
    frame->want.use = input_number (&self->in, in->received.bytes);
    frame->want.need = input_number (&self->in, in->account.limit + 1);
    frame->want.want = input_number (&self->in, frame->want.need);
    frame->want.handled = input_number (&self->in, in->received.messages);
}

static void
take_welcome (world_t *self, const side_t *side, frame_t *frame)
{
    const outbox_t *box = &side->session.out.box;
    frame->welcome.listener = listener_ids [1 + input_below (&self->in, 3)];
    frame->welcome.received.messages = input_number (&self->in, box->sent.messages);
    frame->welcome.handled.messages = input_number (&self->in, box->handled.messages);
    frame->welcome.credit = input_number (&self->in, box->accepted.bytes);
    frame->welcome.message_limit = input_number (&self->in, 1000);
    frame->welcome.liveness_ms = (uint32_t) input_number (&self->in, LIVENESS);
    strcpy (frame->welcome.source, "listener");
}

/*  Is it one that could have been read? */
static bool
can_be (const frame_t *frame)
{
    switch (frame->kind) {
        case FRAME_WELCOME:
            return frame->welcome.handled.messages <= frame->welcome.received.messages
                && frame->welcome.message_limit > 0;
        case FRAME_POSITIONS:
            return frame->positions.refused <= frame->positions.handled
                && frame->positions.handled <= frame->positions.received;
        case FRAME_WANT:
            return frame->want.need <= frame->want.want;
        default:
            return true;
    }
}

/*  OBSERVE and REPORT are no session's, whichever they name. */
static void
take_foreign (const world_t *self, side_t *side, const frame_t *frame)
{
    session_t *session = &side->session;
    bool heeded = frame->epoch == session->epoch && session->state != SESSION_ENDED && session->state != SESSION_ABSENT;
    session_state_t state = session->state;
    require (session_control (session, frame, self->now) == !heeded, "a session takes what is an observer's");
    require (session->state == state, "what is an observer's changes a session");
}

static void
take_control (world_t *self, side_t *side, frame_kind_t kind)
{
    frame_t frame = some_frame (self, side, kind);
    switch (kind) {
        case FRAME_WELCOME:
            take_welcome (self, side, &frame);
            break;
        case FRAME_POSITIONS:
            take_positions (self, side, &frame);
            break;
        case FRAME_WANT:
            take_want (self, side, &frame);
            break;
        case FRAME_GOODBYE:
            frame.goodbye.last = input_number (&self->in, side->session.in.received.messages);
            frame.goodbye.keep = input_byte (&self->in) & 1;
            break;
        case FRAME_END:
            frame.end.error = input_below (&self->in, END_ERRORS);
            break;
        default:
            take_foreign (self, side, &frame);
            return;
    }
    if (can_be (&frame) && session_control (&side->session, &frame, self->now) && frame_is_stamped (&frame))
        session_take_stamp (&side->session, &frame, microseconds (self));
    note_another (side);
}

/*  --------------------------------------------------------------------------
    What is handled */

static void
handle (world_t *self, side_t *side)
{
    if (side->first == side->end)
        return;
    batch_t *batch = &side->batches [side->first % BATCHES];
    bool whole = batch->refused || batch->count == 1 || !(input_byte (&self->in) & 1);
    batch_t part = *batch;
    if (!whole) {
        part.count /= 2;
        part.size /= 2;
    }
    if (part.before)
        session_handled_before (&side->session, part.size);
    else
        session_handled (&side->session, part.count, part.size, part.refused, self->now);
    batch->count -= part.count;
    batch->size -= part.size;
    side->first += whole;
}

static void
grant (world_t *self)
{
    credit_account_t *account;
    int grants = 0;
    while ((account = credit_grant (&self->credit))) {
        require (++grants <= 2 * SESSIONS, "grants without end");
        for (side_t *side = self->sides; side < self->sides + SESSIONS; side++)
            if (side->used && account == &side->session.in.account)
                session_report (&side->session, self->now);
    }
}

/*  --------------------------------------------------------------------------
    What goes out */

/*  As a command to several is: one memory for all of them. */
static muster_error_t
accept_shared (outbox_t *box, size_t size)
{
    blob_t *blob = blob_new (FRAME_HEADER_ROOM + size);
    blob_part_t part = { .blob = blob, .size = size };
    if (!blob)
        return MUSTER_NOMEM;
    part.bytes = memset (blob->bytes + FRAME_HEADER_ROOM, 0, size);
    muster_error_t error = outbox_append_part (box, &part, true);
    blob_release (&blob);
    return error;
}

static void
accept (world_t *self, side_t *side)
{
    static const uint8_t bytes [256 * 16];
    outbox_t *box = &side->session.out.box;
    uint8_t choice = input_byte (&self->in);
    size_t size = choice * (size_t) 16;
    position_t before = box->accepted;
    if (outbox_charge (box) > 65536)
        return;
    alloc_fail_from (choice % 32 == 31 ? 1 + choice / 32 : 0);
    muster_error_t error = choice & 1 ? outbox_append (box, bytes, size) : accept_shared (box, size);
    alloc_fail_from (0);
    require (error == MUSTER_OK || error == MUSTER_NOMEM, "an error that append has not");
    require (box->accepted.messages - before.messages == !error
        && box->accepted.bytes - before.bytes == (error ? 0 : size), "accepted in part");
    if (choice & 2)
        session_await (&side->session);
}

static void
send_controls (world_t *self, side_t *side)
{
    frame_t frame;
    int sent = 0;
    while (session_next_control (&side->session, self->now, &frame)) {
        require (++sent <= CONTROLS_MOST, "control frames without end");
        require_no_fault (session_frame_fault (&side->mark, &side->session, &frame));
        if (frame_is_stamped (&frame))
            session_stamp (&side->session, &frame, microseconds (self));
        if (input_byte (&self->in) == 0xff) {
            session_unsent (&side->session, &frame, self->now);
            break;
        }
    }
    if (side->session.state == SESSION_ENDED && side->session.role == SESSION_LISTENER)
        clear (side);
}

static void
send_piece (world_t *self, side_t *side)
{
    frame_t frame;
    outbox_piece_t piece;
    session_out_t *out = &side->session.out;
    uint64_t before = out->box.sent.bytes;
    bool filling_too = !(input_byte (&self->in) & 1);
    if (!session_next_piece (&side->session, filling_too, &piece, &frame))
        return;
    uint64_t end = piece.kind == FRAME_DATA ? before + piece.size : before + piece.chunk.total;
    require (end <= out->credit, "more is sent than there is credit for");
    require (piece.kind == FRAME_CHUNK || frame.data.first + frame.data.count - 1 == out->box.sent.messages,
        "other messages are sent than it says");
    if (piece.in_place)
        frame_write_header (&frame, (uint8_t *) piece.body - frame_header_size (frame.kind));
    if (input_byte (&self->in) == 0xff)
        outbox_untake (&out->box, &piece);
    blob_release (&piece.blob);
}

/*  --------------------------------------------------------------------------
    The connection, and the end */

static void
step (world_t *self, side_t *side)
{
    session_t *session = &side->session;
    if (session->role == SESSION_LISTENER) {
        session_leave (session);
        return;
    }
    int steps = 0;
    while (session_step (session, self->now) != SESSION_WAIT)
        require (++steps <= 4, "steps without end");
    if (input_byte (&self->in) & 1)
        session_disconnected (session, self->now);
    else
        session_connected (session, self->now);
}

static void
part (world_t *self, side_t *side)
{
    session_t *session = &side->session;
    uint8_t choice = input_byte (&self->in);
    if (session->role == SESSION_WORKER) {
        if (!session->leaving)
            session_goodbye (session);
    }
    else
    if (choice & 1)
        session_pause (session);
    else
        session_end (session, choice & 2 ? MUSTER_CLOSED : MUSTER_LEFT, "");
    bool complete = session_is_complete (session), parted = session_has_parted (session);
    require (session->leaving || session->goodbyes > 0 || (!complete && !parted), "gone without a goodbye");
}

static void
pass_time (world_t *self, side_t *side)
{
    uint8_t choice = input_byte (&self->in);
    self->now += choice < 0x80 ? choice : (int64_t) (choice - 0x7f) * 100;
    if (choice & 1)
        session_check_partial (&side->session, self->now);
    if (choice & 2)
        credit_hold (&self->credit, choice & 4, self->now);
    if (choice & 8)
        session_ask_again (&side->session);
    if (choice & 16)
        session_miss (&side->session, self->now);
    require (!session_is_excused (&side->session) || side->session.state == SESSION_OPEN, "excused while it is away");
    require (session_deadline (&side->session) != 0, "a deadline before all time");
}

typedef void (op_fn) (world_t *self, side_t *side);

static void
do_one (world_t *self)
{
    static op_fn *const ops [] = { take_data, take_chunk, handle, accept, send_controls, send_piece, step, part, pass_time };
    static const frame_kind_t controls [] = { FRAME_WELCOME, FRAME_POSITIONS, FRAME_WANT, FRAME_GOODBYE, FRAME_END };
    static const frame_kind_t foreign [] = { FRAME_OBSERVE, FRAME_REPORT };
    uint8_t choice = input_byte (&self->in);
    side_t *side = &self->sides [self->worker ? 0 : (choice >> 6) % SESSIONS];
    unsigned op = choice & 0x0f;
    if (op == 15 && !self->worker)
        take_hello (self, side);
    else
    if (op < 14 && side->used) {
        if (op < 9)
            (*ops [op]) (self, side);
        else
            take_control (self, side, choice & 0x20 && op == 13 ? foreign [choice >> 4 & 1] : controls [op - 9]);
    }
    if (op == 14)
        grant (self);
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
    static world_t world;
    memset (&world, 0, sizeof world);
    world.in = (input_t) { bytes, bytes + size };
    world.now = 1000;
    uint8_t choice = input_byte (&world.in);
    const plan_t *plan = &plans [choice >> 1 & 3];
    world.worker = choice & 1;
    world.limits = (session_limits_t) {
        .liveness = LIVENESS, .no_progress = 2 * LIVENESS, .message_limit = plan->message_limit };
    credit_init (&world.credit, plan->budget, plan->floor, plan->message_limit);
    if (world.worker)
        begin_worker (&world);
    for (int steps = 0; steps < STEPS_MOST && !input_is_over (&world.in); steps++) {
        do_one (&world);
        check (&world);
    }
    for (side_t *side = world.sides; side < world.sides + SESSIONS; side++)
        if (side->used)
            clear (side);
    require (world.credit.accounts == 0 && !world.credit.waiting
        && world.credit.committed == world.credit.carried, "credit is left when all sessions are over");
    return 0;
}
