/*  network.c - connections that delay, lose, double, break and swallow

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "world.h"

static packet_t *
packet_at (queue_t *queue, unsigned index)
{
    return &queue->packets [(queue->first + index) % QUEUE_MOST];
}

static void
drop_from (queue_t *queue, unsigned index)
{
    while (queue->count > index)
        blob_release (&packet_at (queue, --queue->count)->blob);
}

static bool
swallows (const worker_t *worker, way_t way)
{
    switch (worker->link) {
        case LINK_HOLE: return true;
        case LINK_HOLE_DATA: return way == WAY_DATA;
        case LINK_HOLE_UP: return way != WAY_DOWN;
        case LINK_HOLE_DOWN: return way == WAY_DOWN;
        default: return false;
    }
}

static bool
listens (const world_t *self)
{
    return self->listener.state < LISTENER_STOPPED;
}

connection_t *
network_open (world_t *self, worker_t *worker, uint32_t epoch)
{
    connection_t *connection = &worker->connections [epoch % CONNECTIONS];
    for (int way = 0; way < WAYS; way++) {
        drop_from (&connection->ways [way], 0);
        connection->ways [way].first = 0;
        connection->ways [way].closed = false;
        connection->ways [way].hole = swallows (worker, way);
    }
    connection->worker = worker;
    connection->story = worker->story;
    connection->epoch = epoch;
    connection->used = true;
    connection->up_at = connection->down_at = NEVER;
    int64_t later = self->now + world_between (self, 1, 2 * self->plan.latency);
    if (!listens (self) || worker->link == LINK_REFUSES)
        connection->down_at = later;
    else
    if (worker->link == LINK_UP || worker->link == LINK_STALLS)
        connection->up_at = later;
    return connection;
}

/*  Of what is on a way when it breaks, the beginning may still arrive. */
static void
break_way (world_t *self, queue_t *queue)
{
    drop_from (queue, world_chance (self, 500) ? 0 : world_below (self, queue->count + 1));
    queue->closed = true;
}

void
network_close (world_t *self, connection_t *connection)
{
    break_way (self, &connection->ways [WAY_DATA]);
    break_way (self, &connection->ways [WAY_UP]);
    drop_from (&connection->ways [WAY_DOWN], 0);
    connection->ways [WAY_DOWN].closed = true;
    connection->up_at = connection->down_at = NEVER;
}

/*  Its worker learns of it soon, or not at all. */
static void
break_connection (world_t *self, connection_t *connection)
{
    bool data_alone = world_chance (self, 250);
    break_way (self, &connection->ways [WAY_DATA]);
    if (!data_alone) {
        break_way (self, &connection->ways [WAY_UP]);
        break_way (self, &connection->ways [WAY_DOWN]);
    }
    connection->up_at = NEVER;
    if (world_chance (self, 850))
        connection->down_at = self->now + world_between (self, 0, 2 * self->plan.latency);
}

bool
network_has_room (const connection_t *connection, way_t way, unsigned window)
{
    const queue_t *queue = &connection->ways [way];
    return queue->count < window && queue->count < QUEUE_MOST - 1;
}

bool
network_is_idle (const connection_t *connection, way_t way)
{
    return connection->ways [way].count == 0;
}

static void
push (world_t *self, queue_t *queue, const frame_t *frame, const outbox_piece_t *piece)
{
    int64_t at = self->now + world_between (self, 1, self->plan.latency);
    if (queue->count > 0 && packet_at (queue, queue->count - 1)->at > at)
        at = packet_at (queue, queue->count - 1)->at;
    packet_t *packet = packet_at (queue, queue->count++);
    packet->frame = *frame;
    packet->blob = piece ? blob_share (piece->blob) : NULL;
    packet->body = piece ? piece->body : NULL;
    packet->size = piece ? piece->size : 0;
    packet->at = at;
}

bool
network_send (world_t *self, connection_t *connection, way_t way, const frame_t *frame, outbox_piece_t *piece)
{
    queue_t *queue = &connection->ways [way];
    if (!network_has_room (connection, way, QUEUE_MOST) || world_chance (self, 5))
        return false;
    bool lost = queue->closed || queue->hole || world_below (self, 10000) < self->plan.drops;
    bool doubled = world_below (self, 10000) < self->plan.drops;
    if (!lost)
        push (self, queue, frame, piece);
    if (!lost && doubled && network_has_room (connection, way, QUEUE_MOST))
        push (self, queue, frame, piece);
    if (piece)
        blob_release (&piece->blob);
    return true;
}

