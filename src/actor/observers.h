/*  observers.h - who asks what a listener counts, and the answer

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    OBSERVE needs no session and gets no credit. docs/protocol.md, section "OBSERVE and
    REPORT", is what this implements.
*/
#ifndef ACTOR_OBSERVERS_H_INCLUDED
#define ACTOR_OBSERVERS_H_INCLUDED

#include "actor/gate.h"

/*  Answer OBSERVE with REPORT, or with END if the caller may not ask; not at all if it was
    answered just now. The actor's; with the roster's lock. */
void observers_answer (
    listener_core_t *self, const caller_t *caller, const route_t *route, const frame_t *observe);

#endif
