/*  guest.c - czmq in somebody else's process

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/guest.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include <utlist.h>

#include "base/alloc.h"
#include "base/handover.h"
#include "base/luck.h"
#include "base/process.h"

/*  Descriptors and threads that a zactor and what its owner opens take at most. */
#define DESCRIPTORS 32
#define THREADS 4

/*  czmq ends the process when its context is out of sockets, of which an actor takes two.
    So it gets as many as ours has, where it was not in use before; and so many are left to
    the host. */
#define SOCKETS_MOST 16384
#define SOCKETS_OF_HOST 64

/*  The live actors of the process, for its exit. The lock is held across a fork,
    so that the child finds neither them nor czmq's own state half changed. */
typedef struct tenant tenant_t;

struct tenant {
    tenant_t *prev, *next;
    uint32_t generation;
    zactor_fn *function;
    void *argument;
    void (*at_exit) (void *);
    void *owner;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static tenant_t *tenants;
static unsigned actors;         /* live ones of this generation */
static unsigned actors_most;
static bool prepared;
static uint32_t prepared_for;   /* the generation whose czmq was made ready */

static void
before_fork (void)
{
    pthread_mutex_lock (&lock);
}

static void
after_fork (void)
{
    pthread_mutex_unlock (&lock);
}

__attribute__ ((constructor)) static void
guest_load (void)
{
    /*  Without memory for this, no object can be made either. */
    (void) pthread_atfork (before_fork, after_fork, after_fork);
}

void
guest_block_signals (sigset_t *before)
{
    sigset_t all;
    sigfillset (&all);
    pthread_sigmask (SIG_SETMASK, &all, before);
}

void
guest_restore_signals (const sigset_t *before)
{
    pthread_sigmask (SIG_SETMASK, before, NULL);
}

/*  czmq's own exit handler aborts if an actor lives; this one runs before it. */
static void
end_all (void)
{
    for (;;) {
        pthread_mutex_lock (&lock);
        tenant_t *tenant = tenants;
        while (tenant && tenant->generation != process_generation ())
            tenant = tenant->next;
        pthread_mutex_unlock (&lock);
        if (!tenant)
            return;
        tenant->at_exit (tenant->owner);
    }
}

/*  The first zsys_init of a process, and that of a forked child, takes SIGINT and
    SIGTERM and logs to stdout. If somebody else's came first its settings are
    theirs. */
static void
prepare_czmq (void)
{
    static const int taken [] = { SIGINT, SIGTERM };
    struct sigaction before [2], after [2];
    for (int i = 0; i < 2; i++)
        sigaction (taken [i], NULL, &before [i]);
    void *context = zsys_init ();
    bool ours = false;
    for (int i = 0; i < 2; i++) {
        sigaction (taken [i], NULL, &after [i]);
        if (after [i].sa_handler != before [i].sa_handler) {
            sigaction (taken [i], &before [i], NULL);
            ours = true;
        }
    }
    if (ours) {
        zsys_set_logstream (NULL);
        zmq_ctx_set (context, ZMQ_MAX_SOCKETS, SOCKETS_MOST);
    }
    int sockets = zmq_ctx_get (context, ZMQ_MAX_SOCKETS);
    actors_most = sockets > SOCKETS_OF_HOST ? (unsigned) (sockets - SOCKETS_OF_HOST) / 2 : 0;
    actors = 0;
}

/*  With the lock held. A forked child starts afresh. */
static void
prepare (void)
{
    if (prepared && prepared_for == process_generation ())
        return;
    prepare_czmq ();
    atexit (end_all);
    prepared = true;
    prepared_for = process_generation ();
}

static tenant_t *
find_tenant (const void *owner)
{
    tenant_t *tenant;
    DL_FOREACH (tenants, tenant)
        if (tenant->owner == owner && tenant->generation == process_generation ())
            break;
    return tenant;
}

/*  The actor's thread. What it did is seen by whoever ends it. */
static void
run (zsock_t *pipe, void *argument)
{
    tenant_t *tenant = argument;
    tenant->function (pipe, tenant->argument);
    handover_give (tenant);
}

muster_error_t
guest_start (zactor_t **actor, zactor_fn *function, void *argument, void (*at_exit) (void *), void *owner)
{
    if (process_reserve (DESCRIPTORS, THREADS))
        return MUSTER_RESOURCE;
    tenant_t *tenant = alloc_zero (sizeof *tenant);
    if (!tenant)
        return MUSTER_NOMEM;
    *tenant = (tenant_t) { .generation = process_generation (), .function = function, .argument = argument,
        .at_exit = at_exit, .owner = owner };
    sigset_t before;
    luck_t luck;
    guest_block_signals (&before);
    pthread_mutex_lock (&lock);
    luck_set_aside (&luck);
    prepare ();
    muster_error_t error = actors < actors_most ? 0 : MUSTER_RESOURCE;
    *actor = error ? NULL : zactor_new (run, tenant);
    luck_bring_back (&luck);
    if (*actor) {
        DL_APPEND (tenants, tenant);
        actors++;
    }
    else
        alloc_free (tenant);
    pthread_mutex_unlock (&lock);
    guest_restore_signals (&before);
    return *actor || error ? error : MUSTER_NOMEM;
}

void
guest_end (zactor_t **actor, void *owner)
{
    if (!*actor)
        return;
    pthread_mutex_lock (&lock);
    zactor_destroy (actor);
    tenant_t *tenant = find_tenant (owner);
    if (tenant) {
        handover_take (tenant);
        DL_DELETE (tenants, tenant);
        alloc_free (tenant);
        actors--;
    }
    pthread_mutex_unlock (&lock);
}
