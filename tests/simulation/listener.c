/*  listener.c - a listener as the simulation has it: its sessions, its handlers

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <stdio.h>
#include <string.h>

#include "model/hello.h"
#include "world.h"

#define DRAIN_MS 500
#define PART_MS 1000
#define COMMANDS_UNDER_WAY 2
/*  Its clock is another than its workers'. */
#define LISTENER_AHEAD_US 123456789

static bool
is_up (const world_t *self)
{
    return self->listener.state <= LISTENER_PARTS;
}

static void
renew_id (world_t *self)
{
    for (unsigned i = 0; i < sizeof self->listener.id.bytes; i++)
        self->listener.id.bytes [i] = (uint8_t) world_below (self, 256);
}

void
listener_start (world_t *self)
{
    listener_t *listener = &self->listener;
    bool anew = listener->state == LISTENER_DEAD;
    if (anew) {
        renew_id (self);
        credit_init (&listener->credit, self->plan.budget, self->plan.floor, self->plan.limits.message_limit);
        for (int i = 0; i < WORKERS_MOST; i++)
            listener->youngest [i] = 0;
    }
    world_tell (self, "listener: starts%s", anew ? ", another one" : "");
    listener->state = LISTENER_UP;
    listener->until = NEVER;
}

/*  --------------------------------------------------------------------------
    Its peers */

static void
bury (peer_t *peer)
{
    if (!peer->forgotten || peer->pending > 0)
        return;
    session_clear (&peer->session);
    peer->used = false;
}

static void
forget (peer_t *peer)
{
    peer->present = false;
    peer->forgotten = true;
    session_leave (&peer->session);
    bury (peer);
}

static void
depart (world_t *self, peer_t *peer)
{
    peer->present = false;
    peer->absent_since = self->now;
    peer->route = NULL;
}

static peer_t *
find (world_t *self, const session_id_t *id)
{
    for (peer_t *peer = self->listener.peers; peer < self->listener.peers + self->listener.places; peer++)
        if (peer->used && !peer->forgotten && memcmp (&peer->session.id, id, sizeof *id) == 0)
            return peer;
    return NULL;
}

static peer_t *
find_source (world_t *self, const char *source)
{
    for (peer_t *peer = self->listener.peers; peer < self->listener.peers + self->listener.places; peer++)
        if (peer->used && !peer->forgotten && strcmp (peer->session.source, source) == 0)
            return peer;
    return NULL;
}

static peer_t *
free_place (world_t *self)
{
    listener_t *listener = &self->listener;
    for (peer_t *peer = listener->peers; peer < listener->peers + listener->places; peer++)
        if (!peer->used)
            return peer;
    return listener->places < PEERS_MOST ? &listener->peers [listener->places++] : NULL;
}

bool
listener_has_places (const world_t *self)
{
    int used = 0;
    for (const peer_t *peer = self->listener.peers; peer < self->listener.peers + self->listener.places; peer++)
        used += peer->used;
    return used < PEERS_MOST / 2;
}

/*  Its presence is over for good. */
static void
finish (world_t *self, peer_t *peer)
{
    muster_error_t error = peer->session.error;
    world_tell (self, "listener: story %d ends: %s", peer->story, muster_error_name (error));
    HOLD (self, error == MUSTER_LEFT || error == MUSTER_REPLACED, "an honest worker is ended with %s",
        muster_error_name (error));
    if (error != MUSTER_LEFT)
        ended_keep (&self->listener.ended, &peer->session.id, error, self->now);
    story_over (self, peer->story);
    forget (peer);
}

/*  --------------------------------------------------------------------------
    What goes out */

static void
send_controls (world_t *self, peer_t *peer)
{
    frame_t frame;
    while (session_next_control (&peer->session, self->now, &frame)) {
        if (frame_is_stamped (&frame))
            session_stamp (&peer->session, &frame, world_us (self) + LISTENER_AHEAD_US);
        if (peer->route && !network_send (self, peer->route, WAY_DOWN, &frame, NULL)) {
            session_unsent (&peer->session, &frame, self->now);
            return;
        }
    }
}

