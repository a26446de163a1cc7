/*  names.c - a list of workers' sources in one piece of memory

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/names.h"

#include <string.h>

#include <utlist.h>

#include "base/alloc.h"

bool
names_init (names_t *self, const roster_t *roster)
{
    size_t pointers = roster->present + 1, room = pointers * sizeof (char *);
    const peer_t *peer;
    DL_FOREACH2 (roster->heard, peer, heard_next)
        room += strlen (peer->session.source) + 1;
    *self = (names_t) { .list = alloc_new (room) };
    if (!self->list)
        return false;
    self->list [0] = NULL;
    self->free = (char *) (self->list + pointers);
    return true;
}

void
names_add (names_t *self, const peer_t *peer)
{
    self->list [self->count++] = self->free;
    self->list [self->count] = NULL;
    self->free = stpcpy (self->free, peer->session.source) + 1;
}
