/*  ask.h - muster.Ask, a round

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef ASK_H_INCLUDED
#define ASK_H_INCLUDED

#include "core.h"

int ask_init (PyObject *module);

#endif
