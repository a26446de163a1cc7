/*  fuzz_frame.c - a session's frame from any bytes

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "frame_check.h"
#include "fuzz.h"
#include "require.h"

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
    require_no_fault (frame_fault (bytes, size));
    return 0;
}
