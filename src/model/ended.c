/*  ended.c - sessions that are over for good, so that none of them comes back

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "model/ended.h"

#include <utlist.h>

#include "base/alloc.h"
#include "base/table.h"

struct ended_entry {
    session_id_t id;
    muster_error_t error;
    int64_t at;
    UT_hash_handle hh;
    ended_entry_t *prev, *next;
};

static ended_entry_t *
find (const ended_t *self, const session_id_t *id)
{
    ended_entry_t *entry = NULL;
    HASH_FIND (hh, self->by_id, id, sizeof *id, entry);
    return entry;
}

static void
drop (ended_t *self, ended_entry_t *entry)
{
    HASH_DELETE (hh, self->by_id, entry);
    DL_DELETE (self->oldest, entry);
    self->count--;
    alloc_free (entry);
}

void
ended_clear (ended_t *self)
{
    while (self->oldest)
        drop (self, self->oldest);
}

/*  uthash tells of a lack of memory by leaving the handle's table NULL. */
void
ended_keep (ended_t *self, const session_id_t *id, muster_error_t error, int64_t now)
{
    ended_entry_t *entry = find (self, id);
    if (entry)
        drop (self, entry);
    entry = alloc_zero (sizeof *entry);
    if (!entry)
        return;
    *entry = (ended_entry_t) { .id = *id, .error = error, .at = now };
    HASH_ADD (hh, self->by_id, id, sizeof entry->id, entry);
    if (!entry->hh.tbl) {
        alloc_free (entry);
        return;
    }
    DL_APPEND (self->oldest, entry);
    self->count++;
}

muster_error_t
ended_why (const ended_t *self, const session_id_t *id)
{
    const ended_entry_t *entry = find (self, id);
    return entry ? entry->error : 0;
}

void
ended_drop (ended_t *self, int64_t before, size_t most)
{
    while (self->oldest && (self->oldest->at < before || self->count > most))
        drop (self, self->oldest);
}
