/*  option.h - socket options, and what a failed call means

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef NET_OPTION_H_INCLUDED
#define NET_OPTION_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include <muster/error.h>

/*  The largest frame of a session, header included, with room to spare. */
#define OPTION_SESSION_FRAME (UINT64_C (2) * 1024 * 1024)

/*  The largest frame of a worker's control, many times what one has today. */
#define OPTION_CONTROL_FRAME (UINT64_C (16) * 1024)

/*  A connection that has not finished its handshake by then is closed, in ms. */
#define HANDSHAKE_MS 5000

typedef struct {
    int name;       /* ZMQ_LINGER and its like, those that take an int */
    int value;
} option_t;

/*  Open a socket with these options, and with those that all of ours have: no
    linger, TCP keepalive, a handshake within 5 s, no frame over frame_limit.
    Errors: MUSTER_RESOURCE, MUSTER_NOMEM, MUSTER_SYSTEM. */
muster_error_t option_open (void **socket, void *context, int type,
    const option_t *options, size_t count, uint64_t frame_limit);

/*  Allow IPv6, or not: where it is, ZeroMQ shows IPv4 addresses as mapped ones. */
muster_error_t option_ipv6 (void *socket, int allowed);

/*  What an errno after a system call or a ZeroMQ call means. */
muster_error_t option_error (int code);

#endif