static void
send_pieces (world_t *self, peer_t *peer)
{
    frame_t frame;
    outbox_piece_t piece;
    while (peer->route && network_has_room (peer->route, WAY_DOWN, COMMANDS_UNDER_WAY)
        && session_next_piece (&peer->session, true, &piece, &frame))
        if (!network_send (self, peer->route, WAY_DOWN, &frame, &piece)) {
            outbox_untake (&peer->session.out.box, &piece);
            blob_release (&piece.blob);
            session_report (&peer->session, self->now + REPORT_DELAY_MS);
            return;
        }
}

static void
pump (world_t *self, peer_t *peer)
{
    session_t *session = &peer->session;
    if (session->leaving && session->state == SESSION_OPEN && !session->end_due && session_is_complete (session))
        session_end (session, MUSTER_LEFT, "");
    send_controls (self, peer);
    if (session->state == SESSION_ENDED)
        finish (self, peer);
    else
        send_pieces (self, peer);
}

static void
refuse (world_t *self, connection_t *connection, const frame_t *hello, muster_error_t error)
{
    world_tell (self, "listener: refuses worker %d: %s", connection->worker->index, muster_error_name (error));
    if (!hello->hello.fresh && error == MUSTER_FULL)
        return;
    frame_t frame = { .kind = FRAME_END, .session = hello->session, .epoch = hello->epoch };
    frame.end.error = error;
    network_send (self, connection, WAY_DOWN, &frame, NULL);
}

/*  --------------------------------------------------------------------------
    Hello */

static void
welcome_back (world_t *self, peer_t *peer, connection_t *connection, const frame_t *hello)
{
    muster_error_t error = session_greet (&peer->session, hello, self->now);
    if (error) {
        HOLD (self, error == MUSTER_FULL && plan_is_tight (&self->plan), "a hello that fits is refused: %s",
            muster_error_name (error));
        refuse (self, connection, hello, error);
        return;
    }
    world_tell (self, "listener: story %d goes on under epoch %u", peer->story, hello->epoch);
    self->resumed++;
    peer->route = connection;
    peer->present = true;
}

/*  What the hello knows to be handled was handled, and is where this listener begins. */
static void
welcome_new (world_t *self, connection_t *connection, const frame_t *hello)
{
    peer_t *peer = free_place (self);
    if (!peer) {
        world_fail (self, "the simulation has too few places for peers");
        return;
    }
    int story = connection->story;
    *peer = (peer_t) { .used = true, .present = true, .route = connection, .story = story,
        .generation = ++self->generations, .next = hello->hello.handled.messages + 1 };
    session_init_listener (&peer->session, hello, &self->listener.id, "listener",
        (uint32_t) world_below (self, UINT32_MAX), &self->plan.limits, &self->listener.credit);
    peer->session.in.account.owner = peer;
    peer->session.out.chunk = self->plan.chunk;
    muster_error_t error = session_greet (&peer->session, hello, self->now);
    if (error) {
        HOLD (self, error == MUSTER_FULL && plan_is_tight (&self->plan), "a new session is refused: %s",
            muster_error_name (error));
        refuse (self, connection, hello, error);
        forget (peer);
        return;
    }
    story_reported (self, story, hello->hello.handled.messages);
    story_returns (self, story);
    world_tell (self, "listener: story %d joins, epoch %u", story, hello->epoch);
}

/*  Promise 7: a fresh worker takes a source over, one that returns does not. */
static void
replace (world_t *self, peer_t *holder, const frame_t *hello)
{
    HOLD (self, !holder->present || hello->hello.fresh, "a worker that returns takes the source of story %d", holder->story);
    self->replaced++;
    self->stories [holder->story].contested = true;
    if (holder->present) {
        session_end (&holder->session, MUSTER_REPLACED, "");
        send_controls (self, holder);
        holder->session.error = MUSTER_REPLACED;
        finish (self, holder);
        return;
    }
    ended_keep (&self->listener.ended, &holder->session.id, MUSTER_REPLACED, self->now);
    story_over (self, holder->story);
    forget (holder);
}

