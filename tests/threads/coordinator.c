/*  coordinator.c - a listener and its workers, used from many threads at once

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    For ThreadSanitizer: what it asserts is little, what it touches is much.
*/
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <muster/muster.h>

#include "collector.h"
#include "scene.h"
#include "tally.h"

#define WORKERS 4
#define SENDERS 2           /* threads for each worker */
#define MESSAGES 500        /* of each */

typedef struct {
    muster_worker_t *worker;
    atomic_int commands;
} member_t;

static void *
send_messages (void *argument)
{
    member_t *self = argument;
    static const char bytes [2000];
    for (int i = 0; i < MESSAGES; i++)
        MUST (muster_worker_send (self->worker, "PROGRESS", "{s:i, s:y}", "i", i, "b", bytes,
            i % 50 ? (size_t) 10 : sizeof bytes) == 0);
    MUST (muster_worker_flush (self->worker, PATIENCE_MS) == 0);
    return NULL;
}

/*  Until the worker is closed. */
static void *
answer_commands (void *argument)
{
    member_t *self = argument;
    muster_message_t *command;
    while (muster_worker_recv (self->worker, &command, -1) == 0) {
        if (strcmp (muster_message_cmd (command), "TRAIN") == 0)
            MUST (muster_message_reply (command, "UPDATE", "{s:s}", "from", muster_worker_source (self->worker)) == 0);
        MUST (muster_message_done (&command, 0) == 0);
        atomic_fetch_add (&self->commands, 1);
    }
    return NULL;
}

static atomic_bool finished;

/*  Looks and registers while all runs. */
static void *
disturb (void *argument)
{
    scene_t *scene = argument;
    tally_t *other = tally_new ();
    while (!atomic_load (&finished)) {
        muster_stats_t stats;
        char **sources;
        MUST (muster_listener_stats (scene->listener, &stats) == 0);
        MUST (muster_listener_workers (scene->listener, &sources, NULL) == 0);
        muster_free (sources);
        MUST (muster_listener_register_handler (scene->listener, "w0", tally_handler, other, true) == 0);
        MUST (muster_listener_unregister_handler (scene->listener, "w0") == 0);
        muster_listener_send (scene->listener, "w1", "NOTE", NULL);
    }
    tally_destroy (&other);
    return NULL;
}

static void
ask_all (scene_t *scene)
{
    muster_ask_t *ask = muster_ask_new (scene->listener);
    muster_ask_set_timeout (ask, PATIENCE_MS / 1000);
    MUST (ask && muster_ask_send (ask, "TRAIN", "{s:i}", "round", 1) == 0);
    muster_message_t *reply;
    size_t replies = 0;
    for (; muster_ask_next (ask, &reply) == 0; replies++)
        MUST (muster_message_done (&reply, 0) == 0);
    const char *source;
    muster_error_t why;
    for (size_t i = 0; muster_ask_missing (ask, i, &source, &why) == 0; i++)
        fprintf (stderr, "no reply of %s: %s\n", source, muster_error_name (why));
    MUST (replies == WORKERS);
    muster_ask_destroy (&ask);
}

int
main (void)
{
    scene_t scene = scene_open (scene_tcp ());
    tally_t *tally = tally_new ();
    MUST (muster_listener_register_default_handler (scene.listener, tally_handler, tally) == 0);
    scene_start (&scene);
    member_t members [WORKERS] = { { NULL, 0 } };
    pthread_t senders [WORKERS * SENDERS], receivers [WORKERS], disturber;
    for (int i = 0; i < WORKERS; i++) {
        char source [16];
        snprintf (source, sizeof source, "w%d", i);
        members [i].worker = scene_worker (&scene, source);
        pthread_create (&receivers [i], NULL, answer_commands, &members [i]);
        for (int j = 0; j < SENDERS; j++)
            pthread_create (&senders [i * SENDERS + j], NULL, send_messages, &members [i]);
    }
    MUST (muster_listener_wait_for_workers (scene.listener, WORKERS, PATIENCE_MS) == 0);
    pthread_create (&disturber, NULL, disturb, &scene);
    for (int round = 0; round < 20; round++) {
        ask_all (&scene);
        size_t sent;
        MUST (muster_listener_broadcast (scene.listener, &sent, "NOTE", NULL) == 0 && sent == WORKERS);
    }
    for (int i = 0; i < WORKERS * SENDERS; i++)
        pthread_join (senders [i], NULL);
    for (int round = 0; round < 3; round++) {
        MUST (muster_listener_stop (scene.listener, NULL) == 0);
        for (int i = 0; i < WORKERS; i++)
            MUST (muster_worker_send (members [i].worker, "AGAIN", NULL) == 0);
        scene_start (&scene);
        MUST (muster_listener_wait_for_workers (scene.listener, WORKERS, PATIENCE_MS) == 0);
        ask_all (&scene);
    }
    atomic_store (&finished, true);
    pthread_join (disturber, NULL);
    for (int i = 0; i < WORKERS; i++) {
        MUST (muster_worker_flush (members [i].worker, PATIENCE_MS) == 0);
        MUST (muster_worker_close (members [i].worker, NULL) == 0);
        pthread_join (receivers [i], NULL);
        muster_worker_destroy (&members [i].worker);
        MUST (atomic_load (&members [i].commands) >= 20);
    }
    muster_stats_t stats = scene_stats (&scene);
    MUST (stats.handled == WORKERS * (SENDERS * MESSAGES + 3 + 23));
    scene_close (&scene);
    tally_destroy (&tally);
    return 0;
}
