/*  token.h - muster._core.Token, by which one thread ends a call that waits in another

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef TOKEN_H_INCLUDED
#define TOKEN_H_INCLUDED

#include <stdbool.h>

#include "core.h"

int token_init (PyObject *module);

/*  Is the call of the calling thread to end? Needs no GIL. */
bool token_is_cancelled (void);

#endif
