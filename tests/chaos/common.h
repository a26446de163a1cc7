/*  common.h - what the two programs of the tests of real faults share

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Both say what happens as JSON objects on stdout, one a line.
*/
#ifndef CHAOS_COMMON_H_INCLUDED
#define CHAOS_COMMON_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*  One line on stdout, whole, whatever other threads say. */
void say (const char *format, ...) __attribute__ ((format (printf, 1, 2)));

/*  Monotonic microseconds. */
uint64_t now_us (void);

/*  The bytes of message n: they depend on n and on their place. */
void pattern_fill (uint8_t *bytes, size_t size, uint64_t n);

bool pattern_is_right (const uint8_t *bytes, size_t size, uint64_t n);

/*  A field of /proc/self/status in kB, "VmRSS" say. */
long status_kb (const char *field);

void *must (void *memory);

#endif
