/*  messages.h - muster._core.Messages, a loop over a listener's messages

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef MESSAGES_H_INCLUDED
#define MESSAGES_H_INCLUDED

#include "core.h"

int messages_init (PyObject *module);

#endif
