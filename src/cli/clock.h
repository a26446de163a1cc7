/*  clock.h - a clock that no one sets

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef CLI_CLOCK_H_INCLUDED
#define CLI_CLOCK_H_INCLUDED

#include <stdint.h>

/*  Its time (CLOCK_MONOTONIC), in milliseconds and in microseconds. */
int64_t clock_ms (void);
uint64_t clock_us (void);

#endif
