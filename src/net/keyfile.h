/*  keyfile.h - the files of keys and of who is enrolled, read

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    All errors come with reason (REASON_ROOM bytes), which begins with the path:
    MUSTER_NOTFOUND, MUSTER_ACCESS for a file that may not be read, or that others may
    do with what they must not; MUSTER_FORMAT for what is in it; MUSTER_RESOURCE,
    MUSTER_NOMEM, MUSTER_SYSTEM.
*/
#ifndef NET_KEYFILE_H_INCLUDED
#define NET_KEYFILE_H_INCLUDED

#include <stdbool.h>
#include <sys/types.h>

#include <muster/error.h>

#include "model/allow.h"
#include "model/certificate.h"

/*  Both keys, Z85, terminated. */
typedef certificate_t keypair_t;

/*  Read a secret key file, which nobody else may read or write, and which has the public
    key that belongs to the secret one. The caller wipes keys; after an error they are wiped. */
muster_error_t keyfile_load_secret (const char *path, keypair_t *keys, char *reason);

/*  Read a public key file; a secret one is refused, so that it is not passed around. */
muster_error_t keyfile_load_public (const char *path, char public_key [Z85_KEY + 1], char *reason);

/*  Read both of who connects to a listener: its secret key file, and the listener's public
    one. Without either *keyed is false. Also MUSTER_INVAL if there is only one. */
muster_error_t keyfile_load_client (const char *key_file, const char *server_file,
    bool *keyed, keypair_t *keys, char server [Z85_KEY + 1], char *reason);

/*  Read an allow file, which nobody but this user and root may write. The caller has a share of the list. */
muster_error_t keyfile_load_allow (const char *path, allow_t **allow, char *reason);

/*  May only its owner write it? Errors: MUSTER_ACCESS, and reason says how to mend that. */
muster_error_t keyfile_check_allow (mode_t mode, const char *path, char *reason);

/*  Overwrite both keys. */
void keyfile_wipe (keypair_t *keys);

#endif
