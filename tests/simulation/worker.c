/*  worker.c - a worker as the simulation has it: its session, its user

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <stdio.h>
#include <string.h>

#include "world.h"

#define COMMAND_LIMIT 4096

void
worker_begin (world_t *self, worker_t *worker)
{
    session_id_t id;
    char source [16];
    for (unsigned i = 0; i < sizeof id.bytes; i++)
        id.bytes [i] = (uint8_t) world_below (self, 256);
    snprintf (source, sizeof source, "worker-%d", worker->source);
    session_limits_t limits = self->plan.limits;
    limits.message_limit = COMMAND_LIMIT;
    credit_init (&worker->credit, self->plan.command_buffer + COMMAND_LIMIT, self->plan.floor, COMMAND_LIMIT);
    worker->story = story_begin (self, worker->source);
    session_init_worker (&worker->session, &id, source, (uint32_t) world_below (self, UINT32_MAX), &limits, &worker->credit, self->now);
    worker->session.out.chunk = self->plan.chunk;
    worker->alive = true;
    worker->connection = NULL;
    worker->born_at = NEVER;
    worker->to_send = world_below (self, self->calm ? 20 : MESSAGES_MOST);
    worker->send_at = self->now + world_below (self, 200);
    worker->flushing = 0;
    worker->waits = false;
    worker->resend_at = NEVER;
    worker->window = 1 + world_below (self, 20);
    worker->first = worker->count = 0;
    worker->held = 0;
    worker->read_at = self->now;
    worker->command_next = 1;
    worker->met_another = worker->leaving = false;
    world_tell (self, "worker %d: story %d begins, %u messages", worker->index, worker->story, worker->to_send);
}

static void
disconnect (world_t *self, worker_t *worker)
{
    if (worker->connection)
        network_close (self, worker->connection);
    worker->connection = NULL;
}

void
worker_die (world_t *self, worker_t *worker)
{
    if (!worker->alive)
        return;
    world_tell (self, "worker %d: story %d is over", worker->index, worker->story);
    disconnect (self, worker);
    session_clear (&worker->session);
    self->stories [worker->story].contested = true;
    worker->alive = false;
}

bool
worker_is_over (const worker_t *worker)
{
    return worker->alive && worker->session.state == SESSION_ENDED;
}

/*  --------------------------------------------------------------------------
    Commands */

/*  Commands are read one after the other. */
static int64_t
reader_time (world_t *self)
{
    return world_chance (self, 900) ? world_below (self, self->plan.reader + 1)
        : world_below (self, self->plan.handler_rare + 1);
}

static void
take_command (world_t *self, worker_t *worker, const uint8_t *at, size_t left, uint64_t position)
{
    size_t size;
    uint64_t number;
    bool poison;
    HOLD (self, message_read (at, left, &size, &number, &poison), "bytes that are no command");
    HOLD (self, number == position, "command %lu comes as %lu", number, position);
    HOLD (self, position == worker->command_next, "worker %d: command %lu comes, %lu is due",
        worker->index, position, worker->command_next);
    HOLD (self, worker->count < COMMANDS_MOST, "the simulation has too little room for commands");
    if (self->failed)
        return;
    worker->command_next++;
    worker->held += size;
    worker->read_at = (worker->read_at > self->now ? worker->read_at : self->now) + reader_time (self);
    worker->commands [(worker->first + worker->count++) % COMMANDS_MOST] = (command_t) {
        .size = size, .stream = worker->session.in.stream, .done_at = worker->read_at };
}

static void
take_commands (world_t *self, worker_t *worker, const uint8_t *at, size_t left, uint64_t first, uint32_t count, uint32_t skip)
{
    size_t taken = 0;
    for (uint32_t i = 0; i < count && !self->failed; i++) {
        size_t size = 0;
        uint64_t number;
        bool poison;
        HOLD (self, message_read (at, left, &size, &number, &poison), "bytes that are no command");
        if (i >= skip) {
            take_command (self, worker, at, left, first + i);
            taken += size;
        }
        at += size;
        left -= size;
    }
    session_received (&worker->session, count - skip, taken, self->now);
}

static void
take_pieces (world_t *self, worker_t *worker, const packet_t *packet)
{
    session_t *session = &worker->session;
    uint32_t skip = 0;
    bool whole = packet->frame.kind == FRAME_DATA;
    arrival_t arrival = whole ? session_data (session, &packet->frame, packet->size, &skip, self->now)
        : session_chunk (session, &packet->frame, packet->body, packet->size, 0, self->now);
    HOLD (self, arrival != ARRIVAL_CREDIT, "the listener sends worker %d beyond its credit", worker->index);
    if (arrival != ARRIVAL_TAKE)
        return;
    if (whole) {
        take_commands (self, worker, packet->body, packet->size, packet->frame.data.first, packet->frame.data.count, skip);
        return;
    }
    uint64_t size;
    uint8_t *bytes = session_take_partial (session, &size);
    take_commands (self, worker, bytes, size, packet->frame.chunk.position, 1, 0);
    alloc_block_free (bytes);
}

