/*  fuzz_recording.c - recordings of any bytes

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <string.h>

#include "cli/recording.h"
#include "fuzz.h"
#include "require.h"

/*  There is one way to write a record: what is read is written the same. */
static void
check_record (const record_t *record, const uint8_t *bytes, size_t size)
{
    uint8_t head [RECORDING_HEAD_MOST];
    size_t head_size = recording_write_head (head, record);
    require (head_size + record->size == size, "a record of another size");
    require (memcmp (head, bytes, head_size) == 0, "written otherwise");
    require (record->data == bytes + head_size, "data lies elsewhere");
}

/*  What was cut off from a recording is no fault in it. */
static void
check_cut (const uint8_t *bytes, size_t size, size_t from)
{
    recording_t recording;
    record_t record;
    require (recording_begin (&recording, bytes, size) == RECORDING_RECORD, "no header any more");
    recording.next = from;
    require (recording_next (&recording, &record) == RECORDING_CUT, "a part of a record is not cut off");
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
    recording_t recording;
    record_t record;
    recording_result_t result = recording_begin (&recording, bytes, size);
    while (result == RECORDING_RECORD) {
        size_t start = recording.next;
        uint64_t time = recording.time;
        result = recording_next (&recording, &record);
        require (result == RECORDING_RECORD || recording.next == start, "moved without a record");
        require (recording.next <= size && recording.time >= time, "went too far");
        require ((result == RECORDING_END) == (start == size), "wrong end");
        if (result != RECORDING_RECORD)
            return 0;
        check_record (&record, bytes + start, recording.next - start);
        check_cut (bytes, start + 1, start);
        check_cut (bytes, recording.next - 1, start);
    }
    return 0;
}
