/*  place.c - one message of a batch that was diverted

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/place.h"

#include "base/alloc.h"

place_t *
place_new (batch_t *batch, uint32_t index, size_t offset)
{
    place_t *self = alloc_new (sizeof *self);
    if (!self)
        return NULL;
    *self = (place_t) { .batch = batch_share (batch), .index = index, .offset = offset };
    batch->fixed = true;
    return self;
}

void
place_destroy (place_t **self_p)
{
    place_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    batch_release (&self->batch);
    alloc_free (self);
}
