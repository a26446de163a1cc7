/*  collector.c - a handler that remembers, and waiting for what it has seen

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "collector.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    char source [MUSTER_NAME_MAX + 1];
    char cmd [MUSTER_NAME_MAX + 1];
    char about [MUSTER_NAME_MAX + 1];
    char reason [MUSTER_NAME_MAX + 1];
    char address [MUSTER_NAME_MAX + 1];
    uint64_t times;
    int64_t number;
} seen_t;

struct collector {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    seen_t **seen;              /* each stays where it is: tests hold its texts */
    size_t count;
    bool blocked;
    int rc;
};

collector_t *
collector_new (void)
{
    collector_t *self = calloc (1, sizeof *self);
    pthread_mutex_init (&self->lock, NULL);
    pthread_cond_init (&self->changed, NULL);
    return self;
}

void
collector_destroy (collector_t **self_p)
{
    for (size_t i = 0; i < (*self_p)->count; i++)
        free ((*self_p)->seen [i]);
    free ((*self_p)->seen);
    free (*self_p);
    *self_p = NULL;
}

static void
remember (collector_t *self, const muster_message_t *message)
{
    if ((self->count & (self->count - 1)) == 0)
        self->seen = realloc (self->seen, (2 * self->count + 1) * sizeof (seen_t *));
    seen_t *seen = calloc (1, sizeof *seen);
    self->seen [self->count++] = seen;
    snprintf (seen->source, sizeof seen->source, "%s", muster_message_source (message));
    snprintf (seen->cmd, sizeof seen->cmd, "%s", muster_message_cmd (message));
    const char *text = "";
    muster_message_unpack (message, "{s?s}", "source", &text);
    snprintf (seen->about, sizeof seen->about, "%s", text);
    text = "";
    muster_message_unpack (message, "{s?s}", "reason", &text);
    snprintf (seen->reason, sizeof seen->reason, "%s", text);
    text = "";
    muster_message_unpack (message, "{s?s}", "address", &text);
    snprintf (seen->address, sizeof seen->address, "%s", text);
    seen->times = 1;
    muster_message_unpack (message, "{s?U}", "count", &seen->times);
    seen->number = -1;
    muster_message_unpack (message, "{s?I}", "n", &seen->number);
}

int
collector_handler (const muster_message_t *message, void *collector)
{
    collector_t *self = collector;
    pthread_mutex_lock (&self->lock);
    remember (self, message);
    pthread_cond_broadcast (&self->changed);
    while (self->blocked)
        pthread_cond_wait (&self->changed, &self->lock);
    int rc = self->rc;
    pthread_mutex_unlock (&self->lock);
    return rc;
}

static void
set_blocked (collector_t *self, bool blocked)
{
    pthread_mutex_lock (&self->lock);
    self->blocked = blocked;
    pthread_cond_broadcast (&self->changed);
    pthread_mutex_unlock (&self->lock);
}

void
collector_block (collector_t *self)
{
    set_blocked (self, true);
}

void
collector_unblock (collector_t *self)
{
    set_blocked (self, false);
}

void
collector_fail (collector_t *self, int rc)
{
    pthread_mutex_lock (&self->lock);
    self->rc = rc;
    pthread_mutex_unlock (&self->lock);
}

bool
collector_wait (collector_t *self, size_t count)
{
    struct timespec until;
    clock_gettime (CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_MS / 1000;
    pthread_mutex_lock (&self->lock);
    int rc = 0;
    while (self->count < count && rc == 0)
        rc = pthread_cond_timedwait (&self->changed, &self->lock, &until);
    bool reached = self->count >= count;
    pthread_mutex_unlock (&self->lock);
    return reached;
}

size_t
collector_count (collector_t *self)
{
    pthread_mutex_lock (&self->lock);
    size_t count = self->count;
    pthread_mutex_unlock (&self->lock);
    return count;
}

static const seen_t *
seen_at (collector_t *self, size_t index)
{
    static const seen_t nothing = { .number = -1 };
    pthread_mutex_lock (&self->lock);
    const seen_t *seen = index < self->count ? self->seen [index] : &nothing;
    pthread_mutex_unlock (&self->lock);
    return seen;
}

const char *
collector_source (collector_t *self, size_t index)
{
    return seen_at (self, index)->source;
}

const char *
collector_cmd (collector_t *self, size_t index)
{
    return seen_at (self, index)->cmd;
}

int64_t
collector_number (collector_t *self, size_t index)
{
    return seen_at (self, index)->number;
}

const char *
collector_about (collector_t *self, size_t index)
{
    return seen_at (self, index)->about;
}

const char *
collector_reason (collector_t *self, size_t index)
{
    return seen_at (self, index)->reason;
}

const char *
collector_address (collector_t *self, size_t index)
{
    return seen_at (self, index)->address;
}

uint64_t
collector_times (collector_t *self, size_t index)
{
    return seen_at (self, index)->times;
}

size_t
collector_find (collector_t *self, size_t index, const char *cmd)
{
    for (;; index++) {
        if (!collector_wait (self, index + 1)) {
            char *story = collector_story (self);
            fprintf (stderr, "no %s in: %s\n", cmd, story);
            abort ();
        }
        if (strcmp (collector_cmd (self, index), cmd) == 0)
            return index;
    }
}

char *
collector_story (collector_t *self)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream (&text, &size);
    size_t count = collector_count (self);
    for (size_t i = 0; i < count; i++)
        fprintf (stream, "%s%s %s", i ? ", " : "", collector_cmd (self, i), collector_about (self, i));
    fclose (stream);
    return text;
}
