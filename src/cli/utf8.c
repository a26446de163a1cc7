/*  utf8.c - what is text, and what may be a name

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/utf8.h"

#include <muster/message.h>

/*  Lead bytes of 2, 3 and 4 bytes, the bits that they give, and the least
    character that needs so many. */
static const struct {
    uint8_t mask, lead;
    uint32_t least;
} forms [] = {
    { 0xe0, 0xc0, 0x80 },
    { 0xf0, 0xe0, 0x800 },
    { 0xf8, 0xf0, 0x10000 },
};

#define FORMS (sizeof forms / sizeof forms [0])

static bool
is_scalar (uint32_t character)
{
    return character <= 0x10ffff && (character < 0xd800 || character > 0xdfff);
}

size_t
utf8_take (const char *text, size_t size, uint32_t *character)
{
    const uint8_t *at = (const uint8_t *) text;
    *character = at [0];
    if (at [0] < 0x80)
        return 1;
    size_t form = 0;
    while (form < FORMS && (at [0] & forms [form].mask) != forms [form].lead)
        form++;
    size_t length = form + 2;
    if (form == FORMS || size < length)
        return 0;
    *character = at [0] & (uint8_t) ~forms [form].mask;
    for (size_t i = 1; i < length; i++) {
        if ((at [i] & 0xc0) != 0x80)
            return 0;
        *character = *character << 6 | (at [i] & 0x3f);
    }
    return *character >= forms [form].least && is_scalar (*character) ? length : 0;
}

size_t
utf8_prefix (const char *text, size_t size)
{
    size_t done = 0;
    size_t length = 1;
    uint32_t character;
    while (done < size && length > 0) {
        length = utf8_take (text + done, size - done, &character);
        done += length;
    }
    return done;
}

static bool
is_control (uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character <= 0x9f);
}

bool
utf8_is_name (const char *text, size_t size)
{
    size_t length;
    uint32_t character;
    for (size_t done = 0; done < size; done += length) {
        length = utf8_take (text + done, size - done, &character);
        if (length == 0 || is_control (character))
            return false;
    }
    return size > 0 && size <= MUSTER_NAME_MAX;
}

/*  The same as text_is_obeyed: the command includes public headers only. A test holds them together, and
    the rest of this file to the library. */
bool
utf8_is_obeyed (uint32_t character)
{
    return is_control (character) || character == 0x61c || character == 0x200e || character == 0x200f
        || (character >= 0x2028 && character <= 0x202e) || (character >= 0x2066 && character <= 0x2069);
}
