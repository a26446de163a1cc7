/*  keyring.h - keys for the coordinator and each worker, in a directory of their own

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Elsewhere everybody makes his own and sends the public one; here all is one machine.
*/
#ifndef KEYRING_H_INCLUDED
#define KEYRING_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

#define KEYRING_ROOM 256

/*  Make a directory with keys for the coordinator and so many workers, each enrolled for its
    source. False, and it was said, if that fails. directory has KEYRING_ROOM bytes. */
bool keyring_make (char *directory, size_t workers);

/*  Remove it. Harmless if there is none ("" or a part of it). */
void keyring_remove (const char *directory, size_t workers);

/*  The path of NAME.key, NAME.pub or, with the ending "", NAME. */
const char *keyring_path (char path [KEYRING_ROOM], const char *directory, const char *name, const char *ending);

#define KEYRING_COORDINATOR "coordinator"
#define KEYRING_ALLOW "allow"

#endif
