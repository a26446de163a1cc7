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

static uint8_t
pattern (uint64_t n, size_t place)
{
    return (uint8_t) (n * 31 + place * 7 + (place >> 8));
}

void
pattern_fill (uint8_t *bytes, size_t size, uint64_t n)
{
    for (size_t i = 0; i < size; i++)
        bytes [i] = pattern (n, i);
}

size_t
pattern_check (const uint8_t *bytes, size_t size, uint64_t n)
{
    size_t i = 0;
    while (i < size && bytes [i] == pattern (n, i))
        i++;
    return i;
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
