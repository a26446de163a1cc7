/*  utf8.h - what is text, and what may be a name

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef CLI_UTF8_H_INCLUDED
#define CLI_UTF8_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*  Bytes of the character that text begins with, size being 1 or more; 0 if it is none. */
size_t utf8_take (const char *text, size_t size, uint32_t *character);

/*  Bytes of the longest start of text that is UTF-8: size if all of it is. */
size_t utf8_prefix (const char *text, size_t size);

/*  May this be a source or a cmd: 1 to 255 bytes of UTF-8 without control characters? */
bool utf8_is_name (const char *text, size_t size);

/*  Does a terminal obey it, or a reader of lines: a control character, one that turns the direction of
    writing, or that ends a line? */
bool utf8_is_obeyed (uint32_t character);

#endif
