/*  gate.h - whose connection a frame came by, and what that one may say

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    The key of a connection was proven at its handshake; whether it may speak for a
    source is asked for each frame, of the allow list that holds now. A socket that
    asks for no keys lets everybody speak for every source. The actor's; with the
    roster's lock.
*/
#ifndef ACTOR_GATE_H_INCLUDED
#define ACTOR_GATE_H_INCLUDED

#include "actor/listener_core.h"

typedef struct {
    bool secure;                    /* the socket asks for keys */
    char key [Z85_KEY + 1];         /* "" unless it does */
    char address [REFUSALS_ADDRESS_ROOM]; /* "" if there is none */
    int descriptor;                 /* of the connection */
} caller_t;

caller_t gate_caller (zmq_msg_t *msg, bool secure);

/*  May it speak for a source? */
bool gate_admits (const listener_core_t *self, const caller_t *caller, const char *source);

/*  May it speak for any source at all? */
bool gate_knows (const listener_core_t *self, const caller_t *caller);

/*  May it ask what the listener counts? Without keys: if it comes by ipc or from a loopback address. */
bool gate_admits_observer (const listener_core_t *self, const caller_t *caller);

/*  May it say all messages of a plain batch, which was scanned? */
bool gate_admits_batch (const listener_core_t *self, const caller_t *caller, const batch_t *batch);

/*  Count a frame of somebody who claims what is not his, and note who it was. source:
    NULL if it is not known. */
void gate_refuse (listener_core_t *self, const caller_t *caller, const char *source);

/*  A plain frame of so many bytes was refused; 0: one was not. Who with a key sends
    nothing else has to stop. */
void gate_watch_plain (listener_core_t *self, const caller_t *caller, size_t refused);

/*  The allow list is another: end the sessions, present or not, and drop the messages
    of those who may not speak any more. */
void gate_revoke (listener_core_t *self);

#endif
