/*  worker_core.c - a worker's messages on their way out

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/worker_core.h"

#include "actor/monotonic.h"

/*  Frames under way at most: what fills meanwhile is the next batch. */
#define FRAMES_MOST 4

/*  Who sends is paced from so many bytes that wait on, until so few do, for so long at most. */
#define PACED_MOST ((uint64_t) 32 * FRAME_RUN_BYTES)
#define PACED_LEAST ((uint64_t) 8 * FRAME_RUN_BYTES)
#define PACED_MS 10

/*  Frames that are not full cost as much as those that are. */
static bool
is_to_be_full (const worker_core_t *self)
{
    return self->streaming && self->pressed == 0 && outbox_is_filling (&self->session.out.box);
}

/*  Where nothing fills there is always a frame under way. */
static int
frames_to_await (const worker_core_t *self)
{
    return outbox_is_filling (&self->session.out.box) ? 0 : FRAMES_MOST / 2;
}

/*  A single message goes out at once; a run that may still grow waits for what is
    under way, and in a stream until it is full or the stream ends. */
static void
pump (worker_core_t *self)
{
    frame_t frame;
    outbox_piece_t piece;
    while (self->connection && !is_to_be_full (self)) {
        int count = flight_count (self->flight);
        if (count >= FRAMES_MOST && flight_await (self->flight, frames_to_await (self)))
            return;
        if (!session_next_piece (&self->session, count == 0, &piece, &frame)) {
            if (outbox_is_filling (&self->session.out.box) && !flight_await (self->flight, 0)
                && self->session.state == SESSION_OPEN && flight_count (self->flight) == 0 && count > 0)
                continue;
            return;
        }
        if (flight_send (self->flight, connection_push (self->connection), NULL, &frame, &piece)) {
            outbox_untake (&self->session.out.box, &piece);
            flight_await (self->flight, 0);
            return;
        }
        if (frame.kind == FRAME_CHUNK && self->options.progress.fn)
            transfers_note (&self->transfers, &frame.chunk, piece.size);
    }
}

static uint64_t
unsent (const worker_core_t *self)
{
    const outbox_t *box = &self->session.out.box;
    return box->accepted.bytes - box->sent.bytes;
}

void
worker_pump (worker_core_t *self)
{
    pump (self);
    if (self->paced > 0 && unsent (self) <= PACED_LEAST)
        pthread_cond_broadcast (&self->eased);
}

void
worker_press (worker_core_t *self)
{
    self->pressed++;
    worker_pump (self);
}

void
worker_relax (worker_core_t *self)
{
    self->pressed--;
}

static bool
is_moving (const worker_core_t *self)
{
    const session_out_t *out = &self->session.out;
    bool in_line = out->credit < out->wanted;
    return self->session.state == SESSION_OPEN && (flight_count (self->flight) > 0 || in_line);
}

void
worker_pace (worker_core_t *self)
{
    const outbox_t *box = &self->session.out.box;
    if (unsent (self) < PACED_MOST || box->accepted.bytes < self->pace_from || !is_moving (self))
        return;
    int64_t deadline = monotonic_deadline (PACED_MS);
    bool in_time = true;
    self->paced++;
    while (in_time && unsent (self) > PACED_LEAST && is_moving (self))
        in_time = monotonic_cond_wait (&self->eased, &self->lock, deadline);
    self->paced--;
    if (!in_time)
        self->pace_from = box->accepted.bytes + FRAME_RUN_BYTES;
}
