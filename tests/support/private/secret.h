/*  secret.h - is a secret anywhere in this process's memory?

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef SECRET_H_INCLUDED
#define SECRET_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

/*  The secret key of a file, masked, so that it can be looked for without being there. */
typedef struct {
    uint8_t text [40];
    uint8_t bytes [32];
} secret_t;

/*  Learn the secret of a key file through a child, so that it does not get into this
    process. Ends the test if that fails. */
secret_t secret_of (const char *path);

/*  Is its text, or are its bytes, in memory that this process can write? */
bool secret_text_is_in_memory (const secret_t *self);
bool secret_bytes_are_in_memory (const secret_t *self);

#endif
