/*  z85.c - is text a CURVE key, as ZeroMQ writes them?

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "model/z85.h"

#include <stdint.h>
#include <string.h>

#define DIGITS 5

static const char alphabet [] =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/*  Five digits are four bytes. */
static bool
is_word (const char *digits)
{
    uint64_t value = 0;
    for (size_t i = 0; i < DIGITS; i++) {
        const char *digit = digits [i] ? strchr (alphabet, digits [i]) : NULL;
        if (!digit)
            return false;
        value = value * (sizeof alphabet - 1) + (uint64_t) (digit - alphabet);
    }
    return value <= UINT32_MAX;
}

bool
z85_is_key (const char *text, size_t size)
{
    if (size != Z85_KEY)
        return false;
    bool zero = true;
    for (size_t at = 0; at < size; at += DIGITS) {
        if (!is_word (text + at))
            return false;
        zero = zero && memcmp (text + at, "00000", DIGITS) == 0;
    }
    return !zero;
}
