/*  scene.h - a listener that remembers what it is given, and workers for it

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    What cannot fail in a test that is right ends the test with a line on stderr.
*/
#ifndef SUPPORT_SCENE_H_INCLUDED
#define SUPPORT_SCENE_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include <muster/muster.h>

#include "collector.h"

typedef struct {
    muster_listener_t *listener;
    collector_t *messages;      /* what the default handler gets, once it is registered */
    collector_t *events;
} scene_t;

/*  A listener with a system handler alone, not started. */
scene_t scene_open (const char *endpoint);
void scene_start (scene_t *self);

/*  A listener on a free tcp port of the loopback with a default handler, started. */
scene_t scene_begin (void);

/*  A tcp endpoint with port * on a loopback address of this process: a port that
    is free between a stop and the start after it is taken by nobody else. */
const char *scene_tcp (void);
/*  Unblocks its collectors, destroys all. */
void scene_close (scene_t *self);

muster_stats_t scene_stats (const scene_t *self);
const char *scene_endpoint (const scene_t *self);

/*  A worker of the scene's listener; scene_worker starts it. The caller owns it. */
muster_worker_t *scene_new_worker (const scene_t *self, const char *source);
muster_worker_t *scene_worker (const scene_t *self, const char *source);
void scene_start_worker (muster_worker_t *worker);

/*  Close a worker, all of whose messages must be confirmed, and destroy it. */
void scene_dismiss (muster_worker_t *worker);

/*  Take the next command of a worker, the next message of a listener. */
muster_message_t *scene_recv (muster_worker_t *worker);
muster_message_t *scene_next (scene_t *self);

/*  data {"n": ...} of a message, -1 without. */
int64_t scene_number (const muster_message_t *message);

/*  An abstract ipc endpoint that no other process uses. */
const char *scene_private_endpoint (char *buffer, size_t size);

/*  Log nothing from now on: what a test provokes is not news. */
void scene_hush (void);

/*  End the test with a line that names what does not hold. */
#define MUST(condition) \
    do { \
        if (!(condition)) \
            scene_fail (__FILE__, __LINE__, #condition); \
    } while (0)

/*  Wait until a condition holds that no event tells of. */
#define AWAIT(condition) \
    do { \
        int64_t began_ = scene_now_ms (); \
        while (!(condition)) \
            scene_wait_on (began_, __FILE__, __LINE__, #condition); \
    } while (0)

void scene_fail (const char *file, int line, const char *condition) __attribute__ ((noreturn));
void scene_wait_on (int64_t began_ms, const char *file, int line, const char *condition);
int64_t scene_now_ms (void);

#endif
