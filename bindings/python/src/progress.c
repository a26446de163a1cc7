/*  progress.c - how far large messages have come, as records in a pipe

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "progress.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

/*  A pipe takes so few bytes whole, or not at all. Without a source it is the shorter. */
typedef struct {
    uint64_t position, sent, size;
    char source [MUSTER_NAME_MAX + 1];
} record_t;

static void
put_record (const progress_t *self, const record_t *record, size_t size)
{
    ssize_t rc;
    do
        rc = write (self->place - 1, record, size);
    while (rc < 0 && errno == EINTR);
}

int
progress_begin (progress_t *self, int descriptor)
{
    int own = fcntl (descriptor, F_DUPFD_CLOEXEC, 0);
    if (own < 0) {
        PyErr_SetFromErrno (PyExc_OSError);
        return -1;
    }
    self->place = own + 1;
    return 0;
}

void
progress_tell (const progress_t *self, const char *source, uint64_t position, uint64_t sent, uint64_t size)
{
    record_t record = { .position = position, .sent = sent, .size = size };
    if (source)
        snprintf (record.source, sizeof record.source, "%s", source);
    put_record (self, &record, source ? sizeof record : offsetof (record_t, source));
}

/*  All zero: the end, whichever the records were. Where it finds no room, it is the closing that
    tells. */
void
progress_end (progress_t *self, muster_error_t error)
{
    static const record_t end;
    if (self->place == 0)
        return;
    if (error != MUSTER_FORKED)
        put_record (self, &end, offsetof (record_t, source));
    close (self->place - 1);
    self->place = 0;
}
