/*  secure.c - CURVE on a socket: who it is, and whom it trusts

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "net/secure.h"

#include <stdbool.h>
#include <string.h>

#include <zmq.h>

#define KEY_BYTES 32

/*  The library has it, its header only among the drafts. Where it does not know it,
    nothing is opened. */
#define ZAP_ENFORCE_DOMAIN 93

static bool
set_key (void *socket, int name, const char *text)
{
    return zmq_setsockopt (socket, name, text, Z85_KEY + 1) == 0;
}

static bool
set_flag (void *socket, int name)
{
    const int yes = 1;
    return zmq_setsockopt (socket, name, &yes, sizeof yes) == 0;
}

/*  Without ENFORCE_DOMAIN a server whose context has no responder admits anyone. */
muster_error_t
secure_serve (void *socket, const keypair_t *keys, const char *domain)
{
    bool set = set_flag (socket, ZMQ_CURVE_SERVER)
        && set_key (socket, ZMQ_CURVE_SECRETKEY, keys->secret_key)
        && zmq_setsockopt (socket, ZMQ_ZAP_DOMAIN, domain, strlen (domain)) == 0
        && set_flag (socket, ZAP_ENFORCE_DOMAIN);
    return set ? 0 : MUSTER_SYSTEM;
}

muster_error_t
secure_connect (void *socket, const keypair_t *keys, const char *server)
{
    bool set = set_key (socket, ZMQ_CURVE_SERVERKEY, server)
        && set_key (socket, ZMQ_CURVE_PUBLICKEY, keys->public_key)
        && set_key (socket, ZMQ_CURVE_SECRETKEY, keys->secret_key);
    return set ? 0 : MUSTER_SYSTEM;
}

void
secure_forget (void *socket)
{
    static const uint8_t nothing [KEY_BYTES];
    int mechanism = ZMQ_NULL;
    size_t size = sizeof mechanism;
    if (zmq_getsockopt (socket, ZMQ_MECHANISM, &mechanism, &size) == 0 && mechanism == ZMQ_CURVE)
        zmq_setsockopt (socket, ZMQ_CURVE_SECRETKEY, nothing, sizeof nothing);
}
