/*  recording.h - a recording: the messages of a listener, in a file

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    docs/recording.md has the bytes. A file may come from anywhere: nothing in it is
    believed before it was looked at, and reading allocates nothing.
*/
#ifndef CLI_RECORDING_H_INCLUDED
#define CLI_RECORDING_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORDING_NAME_MAX 255

/*  Bytes of the header, and of a record before its data. */
#define RECORDING_HEADER 20
#define RECORDING_HEAD_MOST (1 + 9 + 2 * (2 + RECORDING_NAME_MAX) + 5)

typedef struct {
    uint64_t time;                          /* microseconds since the recording began */
    char source [RECORDING_NAME_MAX + 1];
    char cmd [RECORDING_NAME_MAX + 1];
    const uint8_t *data;                    /* a msgpack map; inside the bytes read */
    uint32_t size;
} record_t;

/*  Write the header, or what comes before the data of a record. Both return the bytes
    written. */
size_t recording_write_header (uint8_t header [RECORDING_HEADER]);
size_t recording_write_head (uint8_t head [RECORDING_HEAD_MOST], const record_t *record);

typedef struct {
    const uint8_t *bytes;
    size_t size;
    size_t next;            /* where the next record begins */
    uint64_t time;          /* of the last one */
} recording_t;

typedef enum {
    RECORDING_RECORD,
    RECORDING_END,
    RECORDING_CUT,          /* it ends within a record, or within the header */
    RECORDING_BROKEN        /* what stands at next is none */
} recording_result_t;

/*  Begin to read bytes, which stay the caller's: RECORDING_RECORD if the header is one. */
recording_result_t recording_begin (recording_t *self, const void *bytes, size_t size);

/*  Take the next record. Only with RECORDING_RECORD is it set, and next moved. */
recording_result_t recording_next (recording_t *self, record_t *record);

#endif