static void
take_hello (world_t *self, connection_t *connection, const frame_t *hello)
{
    listener_t *listener = &self->listener;
    if (listener->state != LISTENER_UP)
        return;
    peer_t *known = find (self, &hello->session);
    peer_t *holder = find_source (self, hello->hello.source);
    muster_error_t error;
    switch (hello_judge (hello, known ? &known->session : NULL, ended_why (&listener->ended, &hello->session),
        holder ? &holder->session : NULL, holder && holder->present, &error)) {
        case HELLO_RESUME:
            welcome_back (self, known, connection, hello);
            return;
        case HELLO_STALE:
            return;
        case HELLO_REFUSE:
            HOLD (self, error == MUSTER_REPLACED, "a hello is refused: %s", muster_error_name (error));
            self->stories [connection->story].contested = true;
            refuse (self, connection, hello, error);
            return;
        case HELLO_BEGIN_ANEW:
            world_fail (self, "a session of this listener is void");
            return;
        case HELLO_BEGIN:
            if (holder && !holder->present && credit_is_full (&listener->credit)) {
                HOLD (self, plan_is_tight (&self->plan), "a newcomer is refused: FULL");
                refuse (self, connection, hello, MUSTER_FULL);
                return;
            }
            if (holder)
                replace (self, holder, hello);
            welcome_new (self, connection, hello);
            return;
    }
}

/*  --------------------------------------------------------------------------
    What comes in */

static void
enqueue (world_t *self, peer_t *peer, uint64_t position, size_t size, bool refused)
{
    listener_t *listener = &self->listener;
    HOLD (self, listener->count < INBOX_MOST, "the simulation's inbox is too small");
    if (self->failed)
        return;
    listener->inbox [(listener->first + listener->count++) % INBOX_MOST] =
        (entry_t) { .peer = peer, .position = position, .size = size, .refused = refused };
    peer->pending++;
}

/*  All messages of a frame or none: one that breaks a rule spoils the others. */
static void
take_messages (world_t *self, peer_t *peer, const uint8_t *bytes, size_t left, uint64_t first, uint32_t count, uint32_t skip)
{
    size_t sizes [FRAME_RUN_MESSAGES];
    size_t taken = 0;
    bool spoilt = false;
    const uint8_t *at = bytes;
    for (uint32_t i = 0; i < count && !self->failed; i++) {
        uint64_t number;
        bool poison;
        HOLD (self, message_read (at, left, &sizes [i], &number, &poison), "bytes that are no message");
        HOLD (self, number == first + i, "message %lu comes as %lu", number, first + i);
        at += sizes [i];
        left -= sizes [i];
        taken += i >= skip ? sizes [i] : 0;
        spoilt = spoilt || poison;
    }
    HOLD (self, left == 0, "a frame has more bytes than its messages");
    session_received (&peer->session, count - skip, taken, self->now);
    for (uint32_t i = skip; i < count && !self->failed; i++)
        enqueue (self, peer, first + i, sizes [i], spoilt);
}

static void
note (world_t *self, peer_t *peer, arrival_t arrival)
{
    if (arrival == ARRIVAL_GAP) {
        self->gaps++;
        world_tell (self, "listener: gap in story %d", peer->story);
    }
    self->doubled += arrival == ARRIVAL_DUPLICATE;
    HOLD (self, arrival != ARRIVAL_CREDIT, "story %d sends beyond its credit or the limit", peer->story);
    HOLD (self, arrival != ARRIVAL_MEMORY, "out of memory");
}

static void
take_data (world_t *self, peer_t *peer, const packet_t *packet)
{
    uint32_t skip = 0;
    const frame_data_t *data = &packet->frame.data;
    arrival_t arrival = session_data (&peer->session, &packet->frame, packet->size, &skip, self->now);
    note (self, peer, arrival);
    if (arrival == ARRIVAL_TAKE)
        take_messages (self, peer, packet->body, packet->size, data->first, data->count, skip);
}

