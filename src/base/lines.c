/*  lines.c - a text, line by line

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "base/lines.h"

#include <string.h>

lines_t
lines_of (const char *text, size_t size)
{
    return (lines_t) { .next = text, .end = text + size };
}

bool
lines_next (lines_t *self)
{
    if (self->next == self->end)
        return false;
    size_t left = (size_t) (self->end - self->next);
    const char *feed = memchr (self->next, '\n', left);
    self->line = self->next;
    self->size = feed ? (size_t) (feed - self->line) : left;
    self->next = feed ? feed + 1 : self->end;
    if (self->size > 0 && self->line [self->size - 1] == '\r')
        self->size--;
    self->number++;
    return true;
}
