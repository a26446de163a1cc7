/*  base64.c - bytes as text

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/base64.h"

#include <string.h>

static const char digits [] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/*  Four digits of one to three bytes. */
static void
encode (const uint8_t *bytes, size_t size, char *text)
{
    uint32_t bits = (uint32_t) bytes [0] << 16;
    if (size > 1)
        bits |= (uint32_t) bytes [1] << 8;
    if (size > 2)
        bits |= bytes [2];
    for (int i = 0; i < 4; i++)
        text [i] = digits [bits >> (18 - 6 * i) & 63];
    if (size < 3)
        text [3] = '=';
    if (size < 2)
        text [2] = '=';
}

void
base64_write (FILE *out, const uint8_t *bytes, size_t size)
{
    char text [1024];
    size_t filled = 0;
    for (size_t done = 0; done < size; done += 3) {
        encode (bytes + done, size - done, text + filled);
        filled += 4;
        if (filled == sizeof text) {
            fwrite (text, 1, filled, out);
            filled = 0;
        }
    }
    fwrite (text, 1, filled, out);
}

/*  The value of a digit; 64 for what is none. */
static uint32_t
digit_value (char digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return (uint32_t) (digit - 'A');
    if (digit >= 'a' && digit <= 'z')
        return (uint32_t) (digit - 'a') + 26;
    if (digit >= '0' && digit <= '9')
        return (uint32_t) (digit - '0') + 52;
    return digit == '+' ? 62 : digit == '/' ? 63 : 64;
}

/*  Decode count (2 to 4) digits to count - 1 bytes; the bits of the last digit
    that no byte takes must be 0. */
static bool
decode (const char *text, size_t count, uint8_t *bytes)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t value = digit_value (text [i]);
        if (value == 64)
            return false;
        bits |= value << (18 - 6 * i);
    }
    for (size_t i = 0; i < count - 1; i++)
        bytes [i] = (uint8_t) (bits >> (16 - 8 * i));
    return (bits & ((1u << (32 - 8 * count)) - 1)) == 0;
}

bool
base64_read (const char *text, size_t size, uint8_t *bytes, size_t *bytes_size)
{
    *bytes_size = 0;
    if (size % 4 != 0)
        return false;
    for (size_t done = 0; done < size; done += 4) {
        size_t count = 4;
        if (done + 4 == size)
            while (count > 2 && text [done + count - 1] == '=')
                count--;
        if (!decode (text + done, count, bytes + *bytes_size))
            return false;
        *bytes_size += count - 1;
    }
    return true;
}