static void
take_chunk (world_t *self, peer_t *peer, const packet_t *packet)
{
    uint64_t position = packet->frame.chunk.position;
    arrival_t arrival = session_chunk (&peer->session, &packet->frame, packet->body, packet->size, 0, self->now);
    note (self, peer, arrival);
    if (arrival == ARRIVAL_WITHDRAWN) {
        session_received (&peer->session, 1, 0, self->now);
        enqueue (self, peer, position, 0, true);
    }
    if (arrival != ARRIVAL_TAKE)
        return;
    uint64_t size;
    uint8_t *bytes = session_take_partial (&peer->session, &size);
    take_messages (self, peer, bytes, size, position, 1, 0);
    alloc_block_free (bytes);
}

static void
take_control (world_t *self, connection_t *connection, const frame_t *frame)
{
    peer_t *peer = find (self, &frame->session);
    if (!peer || peer->route != connection || frame->epoch != peer->session.epoch)
        return;
    HOLD (self, session_control (&peer->session, frame, self->now),
        "a control frame %d of story %d makes no sense", frame->kind, peer->story);
    if (frame_is_stamped (frame))
        session_take_stamp (&peer->session, frame, world_us (self) + LISTENER_AHEAD_US);
    if (frame->kind == FRAME_POSITIONS)
        HOLD (self, frame->positions.handled <= peer->commands, "a worker reports more than it was sent");
}

void
listener_take (world_t *self, connection_t *connection, way_t way, const packet_t *packet)
{
    if (!is_up (self))
        return;
    if (packet->frame.kind == FRAME_HELLO)
        take_hello (self, connection, &packet->frame);
    else
    if (way == WAY_UP)
        take_control (self, connection, &packet->frame);
    else {
        peer_t *peer = find (self, &packet->frame.session);
        if (peer && self->listener.state != LISTENER_PARTS) {
            if (packet->frame.kind == FRAME_DATA)
                take_data (self, peer, packet);
            else
                take_chunk (self, peer, packet);
        }
    }
}

/*  --------------------------------------------------------------------------
    Handlers */

static void
handled (world_t *self)
{
    listener_t *listener = &self->listener;
    entry_t entry = listener->inbox [listener->first];
    listener->first = (listener->first + 1) % INBOX_MOST;
    listener->count--;
    listener->handling = false;
    story_handled (self, entry.peer, entry.position, entry.refused);
    entry.peer->pending--;
    session_handled (&entry.peer->session, 1, entry.size, entry.refused, self->now);
    bury (entry.peer);
}

static int64_t
handler_time (world_t *self)
{
    if (self->calm)
        return 0;
    return world_chance (self, 20) ? world_below (self, self->plan.handler_rare + 1)
        : world_below (self, self->plan.handler + 1);
}

static void
handle (world_t *self)
{
    listener_t *listener = &self->listener;
    while (!self->failed) {
        if (listener->handling && listener->handled_at > self->now)
            return;
        if (listener->handling)
            handled (self);
        if (listener->count == 0 || listener->state == LISTENER_STOPPED)
            return;
        listener->handling = true;
        listener->handled_at = self->now + handler_time (self);
    }
}

/*  --------------------------------------------------------------------------
    Silence, stopping, dying */

static void
check_silence (world_t *self)
{
    listener_t *listener = &self->listener;
    for (peer_t *peer = listener->peers; peer < listener->peers + listener->places; peer++) {
        if (!peer->used || peer->forgotten)
            continue;
        if (peer->present && self->now - peer->session.heard_at >= self->plan.limits.liveness) {
            world_tell (self, "listener: story %d is lost", peer->story);
            HOLD (self, self->plan.faults > 0, "story %d is lost where nothing fails", peer->story);
            self->lost++;
            session_leave (&peer->session);
            depart (self, peer);
        }
        else
        if (!peer->present && self->now - peer->absent_since >= self->plan.retention) {
            world_tell (self, "listener: story %d is forgotten", peer->story);
            self->stories [peer->story].repeats = true;
            forget (peer);
        }
    }
    ended_drop (&listener->ended, self->now - self->plan.retention, 1000);
}

