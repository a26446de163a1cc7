/*  transfer.c - the large messages that are on their way to one peer

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/transfer.h"

#include <utlist.h>

#include "base/alloc.h"

/*  Nobody reads faster. */
#define TELL_MS 100

struct transfer {
    transfer_t *prev, *next;
    uint64_t position;
    uint64_t sent;
    uint64_t size;
    uint64_t told;          /* sent, when it was told last */
};

static transfer_t *
find (const transfers_t *self, uint64_t position)
{
    transfer_t *each;
    DL_FOREACH (self->list, each)
        if (each->position == position)
            return each;
    return NULL;
}

static transfer_t *
begin (transfers_t *self, const frame_chunk_t *chunk)
{
    transfer_t *transfer = alloc_zero (sizeof *transfer);
    if (!transfer)
        return NULL;
    transfer->position = chunk->position;
    transfer->size = chunk->total;
    DL_APPEND (self->list, transfer);
    return transfer;
}

static void
end (transfers_t *self, transfer_t *transfer)
{
    DL_DELETE (self->list, transfer);
    alloc_free (transfer);
}

/*  A message that is withdrawn is a chunk of nothing, and may have been sent in part before. */
void
transfers_note (transfers_t *self, const frame_chunk_t *chunk, size_t size)
{
    transfer_t *transfer = find (self, chunk->position);
    if (chunk->total <= FRAME_CHUNK_BYTES) {
        if (transfer)
            end (self, transfer);
        return;
    }
    if (!transfer && chunk->offset == 0)
        transfer = begin (self, chunk);
    if (transfer)
        transfer->sent = chunk->offset + size;
}

/*  What is sent and not received is left for the last call to say. */
static bool
is_news (const transfer_t *transfer)
{
    return transfer->sent != transfer->told && transfer->sent < transfer->size;
}

void
transfers_tell (transfers_t *self, const progress_hook_t *hook, const char *source, uint64_t received, int64_t now)
{
    transfer_t *each, *next;
    bool due = now - self->told_at >= TELL_MS;
    DL_FOREACH_SAFE (self->list, each, next)
        if (each->position <= received) {
            hook->fn (source, each->position, each->size, each->size, hook->arg);
            end (self, each);
        }
        else
        if (due && is_news (each)) {
            hook->fn (source, each->position, each->sent, each->size, hook->arg);
            each->told = each->sent;
            self->told_at = now;
        }
}

void
transfers_clear (transfers_t *self)
{
    while (self->list)
        end (self, self->list);
}
