/*  common.c - what the two programs of the tests of real faults share

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "common.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void
say (const char *format, ...)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    va_list arguments;
    va_start (arguments, format);
    pthread_mutex_lock (&lock);
    vprintf (format, arguments);
    putchar ('\n');
    fflush (stdout);
    pthread_mutex_unlock (&lock);
    va_end (arguments);
}

uint64_t
now_us (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

/*  One period of the pattern of n; its length is odd, so that no block of a
    message looks like another. */
#define PERIOD 4093

static void
pattern_period (uint8_t period [PERIOD], uint64_t n)
{
    for (size_t i = 0; i < PERIOD; i++)
        period [i] = (uint8_t) (n * 31 + i * 7 + (i >> 8));
}

void
pattern_fill (uint8_t *bytes, size_t size, uint64_t n)
{
    uint8_t period [PERIOD];
    pattern_period (period, n);
    for (size_t at = 0; at < size; at += PERIOD)
        memcpy (bytes + at, period, size - at < PERIOD ? size - at : PERIOD);
}

bool
pattern_is_right (const uint8_t *bytes, size_t size, uint64_t n)
{
    uint8_t period [PERIOD];
    pattern_period (period, n);
    for (size_t at = 0; at < size; at += PERIOD)
        if (memcmp (bytes + at, period, size - at < PERIOD ? size - at : PERIOD))
            return false;
    return true;
}

long
status_kb (const char *field)
{
    char line [256];
    long kb = 0;
    size_t length = strlen (field);
    FILE *file = fopen ("/proc/self/status", "re");
    while (file && fgets (line, sizeof line, file))
        if (strncmp (line, field, length) == 0 && line [length] == ':')
            kb = atol (line + length + 1);
    if (file)
        fclose (file);
    return kb;
}

void *
must (void *memory)
{
    if (!memory) {
        say ("{\"error\": \"NOMEM\", \"in\": \"the test\"}");
        exit (1);
    }
    return memory;
}
