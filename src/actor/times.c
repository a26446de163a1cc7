/*  times.c - how long handlers take

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/times.h"

static int
place_of (uint64_t us)
{
    int bits = us == 0 ? 0 : 64 - __builtin_clzll (us);
    return bits < MUSTER_TIMES_COUNT ? bits : MUSTER_TIMES_COUNT - 1;
}

void
times_add (times_t *self, uint64_t messages, int64_t ns)
{
    uint64_t time = ns > 0 ? (uint64_t) ns : 0;
    if (messages == 0)
        return;
    self->messages += messages;
    self->ns += time;
    self->counts [place_of (time / messages / 1000)] += messages;
}
