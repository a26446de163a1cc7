/*  table.c - uthash, as muster uses it

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    The hash is SipHash-1-3 (Aumasson and Bernstein), with a key of this process.
*/
#include "base/table.h"

#include <string.h>
#include <sys/random.h>

static uint64_t keys [2];

/*  Before any table. Where the system has no numbers for us, the addresses of this
    process are better than nothing. */
__attribute__ ((constructor (101))) static void
table_load (void)
{
    if (getrandom (keys, sizeof keys, GRND_NONBLOCK) != sizeof keys) {
        keys [0] = (uintptr_t) &keys;
        keys [1] = (uintptr_t) __builtin_frame_address (0);
    }
}

static uint64_t
turn (uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

static void
mix (uint64_t v [4])
{
    v [0] += v [1];
    v [2] += v [3];
    v [1] = turn (v [1], 13) ^ v [0];
    v [3] = turn (v [3], 16) ^ v [2];
    v [0] = turn (v [0], 32);
    v [2] += v [1];
    v [0] += v [3];
    v [1] = turn (v [1], 17) ^ v [2];
    v [3] = turn (v [3], 21) ^ v [0];
    v [2] = turn (v [2], 32);
}

static void
take (uint64_t v [4], uint64_t word)
{
    v [3] ^= word;
    mix (v);
    v [0] ^= word;
}

unsigned
table_hash (const void *bytes, size_t size)
{
    uint64_t v [4] = { keys [0] ^ 0x736f6d6570736575, keys [1] ^ 0x646f72616e646f6d,
        keys [0] ^ 0x6c7967656e657261, keys [1] ^ 0x7465646279746573 };
    const uint8_t *at = bytes;
    const uint8_t *end = at + size / 8 * 8;
    uint64_t word;
    for (; at < end; at += 8) {
        memcpy (&word, at, 8);
        take (v, word);
    }
    word = 0;
    memcpy (&word, at, size % 8);
    take (v, word | (uint64_t) size << 56);
    v [2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        mix (v);
    return (unsigned) (v [0] ^ v [1] ^ v [2] ^ v [3]);
}