static void
deliver_first (world_t *self, connection_t *connection, way_t way)
{
    queue_t *queue = &connection->ways [way];
    packet_t packet = *packet_at (queue, 0);
    queue->first = (queue->first + 1) % QUEUE_MOST;
    queue->count--;
    if (way == WAY_DOWN)
        worker_take (self, connection->worker, connection, &packet);
    else
        listener_take (self, connection, way, &packet);
    blob_release (&packet.blob);
}

/*  What lies there is not taken for now. */
static bool
waits (const world_t *self, const worker_t *worker, way_t way)
{
    return worker->link == LINK_STALLS || (way == WAY_DATA && self->listener.held_until > self->now);
}

static void
deliver_way (world_t *self, connection_t *connection, way_t way)
{
    queue_t *queue = &connection->ways [way];
    if (waits (self, connection->worker, way))
        return;
    while (queue->count > 0 && packet_at (queue, 0)->at <= self->now && !self->failed)
        deliver_first (self, connection, way);
}

/*  Two connections have no order between them. */
void
network_deliver (world_t *self)
{
    unsigned begin = (unsigned) world_below (self, CONNECTIONS * WAYS);
    for (int i = 0; i < self->plan.workers; i++)
        for (unsigned j = 0; j < CONNECTIONS * WAYS; j++) {
            unsigned number = (begin + j) % (CONNECTIONS * WAYS);
            connection_t *connection = &self->workers [i].connections [number / WAYS];
            if (connection->used)
                deliver_way (self, connection, number % WAYS);
        }
}

static void
set_link (world_t *self, worker_t *worker, link_state_t link)
{
    worker->link = link;
    for (int i = 0; i < CONNECTIONS; i++)
        for (int way = 0; way < WAYS; way++) {
            queue_t *queue = &worker->connections [i].ways [way];
            queue->hole = queue->hole || swallows (worker, way);
            if (queue->hole)
                drop_from (queue, 0);
        }
    (void) self;
}

void
network_fault (world_t *self, worker_t *worker)
{
    static const int64_t lasting [] = { 10, 100, 1000, 5000 };
    if (worker->connection && world_chance (self, 500)) {
        world_tell (self, "worker %d: its connection breaks", worker->index);
        break_connection (self, worker->connection);
        return;
    }
    set_link (self, worker, 1 + world_below (self, LINK_STATES - 1));
    worker->link_until = self->now + world_between (self, 1, lasting [world_below (self, 4)]);
    world_tell (self, "worker %d: its link is in state %d", worker->index, worker->link);
    if (worker->link == LINK_REFUSES && worker->connection)
        break_connection (self, worker->connection);
}

void
network_heal (world_t *self, worker_t *worker)
{
    worker->link = LINK_UP;
    worker->link_until = NEVER;
    world_tell (self, "worker %d: its link is up", worker->index);
}

void
network_break_all (world_t *self)
{
    for (int i = 0; i < self->plan.workers; i++)
        for (int j = 0; j < CONNECTIONS; j++) {
            connection_t *connection = &self->workers [i].connections [j];
            if (!connection->used)
                continue;
            for (int way = 0; way < WAYS; way++) {
                drop_from (&connection->ways [way], 0);
                connection->ways [way].closed = true;
            }
            if (connection->up_at != NEVER || connection == self->workers [i].connection)
                connection->down_at = self->now + world_between (self, 1, 2 * self->plan.latency);
            connection->up_at = NEVER;
        }
}

int64_t
network_deadline (const world_t *self)
{
    int64_t deadline = NEVER;
    for (int i = 0; i < self->plan.workers; i++) {
        const worker_t *worker = &self->workers [i];
        if (worker->link_until < deadline)
            deadline = worker->link_until;
        for (int j = 0; j < CONNECTIONS; j++)
            for (int way = 0; way < WAYS; way++) {
                const queue_t *queue = &worker->connections [j].ways [way];
                if (queue->count > 0 && !waits (self, worker, way) && queue->packets [queue->first].at < deadline)
                    deadline = queue->packets [queue->first].at;
            }
    }
    return deadline;
}

void
network_clear (world_t *self)
{
    for (int i = 0; i < WORKERS_MOST; i++)
        for (int j = 0; j < CONNECTIONS; j++) {
            connection_t *connection = &self->workers [i].connections [j];
            for (int way = 0; way < WAYS; way++)
                drop_from (&connection->ways [way], 0);
            connection->used = false;
        }
}
