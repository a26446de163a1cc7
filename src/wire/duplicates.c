/*  duplicates.c - keys that come twice in a large map

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    A key is one number: in the high half four of its bytes (or its size), by
    which it is sorted, in the low half where it is. Keys are first parted by
    size, then by four bytes at a time, until no group has two.
*/
#include "wire/duplicates.h"

#include <string.h>

#include "wire/head.h"
#include "wire/scan.h"

/*  Groups of so many are compared in pairs. */
#define FEW 16

/*  And so many are sorted by insertion. */
#define FEW_SORTED 64

typedef struct {
    uint32_t left;      /* elements or pairs to come */
    uint32_t first;     /* of a large map: index of its first key */
    bool map;
    bool large;
} level_t;

/*  --------------------------------------------------------------------------
    Sorting by the high half, byte by byte, in place */

static void
sort_few (uint64_t *keys, size_t count)
{
    for (size_t index = 1; index < count; index++) {
        uint64_t key = keys [index];
        size_t place = index;
        for (; place > 0 && keys [place - 1] > key; place--)
            keys [place] = keys [place - 1];
        keys [place] = key;
    }
}

/*  Where the keys of each byte begin: starts [byte], starts [256] is the end. */
static void
find_starts (const uint64_t *keys, size_t count, unsigned shift, size_t *starts)
{
    memset (starts, 0, 257 * sizeof *starts);
    for (size_t index = 0; index < count; index++)
        starts [(keys [index] >> shift & 0xff) + 1]++;
    for (size_t byte = 0; byte < 256; byte++)
        starts [byte + 1] += starts [byte];
}

/*  Swap each key to where those of its byte belong. */
static void
part (uint64_t *keys, unsigned shift, const size_t *starts)
{
    size_t next [256];
    memcpy (next, starts, sizeof next);
    for (size_t byte = 0; byte < 256; byte++) {
        while (next [byte] < starts [byte + 1]) {
            uint64_t *key = &keys [next [byte]];
            size_t belongs = *key >> shift & 0xff;
            uint64_t *other = &keys [next [belongs]++];
            uint64_t kept = *other;
            *other = *key;
            *key = kept;
        }
    }
}

/*  Do all keys have the byte at shift in common? */
static bool
alike (const uint64_t *keys, size_t count, unsigned shift)
{
    uint64_t differ = 0;
    for (size_t index = 1; index < count; index++)
        differ |= keys [index] ^ keys [0];
    return (differ >> shift & 0xff) == 0;
}

/*  shift: 56, then 48, 40 and 32 for the recursion, which ends there. */
static void
sort (uint64_t *keys, size_t count, unsigned shift)
{
    while (shift > 32 && count > FEW_SORTED && alike (keys, count, shift))
        shift -= 8;
    if (count <= FEW_SORTED) {
        sort_few (keys, count);
        return;
    }
    size_t starts [257];
    find_starts (keys, count, shift, starts);
    part (keys, shift, starts);
    for (size_t byte = 0; byte < 256 && shift > 32; byte++)
        if (starts [byte + 1] - starts [byte] > 1)
            sort (keys + starts [byte], starts [byte + 1] - starts [byte], shift - 8);
}

/*  --------------------------------------------------------------------------
    Groups */

static const uint8_t *
text_of (const uint8_t *data, uint64_t key, uint32_t *size)
{
    const uint8_t *at = data + (uint32_t) key;
    head_t head = head_known (at);
    *size = head.length;
    return at + head.size;
}

static void
load_sizes (const uint8_t *data, uint64_t *keys, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        uint32_t size;
        text_of (data, keys [index], &size);
        keys [index] = (uint64_t) size << 32 | (uint32_t) keys [index];
    }
}

static void
load_bytes (const uint8_t *data, uint64_t *keys, size_t count, uint32_t from)
{
    for (size_t index = 0; index < count; index++) {
        uint32_t size;
        uint32_t bytes = 0;
        const uint8_t *text = text_of (data, keys [index], &size);
        memcpy (&bytes, text + from, size - from < sizeof bytes ? size - from : sizeof bytes);
        keys [index] = (uint64_t) bytes << 32 | (uint32_t) keys [index];
    }
}

