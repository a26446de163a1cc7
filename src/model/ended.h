/*  ended.h - sessions that are over for good, so that none of them comes back

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    A worker may not hear why its session ended, and return. Not locked: its
    owner's lock guards it. Times are monotonic milliseconds.
*/
#ifndef MODEL_ENDED_H_INCLUDED
#define MODEL_ENDED_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include <muster/error.h>

#include "model/protocol.h"

typedef struct ended_entry ended_entry_t;

typedef struct {
    ended_entry_t *by_id;
    ended_entry_t *oldest;
    size_t count;
} ended_t;

void ended_clear (ended_t *self);

/*  Keep why a session ended; without memory for that it is not kept. */
void ended_keep (ended_t *self, const session_id_t *id, muster_error_t error, int64_t now);

/*  Why it ended; 0 if it is not known to have. */
muster_error_t ended_why (const ended_t *self, const session_id_t *id);

/*  Drop those kept since before a time, and the oldest beyond so many. */
void ended_drop (ended_t *self, int64_t before, size_t most);

#endif
