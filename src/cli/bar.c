/*  bar.c - how far a large message has come, on a terminal

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/bar.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MIB 1048576.0
#define NUMBERS 33      /* columns of what stands before and after the bar */

void
bar_fill (char *bar, size_t room, double part)
{
    memset (bar, '.', room);
    memset (bar, '#', (size_t) (part * (double) room));
    bar [room] = 0;
}

void
bar_line (char line [BAR_COLUMNS], uint64_t sent, uint64_t size)
{
    char bar [BAR_COLUMNS - NUMBERS];
    double part = size > 0 ? (double) sent / (double) size : 1;
    bar_fill (bar, sizeof bar - 1, part);
    snprintf (line, BAR_COLUMNS, "%9.1f of %9.1f MiB %s %3d %%",
        (double) sent / MIB, (double) size / MIB, bar, (int) (part * 100));
}

/*  With the lock, which it gives up while it writes. */
static void
draw (bar_t *self)
{
    char line [BAR_COLUMNS];
    bool complete = self->sent == self->size;
    bar_line (line, self->sent, self->size);
    self->fresh = false;
    pthread_mutex_unlock (&self->lock);
    fprintf (stderr, "\r%s%s", line, complete ? "\n" : "");
    fflush (stderr);
    pthread_mutex_lock (&self->lock);
    self->open = !complete;
}

static void *
drawer (void *argument)
{
    bar_t *self = argument;
    pthread_mutex_lock (&self->lock);
    while (self->fresh || !self->ended)
        if (self->fresh)
            draw (self);
        else
            pthread_cond_wait (&self->changed, &self->lock);
    pthread_mutex_unlock (&self->lock);
    if (self->open)
        fputc ('\n', stderr);
    return NULL;
}

void
bar_begin (bar_t *self)
{
    *self = (bar_t) { .size = 0 };
    if (!isatty (STDERR_FILENO))
        return;
    pthread_mutex_init (&self->lock, NULL);
    pthread_cond_init (&self->changed, NULL);
    self->begun = pthread_create (&self->drawer, NULL, drawer, self) == 0;
}

bool
bar_is_begun (const bar_t *self)
{
    return self->begun;
}

void
bar_set (bar_t *self, uint64_t sent, uint64_t size)
{
    pthread_mutex_lock (&self->lock);
    self->sent = sent;
    self->size = size;
    self->fresh = true;
    pthread_cond_signal (&self->changed);
    pthread_mutex_unlock (&self->lock);
}

void
bar_end (bar_t *self)
{
    if (!self->begun)
        return;
    pthread_mutex_lock (&self->lock);
    self->ended = true;
    pthread_cond_signal (&self->changed);
    pthread_mutex_unlock (&self->lock);
    pthread_join (self->drawer, NULL);
    self->begun = false;
}
