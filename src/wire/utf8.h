/*  utf8.h - is text UTF-8?

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef WIRE_UTF8_H_INCLUDED
#define WIRE_UTF8_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*  True for well-formed UTF-8: shortest forms, no surrogates, none above
    U+10FFFF. Empty text is. */
bool utf8_valid (const uint8_t *text, size_t size);

/*  The same, and without control characters (U+0000-1F, U+7F-9F). */
bool utf8_printable (const uint8_t *text, size_t size);

#endif
