/*  utf8.c - is text UTF-8?

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "wire/utf8.h"

#include <string.h>

#define EACH_BYTE(byte) (0x0101010101010101u * (byte))
#define HIGH_BITS EACH_BYTE (0x80)

static uint64_t
word_at (const uint8_t *at)
{
    uint64_t word;
    memcpy (&word, at, sizeof word);
    return word;
}

/*  A word in which each of 1 to 7 bytes of text occurs and no other. */
static uint64_t
word_of_short (const uint8_t *text, size_t size)
{
    if (size >= 4) {
        uint32_t first;
        uint32_t last;
        memcpy (&first, text, sizeof first);
        memcpy (&last, text + size - sizeof last, sizeof last);
        return (uint64_t) first << 32 | last;
    }
    uint32_t three = text [0] | (uint32_t) text [size / 2] << 8 | (uint32_t) text [size - 1] << 16;
    return (uint64_t) three << 40 | (uint64_t) three << 16 | (uint64_t) three >> 8;
}

static bool
ascii (uint64_t word)
{
    return (word & HIGH_BITS) == 0;
}

/*  Neither sum carries into the next byte, as all are below 0x80. */
static bool
ascii_printable (uint64_t word)
{
    uint64_t from_space = word + EACH_BYTE (0x60);
    uint64_t is_delete = word + EACH_BYTE (0x01);
    return ascii (word) && (from_space & ~is_delete & HIGH_BITS) == HIGH_BITS;
}

static bool
second_byte_fits (uint8_t lead, uint8_t second)
{
    switch (lead) {
        case 0xe0:
            return second >= 0xa0 && second <= 0xbf;
        case 0xed:
            return second >= 0x80 && second <= 0x9f;
        case 0xf0:
            return second >= 0x90 && second <= 0xbf;
        case 0xf4:
            return second >= 0x80 && second <= 0x8f;
        default:
            return second >= 0x80 && second <= 0xbf;
    }
}

/*  Bytes of the character at, or 0 if there is none. */
static size_t
character (const uint8_t *at, const uint8_t *end)
{
    uint8_t lead = *at;
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if ((size_t) (end - at) < size || !second_byte_fits (lead, at [1]))
        return 0;
    for (size_t index = 2; index < size; index++)
        if ((at [index] & 0xc0) != 0x80)
            return 0;
    return size;
}

static bool
control (const uint8_t *at)
{
    return *at < 0x20 || *at == 0x7f || (*at == 0xc2 && at [1] < 0xa0);
}

bool
utf8_valid (const uint8_t *text, size_t size)
{
    if (size > 0 && size < 8 && ascii (word_of_short (text, size)))
        return true;
    const uint8_t *end = text + size;
    while (text < end) {
        if (end - text >= 8 && ascii (word_at (text))) {
            text += 8;
            continue;
        }
        size_t step = character (text, end);
        if (step == 0)
            return false;
        text += step;
    }
    return true;
}

bool
utf8_printable (const uint8_t *text, size_t size)
{
    if (size > 0 && size < 8 && ascii_printable (word_of_short (text, size)))
        return true;
    const uint8_t *end = text + size;
    while (text < end) {
        if (end - text >= 8 && ascii_printable (word_at (text))) {
            text += 8;
            continue;
        }
        size_t step = character (text, end);
        if (step == 0 || control (text))
            return false;
        text += step;
    }
    return true;
}
