/*  base64.h - bytes as text

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef CLI_BASE64_H_INCLUDED
#define CLI_BASE64_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*  Write bytes as base64, padded; errors stay with the stream. */
void base64_write (FILE *out, const uint8_t *bytes, size_t size);

/*  Read base64 as base64_write writes it. bytes: room for size / 4 * 3. False if
    text is none. */
bool base64_read (const char *text, size_t size, uint8_t *bytes, size_t *bytes_size);

#endif
