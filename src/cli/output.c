/*  output.c - stdout, whose reader may not read

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/clock.h"

#define WAIT_MS 100

typedef struct {
    bool (*is_over) (void *argument, int64_t stalled_ms);
    void *argument;
} output_t;

/*  False when is_over says so. */
static bool
wait_for_room (const output_t *self)
{
    struct pollfd item = { .fd = STDOUT_FILENO, .events = POLLOUT };
    int64_t since = clock_ms ();
    while (poll (&item, 1, WAIT_MS) <= 0)
        if (self->is_over (self->argument, clock_ms () - since))
            return false;
    return true;
}

/*  A pipe that can be written takes PIPE_BUF bytes without waiting. */
static ssize_t
write_all (void *cookie, const char *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        if (!wait_for_room (cookie))
            return 0;
        size_t left = size - done;
        ssize_t written = write (STDOUT_FILENO, bytes + done, left < PIPE_BUF ? left : PIPE_BUF);
        if (written < 0 && errno != EINTR && errno != EAGAIN)
            return 0;
        done += written > 0 ? (size_t) written : 0;
    }
    return (ssize_t) done;
}

static int
forget (void *cookie)
{
    free (cookie);
    return 0;
}

FILE *
output_open (bool (*is_over) (void *argument, int64_t stalled_ms), void *argument)
{
    output_t *self = malloc (sizeof *self);
    if (!self)
        return NULL;
    *self = (output_t) { .is_over = is_over, .argument = argument };
    FILE *stream = fopencookie (self, "w", (cookie_io_functions_t) { .write = write_all, .close = forget });
    if (!stream)
        free (self);
    return stream;
}
