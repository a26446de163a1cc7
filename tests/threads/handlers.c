/*  handlers.c - handlers that are changed while messages of their source come without end

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    For ThreadSanitizer too. The dispatch thread goes through a batch of one source without
    asking anew for its handler: whoever changes it must still find, once the change has
    returned, that the old one is not running and never runs again.
*/
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <muster/muster.h>

#include "scene.h"

#define ROUNDS 600
#define SOURCE "busy"

typedef struct {
    atomic_bool out;        /* registered no more */
    atomic_bool running;
} state_t;

static atomic_bool finished;
static atomic_long handled, wrong;
static long last = -1;      /* the dispatch thread's */

static int
handle (const muster_message_t *message, void *argument)
{
    state_t *state = argument;
    atomic_store (&state->running, true);
    if (atomic_load (&state->out))
        atomic_fetch_add (&wrong, 1);
    long number = (long) scene_number (message);
    if (number != last + 1)
        atomic_fetch_add (&wrong, 1);
    last = number;
    atomic_fetch_add (&handled, 1);
    atomic_store (&state->running, false);
    return number % 1000 == 0;
}

static void *
send_without_end (void *worker)
{
    for (int64_t number = 0; !atomic_load (&finished); number++)
        MUST (muster_worker_send (worker, "X", "{s:I}", "n", number) == 0);
    return NULL;
}

static state_t *
state_new (void)
{
    return calloc (1, sizeof (state_t));
}

/*  The change has returned: the old one may be freed at once. */
static void
take_out (state_t *state)
{
    MUST (!atomic_load (&state->running));
    atomic_store (&state->out, true);
}

static void
await_some (void)
{
    long before = atomic_load (&handled);
    AWAIT (atomic_load (&handled) > before + 50);
}

int
main (void)
{
    scene_hush ();
    scene_t scene = scene_open (scene_tcp ());
    state_t *fallback = state_new (), *own = NULL, *states [2 * ROUNDS];
    size_t count = 0;
    pthread_t sender;
    MUST (muster_listener_register_default_handler (scene.listener, handle, fallback) == 0);
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, SOURCE);
    MUST (pthread_create (&sender, NULL, send_without_end, worker) == 0);
    for (int round = 0; round < ROUNDS; round++) {
        state_t *next = states [count++] = state_new ();
        await_some ();
        switch (round % 5) {
            case 0:             /* its own, where the default one had it */
            case 1:             /* another of its own */
            case 2:
                MUST (muster_listener_register_handler (scene.listener, SOURCE, handle, next, true) == 0);
                if (own)
                    take_out (own);
                own = next;
                break;
            case 3:             /* the default one again */
                MUST (muster_listener_unregister_handler (scene.listener, SOURCE) == 0);
                take_out (own);
                own = NULL;
                break;
            default:            /* another default one */
                states [count - 1] = fallback;
                MUST (muster_listener_register_default_handler (scene.listener, handle, next) == 0);
                take_out (fallback);
                fallback = next;
        }
    }
    await_some ();
    atomic_store (&finished, true);
    pthread_join (sender, NULL);
    scene_dismiss (worker);
    scene_close (&scene);
    MUST (atomic_load (&wrong) == 0);
    while (count > 0)
        free (states [--count]);
    free (fallback);
    return 0;
}
