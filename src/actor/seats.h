/*  seats.h - who was answered with a REPORT lately, and what of it is under way

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    One REPORT serves all who ask within REPORT_INTERVAL_MS. A connection has a seat for as
    long, and for as long as its REPORT has not left: so one that does not read costs one
    REPORT's memory, and many together no more than SEATS of them. The actor's.
*/
#ifndef ACTOR_SEATS_H_INCLUDED
#define ACTOR_SEATS_H_INCLUDED

#include <stdbool.h>

#include "actor/flight.h"
#include "model/blob.h"

#define SEATS 16

typedef struct {
    route_t route;
    int64_t since;
    flight_t *flight;       /* NULL: nobody ever sat here */
} seat_t;

typedef struct {
    blob_t *report;         /* the frame; NULL: none was made */
    size_t report_size;
    int64_t made_at;
    seat_t seats [SEATS];
} observers_t;

/*  A seat for a connection that may be answered now; NULL if it may not, or there is none. */
seat_t *seats_take (observers_t *self, const route_t *route, wake_t *wake, int64_t now);

/*  Forget all. What is under way lives on. */
void seats_clear (observers_t *self);

#endif
