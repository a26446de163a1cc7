/*  observe.c - asking a running listener what it counts

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/observe.h>

#include <stdio.h>
#include <string.h>

#include "actor/monotonic.h"
#include "actor/visit.h"
#include "base/alloc.h"
#include "wire/frame.h"

_Static_assert (MUSTER_OBSERVE_REASON_ROOM == REASON_ROOM, "a reason may be cut");

typedef struct {
    visit_t visit;
    uint8_t *map;               /* the answer */
    size_t size;
} observe_t;

static void
ask (visit_t *visit)
{
    frame_t frame = { .kind = FRAME_OBSERVE, .observe = { .version = 1 } };
    visit_send (visit, &frame);
    visit->again_at = visit->now + VISIT_AGAIN_MS;
}

/*  --------------------------------------------------------------------------
    The answer */

static muster_error_t
take_report (observe_t *self, const frame_report_t *report)
{
    self->map = alloc_new (report->size);
    if (!self->map)
        return visit_complain (&self->visit, MUSTER_NOMEM, muster_error_text (MUSTER_NOMEM));
    memcpy (self->map, report->map, report->size);
    self->size = report->size;
    return 0;
}

/*  What is malformed, or nothing for an observer, is passed over. */
static muster_error_t
take_frame (observe_t *self, const uint8_t *bytes, size_t size)
{
    frame_t frame;
    const uint8_t *body;
    size_t body_size;
    uint8_t version;
    if (frame_read (bytes, size, &frame, &body, &body_size, &version) || version != PROTOCOL_VERSION)
        return 0;
    if (frame.kind == FRAME_REPORT)
        return take_report (self, &frame.report);
    if (frame.kind == FRAME_END)
        return visit_complain (&self->visit, frame.end.error ? frame.end.error : MUSTER_CLOSED, frame.end.text);
    return 0;
}

static muster_error_t
take_answers (observe_t *self)
{
    muster_error_t error = 0;
    zmq_msg_t msg;
    for (int frames = 0; frames < VISIT_BURST && !error && !self->map && visit_receive (&self->visit, &msg); frames++) {
        error = take_frame (self, zmq_msg_data (&msg), zmq_msg_size (&msg));
        zmq_msg_close (&msg);
    }
    return error;
}

/*  --------------------------------------------------------------------------
    Waiting for it */

static muster_error_t
go_on (observe_t *self)
{
    visit_t *visit = &self->visit;
    muster_error_t error = visit_heed (visit);
    if (!error)
        error = take_answers (self);
    if (error || self->map || visit->now < visit->again_at)
        return error;
    if (visit->up)
        ask (visit);
    else
        error = visit_connect (visit);
    return error;
}

static muster_error_t
observe (observe_t *self, int64_t deadline)
{
    visit_t *visit = &self->visit;
    muster_error_t error = visit_connect (visit);
    while (!error && !self->map) {
        error = go_on (self);
        if (!error && !self->map && visit->now >= deadline)
            return visit_complain (visit, MUSTER_TIMEOUT,
                visit->up ? "the listener does not answer" : "nobody listens there");
        if (!error && !self->map)
            visit_wait (visit, visit->again_at < deadline ? visit->again_at : deadline);
    }
    return error;
}

muster_error_t
muster_observe (const char *endpoint, const char *key, const char *server,
    int timeout_ms, void **map, size_t *size, char *reason, size_t reason_size)
{
    if (!endpoint || !map || !size)
        return MUSTER_INVAL;
    observe_t self = { .map = NULL };
    int64_t deadline = monotonic_deadline (timeout_ms);
    muster_error_t error = visit_begin (&self.visit, endpoint, NULL, key, server);
    if (!error)
        error = observe (&self, deadline);
    visit_end (&self.visit);
    *map = self.map;
    *size = self.size;
    if (reason && reason_size > 0)
        snprintf (reason, reason_size, "%s", error ? self.visit.reason : "");
    return error;
}
