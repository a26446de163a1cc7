/*  output.h - stdout, whose reader may not read

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Who writes to a full pipe waits, and heeds nothing else meanwhile. This stream writes only what
    the pipe has room for, so that its owner can look around while there is none.
*/
#ifndef CLI_OUTPUT_H_INCLUDED
#define CLI_OUTPUT_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*  A stream to stdout, which fclose leaves open; NULL when out of memory. While stdout takes nothing
    is_over is asked, ten times a second, with the time since it last did: if it says so the stream fails. A line
    of up to PIPE_BUF bytes is written whole or not at all. */
FILE *output_open (bool (*is_over) (void *argument, int64_t stalled_ms), void *argument);

#endif
