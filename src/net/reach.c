/*  reach.c - can a plain connection be made, and if not, why?

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "net/reach.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct {
    union {
        struct sockaddr any;
        struct sockaddr_in6 largest;
        struct sockaddr_un ipc;
    };
    socklen_t size;
} address_t;

/*  --------------------------------------------------------------------------
    Addresses */

/*  An abstract name begins with a NUL and has none at its end. */
static int
ipc_address (const endpoint_t *endpoint, address_t *address)
{
    size_t size = strlen (endpoint->path);
    if (size >= sizeof address->ipc.sun_path)
        return ENAMETOOLONG;
    address->ipc = (struct sockaddr_un) { .sun_family = AF_UNIX };
    memcpy (address->ipc.sun_path, endpoint->path, size);
    if (endpoint_is_abstract (endpoint))
        address->ipc.sun_path [0] = 0;
    address->size = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + size + (endpoint_is_abstract (endpoint) ? 0 : 1));
    return 0;
}

static int
tcp_address (const endpoint_t *endpoint, address_t *address)
{
    char port [8];
    struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found;
    snprintf (port, sizeof port, "%u", endpoint->port);
    if (getaddrinfo (endpoint->host, port, &hints, &found) != 0)
        return EADDRNOTAVAIL;
    bool fits = found->ai_addrlen <= sizeof address->largest;
    if (fits) {
        memcpy (&address->any, found->ai_addr, found->ai_addrlen);
        address->size = found->ai_addrlen;
    }
    freeaddrinfo (found);
    return fits ? 0 : EAFNOSUPPORT;
}

/*  --------------------------------------------------------------------------
    Connecting */

static int
start_timer (int timer, int timeout_ms)
{
    /*  A timer of nothing is none. */
    struct itimerspec after = { .it_value = { .tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000L + 1 } };
    return timerfd_settime (timer, 0, &after, NULL);
}

/*  A timer goes on while a signal is handled, where a timeout would begin anew. */
static int
await_until (int descriptor, int timer)
{
    struct pollfd items [] = { { .fd = descriptor, .events = POLLOUT }, { .fd = timer, .events = POLLIN } };
    int ready, error = 0;
    socklen_t size = sizeof error;
    do
        ready = poll (items, 2, -1);
    while (ready < 0 && errno == EINTR);
    if (ready >= 0 && !items [0].revents)
        return ETIMEDOUT;
    return ready < 0 || getsockopt (descriptor, SOL_SOCKET, SO_ERROR, &error, &size) != 0 ? errno : error;
}

static int
await (int descriptor, int timeout_ms)
{
    if (timeout_ms < 0)
        return await_until (descriptor, -1);
    int timer = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC);
    if (timer < 0)
        return errno;
    int error = start_timer (timer, timeout_ms) == 0 ? await_until (descriptor, timer) : errno;
    close (timer);
    return error;
}

int
reach_try (const endpoint_t *endpoint, int timeout_ms)
{
    address_t address;
    int error = endpoint->transport == ENDPOINT_IPC ? ipc_address (endpoint, &address)
        : tcp_address (endpoint, &address);
    if (error)
        return error;
    int descriptor = socket (address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return errno;
    if (connect (descriptor, &address.any, address.size) != 0)
        error = errno == EINPROGRESS ? await (descriptor, timeout_ms) : errno;
    close (descriptor);
    return error;
}

int
reach_look (const endpoint_t *endpoint)
{
    struct stat status;
    if (endpoint_is_abstract (endpoint))
        return 0;
    if (stat (endpoint->path, &status) != 0)
        return errno;
    return S_ISSOCK (status.st_mode) ? 0 : ENOTSOCK;
}

/*  --------------------------------------------------------------------------
    Names */

static void
add_host (reach_hosts_t *self, const struct addrinfo *found)
{
    char *host = self->hosts [self->count];
    if (getnameinfo (found->ai_addr, found->ai_addrlen, host, sizeof self->hosts [0], NULL, 0, NI_NUMERICHOST) != 0)
        return;
    for (size_t i = 0; i < self->count; i++)
        if (strcmp (self->hosts [i], host) == 0)
            return;
    self->count++;
}

void
reach_hosts (const endpoint_t *endpoint, reach_hosts_t *hosts)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *found;
    hosts->count = 0;
    if (getaddrinfo (endpoint->host, NULL, &hints, &found) != 0)
        return;
    for (const struct addrinfo *each = found; each && hosts->count < REACH_HOSTS; each = each->ai_next)
        add_host (hosts, each);
    freeaddrinfo (found);
}