static void
each_present (world_t *self, void (*act) (world_t *self, peer_t *peer))
{
    for (peer_t *peer = self->listener.peers; peer < self->listener.peers + self->listener.places; peer++)
        if (peer->used && peer->present)
            act (self, peer);
}

static void
pause_peer (world_t *self, peer_t *peer)
{
    (void) self;
    session_pause (&peer->session);
}

static void
part_peer (world_t *self, peer_t *peer)
{
    session_report (&peer->session, self->now);
    session_end (&peer->session, MUSTER_CLOSED, "");
}

void
listener_stop (world_t *self)
{
    if (self->listener.state != LISTENER_UP)
        return;
    world_tell (self, "listener: stops");
    self->listener.state = LISTENER_DRAINS;
    self->listener.until = self->now + world_between (self, 1, DRAIN_MS);
    each_present (self, pause_peer);
}

static bool
all_present (world_t *self, bool (*are) (const session_t *session))
{
    for (peer_t *peer = self->listener.peers; peer < self->listener.peers + self->listener.places; peer++)
        if (peer->used && peer->present && !are (&peer->session))
            return false;
    return true;
}

/*  What no handler has taken is given up. */
static void
give_up (world_t *self)
{
    listener_t *listener = &self->listener;
    unsigned kept = listener->handling ? 1 : 0;
    while (listener->count > kept) {
        entry_t *entry = &listener->inbox [(listener->first + --listener->count) % INBOX_MOST];
        entry->peer->pending--;
        bury (entry->peer);
    }
}

static void
begin_parting (world_t *self)
{
    give_up (self);
    each_present (self, part_peer);
    self->listener.state = LISTENER_PARTS;
    self->listener.until = self->now + PART_MS;
}

static void
end_listening (world_t *self)
{
    listener_t *listener = &self->listener;
    world_tell (self, "listener: has stopped");
    give_up (self);
    each_present (self, depart);
    for (peer_t *peer = listener->peers; peer < listener->peers + listener->places; peer++) {
        if (!peer->used || peer->forgotten)
            continue;
        peer->session.in.received = peer->session.in.handled;
        if (listener->handling && listener->inbox [listener->first].peer == peer) {
            peer->session.in.received.messages++;
            peer->session.in.received.bytes += listener->inbox [listener->first].size;
        }
        session_leave (&peer->session);
    }
    network_break_all (self);
    listener->state = LISTENER_STOPPED;
    listener->until = self->now + world_between (self, 1, 2000);
}

static void
go_on_stopping (world_t *self)
{
    listener_t *listener = &self->listener;
    bool late = self->now >= listener->until;
    if (listener->state == LISTENER_DRAINS && (late || (all_present (self, session_is_complete) && listener->count == 0)))
        begin_parting (self);
    else
    if (listener->state == LISTENER_PARTS && (late || all_present (self, session_has_parted)))
        end_listening (self);
    else
    if (listener->state >= LISTENER_STOPPED && late)
        listener_start (self);
}

void
listener_clear (world_t *self)
{
    listener_t *listener = &self->listener;
    for (peer_t *peer = listener->peers; peer < listener->peers + listener->places; peer++) {
        if (peer->used)
            session_clear (&peer->session);
        peer->used = false;
    }
    ended_clear (&listener->ended);
    listener->places = 0;
    listener->first = listener->count = 0;
    listener->handling = false;
    listener->held_until = 0;
}

void
listener_crash (world_t *self)
{
    listener_t *listener = &self->listener;
    world_tell (self, "listener: dies");
    for (int i = 0; i < self->story_count; i++)
        self->stories [i].repeats = true;
    listener_clear (self);
    network_break_all (self);
    listener->state = LISTENER_DEAD;
    listener->until = self->now + world_between (self, 1, 1000);
}

/*  --------------------------------------------------------------------------
    One round of its loop */

static void
grant (world_t *self)
{
    credit_account_t *account;
    while ((account = credit_grant (&self->listener.credit)))
        session_report (&((peer_t *) account->owner)->session, self->now);
}

