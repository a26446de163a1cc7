/*  frame_check.h - what must hold of any bytes that are read as a frame

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef SUPPORT_FRAME_CHECK_H_INCLUDED
#define SUPPORT_FRAME_CHECK_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

/*  Read bytes as a session's frame. NULL if they were refused as they should
    be, or gave a frame within the protocol's limits that survives being
    written and read again; otherwise what is wrong. */
const char *frame_fault (const uint8_t *bytes, size_t size);

#endif
