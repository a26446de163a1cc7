/*  listening.c - one bound socket, its monitor and its path

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "net/listening.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "base/alloc.h"
#include "base/process.h"
#include "net/arrivals.h"
#include "net/ipcpath.h"
#include "net/monitor.h"
#include "net/secure.h"

/*  Events taken by one call: the rest waits for the next. */
#define EVENTS_AT_ONCE 1000
/*  ZeroMQ's thread closes an address in microseconds; it may be busy. */
#define CLOSE_MS 5000

struct listening {
    uint32_t generation;
    void *socket;
    monitor_t *monitor;
    arrivals_t arrivals;
    ipcpath_t *path;
    endpoint_t bound;
    char address [ENDPOINT_ROOM];   /* as ZeroMQ calls what is bound; "" if nothing is */
    unsigned ended;                 /* connections, since the last listening_watch */
    bool secure;
};

muster_error_t
listening_open (listening_t **self_p, void *context, int type,
    const option_t *options, size_t count, uint64_t frame_limit)
{
    listening_t *self = *self_p = alloc_zero (sizeof *self);
    if (!self)
        return MUSTER_NOMEM;
    self->generation = process_generation ();
    muster_error_t error = option_open (&self->socket, context, type, options, count, frame_limit);
    if (!error)
        error = monitor_open (&self->monitor, context, self->socket);
    if (error)
        listening_close (self_p);
    return error;
}

muster_error_t
listening_secure (listening_t *self, const keypair_t *keys, const char *domain)
{
    muster_error_t error = secure_serve (self->socket, keys, domain);
    self->secure = !error;
    return error;
}

bool
listening_is_secure (const listening_t *self)
{
    return self->secure && self->bound.transport != ENDPOINT_INPROC;
}

void
listening_close (listening_t **self_p)
{
    listening_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    if (self->generation == process_generation ()) {
        listening_unbind (self);
        monitor_close (&self->monitor);
        if (self->socket) {
            secure_forget (self->socket);
            zmq_close (self->socket);
        }
    }
    else
        monitor_abandon (&self->monitor);
    arrivals_clear (&self->arrivals);
    ipcpath_release (&self->path);
    alloc_free (self);
}

static int
next_event (listening_t *self, int64_t now)
{
    int value;
    int event = monitor_next (self->monitor, &value);
    if (event == ZMQ_EVENT_DISCONNECTED)
        self->ended++;
    arrivals_heed (&self->arrivals, event, value, self->secure, now);
    return event;
}

static void
take_events (listening_t *self, int64_t now)
{
    int taken = 0;
    while (taken < EVENTS_AT_ONCE && next_event (self, now) != 0)
        taken++;
}

unsigned
listening_watch (listening_t *self, int64_t now, refused_fn *refused, void *argument)
{
    char address [ADDRESS_ROOM];
    const char *why;
    int taken = 0;
    while (taken < EVENTS_AT_ONCE && next_event (self, now) != 0) {
        if (arrivals_take_refusal (&self->arrivals, address, &why))
            refused (argument, address, why, 1);
        taken++;
    }
    unsigned ended = self->ended;
    self->ended = 0;
    return ended;
}

uint64_t
listening_note_refused (listening_t *self, int descriptor, uint64_t bytes)
{
    return arrivals_note_refused (&self->arrivals, descriptor, bytes);
}

void
listening_cut (listening_t *self, int descriptor)
{
    arrivals_cut (&self->arrivals, descriptor);
}

uint64_t
listening_connection (const listening_t *self, int descriptor)
{
    return arrivals_connection (&self->arrivals, descriptor);
}

static muster_error_t
claim (listening_t *self, const endpoint_t *endpoint, const char **why)
{
    if (endpoint->transport != ENDPOINT_IPC || endpoint_is_abstract (endpoint))
        return 0;
    return ipcpath_claim (&self->path, endpoint->path, why);
}

static bool
needs_ipv6 (const endpoint_t *endpoint)
{
    return endpoint->transport == ENDPOINT_TCP && (strchr (endpoint->host, ':') || strcmp (endpoint->host, "*") == 0);
}

static muster_error_t
bind_socket (listening_t *self, const endpoint_t *endpoint)
{
    char text [ENDPOINT_ROOM];
    size_t size = sizeof self->address;
    muster_error_t error = option_ipv6 (self->socket, needs_ipv6 (endpoint));
    if (error)
        return error;
    if (zmq_bind (self->socket, endpoint_text (endpoint, text)) != 0)
        return option_error (errno);
    if (zmq_getsockopt (self->socket, ZMQ_LAST_ENDPOINT, self->address, &size) == 0)
        return 0;
    zmq_unbind (self->socket, text);
    return MUSTER_SYSTEM;
}

static void
note_bound (listening_t *self, const endpoint_t *endpoint)
{
    self->bound = *endpoint;
    if (endpoint->transport == ENDPOINT_TCP) {
        self->bound.port = (uint16_t) strtoul (strrchr (self->address, ':') + 1, NULL, 10);
        self->bound.wildcard = false;
    }
    if (self->path)
        ipcpath_bound (self->path);
}

muster_error_t
listening_bind (listening_t *self, const endpoint_t *endpoint, const char **why)
{
    muster_error_t error = claim (self, endpoint, why);
    if (error)
        return error;
    error = bind_socket (self, endpoint);
    *why = error == MUSTER_NOMEM ? "out of memory" : zmq_strerror (errno);
    /*  ZeroMQ tells of the descriptor before zmq_bind returns, also of one that it gave up. */
    take_events (self, 0);
    if (error)
        ipcpath_release (&self->path);
    else
        note_bound (self, endpoint);
    return error;
}

static bool
wait_for_event (listening_t *self)
{
    zmq_pollitem_t item = { .socket = monitor_socket (self->monitor), .events = ZMQ_POLLIN };
    int rc = zmq_poll (&item, 1, CLOSE_MS);
    return rc > 0 || (rc < 0 && errno == EINTR);
}

static void
wait_until_closed (listening_t *self)
{
    for (;;) {
        int event = next_event (self, 0);
        if (event == ZMQ_EVENT_CLOSED)
            return;
        if (event == 0 && !wait_for_event (self))
            return;
    }
}

/*  The path is let go after ZeroMQ has closed it, or the next who claims it
    could lose it again. */
void
listening_unbind (listening_t *self)
{
    if (self->address [0] == 0)
        return;
    int rc = zmq_unbind (self->socket, self->address);
    self->address [0] = 0;
    if (rc == 0 && self->bound.transport != ENDPOINT_INPROC)
        wait_until_closed (self);
    ipcpath_release (&self->path);
}

void *
listening_socket (listening_t *self)
{
    return self->socket;
}

const endpoint_t *
listening_bound (const listening_t *self)
{
    return &self->bound;
}

void *
listening_monitor (listening_t *self)
{
    return monitor_socket (self->monitor);
}
