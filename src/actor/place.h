/*  place.h - one message of a batch that was diverted

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Whose list it is in guards it: the inbox's lock, or a round's.
*/
#ifndef ACTOR_PLACE_H_INCLUDED
#define ACTOR_PLACE_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include "actor/batch.h"

typedef struct place place_t;

struct place {
    place_t *prev, *next;
    batch_t *batch;
    uint32_t index;
    size_t offset;
};

/*  The actor makes it. It shares the batch, which index lies in at offset; the batch's bytes stay where
    they are then. NULL when out of memory. */
place_t *place_new (batch_t *batch, uint32_t index, size_t offset);
void place_destroy (place_t **self_p);

#endif
