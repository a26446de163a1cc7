/*  skim.c - the usual data at a glance

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
#define FIXSTR 0xa0
#define FIXSTR_MOST 31
#define HIGH_BITS 0x8080808080808080u

static inline uint64_t
word_at (const uint8_t *at)
{
    uint64_t word;
    memcpy (&word, at, sizeof word);
    return le64toh (word);
}

/*  A number that equal keys have in common, and others as a rule have not. False if
    the key is none of the usual. */
static inline bool
take_key (const uint8_t **at, const uint8_t *end, uint64_t *mark)
{
    const uint8_t *text = *at + 1;
    if (end - *at < 1 + (int) sizeof (uint64_t))
        return false;
    uint32_t size = **at ^ FIXSTR;
    if (size == 0 || size > FIXSTR_MOST)
        return false;
    if (size <= sizeof (uint64_t)) {
        *mark = word_at (text) << (64 - 8 * size);
        *at = text + size;
        return (*mark & HIGH_BITS) == 0;
    }
    if (end - text < size || !utf8_valid (text, size))
        return false;
    *mark = word_at (text) + 3 * word_at (text + size - sizeof (uint64_t));
    *at = text + size;
    return true;
}

static inline bool
take_value (const uint8_t **at, const uint8_t *end)
{
    head_t head;
    if (!head_read (*at, end, &head) || head.kind == HEAD_RESERVED || head_is_container (&head))
        return false;
    const uint8_t *payload = *at + head.size;
    if (head.length > (size_t) (end - payload))
        return false;
    *at = payload + head.length;
    return head.kind != MUSTER_VALUE_STR || utf8_valid (payload, head.length);
}

const uint8_t *
skim_map (const uint8_t *at, const uint8_t *end)
{
    uint64_t marks [FIXMAP_MOST];
    if (at == end)
        return NULL;
    uint32_t pairs = *at++ ^ FIXMAP;
    if (pairs > FIXMAP_MOST)
        return NULL;
    for (uint32_t pair = 0; pair < pairs; pair++) {
        if (!take_key (&at, end, &marks [pair]))
            return NULL;
        for (uint32_t before = 0; before < pair; before++)
            if (marks [before] == marks [pair])
                return NULL;
        if (!take_value (&at, end))
            return NULL;
    }
    return at;
}
