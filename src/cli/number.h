/*  number.h - numbers that are as wide as their column

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef CLI_NUMBER_H_INCLUDED
#define CLI_NUMBER_H_INCLUDED

#include <stdint.h>

/*  Columns that each of these takes at most. */
#define NUMBER_COLUMNS 5
#define NUMBER_TIME_COLUMNS 7
#define NUMBER_ROOM 32

/*  0 to 99999, then 100k, 1.23M, and so on by thousands. */
void number_count (char text [NUMBER_ROOM], double value);

/*  The same, and what is less than 10 with a decimal. */
void number_rate (char text [NUMBER_ROOM], double value);

/*  Millions, with decimals while there is room for them. */
void number_millions (char text [NUMBER_ROOM], double value);

/*  0 to 999, then 1.00k, 12.3M, and so on by thousands. */
void number_bytes (char text [NUMBER_ROOM], double value);

/*  How long ago: 0.3s, 12s, 5m, 2h, 3d. */
void number_age (char text [NUMBER_ROOM], uint64_t ms);

/*  How long something took, 0 for not known: -, 250us, 1.2ms, 12ms, 0.3s, and so on as an age. */
void number_span (char text [NUMBER_ROOM], uint64_t us);

/*  What a place in the histogram of handlers' times (MUSTER_TIMES_COUNT) says: <64us, <1.02ms. */
void number_time (char text [NUMBER_ROOM], unsigned place);

#endif
