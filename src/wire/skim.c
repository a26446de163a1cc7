/*  skim.c - the usual message at a glance

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "wire/skim.h"

#include <endian.h>
#include <string.h>

#include "wire/head.h"
#include "wire/utf8.h"

#define FIXMAP 0x80
#define FIXMAP_MOST 15

#define WORD ((ptrdiff_t) sizeof (uint64_t))
#define EACH_BYTE(byte) (0x0101010101010101u * (byte))
#define HIGH_BITS EACH_BYTE (0x80)

/*  Bytes of the numbers, true, false and nil, by their first; 0: of something else. */
static const uint8_t scalar_sizes [256] = {
    [0x00 ... 0x7f] = 1, [0xc0] = 1, [0xc2 ... 0xc3] = 1, [0xca] = 5, [0xcb] = 9, [0xcc] = 2, [0xcd] = 3, [0xce] = 5,
    [0xcf] = 9, [0xd0] = 2, [0xd1] = 3, [0xd2] = 5, [0xd3] = 9, [0xe0 ... 0xff] = 1 };

static inline uint64_t
word_at (const uint8_t *at)
{
    uint64_t word;
    memcpy (&word, at, sizeof word);
    return le64toh (word);
}

/*  The size of a short str that is not empty; 0 for anything else. A word can be read behind
    its first byte. */
static inline uint32_t
short_str (const uint8_t *at, const uint8_t *end)
{
    if (end - at <= WORD)
        return 0;
    uint32_t size = *at ^ SKIM_FIXSTR;
    return size <= SKIM_FIXSTR_MOST && end - at > (ptrdiff_t) size ? size : 0;
}

/*  A number that equal keys have in common, and others as a rule have not. False if it is
    not UTF-8. */
static inline bool
mark_key (const uint8_t *text, uint32_t size, uint64_t *mark)
{
    if (size > WORD) {
        *mark = word_at (text) + 3 * word_at (text + size - WORD);
        return utf8_valid (text, size);
    }
    *mark = word_at (text) << (64 - 8 * size);
    return (*mark & HIGH_BITS) == 0;
}

/*  The end of a value; NULL if it is a container, or cut off, or no value. */
static const uint8_t *
pass_other_value (const uint8_t *at, const uint8_t *end)
{
    head_t head;
    if (!head_read (at, end, &head) || head.kind == HEAD_RESERVED || head_is_container (&head))
        return NULL;
    at += head.size;
    if (head.length > (size_t) (end - at) || (head.kind == MUSTER_VALUE_STR && !utf8_valid (at, head.length)))
        return NULL;
    return at + head.length;
}

static inline const uint8_t *
pass_value (const uint8_t *at, const uint8_t *end)
{
    ptrdiff_t size = at < end ? scalar_sizes [*at] : 0;
    return size > 0 && size <= end - at ? at + size : pass_other_value (at, end);
}

static inline bool
is_among (uint64_t mark, const uint64_t *marks, uint32_t count)
{
    for (uint32_t index = 0; index < count; index++)
        if (marks [index] == mark)
            return true;
    return false;
}

/*  A key and its value. */
static const uint8_t *
pass_pair (const uint8_t *at, const uint8_t *end, uint64_t *mark)
{
    uint32_t size = short_str (at, end);
    return size > 0 && mark_key (at + 1, size, mark) ? pass_value (at + 1 + size, end) : NULL;
}

/*  The same where nothing can be cut off; NULL also if it is not of the shortest kind. */
#define PAIR_MOST (1 + WORD + 9)

static inline const uint8_t *
pass_short_pair (const uint8_t *at, uint64_t *mark)
{
    uint32_t size = *at ^ SKIM_FIXSTR;
    if (size - 1 >= WORD)
        return NULL;
    *mark = word_at (at + 1) << (64 - 8 * size);
    uint32_t value = scalar_sizes [at [1 + size]];
    return value > 0 && (*mark & HIGH_BITS) == 0 ? at + 1 + size + value : NULL;
}

const uint8_t *
skim_map (const uint8_t *at, const uint8_t *end)
{
    uint64_t marks [FIXMAP_MOST];
    uint32_t pairs = at < end ? *at++ ^ FIXMAP : FIXMAP_MOST + 1;
    if (pairs > FIXMAP_MOST)
        return NULL;
    for (uint32_t pair = 0; pair < pairs; pair++) {
        const uint8_t *next = end - at >= PAIR_MOST ? pass_short_pair (at, &marks [pair]) : NULL;
        if (!next)
            next = pass_pair (at, end, &marks [pair]);
        if (!next || is_among (marks [pair], marks, pair))
            return NULL;
        at = next;
    }
    return at;
}

bool
skim_message (const uint8_t *at, const uint8_t *end, scan_message_t *message)
{
    uint32_t cmd_size = end - at > WORD && *at == SKIM_ARRAY ? short_str (at + 1, end) : 0;
    if (cmd_size == 0 || !utf8_printable (at + 2, cmd_size))
        return false;
    const uint8_t *data_end = skim_map (at + 2 + cmd_size, end);
    if (!data_end)
        return false;
    skim_note (at, data_end, cmd_size, message);
    return true;
}
