/*  table.h - uthash, as muster uses it

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    A lack of memory leaves the handle's table NULL. Keys come from peers: with a hash
    that everybody can compute, one could choose thousands that share a chain, and make
    each search a walk through them.
*/
#ifndef BASE_TABLE_H_INCLUDED
#define BASE_TABLE_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"

/*  The same for the same bytes in this process and its forks, in another process another.
    Any thread. */
unsigned table_hash (const void *bytes, size_t size);

#define HASH_NONFATAL_OOM 1
#define uthash_malloc(size) alloc_new (size)
#define uthash_free(memory, size) alloc_free (memory)
#define HASH_FUNCTION(bytes, size, hash) ((hash) = table_hash ((bytes), (size)))
#include <uthash.h>

#endif
