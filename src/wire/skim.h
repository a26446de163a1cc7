/*  skim.h - the usual data at a glance

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef WIRE_SKIM_H_INCLUDED
#define WIRE_SKIM_H_INCLUDED

#include <stdint.h>

/*  The end of the map at, if it has few pairs, short keys that differ, and no containers
    among its values, and breaks no rule. NULL if it does not, or cannot be told so quickly:
    the scan looks closer. */
const uint8_t *skim_map (const uint8_t *at, const uint8_t *end);

#endif
