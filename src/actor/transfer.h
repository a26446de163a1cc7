/*  transfer.h - the large messages that are on their way to one peer

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Not locked: the lock of the session that they belong to guards them.
*/
#ifndef ACTOR_TRANSFER_H_INCLUDED
#define ACTOR_TRANSFER_H_INCLUDED

#include <muster/progress.h>

#include "model/protocol.h"

/*  Whom to tell; no fn, nobody. */
typedef struct {
    muster_progress_fn *fn;
    void *arg;
} progress_hook_t;

typedef struct transfer transfer_t;

typedef struct {
    transfer_t *list;           /* those sent first first */
    int64_t told_at;            /* ms */
} transfers_t;

/*  A chunk whose body has size bytes was sent. Where there is no memory nobody is told
    of its message. */
void transfers_note (transfers_t *self, const frame_chunk_t *chunk, size_t size);

/*  Tell how far they have come; the peer has received all messages up to received. */
void transfers_tell (transfers_t *self, const progress_hook_t *hook, const char *source, uint64_t received, int64_t now);

void transfers_clear (transfers_t *self);

#endif
