/*  skim.h - the usual message at a glance

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Most messages have a short cmd and a map of few scalars under short names. That
    such a one breaks no rule is seen in a fraction of the time that the scan takes.
    What is anything else, or wrong, is left to the scan.
*/
#ifndef WIRE_SKIM_H_INCLUDED
#define WIRE_SKIM_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include "wire/scan.h"

/*  The end of the map at; NULL: the scan looks closer. */
const uint8_t *skim_map (const uint8_t *at, const uint8_t *end);

/*  A session's message of kind 0, which others may follow. False: the scan looks closer. */
bool skim_message (const uint8_t *at, const uint8_t *end, scan_message_t *message);

/*  The same for bytes that passed the scan before, to the end of the message. */
bool skim_split (const uint8_t *at, const uint8_t *end, scan_message_t *message);

#endif
