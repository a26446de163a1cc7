/*  alloc.c - memory from malloc, and a way for tests to let it run out

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "base/alloc.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

/*  --------------------------------------------------------------------------
    Blocks */

/*  AddressSanitizer watches the heap alone. */
#ifdef __SANITIZE_ADDRESS__
#define BLOCK_LARGE SIZE_MAX
#else
#define BLOCK_LARGE ((size_t) 256 * 1024)
#endif

/*  What stands before a block. */
typedef union {
    size_t mapped;          /* bytes, this included; 0: it is in the heap */
    max_align_t alignment;
} block_t;

static block_t *
map_block (size_t size)
{
    void *memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void *
alloc_block (size_t size)
{
    if (is_to_fail () || size > SIZE_MAX / 2)
        return NULL;
    size_t whole = sizeof (block_t) + size;
    bool large = whole >= BLOCK_LARGE;
    block_t *block = large ? map_block (whole) : malloc (whole);
    if (!block)
        return NULL;
    block->mapped = large ? whole : 0;
    return block + 1;
}

void
alloc_block_free (void *memory)
{
    if (!memory)
        return;
    block_t *block = (block_t *) memory - 1;
    if (block->mapped)
        munmap (block, block->mapped);
    else
        free (block);
}
