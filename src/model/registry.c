/*  registry.c - which handler gets the messages of which source

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "model/registry.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/table.h"
#include "base/text.h"

/*  Threads in handlers at once: more of them wait for one to leave. */
#define THREADS_MOST 64

/*  One registration. It lives until it is taken out and not running. */
struct registry_slot {
    muster_handler_fn *handler;
    void *arg;
    size_t running;
    bool retired;       /* taken out while it ran: the last leave frees it */
    bool awaited;       /* ... or who waits for that */
};

typedef struct {
    registry_slot_t *slot;
    UT_hash_handle hh;
    char source [];
} named_t;

typedef struct {
    pthread_t thread;
    size_t depth;       /* handlers of this registry it is in; 0: record unused */
} visitor_t;

struct registry {
    pthread_mutex_t lock;           /* guards all that follows */
    pthread_cond_t left;            /* a handler has returned */
    registry_wait_fn *wait;
    named_t *named;
    named_t *last;                  /* found last: a burst is often of one source */
    registry_slot_t *fallback;      /* the default handler; NULL: built in */
    registry_slot_t *system;
    visitor_t visitors [THREADS_MOST];
    size_t visitors_used;           /* records from here on were never used */
    atomic_ulong change;            /* number of the last change; read without the lock too */
    char own_source [MUSTER_NAME_MAX + 1];
};

static void
init_condition (pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init (&attributes);
    pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
    pthread_cond_init (condition, &attributes);
    pthread_condattr_destroy (&attributes);
}

registry_t *
registry_new (const char *own_source, registry_wait_fn *wait)
{
    registry_t *self = alloc_zero (sizeof *self);
    if (!self)
        return NULL;
    pthread_mutex_init (&self->lock, NULL);
    init_condition (&self->left);
    self->wait = wait;
    strncpy (self->own_source, own_source, sizeof self->own_source - 1);
    return self;
}

void
registry_destroy (registry_t **self_p)
{
    registry_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    named_t *each, *next;
    HASH_ITER (hh, self->named, each, next) {
        HASH_DEL (self->named, each);
        alloc_free (each->slot);
        alloc_free (each);
    }
    alloc_free (self->fallback);
    alloc_free (self->system);
    pthread_cond_destroy (&self->left);
    pthread_mutex_destroy (&self->lock);
    alloc_free (self);
}

static registry_slot_t *
slot_new (muster_handler_fn *handler, void *arg)
{
    registry_slot_t *slot = alloc_zero (sizeof *slot);
    if (slot) {
        slot->handler = handler;
        slot->arg = arg;
    }
    return slot;
}

/*  The record of the calling thread, an unused one if it has none, NULL if there is none. */
static visitor_t *
find_visitor (registry_t *self)
{
    visitor_t *unused = NULL;
    for (size_t i = 0; i < self->visitors_used; i++) {
        visitor_t *each = &self->visitors [i];
        if (each->depth == 0)
            unused = unused ? unused : each;
        else
        if (pthread_equal (each->thread, pthread_self ()))
            return each;
    }
    if (!unused && self->visitors_used < THREADS_MOST)
        unused = &self->visitors [self->visitors_used++];
    return unused;
}

static bool
is_inside (registry_t *self)
{
    const visitor_t *visitor = find_visitor (self);
    return visitor && visitor->depth > 0;
}

/*  Give up a slot that is in no table any more, or NULL. Locked. */
static muster_error_t
retire (registry_t *self, registry_slot_t *slot)
{
    muster_error_t error = 0;
    if (!slot)
        return 0;
    slot->retired = true;
    if (!is_inside (self)) {
        slot->awaited = true;
        while (slot->running > 0 && !error)
            error = self->wait (&self->left, &self->lock);
        slot->awaited = false;
    }
    if (slot->running == 0) {
        alloc_free (slot);
        error = 0;
    }
    return error;
}

static named_t *
find_named (registry_t *self, const char *source)
{
    if (self->last && strcmp (self->last->source, source) == 0)
        return self->last;
    named_t *named;
    HASH_FIND_STR (self->named, source, named);
    if (named)
        self->last = named;
    return named;
}

/*  Takes the slot, or leaves it when out of memory. Locked. */
static muster_error_t
add_named (registry_t *self, const char *source, registry_slot_t *slot)
{
    size_t size = strlen (source);
    named_t *named = alloc_zero (sizeof *named + size + 1);
    if (!named)
        return MUSTER_NOMEM;
    memcpy (named->source, source, size + 1);
    named->slot = slot;
    HASH_ADD_KEYPTR (hh, self->named, named->source, size, named);
    /*  uthash says that memory ran out by leaving the table NULL. */
    if (named->hh.tbl)
        return 0;
    alloc_free (named);
    return MUSTER_NOMEM;
}