static bool
two_are_same (const uint8_t *data, const uint64_t *keys, size_t count, uint32_t from)
{
    for (size_t one = 1; one < count; one++) {
        uint32_t size;
        const uint8_t *text = text_of (data, keys [one], &size);
        for (size_t two = 0; two < one; two++) {
            const uint8_t *other = text_of (data, keys [two], &size);
            if (memcmp (text + from, other + from, size - from) == 0)
                return true;
        }
    }
    return false;
}

/*  The length of the run of one high half that begins at index. */
static size_t
run_at (const uint64_t *keys, size_t count, size_t index)
{
    size_t end = index + 1;
    while (end < count && keys [end] >> 32 == keys [index] >> 32)
        end++;
    return end - index;
}

/*  Keys of one size, the same before from. Recursion takes all runs but the
    longest, so each halves the group at least and 32 suffice. */
static bool
group_repeats (const uint8_t *data, uint64_t *keys, size_t count, uint32_t size, uint32_t from)
{
    while (count > FEW) {
        if (from >= size)
            return true;
        load_bytes (data, keys, count, from);
        sort (keys, count, 56);
        from = size - from > 4 ? from + 4 : size;
        uint64_t *longest = keys;
        size_t longest_count = 0;
        for (size_t index = 0; index < count; ) {
            size_t run = run_at (keys, count, index);
            uint64_t *shorter = keys + index;
            size_t shorter_count = run;
            if (run > longest_count) {
                shorter = longest;
                shorter_count = longest_count;
                longest = keys + index;
                longest_count = run;
            }
            if (shorter_count > 1 && group_repeats (data, shorter, shorter_count, size, from))
                return true;
            index += run;
        }
        keys = longest;
        count = longest_count;
    }
    return two_are_same (data, keys, count, from);
}

static bool
repeats (const uint8_t *data, uint64_t *keys, size_t count)
{
    load_sizes (data, keys, count);
    sort (keys, count, 56);
    for (size_t index = 0; index < count; ) {
        size_t run = run_at (keys, count, index);
        uint32_t size = (uint32_t) (keys [index] >> 32);
        if (group_repeats (data, keys + index, run, size, 0))
            return true;
        index += run;
    }
    return false;
}

/*  --------------------------------------------------------------------------
    The walk */

static const uint8_t *
enter (level_t *level, const uint8_t *at, const head_t *head, uint32_t used)
{
    level->left = head->length;
    level->map = head->kind == MUSTER_VALUE_MAP;
    level->large = level->map && head->length > SCAN_KEYS_CHECKED;
    level->first = used;
    return at + head->size;
}

/*  The key at, of which a large map keeps where it is. */
static const uint8_t *
pass_key (const level_t *level, const uint8_t *data, const uint8_t *at, uint64_t *keys, uint32_t *used)
{
    head_t head = head_known (at);
    if (level->large)
        keys [(*used)++] = (uint32_t) (at - data);
    return at + head.size + head.length;
}

bool
duplicates_in (const uint8_t *data, uint64_t *keys)
{
    level_t levels [SCAN_DEPTH_WALL];
    head_t head = head_known (data);
    const uint8_t *at = enter (levels, data, &head, 0);
    uint32_t used = 0;
    size_t depth = 1;
    while (depth > 0) {
        level_t *level = &levels [depth - 1];
        if (level->left == 0) {
            if (level->large && repeats (data, keys + level->first, used - level->first))
                return true;
            used = level->large ? level->first : used;
            depth--;
            continue;
        }
        level->left--;
        if (level->map)
            at = pass_key (level, data, at, keys, &used);
        head = head_known (at);
        if (head_is_container (&head))
            at = enter (&levels [depth++], at, &head, used);
        else
            at += head.size + head.length;
    }
    return false;
}
