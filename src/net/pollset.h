/*  pollset.h - waiting for sockets and descriptors

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    zmq_poll asks each socket twice, by a system call each time, whether it slept or not.
    Here the sockets' descriptors are waited for, and a socket is asked only where its
    descriptor may have told before: a descriptor tells of a change once, and whoever
    sends or receives has heard it.
*/
#ifndef NET_POLLSET_H_INCLUDED
#define NET_POLLSET_H_INCLUDED

#include <poll.h>
#include <stdbool.h>

#define POLLSET_MOST 8

typedef struct {
    int count;
    struct pollfd fds [POLLSET_MOST];
    void *sockets [POLLSET_MOST];       /* NULL: a descriptor alone */
    bool used [POLLSET_MOST];           /* since it was asked last */
    bool ready [POLLSET_MOST];
} pollset_t;

/*  Begin anew, with nothing in it. */
void pollset_clear (pollset_t *self);

/*  Each is known by its number, in the order of adding, from 0. */
void pollset_add_socket (pollset_t *self, void *socket);
void pollset_add_descriptor (pollset_t *self, int descriptor);

/*  The owner has sent on this socket, or received and left something. */
void pollset_use (pollset_t *self, int number);

/*  Wait until one of the first count is ready, timeout_ms at most (-1: for ever). A socket that
    is ready has something to be received, or had: to receive from it may give EAGAIN. */
void pollset_wait (pollset_t *self, int count, long timeout_ms);

static inline bool
pollset_is_ready (const pollset_t *self, int number)
{
    return self->ready [number];
}

#endif
