/*  secure.h - CURVE on a socket: who it is, and whom it trusts

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Keys are Z85 text. ZeroMQ keeps copies of a secret in memory that it does not
    wipe when it frees it; secure_forget takes back the one it can be asked for.
*/
#ifndef NET_SECURE_H_INCLUDED
#define NET_SECURE_H_INCLUDED

#include "net/keyfile.h"

/*  A socket to be bound: whoever connects is asked for its key, and the responder
    of domain (zap.h) says whether it may come in; without an answer it may not.
    Errors: MUSTER_SYSTEM. */
muster_error_t secure_serve (void *socket, const keypair_t *keys, const char *domain);

/*  A socket to be connected, to a listener whose public key is server. Errors: MUSTER_SYSTEM. */
muster_error_t secure_connect (void *socket, const keypair_t *keys, const char *server);

/*  Before it is closed: overwrite its secret. Harmless without one. */
void secure_forget (void *socket);

#endif
