/*  times.h - how long handlers take

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef ACTOR_TIMES_H_INCLUDED
#define ACTOR_TIMES_H_INCLUDED

#include <stdint.h>

#include <muster/stats.h>

typedef struct {
    uint64_t messages;
    uint64_t ns;                            /* of them all */
    uint64_t counts [MUSTER_TIMES_COUNT];   /* by the power of two above the time in microseconds */
} times_t;

/*  So many messages took so long together: each counts with the mean. */
void times_add (times_t *self, uint64_t messages, int64_t ns);

#endif
