/*  keys.h - the keys of dicts, which are the same ones again and again

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef KEYS_H_INCLUDED
#define KEYS_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include "core.h"

/*  A new reference to the str that UTF-8 bytes stand for. Exceptions: UnicodeDecodeError. */
PyObject *keys_get (const uint8_t *bytes, size_t size);

#endif
