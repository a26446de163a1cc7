/*  context.c - the process's private ZeroMQ context

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "net/context.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include <zmq.h>

#include "base/alloc.h"
#include "base/luck.h"
#include "base/process.h"
#include "base/spare.h"

#define SOCKETS_MOST 16384
/*  What ZeroMQ takes for itself: it ends the process where it gets less. */
#define DESCRIPTORS 16
#define THREADS 4

/*  State of the process. The lock is held across a fork, which leaves the
    context to the parent. */
static pthread_mutex_t context_lock = PTHREAD_MUTEX_INITIALIZER;
static void *shared;
static size_t holders;

static void
before_fork (void)
{
    pthread_mutex_lock (&context_lock);
}

static void
after_fork_in_parent (void)
{
    pthread_mutex_unlock (&context_lock);
}

static void
after_fork_in_child (void)
{
    shared = NULL;
    holders = 0;
    spare_forget ();
    pthread_mutex_unlock (&context_lock);
}

__attribute__ ((constructor)) static void
context_load (void)
{
    /*  Without memory for this, process_close_in_child fails too and nothing is opened. */
    (void) pthread_atfork (before_fork, after_fork_in_parent, after_fork_in_child);
}

static void
terminate (void *context)
{
    while (zmq_ctx_term (context) != 0 && errno == EINTR)
        continue;
}

/*  The first socket starts the threads. */
static void *
configure (void *context)
{
    zmq_ctx_set (context, ZMQ_MAX_SOCKETS, SOCKETS_MOST);
    zmq_ctx_set (context, ZMQ_IO_THREADS, 1);
    zmq_ctx_set (context, ZMQ_BLOCKY, 0);
    void *socket = zmq_socket (context, ZMQ_PAIR);
    if (socket) {
        zmq_close (socket);
        return context;
    }
    terminate (context);
    return NULL;
}

static void *
make_context_without_signals (void)
{
    if (process_reserve (DESCRIPTORS, THREADS) != 0)
        return NULL;
    alloc_warm ();
    sigset_t all, before;
    sigfillset (&all);
    pthread_sigmask (SIG_SETMASK, &all, &before);
    luck_t luck;
    luck_set_aside (&luck);
    void *context = zmq_ctx_new ();
    if (context)
        context = configure (context);
    luck_bring_back (&luck);
    pthread_sigmask (SIG_SETMASK, &before, NULL);
    return context;
}

void *
context_acquire (void)
{
    pthread_mutex_lock (&context_lock);
    if (!shared)
        shared = make_context_without_signals ();
    void *context = shared;
    if (context) {
        holders++;
        spare_open ();
    }
    pthread_mutex_unlock (&context_lock);
    return context;
}

void
context_release (void *context)
{
    pthread_mutex_lock (&context_lock);
    bool held = context && context == shared;
    bool last = held && --holders == 0;
    if (held)
        spare_close ();
    if (last)
        shared = NULL;
    pthread_mutex_unlock (&context_lock);
    if (last)
        terminate (context);
}
