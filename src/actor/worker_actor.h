/*  worker_actor.h - the thread that does a worker's input and output

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef ACTOR_WORKER_ACTOR_H_INCLUDED
#define ACTOR_WORKER_ACTOR_H_INCLUDED

#include <czmq.h>

#include "actor/worker_core.h"

/*  The zactor's function; core is a worker_core_t. It goes on until the pipe
    says $TERM. */
void worker_actor (zsock_t *pipe, void *core);

#endif
