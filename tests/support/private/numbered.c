/*  numbered.c - batches of messages that have numbers

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "numbered.h"

#include <stdio.h>
#include <string.h>

#include <muster/data.h>

#include "base/alloc.h"
#include "scene.h"
#include "wire/encode.h"

static void
add (muster_writer_t *frame, uint64_t number)
{
    muster_writer_t *data = muster_writer_new ();
    const void *bytes;
    size_t size;
    char cmd [32];
    snprintf (cmd, sizeof cmd, "C%llu", (unsigned long long) number);
    muster_writer_map (data, 1);
    muster_writer_str (data, "n", 1);
    muster_writer_uint (data, number);
    MUST (muster_writer_bytes (data, &bytes, &size) == 0);
    encode_session (frame, cmd, bytes, size, 0, 0, 0);
    muster_writer_destroy (&data);
}

batch_t *
numbered_batch (uint64_t first, uint32_t count)
{
    muster_writer_t *frame = muster_writer_new ();
    const void *bytes;
    size_t size;
    for (uint64_t number = first; number < first + count; number++)
        add (frame, number);
    MUST (muster_writer_bytes (frame, &bytes, &size) == 0);
    uint8_t *memory = alloc_block (size);
    memcpy (memory, bytes, size);
    muster_writer_destroy (&frame);
    batch_t *self = batch_new_memory (memory, memory, size, SCAN_SESSION);
    MUST (batch_scan (self, &(scan_limits_t) { .depth = 8 }, NULL) == MUSTER_REFUSAL_NONE);
    MUST (self->count == count);
    self->first = first;
    self->source = "a";
    self->session = "5e551011";
    self->stream = 7;
    return self;
}
