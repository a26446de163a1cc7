/*  input.c - lines of stdin, and not waiting for them for ever

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/input.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS 100
#define ROOM_LEAST ((size_t) 64 * 1024)

/*  Room for at least a byte, and a NUL. */
static bool
make_room (input_t *self)
{
    if (self->from > 0 && self->text) {
        memmove (self->text, self->text + self->from, self->to - self->from);
        self->to -= self->from;
        self->from = 0;
    }
    if (self->room >= self->to + ROOM_LEAST / 2)
        return true;
    size_t room = self->room ? self->room * 2 : ROOM_LEAST;
    char *text = realloc (self->text, room);
    if (!text)
        return false;
    self->text = text;
    self->room = room;
    return true;
}

/*  False, and errno says why, if stdin cannot be read. */
static bool
read_more (input_t *self)
{
    if (self->room < self->to + 2 && !make_room (self))
        return false;
    ssize_t size = read (STDIN_FILENO, self->text + self->to, self->room - self->to - 1);
    if (size < 0)
        return errno == EAGAIN || errno == EINTR;
    self->to += (size_t) size;
    self->ended = size == 0;
    return true;
}

/*  False when is_over says so. */
static bool
wait_for_more (bool (*is_over) (void *argument), void *argument)
{
    struct pollfd item = { .fd = STDIN_FILENO, .events = POLLIN };
    while (!is_over (argument))
        if (poll (&item, 1, WAIT_MS) > 0)
            return true;
    return false;
}

static input_result_t
take_line (input_t *self, size_t size, size_t taken, const char **line, size_t *line_size)
{
    self->text [self->from + size] = 0;
    *line = self->text + self->from;
    *line_size = size;
    self->from += taken;
    return INPUT_LINE;
}

input_result_t
input_line (input_t *self, bool (*is_over) (void *argument), void *argument, const char **line, size_t *size)
{
    size_t searched = 0;
    for (;;) {
        size_t left = self->to - self->from;
        const char *begin = self->text ? self->text + self->from : "";
        const char *end = memchr (begin + searched, '\n', left - searched);
        if (end)
            return take_line (self, (size_t) (end - begin), (size_t) (end - begin) + 1, line, size);
        if (self->ended)
            return left > 0 ? take_line (self, left, left, line, size) : INPUT_END;
        searched = left;
        if (!wait_for_more (is_over, argument))
            return INPUT_OVER;
        if (!read_more (self))
            return INPUT_BROKEN;
    }
}

void
input_free (input_t *self)
{
    free (self->text);
    *self = (input_t) { .text = NULL };
}
