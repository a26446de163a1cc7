/*  test_cli_text.c - the command and the library mean the same by text, a name, what is obeyed

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    The command includes public headers only, so it has rules of its own for these: they are
    held to the library's here.
*/
#include <criterion/criterion.h>

#include <string.h>

#include <muster/message.h>

#include "base/text.h"
#include "cli/utf8.h"
#include "wire/utf8.h"

#define BEYOND 0x110000u        /* the first that is no character */
#define MOST 0x200000u          /* the first that has no form of four bytes */

/*  The form of four bytes at most, of what is no character as well. Returns its bytes. */
static size_t
encode (uint32_t value, uint8_t *bytes)
{
    size_t length = value < 0x80 ? 1 : value < 0x800 ? 2 : value < 0x10000 ? 3 : 4;
    static const uint8_t leads [] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (size_t i = length - 1; i > 0; i--, value >>= 6)
        bytes [i] = 0x80 | (value & 0x3f);
    bytes [0] = leads [length] | (uint8_t) value;
    return length;
}

static bool
is_taken_alike (const uint8_t *bytes, size_t size)
{
    uint32_t ours = 0, theirs = 0;
    size_t length = utf8_take ((const char *) bytes, size, &ours);
    return length == text_character (bytes, size, &theirs) && (length == 0 || ours == theirs);
}

static bool
is_named_alike (const uint8_t *bytes, size_t size)
{
    bool name = utf8_is_name ((const char *) bytes, size);
    bool printable = size > 0 && size <= MUSTER_NAME_MAX && utf8_printable (bytes, size);
    return name == text_is_name ((const char *) bytes, size) && name == printable;
}

Test (cli_text, what_a_terminal_obeys_is_the_same_for_the_command_and_for_the_log)
{
    uint32_t character = 0;
    while (character < BEYOND && utf8_is_obeyed (character) == text_is_obeyed (character))
        character++;
    cr_assert_eq (character, BEYOND, "U+%04X", (unsigned) character);
}

Test (cli_text, a_character_is_the_same_for_the_command_and_for_the_library)
{
    uint8_t bytes [4];
    uint32_t value = 0;
    for (size_t size; value < MOST; value++) {
        size = encode (value, bytes);
        if (!is_taken_alike (bytes, size) || !is_taken_alike (bytes, size - (size > 1)) || !is_named_alike (bytes, size))
            break;
    }
    cr_assert_eq (value, MOST, "U+%04X", (unsigned) value);
}

/*  Of any two bytes, with what ends or breaks a character behind them. */
Test (cli_text, so_is_what_is_none)
{
    static const uint8_t thirds [] = { 0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff };
    uint32_t value = 0;
    for (; value < 0x10000 * sizeof thirds; value++) {
        uint8_t bytes [3] = { (uint8_t) (value >> 8), (uint8_t) value, thirds [value >> 16] };
        if (!is_taken_alike (bytes, sizeof bytes) || !is_named_alike (bytes, sizeof bytes))
            break;
    }
    cr_assert_eq (value, 0x10000 * sizeof thirds, "%06x", (unsigned) value);
}

Test (cli_text, a_name_is_as_long_for_the_command_as_for_the_library)
{
    uint8_t text [MUSTER_NAME_MAX + 2];
    memset (text, 'n', sizeof text);
    for (size_t size = 0; size <= sizeof text; size++)
        cr_expect (is_named_alike (text, size), "%zu bytes", size);
}
