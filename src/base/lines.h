/*  lines.h - a text, line by line

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef BASE_LINES_H_INCLUDED
#define BASE_LINES_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *line;       /* without its end, LF or CRLF */
    size_t size;
    const char *next;       /* where the next one begins */
    const char *end;        /* of the text */
    size_t number;          /* from 1 */
} lines_t;

/*  The lines of size bytes of text, which need no terminator and must stay. */
lines_t lines_of (const char *text, size_t size);

/*  Go on to the next line, the first one to begin with. False if there is none. */
bool lines_next (lines_t *self);

#endif
