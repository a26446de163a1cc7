/*  alloc.c - memory from malloc, and a way for tests to let it run out

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "base/alloc.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#ifdef MUSTER_TESTING
/*  Allocations until they fail, this one included; 0: they do not. */
static _Thread_local size_t until_failure;

void
alloc_fail_from (size_t nth)
{
    until_failure = nth;
}

static bool
is_to_fail (void)
{
    if (until_failure > 1) {
        until_failure--;
        return false;
    }
    return until_failure == 1;
}
#else
static bool
is_to_fail (void)
{
    return false;
}
#endif

void *
alloc_new (size_t size)
{
    return is_to_fail () ? NULL : malloc (size ? size : 1);
}

void *
alloc_zero (size_t size)
{
    return is_to_fail () ? NULL : calloc (1, size ? size : 1);
}

void *
alloc_resize (void *memory, size_t size)
{
    return is_to_fail () ? NULL : realloc (memory, size ? size : 1);
}

char *
alloc_text (const char *text)
{
    if (!text)
        return NULL;
    size_t size = strlen (text) + 1;
    char *copy = alloc_new (size);
    if (copy)
        memcpy (copy, text, size);
    return copy;
}

void
alloc_free (void *memory)
{
    free (memory);
}
