/*  worker_core.c - a worker's messages on their way out

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/worker_core.h"

/*  Frames under way at most: what fills meanwhile is the next batch. */
#define FRAMES_MOST 4

/*  Between the pieces of a message nothing fills: there is always one under way. */
static int
frames_to_await (const worker_core_t *self)
{
    return self->session.out.box.piece_offset > 0 ? FRAMES_MOST / 2 : 0;
}

/*  A single message goes out at once; a run that may still grow waits for what is
    under way. */
void
worker_pump (worker_core_t *self)
{
    frame_t frame;
    outbox_piece_t piece;
    while (self->connection) {
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
    }
}
