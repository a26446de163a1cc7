/*  packed.c - finding values in a packed map

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/packed.h"

#include <string.h>

bool
packed_find (muster_reader_t map, const char *key, muster_reader_t *at)
{
    muster_value_t value;
    if (muster_reader_next (&map, &value) || value.type != MUSTER_VALUE_MAP)
        return false;
    for (uint32_t pairs = value.count; pairs > 0; pairs--) {
        if (muster_reader_next (&map, &value))
            return false;
        *at = map;
        if (value.size == strlen (key) && memcmp (value.bytes, key, value.size) == 0)
            return true;
        if (muster_reader_skip (&map))
            return false;
    }
    return false;
}

bool
packed_read_count (muster_reader_t *at, uint64_t *count)
{
    muster_value_t value;
    if (muster_reader_next (at, &value) || (value.type != MUSTER_VALUE_UINT && value.type != MUSTER_VALUE_BOOL))
        return false;
    *count = value.type == MUSTER_VALUE_BOOL ? value.boolean : value.u;
    return true;
}

bool
packed_find_count (muster_reader_t map, const char *key, uint64_t *count)
{
    muster_reader_t at;
    return packed_find (map, key, &at) && packed_read_count (&at, count);
}

bool
packed_find_newer_count (muster_reader_t map, const char *key, uint64_t *count)
{
    muster_reader_t at;
    return !packed_find (map, key, &at) || packed_read_count (&at, count);
}

bool
packed_find_container (muster_reader_t map, const char *key, muster_value_type_t type,
    muster_reader_t *at, uint32_t *count)
{
    muster_value_t value;
    if (!packed_find (map, key, at) || muster_reader_next (at, &value) || value.type != type)
        return false;
    *count = value.count;
    return true;
}

bool
packed_find_text (muster_reader_t map, const char *key, muster_value_t *text)
{
    muster_reader_t at;
    return packed_find (map, key, &at) && muster_reader_next (&at, text) == 0 && text->type == MUSTER_VALUE_STR;
}

const char *
packed_error_text (muster_error_t error)
{
    return error == MUSTER_FORMAT ? "the answer is none that this version understands" : muster_error_text (error);
}
