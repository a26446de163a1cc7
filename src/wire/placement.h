/*  placement.h - where a message should lie in memory

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Elements of an array lie in a message wherever the bytes before them end. Who
    may choose where the message lies can have them aligned.
*/
#ifndef WIRE_PLACEMENT_H_INCLUDED
#define WIRE_PLACEMENT_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

/*  The offset of the byte that should be aligned in a message of which this is
    the beginning, unchecked: the first element of the largest array that begins there;
    0 if none does. Looks at no more than its first few hundred values. */
size_t placement_find (const uint8_t *bytes, size_t size);

#endif
