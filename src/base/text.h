/*  text.h - characters, one at a time

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef BASE_TEXT_H_INCLUDED
#define BASE_TEXT_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*  Take the first character of size (1 or more) bytes of UTF-8: returns its
    bytes, or 0 if they are not UTF-8 (shortest forms, no surrogates, none above U+10FFFF). */
size_t text_character (const uint8_t *bytes, size_t size, uint32_t *character);

/*  Is character one of U+0000-1F, U+7F-9F? */
bool text_is_control (uint32_t character);

/*  Does a terminal obey it, or a reader of lines: a control character, one that turns the direction of
    writing, or that ends a line? */
bool text_is_obeyed (uint32_t character);

/*  May this be a source or a cmd: 1 to MUSTER_NAME_MAX bytes of UTF-8 without control characters? */
bool text_is_name (const char *text, size_t size);

#endif
