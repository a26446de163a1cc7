/*  sheet.h - lines of text that are no wider than a terminal

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Text is measured in columns, by wcwidth: the process needs a locale whose characters
    are Unicode's, or all but ASCII shows as "?". So does what a terminal would obey or what
    turns the direction of writing.
*/
#ifndef CLI_SHEET_H_INCLUDED
#define CLI_SHEET_H_INCLUDED

#include <stdbool.h>
#include <stdio.h>

/*  How a line looks where it is styled. */
typedef enum { SHEET_PLAIN, SHEET_BOLD, SHEET_DIM, SHEET_LOUD } sheet_look_t;

typedef enum { SHEET_LEFT, SHEET_RIGHT } sheet_side_t;

typedef struct {
    FILE *out;
    unsigned columns;       /* of each line */
    bool styled;            /* with control sequences for looks */
    bool begun;             /* there is a line */
    unsigned left;          /* columns of this line that are free */
    unsigned owed;          /* of these, blanks that are only written if something follows */
    sheet_look_t look;
} sheet_t;

void sheet_init (sheet_t *self, FILE *out, unsigned columns, bool styled);

/*  Begin the next line. */
void sheet_line (sheet_t *self, sheet_look_t look);

/*  Put text into a field of so many columns; the side is where it stands if it is shorter. What is too long
    has an ellipsis at its end, or in its middle. */
void sheet_put (sheet_t *self, const char *text, unsigned columns, sheet_side_t side);
void sheet_put_ends (sheet_t *self, const char *text, unsigned columns);

/*  Leave columns blank. */
void sheet_skip (sheet_t *self, unsigned columns);

/*  End the last line. */
void sheet_end (sheet_t *self);

/*  The columns that text takes. */
unsigned sheet_width (const char *text);

#endif
