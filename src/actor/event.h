/*  event.h - the listener's messages about itself

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef ACTOR_EVENT_H_INCLUDED
#define ACTOR_EVENT_H_INCLUDED

#include "actor/batch.h"

/*  Events that wait for whoever takes them: beyond so many, those of which a peer can make
    any number are told later, together. */
#define EVENTS_APART 1000

/*  What is known; NULL and 0 for what is not. */
typedef struct {
    const char *source;     /* the worker's */
    const char *session;
    const char *address;    /* of its host */
    const char *reason;
    uint64_t count;         /* how many events this one sums up */
    bool others;            /* of other sources or reasons, too */
} event_t;

/*  A batch of one message [listener, cmd, {...}]; NULL when out of memory. */
batch_t *event_new (const char *listener, const char *cmd, const event_t *event);

#endif
