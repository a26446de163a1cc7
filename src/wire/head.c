/*  head.c - the first bytes of a msgpack value: its kind and its length

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "wire/head.h"

#define BARE(kind, length) {MUSTER_VALUE_##kind, 1, 0, length}
#define SIZED(kind, width) {MUSTER_VALUE_##kind, 1 + width, width, 0}
#define EXT(width, length) {MUSTER_VALUE_EXT, 2 + width, width, length}

/*  Sixteen lead bytes from first on, whose length counts on from length. */
#define FOUR(first, kind, length) \
    [first] = BARE (kind, length), [first + 1] = BARE (kind, length + 1), \
    [first + 2] = BARE (kind, length + 2), [first + 3] = BARE (kind, length + 3)
#define SIXTEEN(first, kind, length) \
    FOUR (first, kind, length), FOUR (first + 4, kind, length + 4), \
    FOUR (first + 8, kind, length + 8), FOUR (first + 12, kind, length + 12)

const head_rule_t head_rules [256] = {
    [0x00 ... 0x7f] = BARE (UINT, 0),
    SIXTEEN (0x80, MAP, 0),
    SIXTEEN (0x90, ARRAY, 0),
    SIXTEEN (0xa0, STR, 0),
    SIXTEEN (0xb0, STR, 16),
    [0xc0] = BARE (NIL, 0),
    [0xc1] = { HEAD_RESERVED, 1, 0, 0 },
    [0xc2 ... 0xc3] = BARE (BOOL, 0),
    [0xc4] = SIZED (BIN, 1),
    [0xc5] = SIZED (BIN, 2),
    [0xc6] = SIZED (BIN, 4),
    [0xc7] = EXT (1, 0),
    [0xc8] = EXT (2, 0),
    [0xc9] = EXT (4, 0),
    [0xca] = BARE (FLOAT, 4),
    [0xcb] = BARE (FLOAT, 8),
    [0xcc] = BARE (UINT, 1),
    [0xcd] = BARE (UINT, 2),
    [0xce] = BARE (UINT, 4),
    [0xcf] = BARE (UINT, 8),
    [0xd0] = BARE (INT, 1),
    [0xd1] = BARE (INT, 2),
    [0xd2] = BARE (INT, 4),
    [0xd3] = BARE (INT, 8),
    [0xd4] = EXT (0, 1),
    [0xd5] = EXT (0, 2),
    [0xd6] = EXT (0, 4),
    [0xd7] = EXT (0, 8),
    [0xd8] = EXT (0, 16),
    [0xd9] = SIZED (STR, 1),
    [0xda] = SIZED (STR, 2),
    [0xdb] = SIZED (STR, 4),
    [0xdc] = SIZED (ARRAY, 2),
    [0xdd] = SIZED (ARRAY, 4),
    [0xde] = SIZED (MAP, 2),
    [0xdf] = SIZED (MAP, 4),
    [0xe0 ... 0xff] = BARE (INT, 0),
};

static uint64_t
unsigned_at (const uint8_t *at, uint32_t size)
{
    switch (size) {
        case 1:
            return *at;
        case 2:
            return bytes_get16 (at);
        case 4:
            return bytes_get32 (at);
        default:
            return bytes_get64 (at);
    }
}

int64_t
head_signed (const uint8_t *at, const head_t *head)
{
    if (head->length == 0)
        return (int8_t) *at;
    uint64_t bits = unsigned_at (at + 1, head->length);
    switch (head->length) {
        case 1:
            return (int8_t) bits;
        case 2:
            return (int16_t) bits;
        case 4:
            return (int32_t) bits;
        default:
            return (int64_t) bits;
    }
}

bool
head_unsigned (const uint8_t *at, const head_t *head, uint64_t *value)
{
    if (head->kind == MUSTER_VALUE_INT) {
        int64_t number = head_signed (at, head);
        *value = (uint64_t) number;
        return number >= 0;
    }
    *value = head->length == 0 ? *at : unsigned_at (at + 1, head->length);
    return true;
}
