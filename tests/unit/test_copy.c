/*  test_copy.c - copying what nobody reads soon

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <string.h>

#include "base/copy.h"

#define MOST 300

Test (copy, copies_every_size_between_every_two_alignments_and_nothing_beside)
{
    static uint8_t from [MOST + 64], to [MOST + 128], expected [MOST + 128];
    for (size_t i = 0; i < sizeof from; i++)
        from [i] = (uint8_t) (i * 7 + 1);
    for (size_t source = 0; source < 16; source++)
        for (size_t target = 0; target < 16; target++)
            for (size_t size = 0; size <= MOST; size++) {
                memset (to, 0, sizeof to);
                memset (expected, 0, sizeof expected);
                memcpy (expected + 32 + target, from + source, size);
                copy_past_caches (to + 32 + target, from + source, size);
                cr_assert_eq (memcmp (to, expected, sizeof to), 0, "%zu bytes from %zu to %zu", size, source, target);
            }
}
