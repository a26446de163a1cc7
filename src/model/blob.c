/*  blob.c - bytes that several owners share

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "model/blob.h"

#include "base/alloc.h"

/*  The heap is quicker to have smaller ones from again and again. */
#define BLOCK_LEAST ((size_t) 4 * 1024 * 1024)

blob_t *
blob_new (size_t room)
{
    bool is_block = room >= BLOCK_LEAST;
    size_t size = sizeof (blob_t) + room;
    blob_t *self = is_block ? alloc_block (size) : alloc_new (size);
    if (self) {
        atomic_init (&self->owners, 1);
        self->is_block = is_block;
        self->room = room;
    }
    return self;
}

blob_t *
blob_share (blob_t *self)
{
    atomic_fetch_add_explicit (&self->owners, 1, memory_order_relaxed);
    return self;
}

bool
blob_is_ours (blob_t *self)
{
    return atomic_load_explicit (&self->owners, memory_order_acquire) == 1;
}

void
blob_release (blob_t **self_p)
{
    blob_t *self = *self_p;
    *self_p = NULL;
    if (!self || atomic_fetch_sub_explicit (&self->owners, 1, memory_order_acq_rel) > 1)
        return;
    if (self->is_block)
        alloc_block_free (self);
    else
        alloc_free (self);
}
