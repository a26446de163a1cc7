/*  text.c - characters, one at a time

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "base/text.h"

#include <muster/message.h>

static size_t
bytes_of (uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

size_t
text_character (const uint8_t *bytes, size_t size, uint32_t *character)
{
    static const uint32_t least [] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t length = bytes_of (bytes [0]);
    if (length == 0 || length > size)
        return 0;
    uint32_t value = length == 1 ? bytes [0] : bytes [0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes [i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (bytes [i] & 0x3fu);
    }
    bool surrogate = value >= 0xd800 && value <= 0xdfff;
    if (value < least [length] || value > 0x10ffff || surrogate)
        return 0;
    *character = value;
    return length;
}

bool
text_is_control (uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character <= 0x9f);
}

/*  For the command utf8_is_obeyed says the same: a test holds them together. */
bool
text_is_obeyed (uint32_t character)
{
    return text_is_control (character) || character == 0x61c || character == 0x200e || character == 0x200f
        || (character >= 0x2028 && character <= 0x202e) || (character >= 0x2066 && character <= 0x2069);
}

bool
text_is_name (const char *text, size_t size)
{
    const uint8_t *bytes = (const uint8_t *) text;
    if (size == 0 || size > MUSTER_NAME_MAX)
        return false;
    for (size_t at = 0; at < size; ) {
        uint32_t character;
        size_t length = text_character (bytes + at, size - at, &character);
        if (length == 0 || text_is_control (character))
            return false;
        at += length;
    }
    return true;
}
