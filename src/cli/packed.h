/*  packed.h - finding values in a packed map

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    The map was checked, as muster_observe checks it: a reader stays inside it. Each answers
    false if the value is not there, or of another kind.
*/
#ifndef CLI_PACKED_H_INCLUDED
#define CLI_PACKED_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include <muster/data.h>

/*  Go to the value of a key. */
bool packed_find (muster_reader_t map, const char *key, muster_reader_t *at);

/*  Read a number of 0 or more, or a bool as one. */
bool packed_read_count (muster_reader_t *at, uint64_t *count);
bool packed_find_count (muster_reader_t map, const char *key, uint64_t *count);

/*  The same of what an older listener does not tell: count stays as it is then. */
bool packed_find_newer_count (muster_reader_t map, const char *key, uint64_t *count);

/*  Go into a map or an array of so many elements. */
bool packed_find_container (muster_reader_t map, const char *key, muster_value_type_t type,
    muster_reader_t *at, uint32_t *count);

bool packed_find_text (muster_reader_t map, const char *key, muster_value_t *text);

/*  What went wrong with an answer, in words. */
const char *packed_error_text (muster_error_t error);

#endif
