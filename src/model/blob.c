/*  blob.c - bytes that several owners share

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "model/blob.h"

#include "base/alloc.h"

blob_t *
blob_new (size_t room)
{
    blob_t *self = alloc_new (sizeof (blob_t) + room);
    if (self) {
        atomic_init (&self->owners, 1);
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

void
blob_release (blob_t **self_p)
{
    blob_t *self = *self_p;
    *self_p = NULL;
    if (self && atomic_fetch_sub_explicit (&self->owners, 1, memory_order_acq_rel) == 1)
        alloc_free (self);
}
