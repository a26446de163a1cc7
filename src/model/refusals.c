/*  refusals.c - who was not let in lately, summed up for each address

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "model/refusals.h"

#include <stdio.h>
#include <string.h>

#include <utlist.h>

#include "base/alloc.h"
#include "base/table.h"

struct refusals_entry {
    refusal_note_t note;        /* count: since it was told last */
    int64_t due;                /* when the next may be told */
    refusals_entry_t *prev, *next;
    UT_hash_handle by_address;
};

static refusals_entry_t *
find (const refusals_t *self, const char *address)
{
    refusals_entry_t *entry = NULL;
    HASH_FIND (by_address, self->by_address, address, strlen (address), entry);
    return entry;
}

/*  It is due at once. */
static refusals_entry_t *
add (refusals_t *self, const char *address, int64_t now)
{
    refusals_entry_t *entry = alloc_zero (sizeof *entry);
    if (!entry)
        return NULL;
    snprintf (entry->note.address, sizeof entry->note.address, "%s", address);
    entry->due = now;
    HASH_ADD_KEYPTR (by_address, self->by_address, entry->note.address, strlen (entry->note.address), entry);
    if (!entry->by_address.tbl) {
        alloc_free (entry);
        return NULL;
    }
    DL_PREPEND (self->oldest, entry);
    self->count++;
    return entry;
}

static void
drop (refusals_t *self, refusals_entry_t *entry)
{
    DL_DELETE (self->oldest, entry);
    HASH_DELETE (by_address, self->by_address, entry);
    self->count--;
    alloc_free (entry);
}

/*  A connection is refused before anybody is named, and a worker makes two: what is
    told is who it was. */
static void
merge (refusal_note_t *self, const refusal_note_t *added)
{
    bool same = strcmp (self->source, added->source) == 0 && strcmp (self->reason, added->reason) == 0;
    bool better = self->count == 0 || (!*self->source && *added->source);
    self->others = self->count > 0 && (self->others || !same);
    self->count += added->count;
    if (!better)
        return;
    memcpy (self->source, added->source, sizeof self->source);
    memcpy (self->reason, added->reason, sizeof self->reason);
}

void
refusals_note (refusals_t *self,
    const char *address, const char *source, const char *reason, uint64_t count, int64_t now)
{
    char key [REFUSALS_ADDRESS_ROOM];
    snprintf (key, sizeof key, "%s", address ? address : "");
    refusals_entry_t *entry = find (self, key);
    if (!entry && self->count >= REFUSALS_ADDRESSES) {
        key [0] = 0;
        entry = find (self, key);
    }
    if (!entry)
        entry = add (self, key, now);
    if (!entry)
        return;
    refusal_note_t added = { .count = count };
    snprintf (added.source, sizeof added.source, "%s", source ? source : "");
    snprintf (added.reason, sizeof added.reason, "%s", reason ? reason : "");
    merge (&entry->note, &added);
}

/*  The entries are in the order in which they are due, since all intervals are the
    same and what is new is due at once. One that has nothing to tell when it is due
    is forgotten. */
bool
refusals_next (refusals_t *self, int64_t now, refusal_note_t *note)
{
    refusals_entry_t *entry;
    while ((entry = self->oldest) && entry->due <= now) {
        if (entry->note.count == 0) {
            drop (self, entry);
            continue;
        }
        *note = entry->note;
        entry->note.count = 0;
        entry->due = now + REFUSALS_INTERVAL_MS;
        DL_DELETE (self->oldest, entry);
        DL_APPEND (self->oldest, entry);
        return true;
    }
    return false;
}

int64_t
refusals_deadline (const refusals_t *self)
{
    return self->oldest ? self->oldest->due : INT64_MAX;
}

void
refusals_clear (refusals_t *self)
{
    while (self->oldest)
        drop (self, self->oldest);
}
