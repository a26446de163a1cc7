/*  scan_reference.h - the rules of the scan once more, slow and plain

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef SUPPORT_SCAN_REFERENCE_H_INCLUDED
#define SUPPORT_SCAN_REFERENCE_H_INCLUDED

#include "wire/scan.h"

/*  What scan_whole must say of these bytes. *message_size is set if that is
    MUSTER_REFUSAL_NONE. */
muster_refusal_t scan_reference (
    const uint8_t *bytes, size_t size, scan_form_t form, const scan_limits_t *limits, size_t *message_size);

/*  What scan_data must say. */
muster_refusal_t scan_reference_data (const uint8_t *bytes, size_t size, const scan_limits_t *limits);

#endif
