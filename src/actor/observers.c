/*  observers.c - who asks what a listener counts, and the answer

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/observers.h"

#include <string.h>

#include "actor/pump.h"
#include "actor/report.h"
#include "wire/frame.h"

static const char *
why_not (const caller_t *caller)
{
    return caller->secure ? "the key is no observer's: enrol it with --observer"
        : "without keys a listener answers over loopback and ipc only: ask on its machine, at 127.0.0.1 or ::1, or give it keys";
}

/*  The frame is the same for all: its session and epoch are nobody's. */
static bool
make_report (listener_core_t *self)
{
    observers_t *observers = &self->observers;
    if (observers->report && self->now - observers->made_at < REPORT_INTERVAL_MS)
        return true;
    blob_release (&observers->report);
    observers->report = report_new (self, &observers->report_size);
    observers->made_at = self->now;
    return observers->report;
}

void
observers_answer (listener_core_t *self, const caller_t *caller, const route_t *route, const frame_t *observe)
{
    if (!gate_admits_observer (self, caller)) {
        pump_refusal (self, route, observe, MUSTER_ACCESS, why_not (caller));
        gate_refuse (self, caller, NULL);
        return;
    }
    seat_t *seat = seats_take (&self->observers, route, self->wake, self->now);
    if (seat && make_report (self))
        flight_send_blob (seat->flight, binding_router (self->binding), route,
            self->observers.report, self->observers.report_size);
}
