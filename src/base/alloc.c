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

#include "base/spare.h"

#ifdef MUSTER_TESTING
/*  Allocations until they fail, this one included; 0: they do not. */
static _Thread_local size_t until_failure;

void
alloc_fail_from (size_t nth)
{
    until_failure = nth;
}
#endif

static bool
is_to_fail (void)
{
#ifdef MUSTER_TESTING
    if (until_failure <= 1)
        return until_failure == 1;
    until_failure--;
#endif
    return false;
}

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

bool
alloc_option (char **option, const char *text)
{
    alloc_free (*option);
    *option = alloc_text (text);
    return !text || *option;
}

void
alloc_free (void *memory)
{
    free (memory);
}

/*  --------------------------------------------------------------------------
    Blocks */

/*  AddressSanitizer watches the heap alone. */
#if defined (__has_feature)
#if __has_feature (address_sanitizer)
#define HEAP_IS_WATCHED 1
#endif
#elif defined (__SANITIZE_ADDRESS__)
#define HEAP_IS_WATCHED 1
#endif

#ifdef HEAP_IS_WATCHED
#define BLOCK_LARGE SIZE_MAX
#else
#define BLOCK_LARGE ((size_t) 256 * 1024)
#endif

/*  What is as large as this has large pages: to get small ones from the system takes
    longer than to fill them. */
#define PAGE_LARGE ((size_t) 2 * 1024 * 1024)
#define BLOCK_HUGE (2 * PAGE_LARGE)

/*  What stands before a block. */
typedef struct {
    void *memory;           /* as the system gave it */
    size_t mapped;          /* bytes of it; 0: it is in the heap */
} block_t;

static size_t
padding (uintptr_t address, size_t alignment)
{
    return (alignment - address % alignment) % alignment;
}

static void *
map_memory (size_t *size)
{
    bool huge = *size >= BLOCK_HUGE;
    if (huge)
        *size += PAGE_LARGE + padding (*size, PAGE_LARGE);
    void *memory = huge ? spare_take (size) : NULL;
    if (memory)
        return memory;
    memory = mmap (NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    if (huge)
        madvise (memory, *size, MADV_HUGEPAGE);
    return memory;
}

static uint8_t *
first_byte (const block_t *block)
{
    uint8_t *memory = block->memory;
    return block->mapped >= BLOCK_HUGE ? memory + padding ((uintptr_t) memory, PAGE_LARGE) : memory;
}

/*  It may begin anywhere: its header is copied, and not taken to be aligned. */
static void *
place_block (block_t block, size_t offset, size_t alignment)
{
    uint8_t *at = first_byte (&block) + sizeof block;
    at += padding ((uintptr_t) at + offset, alignment);
    memcpy (at - sizeof block, &block, sizeof block);
    return at;
}

static void *
new_block (size_t size, size_t offset, size_t alignment)
{
    if (is_to_fail () || size > SIZE_MAX / 2)
        return NULL;
    size_t whole = sizeof (block_t) + alignment + size;
    bool large = whole >= BLOCK_LARGE;
    block_t block = { .memory = large ? map_memory (&whole) : malloc (whole) };
    if (!block.memory)
        return NULL;
    block.mapped = large ? whole : 0;
    return place_block (block, offset, alignment);
}

/*  What the heap then keeps is twice as much at most: the frames of 1 MiB that wait at a
    receiver fit. */
#define WARM_SIZE ((size_t) 8 << 20)

void
alloc_warm (void)
{
    void *volatile block = malloc (WARM_SIZE);
    free (block);
}

void *
alloc_block (size_t size)
{
    return new_block (size, 0, _Alignof (max_align_t));
}

void *
alloc_block_aligned (size_t size, size_t offset)
{
    return new_block (size, offset, BLOCK_ALIGNMENT);
}

void
alloc_block_free (void *memory)
{
    if (!memory)
        return;
    block_t block;
    memcpy (&block, (uint8_t *) memory - sizeof block, sizeof block);
    if (!block.mapped)
        free (block.memory);
    else
    if (block.mapped < BLOCK_HUGE || !spare_keep (block.memory, block.mapped))
        munmap (block.memory, block.mapped);
}
