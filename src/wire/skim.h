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

/*  An array of two, and a str with its length in the first byte. */
#define SKIM_ARRAY 0x92
#define SKIM_FIXSTR 0xa0
#define SKIM_FIXSTR_MOST 31

static inline void
skim_note (const uint8_t *at, const uint8_t *end, uint32_t cmd_size, scan_message_t *message)
{
    const uint8_t *data = at + 2 + cmd_size;
    *message = (scan_message_t) { .size = (size_t) (end - at), .cmd = at + 2, .cmd_size = (uint8_t) cmd_size,
        .data = data, .data_size = (size_t) (end - data) };
}

/*  The same for bytes that passed the scan before, to the end of the message. */
static inline bool
skim_split (const uint8_t *at, const uint8_t *end, scan_message_t *message)
{
    uint32_t cmd_size = *at == SKIM_ARRAY ? at [1] ^ SKIM_FIXSTR : SKIM_FIXSTR_MOST + 1;
    if (cmd_size > SKIM_FIXSTR_MOST)
        return false;
    skim_note (at, end, cmd_size, message);
    return true;
}

#endif
