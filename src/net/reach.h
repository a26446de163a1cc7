/*  reach.h - can a plain connection be made, and if not, why?

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    ZeroMQ's monitor says that a connection was not made, and not why. To whoever listens, a
    plain connection is somebody who hangs up in the handshake: a listener with keys counts him. So
    this is for what ZeroMQ could not connect.
*/
#ifndef NET_REACH_H_INCLUDED
#define NET_REACH_H_INCLUDED

#include <stddef.h>

#include "model/endpoint.h"

/*  Connect and hang up. endpoint: tcp or ipc, resolved. 0, or an errno: ETIMEDOUT after
    timeout_ms (less than 0: no limit), ECONNREFUSED if nobody listens. */
int reach_try (const endpoint_t *endpoint, int timeout_ms);

/*  What is in the place of an ipc endpoint, without connecting: 0, or an errno; ENOTSOCK
    for anything but a socket. An abstract one is always 0. */
int reach_look (const endpoint_t *endpoint);

#define REACH_HOSTS 8

typedef struct {
    size_t count;
    char hosts [REACH_HOSTS][64];
} reach_hosts_t;

/*  The addresses that a tcp endpoint's host has, each once, the first few; none for an interface or what
    does not resolve. May wait for a resolver. */
void reach_hosts (const endpoint_t *endpoint, reach_hosts_t *hosts);

#endif
