/*  keys.c - workers that are revoked and enrolled again while they and rounds are at work

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    For ThreadSanitizer. A message of a revoked worker is handled before reload returns,
    or never: each handler looks whether its source is out.
*/
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <muster/muster.h>

#include "keyring.h"
#include "scene.h"

#define WORKERS 4
#define ROUNDS 25

static keyring_t keyring;
static atomic_bool out [WORKERS], finished;
static atomic_int handled, wrong;

static int
look (const muster_message_t *message, void *argument)
{
    (void) argument;
    atomic_fetch_add (&handled, 1);
    if (atomic_load (&out [atoi (muster_message_source (message) + 1)]))
        atomic_fetch_add (&wrong, 1);
    return 0;
}

static muster_worker_t *
begin_worker (const scene_t *scene, int number)
{
    char name [16];
    snprintf (name, sizeof name, "w%d", number);
    muster_worker_t *worker = scene_new_worker (scene, name);
    keyring_arm_worker (&keyring, worker, name);
    scene_start_worker (worker);
    return worker;
}

/*  Answers what it is asked until its session ends. */
static void *
answer (void *argument)
{
    muster_message_t *command;
    while (muster_worker_recv (argument, &command, -1) == 0) {
        muster_message_reply (command, "UPDATE", NULL);
        muster_message_done (&command, 0);
    }
    return NULL;
}

typedef struct {
    const scene_t *scene;
    int number;
} member_t;

/*  Sends until it is revoked, and begins anew. */
static void *
live (void *argument)
{
    const member_t *self = argument;
    while (!atomic_load (&finished)) {
        muster_worker_t *worker = begin_worker (self->scene, self->number);
        pthread_t answerer;
        MUST (pthread_create (&answerer, NULL, answer, worker) == 0);
        while (!atomic_load (&finished) && muster_worker_send (worker, "X", "{s:i}", "n", 1) == 0)
            continue;
        muster_worker_set_drain (worker, 0);
        muster_worker_close (worker, NULL);
        pthread_join (answerer, NULL);
        muster_worker_destroy (&worker);
    }
    return NULL;
}

static void *
ask (void *argument)
{
    const scene_t *scene = argument;
    while (!atomic_load (&finished)) {
        muster_ask_t *round = muster_ask_new (scene->listener);
        muster_message_t *reply;
        muster_ask_set_timeout (round, 0.2);
        MUST (muster_ask_send (round, "GO", NULL) == 0);
        while (muster_ask_next (round, &reply) == 0)
            muster_message_done (&reply, 0);
        muster_ask_destroy (&round);
    }
    return NULL;
}

static void
must_reload (const scene_t *scene)
{
    MUST (muster_listener_reload (scene->listener) == 0);
}

int
main (void)
{
    scene_hush ();
    keyring = keyring_open ();
    scene_t scene = scene_open (scene_tcp ());
    member_t members [WORKERS];
    pthread_t threads [WORKERS], asker;
    keyring_arm_listener (&keyring, scene.listener);
    MUST (muster_listener_register_default_handler (scene.listener, look, NULL) == 0);
    for (int i = 0; i < WORKERS; i++) {
        char name [16];
        snprintf (name, sizeof name, "w%d", i);
        keyring_admit (&keyring, name);
        members [i] = (member_t) { &scene, i };
    }
    scene_start (&scene);
    for (int i = 0; i < WORKERS; i++)
        MUST (pthread_create (&threads [i], NULL, live, &members [i]) == 0);
    MUST (pthread_create (&asker, NULL, ask, &scene) == 0);
    for (int round = 0; round < ROUNDS; round++) {
        char name [16];
        int number = round % WORKERS, before = atomic_load (&handled);
        snprintf (name, sizeof name, "w%d", number);
        AWAIT (atomic_load (&handled) > before + 100);
        keyring_revoke (&keyring, name);
        must_reload (&scene);
        /*  The one that is in its handler may still be. */
        before = atomic_load (&handled);
        AWAIT (atomic_load (&handled) > before + 1);
        atomic_store (&out [number], true);
        before = atomic_load (&handled);
        AWAIT (atomic_load (&handled) > before + 100);
        atomic_store (&out [number], false);
        keyring_enrol (&keyring, name, name);
        must_reload (&scene);
    }
    atomic_store (&finished, true);
    for (int i = 0; i < WORKERS; i++)
        pthread_join (threads [i], NULL);
    pthread_join (asker, NULL);
    muster_stats_t stats = scene_stats (&scene);
    MUST (atomic_load (&wrong) == 0);
    MUST (stats.handled <= stats.received);
    scene_close (&scene);
    keyring_close (&keyring);
    return 0;
}
