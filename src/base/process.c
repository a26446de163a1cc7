/*  process.c - what muster keeps for the whole process: what a fork must undo

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "base/process.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utlist.h>

#include "base/alloc.h"
#include "base/table.h"

typedef struct {
    int descriptor;
    dev_t device;
    ino_t inode;
    UT_hash_handle hh;
} entry_t;

struct process_set {
    entry_t *entries;           /* by descriptor */
    process_set_t *prev;
    process_set_t *next;
};

/*  The state of the process. The lock guards the sets and is held across a
    fork, so that the child finds them whole. */
static _Atomic (uint32_t) generation;
static pthread_mutex_t sets_lock = PTHREAD_MUTEX_INITIALIZER;
static process_set_t common;
static process_set_t *sets;
static bool hears_of_forks;

static void
before_fork (void)
{
    pthread_mutex_lock (&sets_lock);
}

static void
after_fork_in_parent (void)
{
    pthread_mutex_unlock (&sets_lock);
}

/*  Frees nothing: the memory is that of the parent's objects. */
static void
close_all (process_set_t *set)
{
    for (const entry_t *entry = set->entries; entry; entry = entry->hh.next) {
        struct stat now;
        if (fstat (entry->descriptor, &now) == 0 && now.st_dev == entry->device && now.st_ino == entry->inode)
            close (entry->descriptor);
    }
    set->entries = NULL;
}

static void
after_fork_in_child (void)
{
    process_set_t *set;
    close_all (&common);
    DL_FOREACH (sets, set)
        close_all (set);
    atomic_fetch_add (&generation, 1);
    pthread_mutex_unlock (&sets_lock);
}

/*  Early, as in base/luck.c. */
__attribute__ ((constructor (102))) static void
process_load (void)
{
    hears_of_forks = pthread_atfork (before_fork, after_fork_in_parent, after_fork_in_child) == 0;
}

uint32_t
process_generation (void)
{
    return atomic_load_explicit (&generation, memory_order_relaxed);
}

static void
remove_locked (process_set_t *self, int descriptor)
{
    entry_t *entry;
    HASH_FIND_INT (self->entries, &descriptor, entry);
    if (!entry)
        return;
    HASH_DEL (self->entries, entry);
    alloc_free (entry);
}

static muster_error_t
add_locked (process_set_t *self, int descriptor, const struct stat *found)
{
    entry_t *entry = alloc_zero (sizeof *entry);
    if (!entry)
        return MUSTER_NOMEM;
    entry->descriptor = descriptor;
    entry->device = found->st_dev;
    entry->inode = found->st_ino;
    HASH_ADD_INT (self->entries, descriptor, entry);
    if (entry->hh.tbl)
        return 0;
    alloc_free (entry);
    return MUSTER_NOMEM;
}

muster_error_t
process_set_add (process_set_t *self, int descriptor)
{
    struct stat found;
    if (fstat (descriptor, &found) != 0)
        return MUSTER_SYSTEM;
    if (!hears_of_forks)
        return MUSTER_NOMEM;
    pthread_mutex_lock (&sets_lock);
    remove_locked (self, descriptor);
    muster_error_t error = add_locked (self, descriptor, &found);
    pthread_mutex_unlock (&sets_lock);
    return error;
}

void
process_set_remove (process_set_t *self, int descriptor)
{
    pthread_mutex_lock (&sets_lock);
    remove_locked (self, descriptor);
    pthread_mutex_unlock (&sets_lock);
}

process_set_t *
process_set_new (void)
{
    process_set_t *self = alloc_zero (sizeof *self);
    if (!self)
        return NULL;
    pthread_mutex_lock (&sets_lock);
    DL_APPEND (sets, self);
    pthread_mutex_unlock (&sets_lock);
    return self;
}

void
process_set_destroy (process_set_t **self_p)
{
    process_set_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    pthread_mutex_lock (&sets_lock);
    DL_DELETE (sets, self);
    while (self->entries)
        remove_locked (self, self->entries->descriptor);
    pthread_mutex_unlock (&sets_lock);
    alloc_free (self);
}

muster_error_t
process_close_in_child (int descriptor)
{
    return process_set_add (&common, descriptor);
}

void
process_forget (int descriptor)
{
    process_set_remove (&common, descriptor);
}

static muster_error_t
reserve_descriptors (int count)
{
    int *opened = alloc_new ((size_t) count * sizeof *opened);
    if (!opened)
        return MUSTER_NOMEM;
    int made = 0;
    while (made < count && (opened [made] = eventfd (0, EFD_CLOEXEC)) >= 0)
        made++;
    muster_error_t error = made == count ? 0 : MUSTER_RESOURCE;
    while (made > 0)
        close (opened [--made]);
    alloc_free (opened);
    return error;
}

static void *
wait_for_lock (void *arg)
{
    pthread_mutex_t *gate = arg;
    pthread_mutex_lock (gate);
    pthread_mutex_unlock (gate);
    return NULL;
}

static muster_error_t
start_threads (pthread_t *threads, int count)
{
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock (&gate);
    int made = 0;
    while (made < count && pthread_create (&threads [made], NULL, wait_for_lock, &gate) == 0)
        made++;
    muster_error_t error = made == count ? 0 : MUSTER_RESOURCE;
    pthread_mutex_unlock (&gate);
    while (made > 0)
        pthread_join (threads [--made], NULL);
    pthread_mutex_destroy (&gate);
    return error;
}

static muster_error_t
reserve_threads (int count)
{
    pthread_t *threads = alloc_new ((size_t) count * sizeof *threads);
    if (!threads)
        return MUSTER_NOMEM;
    /*  The host's signals are not for these threads. */
    sigset_t all, before;
    sigfillset (&all);
    pthread_sigmask (SIG_SETMASK, &all, &before);
    muster_error_t error = start_threads (threads, count);
    pthread_sigmask (SIG_SETMASK, &before, NULL);
    alloc_free (threads);
    return error;
}

muster_error_t
process_reserve (int descriptors, int threads)
{
    muster_error_t error = descriptors > 0 ? reserve_descriptors (descriptors) : 0;
    if (!error && threads > 0)
        error = reserve_threads (threads);
    return error;
}
