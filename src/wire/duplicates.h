/*  duplicates.h - keys that come twice in a large map

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef WIRE_DUPLICATES_H_INCLUDED
#define WIRE_DUPLICATES_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

/*  Has a map of more than SCAN_KEYS_CHECKED keys, in the scanned value at
    data, a key twice? keys: room for those of all such maps that are open at
    one time. Linear in the bytes of keys, whatever they are. */
bool duplicates_in (const uint8_t *data, uint64_t *keys);

#endif
