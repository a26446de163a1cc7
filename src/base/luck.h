/*  luck.h - the host's random numbers, kept as they were

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    ZeroMQ and czmq seed and draw from the process's random () when a context,
    a ROUTER or the first actor is made. A host that seeded it itself is to get
    the numbers that it would get without us, and peers cannot know what ZeroMQ draws.
*/
#ifndef BASE_LUCK_H_INCLUDED
#define BASE_LUCK_H_INCLUDED

/*  The host's state, set aside; on the stack of whoever calls both. */
typedef struct {
    char *host;
    char ours [64];
} luck_t;

/*  Let what follows draw from another state, then bring the host's back. Calls
    in several threads wait for each other. */
void luck_set_aside (luck_t *self);
void luck_bring_back (luck_t *self);

#endif
