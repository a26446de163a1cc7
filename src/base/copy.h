/*  copy.h - copying what nobody reads soon

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef BASE_COPY_H_INCLUDED
#define BASE_COPY_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

/*  As memcpy, but past the caches, where the processor can: a large message that is
    put together would push the next pieces of itself out of them. */
void copy_past_caches (uint8_t *to, const uint8_t *from, size_t size);

#endif
