/*  joining.h - waiting for a thread, so long at most

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef SUPPORT_JOINING_H_INCLUDED
#define SUPPORT_JOINING_H_INCLUDED

#include <pthread.h>
#include <stdbool.h>

/*  Join a thread that ends in time. False if it goes on: it is still to be joined. */
bool joining_within (pthread_t thread, int ms);

#endif
