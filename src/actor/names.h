/*  names.h - a list of workers' sources in one piece of memory

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef ACTOR_NAMES_H_INCLUDED
#define ACTOR_NAMES_H_INCLUDED

#include "actor/roster.h"

/*  list is what muster_listener_workers gives: it ends with NULL, and muster_free
    frees all of it. */
typedef struct {
    char **list;
    size_t count;
    char *free;         /* where the next name goes */
} names_t;

/*  Room for all workers that are present. False when out of memory. With the roster's lock,
    as all that follows. */
bool names_init (names_t *self, const roster_t *roster);
void names_add (names_t *self, const peer_t *peer);

#endif
