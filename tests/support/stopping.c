/*  stopping.c - a listener's stop in a thread of its own, while the test goes on

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "stopping.h"

#include "joining.h"
#include "scene.h"

static void *
stop (void *listener)
{
    MUST (muster_listener_stop (listener, NULL) == 0);
    return NULL;
}

pthread_t
stopping_begin (muster_listener_t *listener)
{
    pthread_t stopper;
    MUST (pthread_create (&stopper, NULL, stop, listener) == 0);
    return stopper;
}

void
stopping_end (pthread_t stopper)
{
    MUST (joining_within (stopper, PATIENCE_MS));
}
