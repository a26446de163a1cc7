/*  bystanders.c - those who ask a listener and a worker how they are, while both come and go

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    For ThreadSanitizer: what it asserts is little. A bystander does nothing but ask, so that
    no other call of his puts in order what the one that is asked does not.
*/
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include <muster/muster.h>

#include "keyring.h"
#include "scene.h"

#define ROUNDS 20

static atomic_bool finished;
static atomic_ulong asked;

/*  Whether there is a descriptor depends on the listener's phase. */
static void *
ask_listener (void *listener)
{
    while (!atomic_load (&finished)) {
        int descriptor;
        muster_error_t error = muster_listener_descriptor (listener, &descriptor);
        MUST (error == 0 || error == MUSTER_CLOSED);
        atomic_fetch_add (&asked, 1);
    }
    return NULL;
}

/*  Until the worker knows why it ended. */
static void *
ask_worker (void *worker)
{
    AWAIT (strstr (muster_worker_reason (worker), "the listener has no keys"));
    return NULL;
}

static void
await_more (void)
{
    unsigned long before = atomic_load (&asked);
    AWAIT (atomic_load (&asked) > before);
}

/*  A listener that was stopped is asked once more before it starts again. */
static void
stop_and_start (scene_t *scene)
{
    MUST (muster_listener_stop (scene->listener, NULL) == 0);
    await_more ();
    scene_start (scene);
    await_more ();
}

/*  A worker with a key, and a listener without. */
static void
be_refused (const scene_t *scene, const keyring_t *keyring)
{
    pthread_t bystander;
    muster_worker_t *worker = scene_new_worker (scene, "a");
    keyring_arm_worker (keyring, worker, "a");
    scene_start_worker (worker);
    MUST (pthread_create (&bystander, NULL, ask_worker, worker) == 0);
    MUST (pthread_join (bystander, NULL) == 0);
    muster_worker_destroy (&worker);
}

int
main (void)
{
    scene_hush ();
    scene_t scene = scene_open (scene_tcp ());
    pthread_t bystander;
    keyring_t keyring = keyring_open ();
    keyring_make (&keyring, "a");
    scene_start (&scene);
    MUST (pthread_create (&bystander, NULL, ask_listener, scene.listener) == 0);
    for (int round = 0; round < ROUNDS; round++)
        be_refused (&scene, &keyring);
    for (int round = 0; round < ROUNDS; round++)
        stop_and_start (&scene);
    atomic_store (&finished, true);
    MUST (pthread_join (bystander, NULL) == 0);
    keyring_close (&keyring);
    scene_close (&scene);
    return 0;
}
