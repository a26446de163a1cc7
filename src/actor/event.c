/*  event.c - the listener's messages about itself

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/event.h"

#include <string.h>

#include "base/alloc.h"
#include "wire/encode.h"

static void
write_field (muster_writer_t *writer, const char *key, const char *text)
{
    if (!text)
        return;
    muster_writer_str (writer, key, strlen (key));
    muster_writer_str (writer, text, strlen (text));
}

static void
write_data (muster_writer_t *writer, const event_t *event)
{
    muster_writer_map (writer,
        !!event->source + !!event->session + !!event->address + !!event->reason + !!event->count + event->others);
    write_field (writer, "source", event->source);
    write_field (writer, "session", event->session);
    write_field (writer, "address", event->address);
    write_field (writer, "reason", event->reason);
    if (event->count) {
        muster_writer_str (writer, "count", 5);
        muster_writer_uint (writer, event->count);
    }
    if (event->others) {
        muster_writer_str (writer, "others", 6);
        muster_writer_bool (writer, true);
    }
}

static batch_t *
batch_of (const void *bytes, size_t size)
{
    uint8_t *memory = alloc_block (size);
    if (!memory)
        return NULL;
    memcpy (memory, bytes, size);
    batch_t *batch = batch_new_memory (memory, memory, size, SCAN_PLAIN);
    if (!batch) {
        alloc_block_free (memory);
        return NULL;
    }
    batch->event = true;
    batch->count = 1;
    return batch;
}

batch_t *
event_new (const char *listener, const char *cmd, const event_t *event)
{
    muster_writer_t *data = muster_writer_new ();
    muster_writer_t *whole = muster_writer_new ();
    const void *bytes;
    size_t size;
    batch_t *batch = NULL;
    if (data && whole) {
        write_data (data, event);
        if (!muster_writer_bytes (data, &bytes, &size))
            encode_plain (whole, listener, cmd, bytes, size);
        if (!muster_writer_bytes (whole, &bytes, &size) && size > 0)
            batch = batch_of (bytes, size);
    }
    muster_writer_destroy (&data);
    muster_writer_destroy (&whole);
    return batch;
}
