/*  syntax.h - the grammar of pictures

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef WIRE_SYNTAX_H_INCLUDED
#define WIRE_SYNTAX_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

/*  Is picture one map as a whole, well formed? unpacking allows "!" before a
    closing bracket and keys "s?". */
bool syntax_valid (const char *picture, bool unpacking);

/*  The next sign at or after; the terminator if there is none. Modifiers
    ("%", "?") and what may be put anywhere are passed over. */
const char *syntax_sign (const char *at);

/*  Pairs of the map, or elements of the array, that opens at. */
size_t syntax_count (const char *at);

#endif
