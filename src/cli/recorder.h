/*  recorder.h - writes a recording while messages come

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef CLI_RECORDER_H_INCLUDED
#define CLI_RECORDER_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include <muster/message.h>

typedef struct {
    const char *path;
    int file;
    uint64_t began;         /* microseconds */
    int64_t whole;          /* bytes of the records that are whole */
} recorder_t;

/*  Begin a new file, which nobody else can read. False, and it was said, if it cannot be
    made or is there already. */
bool recorder_open (recorder_t *self, const char *path);

/*  Add a message; once it returns the file has it, whatever becomes of this process.
    False, and it was said, if not: the file ends with the message before then. */
bool recorder_add (recorder_t *self, const muster_message_t *message);

/*  False, and it was said, if the file cannot be closed without a fault. */
bool recorder_close (recorder_t *self);

/*  Close it, and take the file away: nothing came of it. */
void recorder_discard (recorder_t *self);

#endif