/*  Promise 2: a worker learns that the listener is a new one; its commands begin anew. */
static void
notice_another (worker_t *worker)
{
    if (!worker->session.met_another)
        return;
    worker->session.met_another = false;
    worker->command_next = 1;
}

/*  It is the network's alone, however long the listener lets its answers wait. */
static void
check_round_trip (world_t *self, const worker_t *worker)
{
    uint64_t round_trip = worker->session.round_trip_us;
    HOLD (self, round_trip == 0 || round_trip >= 2000, "worker %d: a round trip of %lu us", worker->index, round_trip);
    HOLD (self, self->plan.faults > 0 || round_trip <= 2000 * (uint64_t) self->plan.latency,
        "worker %d: a round trip of %lu us though nothing fails", worker->index, round_trip);
}

void
worker_take (world_t *self, worker_t *worker, const connection_t *connection, const packet_t *packet)
{
    session_t *session = &worker->session;
    if (!worker->alive || worker->connection != connection
        || memcmp (&packet->frame.session, &session->id, sizeof session->id))
        return;
    if (packet->frame.kind == FRAME_DATA || packet->frame.kind == FRAME_CHUNK) {
        take_pieces (self, worker, packet);
        return;
    }
    HOLD (self, session_control (session, &packet->frame, self->now),
        "worker %d: a control frame %d makes no sense", worker->index, packet->frame.kind);
    if (frame_is_stamped (&packet->frame))
        session_take_stamp (session, &packet->frame, world_us (self));
    check_round_trip (self, worker);
    notice_another (worker);
    story_reported (self, worker->story, session->out.box.handled.messages);
}

static void
settle (world_t *self, worker_t *worker)
{
    while (worker->count > 0 && (self->calm || worker->commands [worker->first].done_at <= self->now)) {
        command_t command = worker->commands [worker->first];
        worker->first = (worker->first + 1) % COMMANDS_MOST;
        worker->count--;
        if (command.stream == worker->session.in.stream)
            session_handled (&worker->session, 1, command.size, false, self->now);
        else
            session_handled_before (&worker->session, command.size);
        worker->held -= command.size;
    }
    while (credit_grant (&worker->credit))
        session_report (&worker->session, self->now);
}

/*  --------------------------------------------------------------------------
    The connection */

static void
watch (world_t *self, worker_t *worker)
{
    connection_t *connection = worker->connection;
    if (connection && connection->down_at <= self->now) {
        disconnect (self, worker);
        session_disconnected (&worker->session, self->now);
    }
    else
    if (connection && connection->up_at <= self->now) {
        connection->up_at = NEVER;
        session_connected (&worker->session, self->now);
    }
}

static void
step (world_t *self, worker_t *worker)
{
    session_step_t next;
    while ((next = session_step (&worker->session, self->now)) != SESSION_WAIT) {
        disconnect (self, worker);
        if (next == SESSION_CONNECT)
            worker->connection = network_open (self, worker, worker->session.epoch);
    }
    if (worker->session.state == SESSION_ENDED)
        disconnect (self, worker);
}

static void
send_controls (world_t *self, worker_t *worker)
{
    frame_t frame;
    while (worker->connection && session_next_control (&worker->session, self->now, &frame)) {
        if (frame_is_stamped (&frame))
            session_stamp (&worker->session, &frame, world_us (self));
        if (!network_send (self, worker->connection, WAY_UP, &frame, NULL)) {
            session_unsent (&worker->session, &frame, self->now);
            return;
        }
    }
}

/*  What may still grow waits only while something is under way. */
static void
send_pieces (world_t *self, worker_t *worker)
{
    frame_t frame;
    outbox_piece_t piece;
    worker->resend_at = NEVER;
    while (worker->connection && network_has_room (worker->connection, WAY_DATA, worker->window)
        && session_next_piece (&worker->session, network_is_idle (worker->connection, WAY_DATA) || world_chance (self, 700),
        &piece, &frame))
        if (!network_send (self, worker->connection, WAY_DATA, &frame, &piece)) {
            outbox_untake (&worker->session.out.box, &piece);
            blob_release (&piece.blob);
            worker->resend_at = self->now + 1;
            return;
        }
}

/*  --------------------------------------------------------------------------
    Its user: sends, flushes, closes */

static void
accept (world_t *self, worker_t *worker)
{
    uint8_t bytes [16384];
    story_t *story = &self->stories [worker->story];
    session_t *session = &worker->session;
    uint64_t limit = session->out.message_limit ? session->out.message_limit : UINT64_MAX;
    size_t most = world_chance (self, 900) ? 200 : self->plan.size;
    size_t size = world_between (self, MESSAGE_LEAST, most > MESSAGE_LEAST ? most : MESSAGE_LEAST);
    if (size > limit)
        size = limit;
    if (size > self->plan.limits.message_limit && !self->plan.over_limit)
        size = self->plan.limits.message_limit;
    message_write (bytes, size, story->accepted + 1, self->plan.poison && world_chance (self, 10));
    HOLD (self, outbox_append (&session->out.box, bytes, size) == 0, "out of memory");
    story->accepted++;
    worker->to_send--;
}

