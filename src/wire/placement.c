/*  placement.c - where a message should lie in memory

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "wire/placement.h"

#include <muster/data.h>

#include "wire/head.h"

/*  A message with more values than this before its arrays has no large ones. */
#define VALUES_MOST 1000

/*  Pass over a value, or the head of a container. False if it does not end before end. */
static bool
pass (const uint8_t **at, const uint8_t *end, head_t *head)
{
    if (!head_read (*at, end, head) || head->kind == HEAD_RESERVED)
        return false;
    *at += head->size;
    if (head_is_container (head))
        return true;
    if (head->length > (size_t) (end - *at))
        return false;
    *at += head->length;
    return true;
}

/*  The first element of an array whose payload begins at; NULL if it is none. */
static const uint8_t *
find_elements (const uint8_t *at, const uint8_t *end)
{
    head_t head;
    if (!pass (&at, end, &head) || head.kind != MUSTER_VALUE_STR
        || !pass (&at, end, &head) || head.kind != MUSTER_VALUE_ARRAY || head.length > MUSTER_ARRAY_DIMS_MAX)
        return NULL;
    for (uint32_t dims = head.length; dims > 0; dims--)
        if (!pass (&at, end, &head) || head_is_container (&head))
            return NULL;
    return at;
}

size_t
placement_find (const uint8_t *bytes, size_t size)
{
    const uint8_t *at = bytes, *end = bytes + size, *found = bytes;
    uint32_t largest = 0;
    head_t head;
    for (int values = 0; values < VALUES_MOST && head_read (at, end, &head); values++) {
        const uint8_t *payload = at + head.size;
        if (head.kind == MUSTER_VALUE_EXT && (int8_t) payload [-1] == MUSTER_EXT_ARRAY && head.length > largest) {
            const uint8_t *elements = find_elements (payload, end);
            found = elements ? elements : found;
            largest = elements ? head.length : largest;
        }
        if (!pass (&at, end, &head))
            break;
    }
    return (size_t) (found - bytes);
}
