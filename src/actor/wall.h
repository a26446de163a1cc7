/*  wall.h - the time of day

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Nothing waits by this clock, since somebody may set it: see monotonic.h.
*/
#ifndef ACTOR_WALL_H_INCLUDED
#define ACTOR_WALL_H_INCLUDED

#include <stdint.h>

/*  Milliseconds since 1970, UTC; 0 if the clock is set before that. */
uint64_t wall_ms (void);

#endif
