/*  observers.c - a listener that is looked at from all sides while large messages go both ways

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    For ThreadSanitizer. Whoever looks sees no count go back, and of each large message
    progress is told to its last byte.
*/
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include <muster/muster.h>

#include "collector.h"
#include "scene.h"

#define WORKERS 3
#define LARGE_MESSAGES 8    /* of each worker, and as many commands to it */
#define LARGE (3 << 20)

typedef struct {
    atomic_uint complete, wrong;
} told_t;

typedef struct {
    muster_worker_t *worker;
    told_t told;
    atomic_uint commands;
    pthread_t sender, receiver;
} member_t;

static atomic_bool finished;
static uint8_t large [LARGE];

static void
note (const char *source, uint64_t position, uint64_t sent, uint64_t size, void *argument)
{
    told_t *told = argument;
    (void) source;
    if (position == 0 || sent > size || size < LARGE)
        atomic_fetch_add (&told->wrong, 1);
    if (sent == size)
        atomic_fetch_add (&told->complete, 1);
}

static void
check_told (told_t *told, unsigned messages)
{
    MUST (atomic_load (&told->complete) == messages);
    MUST (atomic_load (&told->wrong) == 0);
}

/*  --------------------------------------------------------------------------
    Traffic */

static void *
send_large (void *argument)
{
    member_t *self = argument;
    for (int i = 0; i < LARGE_MESSAGES; i++) {
        MUST (muster_worker_send (self->worker, "LARGE", "{s:y}", "b", large, (size_t) LARGE) == 0);
        MUST (muster_worker_send (self->worker, "SMALL", NULL) == 0);
    }
    MUST (muster_worker_flush (self->worker, PATIENCE_MS) == 0);
    return NULL;
}

/*  Until the worker is closed. */
static void *
receive (void *argument)
{
    member_t *self = argument;
    muster_message_t *command;
    while (muster_worker_recv (self->worker, &command, -1) == 0) {
        MUST (muster_message_done (&command, 0) == 0);
        atomic_fetch_add (&self->commands, 1);
    }
    return NULL;
}

static void
join_scene (member_t *self, const scene_t *scene, int number)
{
    char source [16];
    snprintf (source, sizeof source, "w%d", number);
    self->worker = scene_new_worker (scene, source);
    muster_worker_set_progress (self->worker, note, &self->told);
    scene_start_worker (self->worker);
    MUST (pthread_create (&self->sender, NULL, send_large, self) == 0);
    MUST (pthread_create (&self->receiver, NULL, receive, self) == 0);
}

static void
leave_scene (member_t *self)
{
    pthread_join (self->sender, NULL);
    AWAIT (atomic_load (&self->commands) == LARGE_MESSAGES);
    MUST (muster_worker_close (self->worker, NULL) == 0);
    pthread_join (self->receiver, NULL);
    muster_worker_destroy (&self->worker);
    check_told (&self->told, LARGE_MESSAGES);
}

/*  --------------------------------------------------------------------------
    Who looks */

static void
call_the_roll (const scene_t *scene)
{
    muster_worker_stats_t *workers;
    size_t size;
    MUST (muster_listener_worker_stats (scene->listener, &workers, &size) == 0);
    for (size_t i = 0; i < size; i++)
        MUST (workers [i].handled <= workers [i].received && workers [i].coming <= workers [i].coming_bytes);
    muster_free (workers);
}

static void *
count (void *argument)
{
    const scene_t *scene = argument;
    muster_stats_t last = { 0 };
    while (!atomic_load (&finished)) {
        muster_stats_t stats = scene_stats (scene);
        MUST (stats.handled >= last.handled && stats.received >= stats.handled);
        MUST (stats.received_bytes >= last.received_bytes && stats.queued == stats.received - stats.handled);
        last = stats;
        call_the_roll (scene);
    }
    return NULL;
}

/*  More of them than a listener answers at once wait for their turn. */
static void *
observe (void *argument)
{
    const scene_t *scene = argument;
    while (!atomic_load (&finished)) {
        void *map;
        size_t size;
        MUST (muster_observe (scene_endpoint (scene), NULL, NULL, PATIENCE_MS, &map, &size, NULL, 0) == 0);
        muster_free (map);
    }
    return NULL;
}

static void
take_step (const muster_step_t *step, void *steps)
{
    MUST (step->ok);
    ++*(int *) steps;
}

static void *
diagnose (void *argument)
{
    const scene_t *scene = argument;
    while (!atomic_load (&finished)) {
        int steps = 0;
        MUST (muster_diagnose (scene_endpoint (scene), NULL, NULL, NULL, PATIENCE_MS, take_step, &steps) == 0);
        MUST (steps > 0);
    }
    return NULL;
}

typedef void *(thread_fn) (void *argument);

static thread_fn *const lookers [] = { count, observe, observe, diagnose };
#define LOOKERS (sizeof lookers / sizeof *lookers)

/*  --------------------------------------------------------------------------
    The test */

static void
command_all (const scene_t *scene)
{
    for (int i = 0; i < LARGE_MESSAGES; i++) {
        size_t sent;
        MUST (muster_listener_broadcast (
            scene->listener, &sent, "LARGE", "{s:y}", "b", large, (size_t) LARGE) == 0 && sent == WORKERS);
    }
}

int
main (void)
{
    scene_hush ();
    static told_t told;
    static member_t members [WORKERS];
    scene_t scene = scene_open (scene_tcp ());
    pthread_t threads [LOOKERS];
    MUST (muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages) == 0);
    muster_listener_set_progress (scene.listener, note, &told);
    scene_start (&scene);
    for (size_t i = 0; i < LOOKERS; i++)
        MUST (pthread_create (&threads [i], NULL, lookers [i], &scene) == 0);
    for (int i = 0; i < WORKERS; i++)
        join_scene (&members [i], &scene, i);
    MUST (muster_listener_wait_for_workers (scene.listener, WORKERS, PATIENCE_MS) == 0);
    command_all (&scene);
    AWAIT (atomic_load (&told.complete) == WORKERS * LARGE_MESSAGES);
    for (int i = 0; i < WORKERS; i++)
        leave_scene (&members [i]);
    atomic_store (&finished, true);
    for (size_t i = 0; i < LOOKERS; i++)
        pthread_join (threads [i], NULL);
    MUST (muster_listener_stop (scene.listener, NULL) == 0);
    MUST (scene_stats (&scene).handled == WORKERS * LARGE_MESSAGES * 2);
    check_told (&told, WORKERS * LARGE_MESSAGES);
    scene_close (&scene);
    return 0;
}
