/*  wall.c - the time of day

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/wall.h"

#include <time.h>

uint64_t
wall_ms (void)
{
    struct timespec now;
    clock_gettime (CLOCK_REALTIME, &now);
    return now.tv_sec < 0 ? 0 : (uint64_t) now.tv_sec * 1000 + (uint64_t) now.tv_nsec / 1000000;
}
