/*  watch.c - a thread that asks a listener what it counts, again and again

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/watch.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <muster/listener.h>

#include "cli/clock.h"
#include "cli/packed.h"

struct watch {
    contact_t contact;
    int64_t interval;           /* ms */
    int descriptor;
    pthread_t asker;
    pthread_mutex_t lock;       /* guards what follows */
    pthread_cond_t changed;
    bool asking;                /* the asker waits for an answer */
    bool ended;
    bool left;                  /* nobody waits for the asker: it destroys this */
    bool fresh;                 /* there is news */
    watch_news_t news;
};

/*  --------------------------------------------------------------------------
    Asking */

void
watch_ask (const contact_t *contact, watch_news_t *news)
{
    void *map;
    size_t size;
    news->snapshot = NULL;
    news->error = muster_observe (contact->endpoint, contact->key, contact->server,
        (int) (contact->timeout * 1000), &map, &size, news->reason, sizeof news->reason);
    if (news->error)
        return;
    news->error = snapshot_read (&news->snapshot, map, size, clock_ms ());
    if (news->error)
        snprintf (news->reason, sizeof news->reason, "%.400s: %s", contact->endpoint, packed_error_text (news->error));
    muster_free (map);
}

/*  --------------------------------------------------------------------------
    The thread */

static void
destroy (watch_t *self)
{
    snapshot_destroy (&self->news.snapshot);
    pthread_cond_destroy (&self->changed);
    pthread_mutex_destroy (&self->lock);
    close (self->descriptor);
    free (self);
}

/*  With the lock, which it gives up while it asks. What nobody has taken yet is replaced. */
static void
ask (watch_t *self)
{
    watch_news_t news;
    self->asking = true;
    pthread_mutex_unlock (&self->lock);
    watch_ask (&self->contact, &news);
    pthread_mutex_lock (&self->lock);
    self->asking = false;
    snapshot_destroy (&self->news.snapshot);
    self->news = news;
    self->fresh = true;
    eventfd_write (self->descriptor, 1);
}

static void
wait_until (watch_t *self, int64_t when)
{
    struct timespec until = { .tv_sec = when / 1000, .tv_nsec = when % 1000 * 1000000 };
    while (!self->ended && pthread_cond_timedwait (&self->changed, &self->lock, &until) != ETIMEDOUT)
        ;
}

static void *
asker (void *argument)
{
    watch_t *self = argument;
    pthread_mutex_lock (&self->lock);
    while (!self->ended) {
        int64_t next = clock_ms () + self->interval;
        ask (self);
        wait_until (self, next);
    }
    bool left = self->left;
    pthread_mutex_unlock (&self->lock);
    if (left)
        destroy (self);
    return NULL;
}

static bool
start (watch_t *self)
{
    sigset_t all, before;
    sigfillset (&all);
    pthread_sigmask (SIG_SETMASK, &all, &before);
    errno = pthread_create (&self->asker, NULL, asker, self);
    int problem = errno;
    pthread_sigmask (SIG_SETMASK, &before, NULL);
    errno = problem;
    return problem == 0;
}

static void
init_condition (pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init (&attributes);
    pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
    pthread_cond_init (condition, &attributes);
    pthread_condattr_destroy (&attributes);
}

/*  --------------------------------------------------------------------------
    From outside */

watch_t *
watch_new (const contact_t *contact, double interval)
{
    int descriptor = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    watch_t *self = descriptor >= 0 ? calloc (1, sizeof *self) : NULL;
    if (!self) {
        if (descriptor >= 0)
            close (descriptor);
        return NULL;
    }
    self->contact = *contact;
    self->interval = (int64_t) (interval * 1000);
    self->descriptor = descriptor;
    pthread_mutex_init (&self->lock, NULL);
    init_condition (&self->changed);
    if (start (self))
        return self;
    int problem = errno;
    destroy (self);
    errno = problem;
    return NULL;
}

void
watch_destroy (watch_t **self_p)
{
    watch_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    pthread_mutex_lock (&self->lock);
    bool left = self->left = self->asking;
    if (left)
        pthread_detach (self->asker);
    self->ended = true;
    pthread_cond_signal (&self->changed);
    pthread_mutex_unlock (&self->lock);
    if (left)
        return;
    pthread_join (self->asker, NULL);
    destroy (self);
}

int
watch_descriptor (const watch_t *self)
{
    return self->descriptor;
}

bool
watch_take (watch_t *self, watch_news_t *news)
{
    eventfd_t count;
    pthread_mutex_lock (&self->lock);
    eventfd_read (self->descriptor, &count);
    bool fresh = self->fresh;
    if (fresh) {
        *news = self->news;
        self->news.snapshot = NULL;
        self->fresh = false;
    }
    pthread_mutex_unlock (&self->lock);
    return fresh;
}
