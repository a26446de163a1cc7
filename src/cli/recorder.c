/*  recorder.c - writes a recording while messages come

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/clock.h"
#include "cli/recording.h"
#include "cli/say.h"

static bool
complain (const recorder_t *self)
{
    say ("%s: %s", self->path, strerror (errno));
    return false;
}

static bool
write_all (const recorder_t *self, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write (self->file, bytes, size);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            bytes += written;
            size -= (size_t) written;
        }
    }
    return true;
}

bool
recorder_open (recorder_t *self, const char *path)
{
    uint8_t header [RECORDING_HEADER];
    *self = (recorder_t) { .path = path, .began = clock_us () };
    /*  A file that may grow no more is an error of the write, as a full disk is. */
    signal (SIGXFSZ, SIG_IGN);
    self->file = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (self->file < 0)
        return complain (self);
    self->whole = (int64_t) recording_write_header (header);
    if (write_all (self, header, sizeof header))
        return true;
    complain (self);
    recorder_discard (self);
    return false;
}

bool
recorder_add (recorder_t *self, const muster_message_t *message)
{
    size_t size;
    const uint8_t *data = muster_message_data (message, &size);
    record_t record = { .time = clock_us () - self->began, .size = (uint32_t) size };
    uint8_t head [RECORDING_HEAD_MOST];
    snprintf (record.source, sizeof record.source, "%s", muster_message_source (message));
    snprintf (record.cmd, sizeof record.cmd, "%s", muster_message_cmd (message));
    size_t head_size = recording_write_head (head, &record);
    if (write_all (self, head, head_size) && write_all (self, data, size)) {
        self->whole += (int64_t) (head_size + size);
        return true;
    }
    complain (self);
    /*  Where that fails too there is a cut-off end, which a reader passes over. */
    if (ftruncate (self->file, self->whole))
        return false;
    return false;
}

bool
recorder_close (recorder_t *self)
{
    return close (self->file) == 0 || complain (self);
}

void
recorder_discard (recorder_t *self)
{
    unlink (self->path);
    close (self->file);
}
