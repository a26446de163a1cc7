/*  curve.c - making and checking CURVE keys

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "net/curve.h"

#include <string.h>

#include <zmq.h>

/*  More than ZeroMQ and its cryptography use. */
#define STACK_USED 8192

/*  ZeroMQ leaves the bytes of the secret key where its calls had their variables.
    Called from the same depth, this has its own there. */
static __attribute__ ((noinline)) void
wipe_stack (void)
{
    char below [STACK_USED];
    explicit_bzero (below, sizeof below);
}

muster_error_t
curve_generate (certificate_t *keys)
{
    int rc = zmq_curve_keypair (keys->public_key, keys->secret_key);
    wipe_stack ();
    return rc == 0 ? 0 : MUSTER_SYSTEM;
}

muster_error_t
curve_check (const certificate_t *keys)
{
    char public_key [Z85_KEY + 1];
    int rc = zmq_curve_public (public_key, keys->secret_key);
    wipe_stack ();
    if (rc != 0)
        return MUSTER_SYSTEM;
    return strcmp (public_key, keys->public_key) == 0 ? 0 : MUSTER_FORMAT;
}