/*  Promise 6: a caller who waits runs out of patience only if something fails. A
    round trip and a report fit into any patience that makes sense; that nothing is
    read is told with the next heartbeat. */
static void
check_patience (world_t *self, worker_t *worker)
{
    const session_t *session = &worker->session;
    const plan_t *plan = &self->plan;
    uint64_t moved = session_progress (session);
    bool waits = worker->flushing || (worker->to_send > 0 && outbox_charge (&session->out.box) >= plan->send_buffer);
    if (!waits || !worker->waits || !session_has_met (session) || moved != worker->moved || session_is_excused (session))
        worker->moved_at = self->now;
    worker->moved = moved;
    worker->waits = waits;
    bool sensible = plan->limits.no_progress > 8 * (plan->latency + REPORT_DELAY_MS)
        && (!plan->holds || plan->limits.no_progress > plan->limits.liveness);
    HOLD (self, plan->faults > 0 || !sensible || self->now - worker->moved_at < plan->limits.no_progress,
        "worker %d: nothing moves for %ld ms though nothing fails", worker->index, self->now - worker->moved_at);
}

/*  Promise 3: a flush that ends knows of all that was refused, whoever refused it. */
static void
check_refused (world_t *self, const worker_t *worker)
{
    const session_t *session = &worker->session;
    if (session->out.box.handled.messages < session->out.box.accepted.messages)
        return;
    HOLD (self, session->out.refused == story_refused (self, worker->story), "worker %d: %lu were refused, it knows of %lu",
        worker->index, story_refused (self, worker->story), session->out.refused);
}

static void
use (world_t *self, worker_t *worker)
{
    session_t *session = &worker->session;
    for (int burst = 0; burst < 20 && worker->to_send > 0 && worker->send_at <= self->now
        && outbox_charge (&session->out.box) < self->plan.send_buffer; burst++)
        accept (self, worker);
    if (worker->send_at <= self->now)
        worker->send_at = self->now + 1 + world_below (self, self->calm ? 5 : 300);
    if (worker->flushing == 0 && session->out.box.accepted.messages > 0
        && (worker->to_send == 0 || world_chance (self, 50))) {
        worker->flushing = session->out.box.accepted.messages;
        session_await (session);
    }
    if (worker->flushing && session->out.box.handled.messages >= worker->flushing) {
        check_refused (self, worker);
        story_reported (self, worker->story, worker->flushing);
        worker->flushing = 0;
    }
    bool done = worker->to_send == 0 && session->out.box.handled.messages == session->out.box.accepted.messages;
    if (self->calm && done && !worker->leaving && session->state == SESSION_OPEN && world_chance (self, 100)
        && !listener_commands (self, worker)) {
        session_goodbye (session);
        worker->leaving = true;
    }
}

void
worker_work (world_t *self, worker_t *worker)
{
    if (worker->born_at <= self->now)
        worker_begin (self, worker);
    if (!worker->alive || worker->session.state == SESSION_ENDED)
        return;
    watch (self, worker);
    settle (self, worker);
    step (self, worker);
    use (self, worker);
    check_patience (self, worker);
    send_controls (self, worker);
    send_pieces (self, worker);
    send_controls (self, worker);
}

int64_t
worker_deadline (const world_t *self, const worker_t *worker)
{
    int64_t deadline = worker->born_at;
    if (!worker->alive || worker->session.state == SESSION_ENDED)
        return deadline;
    int64_t at [] = { session_deadline (&worker->session),
        worker->to_send || self->calm ? worker->send_at : NEVER,
        worker->resend_at,
        worker->connection ? worker->connection->up_at : NEVER,
        worker->connection ? worker->connection->down_at : NEVER,
        worker->count > 0 ? worker->commands [worker->first].done_at : NEVER };
    for (unsigned i = 0; i < sizeof at / sizeof *at; i++)
        if (at [i] < deadline)
            deadline = at [i];
    return deadline;
}

/*  Promise 4: a worker keeps its send buffer and one message; commands fit theirs. */
void
worker_check (world_t *self, worker_t *worker)
{
    const session_t *session = &worker->session;
    if (!worker->alive)
        return;
    uint64_t most = self->plan.send_buffer + self->plan.size + 1024;
    HOLD (self, outbox_charge (&session->out.box) <= most, "worker %d keeps %lu bytes", worker->index,
        outbox_charge (&session->out.box));
    uint64_t held = worker->held + session->in.partial_size;
    HOLD (self, held <= worker->credit.budget, "worker %d holds %lu bytes of commands", worker->index, held);
    muster_error_t error = session->error;
    HOLD (self, session->state != SESSION_ENDED || error == MUSTER_CLOSED || error == MUSTER_REPLACED
        || (error == MUSTER_FULL && plan_is_tight (&self->plan)), "worker %d is ended with %s", worker->index, muster_error_name (error));
    if (session->state == SESSION_ENDED && error == MUSTER_FULL)
        self->stories [worker->story].contested = true;
    HOLD (self, session->state != SESSION_ENDED || error != MUSTER_REPLACED
        || self->stories [worker->story].contested, "worker %d is replaced by nobody", worker->index);
}
