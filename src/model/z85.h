/*  z85.h - is text a CURVE key, as ZeroMQ writes them?

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef MODEL_Z85_H_INCLUDED
#define MODEL_Z85_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

/*  Characters of a key of 32 bytes. */
#define Z85_KEY 40

/*  Is it Z85_KEY characters that decode (each key has but one such text), and not
    all zeroes, which programs without CURVE write? */
bool z85_is_key (const char *text, size_t size);

#endif
