/*  fuzz_frame.c - a session's frame from any bytes

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <stdio.h>
#include <stdlib.h>

#include "frame_check.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
    const char *fault = frame_fault (bytes, size);
    if (fault) {
        fprintf (stderr, "fuzz_frame: %s\n", fault);
        abort ();
    }
    return 0;
}
