/*  listener_actor.h - the thread that does a listener's input and output

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef ACTOR_LISTENER_ACTOR_H_INCLUDED
#define ACTOR_LISTENER_ACTOR_H_INCLUDED

#include <czmq.h>

#include "actor/listener_core.h"

/*  What the owner says on the actor's pipe. */
#define LISTENER_STOP "STOP"    /* drain and end; phase becomes ENDED */

/*  The zactor's function; core is a listener_core_t whose binding is open. It
    goes on until the pipe says $TERM, at once then whatever the phase. */
void listener_actor (zsock_t *pipe, void *core);

#endif
