/*  sheet.c - lines of text that are no wider than a terminal

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/sheet.h"

#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include "cli/utf8.h"

#define ELLIPSIS "\xe2\x80\xa6"

/*  --------------------------------------------------------------------------
    Characters */

typedef struct {
    const char *bytes;
    size_t size;        /* of bytes */
    unsigned width;
} glyph_t;

/*  Besides these, characters without a width that hide. */
static bool
is_sly (uint32_t character)
{
    return utf8_is_obeyed (character) || (character >= 0x200b && character <= 0x200d)
        || (character >= 0x2060 && character <= 0x206f) || character == 0xfeff;
}

/*  Take one off text, which is not at its end. */
static glyph_t
take_glyph (const char **text)
{
    uint32_t character;
    glyph_t glyph = { .bytes = *text, .size = utf8_take (*text, strlen (*text), &character) };
    int width = glyph.size > 0 && !is_sly (character) ? wcwidth ((wchar_t) character) : -1;
    *text += glyph.size > 0 ? glyph.size : 1;
    if (width < 0)
        return (glyph_t) { .bytes = "?", .size = 1, .width = 1 };
    glyph.width = (unsigned) width;
    return glyph;
}

unsigned
sheet_width (const char *text)
{
    unsigned width = 0;
    while (*text)
        width += take_glyph (&text).width;
    return width;
}

/*  What is left of text when its start, which is at least so wide, is gone. */
static const char *
skip_columns (const char *text, unsigned columns)
{
    unsigned width = 0;
    while (*text && width < columns)
        width += take_glyph (&text).width;
    return text;
}

/*  As much of text as fits into so many columns. Returns how many it takes. */
static unsigned
write_start (FILE *out, const char *text, unsigned columns)
{
    unsigned width = 0;
    while (*text) {
        glyph_t glyph = take_glyph (&text);
        if (width + glyph.width > columns)
            return width;
        fwrite (glyph.bytes, 1, glyph.size, out);
        width += glyph.width;
    }
    return width;
}

/*  --------------------------------------------------------------------------
    Lines */

void
sheet_init (sheet_t *self, FILE *out, unsigned columns, bool styled)
{
    *self = (sheet_t) { .out = out, .columns = columns, .styled = styled };
}

void
sheet_end (sheet_t *self)
{
    if (self->styled && self->look != SHEET_PLAIN)
        fputs ("\x1b[0m", self->out);
    self->look = SHEET_PLAIN;
}

void
sheet_line (sheet_t *self, sheet_look_t look)
{
    static const char *const codes [] = {
        [SHEET_PLAIN] = "", [SHEET_BOLD] = "\x1b[1m", [SHEET_DIM] = "\x1b[2m", [SHEET_LOUD] = "\x1b[7m" };
    sheet_end (self);
    if (self->begun)
        fputc ('\n', self->out);
    if (self->styled)
        fputs (codes [look], self->out);
    self->begun = true;
    self->look = look;
    self->left = self->columns;
    self->owed = 0;
}

void
sheet_skip (sheet_t *self, unsigned columns)
{
    unsigned most = columns < self->left ? columns : self->left;
    self->left -= most;
    self->owed += most;
}

/*  Write what is owed, so that something can follow. */
static void
pay (sheet_t *self)
{
    for (; self->owed > 0; self->owed--)
        fputc (' ', self->out);
}

static unsigned
fit (const sheet_t *self, unsigned columns)
{
    return columns < self->left ? columns : self->left;
}

void
sheet_put (sheet_t *self, const char *text, unsigned columns, sheet_side_t side)
{
    unsigned width = sheet_width (text), room = fit (self, columns);
    if (side == SHEET_RIGHT && width < room)
        sheet_skip (self, room - width);
    unsigned field = side == SHEET_RIGHT && width < room ? width : room;
    if (width == 0 || field == 0) {
        sheet_skip (self, field);
        return;
    }
    pay (self);
    unsigned taken = write_start (self->out, text, width > field ? field - 1 : field);
    if (width > field) {
        fputs (ELLIPSIS, self->out);
        taken++;
    }
    self->left -= taken;
    sheet_skip (self, field - taken);
}

void
sheet_put_ends (sheet_t *self, const char *text, unsigned columns)
{
    unsigned width = sheet_width (text), room = fit (self, columns);
    if (width <= room || room < 3) {
        sheet_put (self, text, columns, SHEET_LEFT);
        return;
    }
    unsigned end = (room - 1) / 2;
    pay (self);
    unsigned taken = write_start (self->out, text, room - 1 - end);
    fputs (ELLIPSIS, self->out);
    taken += 1 + write_start (self->out, skip_columns (text, width - end), end);
    self->left -= taken;
    sheet_skip (self, room - taken);
}
