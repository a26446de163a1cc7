/*  numbered.h - batches of messages that have numbers

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef NUMBERED_H_INCLUDED
#define NUMBERED_H_INCLUDED

#include <stdint.h>

#include "actor/batch.h"

/*  Messages "C1" {"n": 1} ... of numbers first, first + 1 ... whose positions these are; sizes
    differ. Of source "a", session "5e551011", stream 7. The caller owns it. */
batch_t *numbered_batch (uint64_t first, uint32_t count);

#endif
