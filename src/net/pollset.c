/*  pollset.c - waiting for sockets and descriptors

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "net/pollset.h"

#include <limits.h>
#include <string.h>

#include <zmq.h>

void
pollset_clear (pollset_t *self)
{
    self->count = 0;
}

static void
add (pollset_t *self, void *socket, int descriptor)
{
    int number = self->count++;
    self->fds [number] = (struct pollfd) { .fd = descriptor, .events = POLLIN };
    self->sockets [number] = socket;
    self->used [number] = true;
    self->ready [number] = false;
}

void
pollset_add_socket (pollset_t *self, void *socket)
{
    int descriptor = -1;
    size_t size = sizeof descriptor;
    if (zmq_getsockopt (socket, ZMQ_FD, &descriptor, &size))
        descriptor = -1;        /* which poll passes over */
    add (self, socket, descriptor);
}

void
pollset_add_descriptor (pollset_t *self, int descriptor)
{
    add (self, NULL, descriptor);
}

void
pollset_use (pollset_t *self, int number)
{
    self->used [number] = true;
}

static bool
has_input (void *socket)
{
    int events = 0;
    size_t size = sizeof events;
    return zmq_getsockopt (socket, ZMQ_EVENTS, &events, &size) == 0 && (events & ZMQ_POLLIN);
}

/*  Those that may not tell again. Returns whether one is ready. */
static bool
ask_used (pollset_t *self, int count)
{
    bool any = false;
    memset (self->ready, 0, sizeof self->ready);
    for (int number = 0; number < count; number++) {
        self->ready [number] = self->used [number] && self->sockets [number] && has_input (self->sockets [number]);
        self->used [number] = false;
        any = any || self->ready [number];
    }
    return any;
}

void
pollset_wait (pollset_t *self, int count, long timeout_ms)
{
    if (ask_used (self, count))
        timeout_ms = 0;
    if (timeout_ms > INT_MAX)
        timeout_ms = INT_MAX;
    if (poll (self->fds, (nfds_t) count, (int) timeout_ms) <= 0)
        return;
    for (int number = 0; number < count; number++)
        if (self->fds [number].revents)
            self->ready [number] = true;
}
