/*  option.c - socket options, and what a failed call means

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "net/option.h"

#include <errno.h>

#include <zmq.h>

#include "base/luck.h"

/*  A silent peer is given up after a minute and a half. */
static const option_t common [] = {
    { ZMQ_LINGER, 0 },
    { ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS },
    { ZMQ_TCP_KEEPALIVE, 1 },
    { ZMQ_TCP_KEEPALIVE_IDLE, 30 },
    { ZMQ_TCP_KEEPALIVE_INTVL, 15 },
    { ZMQ_TCP_KEEPALIVE_CNT, 4 },
};

muster_error_t
option_error (int code)
{
    switch (code) {
        case 0:
            return 0;
        case ENOMEM:
            return MUSTER_NOMEM;
        case EMFILE:
        case ENFILE:
        case EMTHREAD:
            return MUSTER_RESOURCE;
        case EADDRINUSE:
            return MUSTER_INUSE;
        case EACCES:
        case EPERM:
        case EADDRNOTAVAIL:
        case EAFNOSUPPORT:
        case EPROTONOSUPPORT:
        case ENAMETOOLONG:
        case EINVAL:
        case ENODEV:
        case ENOENT:
        case ENOTDIR:
        case EISDIR:
        case ELOOP:
        case EROFS:
            return MUSTER_ENDPOINT;
        default:
            return MUSTER_SYSTEM;
    }
}

static muster_error_t
set_all (void *socket, const option_t *options, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (zmq_setsockopt (socket, options [i].name, &options [i].value, sizeof options [i].value) != 0)
            return MUSTER_SYSTEM;
    return 0;
}

static muster_error_t
set_frame_limit (void *socket, uint64_t bytes)
{
    int64_t limit = bytes > INT64_MAX ? INT64_MAX : (int64_t) bytes;
    return zmq_setsockopt (socket, ZMQ_MAXMSGSIZE, &limit, sizeof limit) ? MUSTER_SYSTEM : 0;
}

muster_error_t
option_open (void **socket, void *context, int type, const option_t *options, size_t count, uint64_t frame_limit)
{
    luck_t luck;
    luck_set_aside (&luck);
    *socket = zmq_socket (context, type);
    luck_bring_back (&luck);
    if (!*socket)
        return option_error (errno);
    muster_error_t error = set_all (*socket, common, sizeof common / sizeof common [0]);
    if (!error)
        error = set_all (*socket, options, count);
    if (!error)
        error = set_frame_limit (*socket, frame_limit);
    if (error) {
        zmq_close (*socket);
        *socket = NULL;
    }
    return error;
}

muster_error_t
option_ipv6 (void *socket, int allowed)
{
    const option_t option = { ZMQ_IPV6, allowed };
    return set_all (socket, &option, 1);
}
