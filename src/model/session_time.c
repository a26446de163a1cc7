/*  session_time.c - the round trip of a session, in microseconds of its owner's clock

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "model/session.h"

void
session_stamp (session_t *self, frame_t *frame, uint64_t now_us)
{
    frame_positions_t *positions = &frame->positions;
    if (self->role == SESSION_WORKER) {
        self->stamp = self->stamped_us = now_us;
        positions->stamp = self->stamp;
        positions->span_us = self->round_trip_us;
    }
    else {
        positions->stamp = self->stamp;
        positions->span_us = now_us - self->stamped_us;
        self->stamp = 0;
    }
}

/*  The listener learns the first one soon: its worker reports once more. */
static void
measure (session_t *self, const frame_positions_t *positions, uint64_t now_us)
{
    uint64_t passed = now_us - self->stamped_us;
    if (self->stamp == 0 || positions->stamp != self->stamp || positions->span_us > passed)
        return;
    bool first = self->round_trip_us == 0;
    self->stamp = 0;
    self->round_trip_us = passed > positions->span_us ? passed - positions->span_us : 1;
    if (first) {
        self->stamp_at = 0;
        session_report (self, self->heard_at);
    }
}

void
session_take_stamp (session_t *self, const frame_t *frame, uint64_t now_us)
{
    const frame_positions_t *positions = &frame->positions;
    if (self->state != SESSION_OPEN || frame->epoch != self->epoch)
        return;
    if (self->role == SESSION_WORKER) {
        measure (self, positions, now_us);
        return;
    }
    self->stamp = positions->stamp;
    self->stamped_us = now_us;
    if (positions->span_us > 0)
        self->round_trip_us = positions->span_us;
}
