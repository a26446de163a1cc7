/*  stopping.h - a listener's stop in a thread of its own, while the test goes on

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    What cannot fail in a test that is right ends the test.
*/
#ifndef SUPPORT_STOPPING_H_INCLUDED
#define SUPPORT_STOPPING_H_INCLUDED

#include <pthread.h>

#include <muster/muster.h>

pthread_t stopping_begin (muster_listener_t *listener);

/*  The stop must end, and well, before patience does. */
void stopping_end (pthread_t stopper);

#endif
