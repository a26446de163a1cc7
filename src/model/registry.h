/*  registry.h - which handler gets the messages of which source

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Locked inside; any thread. The dispatch thread brackets each handler call
    with enter and leave, so that overwrite and unregister can wait until the
    old handler is not running.
*/
#ifndef MODEL_REGISTRY_H_INCLUDED
#define MODEL_REGISTRY_H_INCLUDED

#include <pthread.h>
#include <stdbool.h>

#include <muster/error.h>
#include <muster/message.h>

typedef struct registry registry_t;

typedef struct registry_slot registry_slot_t;

typedef struct {
    muster_handler_fn *handler;
    void *arg;
    registry_slot_t *slot;      /* the registry's */
    unsigned long change;       /* the registry's: the last one before it was entered */
} registry_entry_t;

/*  How a caller waits for a condition (CLOCK_MONOTONIC), with the lock held. An
    error ends the wait. */
typedef muster_error_t (registry_wait_fn) (pthread_cond_t *condition, pthread_mutex_t *lock);

/*  own_source is copied: registering it is MUSTER_RESERVED. NULL when out of
    memory. Nobody may be in a handler when it is destroyed. */
registry_t *registry_new (const char *own_source, registry_wait_fn *wait);
void registry_destroy (registry_t **self_p);

/*  As muster_listener_register_handler and its like, but for MUSTER_BUSY and
    MUSTER_FORKED. Called inside a handler they do not wait for the old one. An error
    of wait means that it may still be running; the change holds all the same. */
muster_error_t registry_register (registry_t *self, const char *source, muster_handler_fn *handler, void *arg, bool overwrite);
muster_error_t registry_unregister (registry_t *self, const char *source);
muster_error_t registry_set_default (registry_t *self, muster_handler_fn *handler, void *arg);
muster_error_t registry_set_system (registry_t *self, muster_handler_fn *handler, void *arg);

/*  The handler for a message of source, which counts as running in this thread
    until registry_leave: its own, else the default, else NULL (built in). Calls
    may be nested in one thread (a handler that takes messages itself). */
registry_entry_t registry_enter (registry_t *self, const char *source);
/*  The same for an event of the listener. */
registry_entry_t registry_enter_system (registry_t *self);
void registry_leave (registry_t *self, registry_entry_t entry);

/*  Would who enters again, for the same source, get the same? Not locked: a change that has
    returned is seen. */
bool registry_is_current (const registry_t *self, const registry_entry_t *entry);

/*  Is the calling thread inside a handler of this registry? */
bool registry_inside (registry_t *self);

#endif
