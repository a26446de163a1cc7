/*  head.h - the first bytes of a msgpack value: its kind and its length

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef WIRE_HEAD_H_INCLUDED
#define WIRE_HEAD_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include <muster/data.h>

#include "base/bytes.h"

/*  Lead byte, four of length, ext type. */
#define HEAD_SIZE_MAX 6

/*  The kind of byte 0xc1, beside those of muster_value_type_t. */
#define HEAD_RESERVED 0xff

typedef struct {
    uint8_t kind;
    uint8_t size;       /* of the head: lead byte, length, ext type */
    uint32_t length;    /* bytes that follow the head; of a container, its elements or pairs */
} head_t;

/*  What each lead byte says. */
typedef struct {
    uint8_t kind;
    uint8_t size;       /* of the head */
    uint8_t width;      /* of the length after the lead byte */
    uint8_t length;     /* when there is none */
} head_rule_t;

extern const head_rule_t head_rules [256];

/*  The length in a head that has one after its lead byte. */
static inline uint32_t
head_length (const uint8_t *at, uint8_t width)
{
    return width == 1 ? at [1] : width == 2 ? bytes_get16 (at + 1) : bytes_get32 (at + 1);
}

/*  Read the head at, whatever it is of. False if it is not whole before end.
    An integer's kind is that of its encoding: a 5 may come as an INT. */
static inline bool
head_read (const uint8_t *at, const uint8_t *end, head_t *head)
{
    if (at == end)
        return false;
    const head_rule_t *rule = &head_rules [*at];
    if (end - at < rule->size)
        return false;
    head->kind = rule->kind;
    head->size = rule->size;
    head->length = rule->width ? head_length (at, rule->width) : rule->length;
    return true;
}

/*  The same of bytes that were scanned before: the head is whole. */
static inline head_t
head_known (const uint8_t *at)
{
    head_t head = { 0 };
    head_read (at, at + HEAD_SIZE_MAX, &head);
    return head;
}

static inline bool
head_is_container (const head_t *head)
{
    return head->kind == MUSTER_VALUE_ARRAY || head->kind == MUSTER_VALUE_MAP;
}

/*  Values that follow the head of a container. */
static inline uint64_t
head_values (const head_t *head)
{
    return head->kind == MUSTER_VALUE_MAP ? 2 * (uint64_t) head->length : head->length;
}

/*  The value of an integer whose head was read and whose bytes are all there:
    true and *value if it is 0 or more. */
bool head_unsigned (const uint8_t *at, const head_t *head, uint64_t *value);

/*  The same of a negative one. */
int64_t head_signed (const uint8_t *at, const head_t *head);

#endif
