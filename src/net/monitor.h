/*  monitor.h - what happens to the connections of one socket

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef NET_MONITOR_H_INCLUDED
#define NET_MONITOR_H_INCLUDED

#include <muster/error.h>

typedef struct monitor monitor_t;

/*  Listen to a socket, before it is bound or connected. What it opens from
    then on is closed in a forked child, once monitor_next has told of it.
    Errors: MUSTER_RESOURCE, MUSTER_NOMEM, MUSTER_SYSTEM. */
muster_error_t monitor_open (monitor_t **self_p, void *context, void *socket);

/*  To be called before the monitored socket is closed, unless it is outlived. NULL is harmless. */
void monitor_close (monitor_t **self_p);

/*  The monitored socket is about to be closed and may linger: go on until MONITOR_STOPPED. */
void monitor_outlive (monitor_t *self);

/*  In a forked child: free the memory, touch nothing of the parent's. */
void monitor_abandon (monitor_t **self_p);

/*  To poll for input. */
void *monitor_socket (monitor_t *self);

/*  The next event, one of ZeroMQ's numbers (ZMQ_EVENT_LISTENING, ACCEPTED,
    CONNECTED, CLOSED, DISCONNECTED, HANDSHAKE_..., MONITOR_STOPPED), or 0 if there is none; *value: its
    descriptor or error. Never waits. */
int monitor_next (monitor_t *self, int *value);

#endif
