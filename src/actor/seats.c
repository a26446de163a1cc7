/*  seats.c - who was answered with a REPORT lately, and what of it is under way

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/seats.h"

#include <string.h>

#include "model/protocol.h"

static bool
is_of (const seat_t *seat, const route_t *route)
{
    return seat->route.size == route->size && memcmp (seat->route.bytes, route->bytes, route->size) == 0;
}

static bool
is_free (const seat_t *seat, int64_t now)
{
    return !seat->flight || (now - seat->since >= REPORT_INTERVAL_MS && flight_count (seat->flight) == 0);
}

seat_t *
seats_take (observers_t *self, const route_t *route, wake_t *wake, int64_t now)
{
    seat_t *seat = NULL;
    for (size_t i = 0; i < SEATS; i++) {
        seat_t *each = &self->seats [i];
        if (is_free (each, now))
            seat = each;
        else
        if (is_of (each, route))
            return NULL;
    }
    if (!seat || (!seat->flight && !(seat->flight = flight_new (wake))))
        return NULL;
    seat->route = *route;
    seat->since = now;
    return seat;
}

void
seats_clear (observers_t *self)
{
    for (size_t i = 0; i < SEATS; i++)
        flight_release (&self->seats [i].flight);
    blob_release (&self->report);
}
