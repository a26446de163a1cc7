/*  questions.h - asking a listener what it speaks, to see how fast the answer comes

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    A question is a HELLO of version 0 (docs/protocol.md, "Version"). The visit's connection is up;
    all belong to its thread.
*/
#ifndef ACTOR_QUESTIONS_H_INCLUDED
#define ACTOR_QUESTIONS_H_INCLUDED

#include "actor/visit.h"

typedef struct {
    uint32_t number;        /* of the question: they are numbered from 1 */
    unsigned version;       /* that the listener speaks */
    muster_error_t error;   /* VERSION, as it has to be, unless it says why not */
    char text [MUSTER_NAME_MAX + 1];
    uint64_t time_ms;       /* the listener's clock; 0: it does not tell */
} answer_t;

/*  How long answers took, and how far the clocks are apart. */
typedef struct {
    double median_ms;
    double best_ms;
    bool has_clock;
    double ahead_ms;        /* the listener's clock before ours, by the best of the answers: half of best_ms may be wrong */
} round_trips_t;

/*  Ask, and wait for the answer. timeout_ms: less than 0 for no limit. Errors of all three:
    MUSTER_TIMEOUT, MUSTER_LOST if the connection breaks, MUSTER_NOMEM. */
muster_error_t questions_ask (visit_t *visit, int timeout_ms, answer_t *answer);

#define QUESTIONS_ROUND_TRIPS 10

/*  Ask so often, one after the other. */
muster_error_t questions_round_trips (visit_t *visit, int timeout_ms, round_trips_t *trips);

/*  A large frame that a listener takes on its way for control, keys or not. */
#define QUESTIONS_LARGE 16000

/*  Ask with large frames, many under way, for 4 MiB or a second: how many bytes a second are taken? */
muster_error_t questions_flood (visit_t *visit, int timeout_ms, double *rate);

#endif
