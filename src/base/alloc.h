/*  alloc.h - memory from malloc, and a way for tests to let it run out

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef BASE_ALLOC_H_INCLUDED
#define BASE_ALLOC_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

/*  All of these give NULL when there is no memory; callers return
    MUSTER_NOMEM. alloc_free (NULL) is harmless. */
void *alloc_new (size_t size);          /* not cleared */
void *alloc_zero (size_t size);         /* cleared */
void *alloc_resize (void *memory, size_t size);
char *alloc_text (const char *text);    /* a copy; NULL for NULL */
/*  Put a copy of text in the place of *option. False when out of memory: *option is NULL then. */
bool alloc_option (char **option, const char *text);
void alloc_free (void *memory);

/*  Let the heap see a large block come and go. Until it has (mallopt(3), M_MMAP_THRESHOLD: it
    learns from the first), it gives what ZeroMQ frees back to the system frame by frame,
    and to get pages anew costs more than to fill them. */
void alloc_warm (void);

/*  Memory for a message. What is large goes back to the system when it is freed, or
    waits a second to be used again (spare.h): the heap would keep it, for as long as
    anything lies behind it. */
void *alloc_block (size_t size);        /* not cleared; aligned for any type */
/*  The same, with byte number offset at a multiple of BLOCK_ALIGNMENT. */
#define BLOCK_ALIGNMENT 64
void *alloc_block_aligned (size_t size, size_t offset);
void alloc_block_free (void *memory);   /* NULL is harmless */

#ifdef MUSTER_TESTING
/*  Let the allocation number nth from now on (1 is the next) and all after it
    fail, in this thread; 0 ends that. */
void alloc_fail_from (size_t nth);
#endif

#endif