void
listener_hold (world_t *self)
{
    if (self->listener.state != LISTENER_UP || self->listener.held_until > self->now)
        return;
    self->listener.held_until = self->now + world_between (self, 1, 2 * self->plan.limits.liveness);
    world_tell (self, "listener: reads nothing for %ld ms", self->listener.held_until - self->now);
}

void
listener_work (world_t *self)
{
    credit_hold (&self->listener.credit, self->listener.held_until > self->now, self->now);
    if (self->listener.state != LISTENER_DEAD)
        handle (self);
    if (is_up (self)) {
        grant (self);
        check_silence (self);
        grant (self);
        each_present (self, pump);
        grant (self);
        each_present (self, pump);
    }
    go_on_stopping (self);
}

/*  A command for whoever has the source now. */
void
listener_command (world_t *self, int source)
{
    char name [16];
    uint8_t bytes [4096];
    snprintf (name, sizeof name, "worker-%d", source);
    peer_t *peer = find_source (self, name);
    if (self->listener.state != LISTENER_UP || !peer || !peer->present || peer->commands >= MESSAGES_MOST
        || outbox_charge (&peer->session.out.box) >= self->plan.command_buffer)
        return;
    size_t size = world_between (self, MESSAGE_LEAST, world_chance (self, 900) ? 100 : 3000);
    message_write (bytes, size, peer->commands + 1, false);
    HOLD (self, outbox_append (&peer->session.out.box, bytes, size) == 0, "out of memory");
    peer->commands++;
}

bool
listener_commands (world_t *self, const worker_t *worker)
{
    const peer_t *peer = find (self, &worker->session.id);
    return peer && peer->session.out.box.handled.messages < peer->commands;
}

int64_t
listener_deadline (const world_t *self)
{
    const listener_t *listener = &self->listener;
    int64_t deadline = listener->until;
    if (listener->handling && listener->handled_at < deadline)
        deadline = listener->handled_at;
    if (listener->held_until > self->now && listener->held_until < deadline)
        deadline = listener->held_until;
    for (const peer_t *peer = listener->peers; peer < listener->peers + listener->places; peer++) {
        if (!peer->used || peer->forgotten)
            continue;
        int64_t at = peer->present ? session_deadline (&peer->session) : peer->absent_since + self->plan.retention;
        if (at < deadline)
            deadline = at;
    }
    return deadline;
}

/*  --------------------------------------------------------------------------
    What holds at any moment */

static uint64_t
commitment (const credit_account_t *account)
{
    uint64_t open = account->limit - account->handled;
    return open > account->floor ? open : account->floor;
}

/*  Promise 4: what is received and not handled fits the budget. Promise 6: what
    is handled is reported within the time. */
void
listener_check (world_t *self)
{
    listener_t *listener = &self->listener;
    uint64_t held = 0, committed = 0;
    if (listener->state == LISTENER_DEAD)
        return;
    for (const peer_t *peer = listener->peers; peer < listener->peers + listener->places; peer++) {
        const session_t *session = &peer->session;
        if (!peer->used)
            continue;
        held += session->in.received.bytes - session->in.handled.bytes + session->in.partial_size;
        committed += commitment (&session->in.account);
        bool behind = peer->present && session->state == SESSION_OPEN && session->in.handled.messages > session->in.reported;
        HOLD (self, !behind || (session->in.report_at >= self->now && session->in.report_at <= self->now + 10),
            "story %d: what is handled is not reported", peer->story);
        for (const peer_t *other = peer + 1; other < listener->peers + listener->places; other++)
            HOLD (self, !other->used || !peer->present || !other->present
                || strcmp (session->source, other->session.source), "two workers have one source");
    }
    HOLD (self, held <= self->plan.budget, "%lu bytes are held, the budget is %lu", held, self->plan.budget);
    HOLD (self, committed == listener->credit.committed, "%lu bytes are committed, counted %lu",
        committed, listener->credit.committed);
    HOLD (self, committed <= self->plan.budget, "%lu bytes are committed, the budget is %lu", committed, self->plan.budget);
}