static muster_error_t
put_named (registry_t *self, const char *source, registry_slot_t *slot, bool overwrite)
{
    pthread_mutex_lock (&self->lock);
    named_t *named = find_named (self, source);
    muster_error_t error = 0;
    atomic_fetch_add (&self->change, 1);
    if (!named)
        error = add_named (self, source, slot);
    else
    if (!overwrite)
        error = MUSTER_EXISTS;
    else {
        registry_slot_t *old = named->slot;
        named->slot = slot;
        error = retire (self, old);
    }
    pthread_mutex_unlock (&self->lock);
    return error;
}

muster_error_t
registry_register (registry_t *self, const char *source, muster_handler_fn *handler, void *arg, bool overwrite)
{
    if (!source || !handler || !text_is_name (source, strnlen (source, MUSTER_NAME_MAX + 1)))
        return MUSTER_INVAL;
    if (strcmp (source, self->own_source) == 0)
        return MUSTER_RESERVED;
    registry_slot_t *slot = slot_new (handler, arg);
    if (!slot)
        return MUSTER_NOMEM;
    muster_error_t error = put_named (self, source, slot, overwrite);
    if (error == MUSTER_EXISTS || error == MUSTER_NOMEM)
        alloc_free (slot);
    return error;
}

muster_error_t
registry_unregister (registry_t *self, const char *source)
{
    if (!source)
        return MUSTER_INVAL;
    muster_error_t error = MUSTER_NOTFOUND;
    pthread_mutex_lock (&self->lock);
    named_t *named = find_named (self, source);
    if (named) {
        atomic_fetch_add (&self->change, 1);
        HASH_DEL (self->named, named);
        self->last = NULL;
        error = retire (self, named->slot);
        alloc_free (named);
    }
    pthread_mutex_unlock (&self->lock);
    return error;
}

static muster_error_t
replace (registry_t *self, registry_slot_t **place, muster_handler_fn *handler, void *arg)
{
    if (!handler)
        return MUSTER_INVAL;
    registry_slot_t *slot = slot_new (handler, arg);
    if (!slot)
        return MUSTER_NOMEM;
    pthread_mutex_lock (&self->lock);
    registry_slot_t *old = *place;
    atomic_fetch_add (&self->change, 1);
    *place = slot;
    muster_error_t error = retire (self, old);
    pthread_mutex_unlock (&self->lock);
    return error;
}

muster_error_t
registry_set_default (registry_t *self, muster_handler_fn *handler, void *arg)
{
    return replace (self, &self->fallback, handler, arg);
}

muster_error_t
registry_set_system (registry_t *self, muster_handler_fn *handler, void *arg)
{
    return replace (self, &self->system, handler, arg);
}

/*  Count the calling thread in. Locked. */
static void
visit (registry_t *self)
{
    visitor_t *visitor;
    while (!(visitor = find_visitor (self)))
        pthread_cond_wait (&self->left, &self->lock);
    visitor->thread = pthread_self ();
    visitor->depth++;
}

static registry_entry_t
enter (registry_t *self, registry_slot_t *slot)
{
    registry_entry_t entry = { .change = atomic_load (&self->change) };
    if (!slot)
        return entry;
    slot->running++;
    entry.handler = slot->handler;
    entry.arg = slot->arg;
    entry.slot = slot;
    return entry;
}

registry_entry_t
registry_enter (registry_t *self, const char *source)
{
    pthread_mutex_lock (&self->lock);
    visit (self);
    const named_t *named = find_named (self, source);
    registry_entry_t entry = enter (self, named ? named->slot : self->fallback);
    pthread_mutex_unlock (&self->lock);
    return entry;
}

registry_entry_t
registry_enter_system (registry_t *self)
{
    pthread_mutex_lock (&self->lock);
    visit (self);
    registry_entry_t entry = enter (self, self->system);
    pthread_mutex_unlock (&self->lock);
    return entry;
}

void
registry_leave (registry_t *self, registry_entry_t entry)
{
    pthread_mutex_lock (&self->lock);
    find_visitor (self)->depth--;
    registry_slot_t *slot = entry.slot;
    if (slot && --slot->running == 0 && slot->retired && !slot->awaited)
        alloc_free (slot);
    pthread_cond_broadcast (&self->left);
    pthread_mutex_unlock (&self->lock);
}

bool
registry_is_current (const registry_t *self, const registry_entry_t *entry)
{
    return atomic_load (&self->change) == entry->change;
}

bool
registry_inside (registry_t *self)
{
    pthread_mutex_lock (&self->lock);
    bool inside = is_inside (self);
    pthread_mutex_unlock (&self->lock);
    return inside;
}
