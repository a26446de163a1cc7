/*  scene.c - a listener that remembers what it is given, and workers for it

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void
scene_fail (const char *file, int line, const char *condition)
{
    fprintf (stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort ();
}

int64_t
scene_now_ms (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C (1000) + now.tv_nsec / 1000000;
}

void
scene_wait_on (int64_t began_ms, const char *file, int line, const char *condition)
{
    if (scene_now_ms () - began_ms > PATIENCE_MS)
        scene_fail (file, line, condition);
    nanosleep (&(struct timespec) { .tv_nsec = 500000 }, NULL);
}

scene_t
scene_open (const char *endpoint)
{
    scene_t self = { muster_listener_new (endpoint), collector_new (), collector_new () };
    MUST (self.listener);
    MUST (muster_listener_register_system_handler (self.listener, collector_handler, self.events) == 0);
    return self;
}

void
scene_start (scene_t *self)
{
    muster_error_t error = muster_listener_start (self->listener);
    if (error)
        fprintf (stderr, "%s: %s\n", muster_error_name (error), muster_listener_reason (self->listener));
    MUST (error == 0);
}

const char *
scene_tcp (void)
{
    static char endpoint [40];
    int pid = getpid ();
    snprintf (endpoint, sizeof endpoint, "tcp://127.%d.%d.%d:*", 1 + (pid >> 16) % 250, (pid >> 8) & 255, 1 + pid % 250);
    return endpoint;
}

scene_t
scene_begin (void)
{
    scene_t self = scene_open (scene_tcp ());
    MUST (muster_listener_register_default_handler (self.listener, collector_handler, self.messages) == 0);
    scene_start (&self);
    return self;
}

void
scene_close (scene_t *self)
{
    collector_unblock (self->messages);
    collector_unblock (self->events);
    MUST (muster_listener_destroy (&self->listener) == 0);
    collector_destroy (&self->messages);
    collector_destroy (&self->events);
}

muster_stats_t
scene_stats (const scene_t *self)
{
    muster_stats_t stats;
    MUST (muster_listener_stats (self->listener, &stats) == 0);
    return stats;
}

const char *
scene_endpoint (const scene_t *self)
{
    return muster_listener_endpoint (self->listener);
}

muster_worker_t *
scene_new_worker (const scene_t *self, const char *source)
{
    muster_worker_t *worker = muster_worker_new (scene_endpoint (self), source);
    MUST (worker);
    return worker;
}

void
scene_start_worker (muster_worker_t *worker)
{
    muster_error_t error = muster_worker_start (worker);
    if (error)
        fprintf (stderr, "%s: %s\n", muster_error_name (error), muster_worker_reason (worker));
    MUST (error == 0);
}

muster_worker_t *
scene_worker (const scene_t *self, const char *source)
{
    muster_worker_t *worker = scene_new_worker (self, source);
    scene_start_worker (worker);
    return worker;
}

void
scene_dismiss (muster_worker_t *worker)
{
    uint64_t unconfirmed = 99;
    muster_error_t error = muster_worker_close (worker, &unconfirmed);
    if (error || unconfirmed)
        fprintf (stderr, "close: %s, unconfirmed: %llu\n", muster_error_name (error), (unsigned long long) unconfirmed);
    MUST (error == 0 && unconfirmed == 0);
    MUST (muster_worker_destroy (&worker) == 0);
}

muster_message_t *
scene_recv (muster_worker_t *worker)
{
    muster_message_t *message = NULL;
    muster_error_t error = muster_worker_recv (worker, &message, PATIENCE_MS);
    if (error)
        fprintf (stderr, "recv: %s\n", muster_error_name (error));
    MUST (error == 0 && message);
    return message;
}

muster_message_t *
scene_next (scene_t *self)
{
    muster_message_t *message = NULL;
    muster_error_t error = muster_listener_next (self->listener, &message, PATIENCE_MS);
    if (error)
        fprintf (stderr, "next: %s\n", muster_error_name (error));
    MUST (error == 0 && message);
    return message;
}

int64_t
scene_number (const muster_message_t *message)
{
    int64_t number = -1;
    muster_message_unpack (message, "{s?I}", "n", &number);
    return number;
}

static void
log_nothing (muster_log_level_t level, const char *line, void *arg)
{
    (void) level;
    (void) line;
    (void) arg;
}

void
scene_hush (void)
{
    muster_log_set (log_nothing, NULL, MUSTER_LOG_ERROR);
}

const char *
scene_private_endpoint (char *buffer, size_t size)
{
    static int count;
    snprintf (buffer, size, "ipc://@muster-test-%ld-%d", (long) getpid (), count++);
    return buffer;
}
