/*  bytes.h - big-endian numbers in memory of any alignment

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef BASE_BYTES_H_INCLUDED
#define BASE_BYTES_H_INCLUDED

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t
bytes_get16 (const uint8_t *at)
{
    uint16_t value;
    memcpy (&value, at, sizeof value);
    return be16toh (value);
}

static inline uint32_t
bytes_get32 (const uint8_t *at)
{
    uint32_t value;
    memcpy (&value, at, sizeof value);
    return be32toh (value);
}

static inline uint64_t
bytes_get64 (const uint8_t *at)
{
    uint64_t value;
    memcpy (&value, at, sizeof value);
    return be64toh (value);
}

static inline void
bytes_put32 (uint8_t *at, uint32_t value)
{
    value = htobe32 (value);
    memcpy (at, &value, sizeof value);
}

static inline void
bytes_put64 (uint8_t *at, uint64_t value)
{
    value = htobe64 (value);
    memcpy (at, &value, sizeof value);
}

#endif
