/*  tally.c - a handler for many messages: counts them, and sees that each source's are in order

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "tally.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "collector.h"

#define SOURCES_MOST 64

/*  Many more messages than a collector's tests have. */
#define PATIENCE_S (3 * PATIENCE_MS / 1000)

struct tally {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char sources [SOURCES_MOST][MUSTER_NAME_MAX + 1];
    int64_t next [SOURCES_MOST];
    size_t sources_count;
    size_t count, wrong, late;
};

tally_t *
tally_new (void)
{
    tally_t *self = calloc (1, sizeof *self);
    pthread_mutex_init (&self->lock, NULL);
    pthread_cond_init (&self->changed, NULL);
    return self;
}

void
tally_destroy (tally_t **self_p)
{
    pthread_cond_destroy (&(*self_p)->changed);
    pthread_mutex_destroy (&(*self_p)->lock);
    free (*self_p);
    *self_p = NULL;
}

static size_t
find_source (tally_t *self, const char *source)
{
    size_t index = 0;
    while (index < self->sources_count && strcmp (self->sources [index], source))
        index++;
    if (index == self->sources_count && index < SOURCES_MOST)
        snprintf (self->sources [self->sources_count++], MUSTER_NAME_MAX + 1, "%s", source);
    return index;
}

int
tally_handler (const muster_message_t *message, void *tally)
{
    tally_t *self = tally;
    int64_t number = -1;
    muster_message_unpack (message, "{s?I}", "n", &number);
    pthread_mutex_lock (&self->lock);
    size_t source = find_source (self, muster_message_source (message));
    if (source == SOURCES_MOST || number != self->next [source])
        self->wrong++;
    else
        self->next [source]++;
    self->late += muster_message_late (message);
    self->count++;
    pthread_cond_broadcast (&self->changed);
    pthread_mutex_unlock (&self->lock);
    return 0;
}

bool
tally_wait (tally_t *self, size_t count)
{
    struct timespec until;
    clock_gettime (CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    pthread_mutex_lock (&self->lock);
    int rc = 0;
    while (self->count < count && rc == 0)
        rc = pthread_cond_timedwait (&self->changed, &self->lock, &until);
    bool reached = self->count >= count;
    pthread_mutex_unlock (&self->lock);
    return reached;
}

static size_t
read_locked (tally_t *self, const size_t *number)
{
    pthread_mutex_lock (&self->lock);
    size_t value = *number;
    pthread_mutex_unlock (&self->lock);
    return value;
}

size_t
tally_count (tally_t *self)
{
    return read_locked (self, &self->count);
}

size_t
tally_wrong (tally_t *self)
{
    return read_locked (self, &self->wrong);
}

size_t
tally_late (tally_t *self)
{
    return read_locked (self, &self->late);
}
