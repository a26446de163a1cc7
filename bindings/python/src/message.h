/*  message.h - muster.Message

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef MESSAGE_H_INCLUDED
#define MESSAGE_H_INCLUDED

#include "core.h"

int message_init (PyObject *module);

/*  A message that the library lends to a handler. peer, the Listener or Worker it
    came from, is kept alive by it. */
PyObject *message_new_lent (const muster_message_t *message, PyObject *peer);

/*  The handler has returned. If somebody keeps the object, it gets a copy of the
    message. Takes the caller's reference. */
void message_end_loan (PyObject *self);

/*  A message that was taken; it is done when message_move_on or the object's end
    says so, and at once if this fails. While it is not, *slot refers to it: whoever has the
    slot moves on before it goes. */
PyObject *message_new_taken (muster_message_t *message, PyObject *peer, PyObject **slot);

/*  Whoever takes messages moves on: the one in *slot is done (NULL: there is none). It
    stays usable if somebody has it who has not looked at its data, or has more than
    the one reference of a loop's variable; else its memory is freed. */
void message_move_on (PyObject **slot);

#endif
