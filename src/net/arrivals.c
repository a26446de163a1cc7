/*  arrivals.c - connections that were accepted: where from, and who did not get in

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "net/arrivals.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <zmq.h>

#include "base/alloc.h"
#include "net/option.h"

/*  The timer's start and ours are not the same moment. */
#define TIMER_SLACK_MS 500

struct arrival_entry {
    struct in6_addr address;    /* an IPv4 one as mapped */
    in_port_t port;             /* in network order */
    bool known;
    uint64_t refused;           /* bytes */
    int64_t since;              /* ms */
    uint64_t number;
};

static arrival_entry_t *
entry_of (const arrivals_t *self, int descriptor)
{
    return descriptor >= 0 && (size_t) descriptor < self->room ? &self->entries [descriptor] : NULL;
}

/*  Without memory for it the address is not known. */
static arrival_entry_t *
make_entry (arrivals_t *self, int descriptor)
{
    size_t room = self->room ? self->room : 64;
    while (descriptor >= 0 && room <= (size_t) descriptor)
        room *= 2;
    if (room > self->room) {
        arrival_entry_t *entries = alloc_resize (self->entries, room * sizeof *entries);
        if (!entries)
            return NULL;
        memset (entries + self->room, 0, (room - self->room) * sizeof *entries);
        self->entries = entries;
        self->room = room;
    }
    return entry_of (self, descriptor);
}

/*  The peer of a connection over tcp. */
static bool
ask_for_peer (int descriptor, struct in6_addr *address, in_port_t *port)
{
    struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
    socklen_t size = sizeof peer;
    memset (address, 0, sizeof *address);
    if (getpeername (descriptor, (struct sockaddr *) &peer, &size) != 0)
        return false;
    if (peer.ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const void *) &peer;
        address->s6_addr [10] = address->s6_addr [11] = 0xff;
        memcpy (address->s6_addr + 12, &ipv4->sin_addr, sizeof ipv4->sin_addr);
        *port = ipv4->sin_port;
    }
    else {
        const struct sockaddr_in6 *ipv6 = (const void *) &peer;
        *address = ipv6->sin6_addr;
        /*  The check does not see that getpeername has filled it. */
        *port = ipv6->sin6_port;   /* NOLINT(clang-analyzer-core.uninitialized.Assign) */
    }
    return peer.ss_family == AF_INET || peer.ss_family == AF_INET6;
}

/*  The descriptor may be closed by now, or be another connection's. */
static void
learn (arrivals_t *self, int descriptor, int64_t now)
{
    arrival_entry_t *entry = make_entry (self, descriptor);
    if (!entry)
        return;
    *entry = (arrival_entry_t) { .since = now, .number = ++self->accepted };
    entry->known = ask_for_peer (descriptor, &entry->address, &entry->port);
}

static void
write_address (const arrival_entry_t *entry, char *text)
{
    text [0] = 0;
    if (!entry || !entry->known)
        return;
    if (IN6_IS_ADDR_V4MAPPED (&entry->address))
        inet_ntop (AF_INET, entry->address.s6_addr + 12, text, ADDRESS_ROOM);
    else
        inet_ntop (AF_INET6, &entry->address, text, ADDRESS_ROOM);
}

static const char *
why_protocol (int code, bool secure)
{
    switch (code) {
        case ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH:
            return secure ? "it has no key" : "it has a key, and this listener asks for none";
        case ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC:
            return "it takes this listener for one with another key";
        default:
            return "it does not speak the protocol";
    }
}

/*  A peer whose handshake does not fit may see that first, and hang up. Where no keys
    are asked for it is somebody who has changed his mind. */
static const char *
why_silent (const arrival_entry_t *entry, bool secure, int64_t now)
{
    if (entry && entry->since && now - entry->since >= HANDSHAKE_MS - TIMER_SLACK_MS)
        return "it did not finish its handshake in time";
    return secure ? "it hung up during the handshake: it may have no key" : NULL;
}

static void
gone (arrivals_t *self, int descriptor, bool secure, int64_t now)
{
    arrival_entry_t *entry = entry_of (self, descriptor);
    self->why = self->silent ? why_silent (entry, secure, now) : self->failing;
    self->refused = self->why != NULL;
    if (self->refused)
        write_address (entry, self->address);
    if (entry)
        *entry = (arrival_entry_t) { .known = false };
    self->failing = NULL;
    self->silent = false;
}

void
arrivals_heed (arrivals_t *self, int event, int value, bool secure, int64_t now)
{
    switch (event) {
        case ZMQ_EVENT_ACCEPTED:
            learn (self, value, now);
            break;
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
            self->failing = why_protocol (value, secure);
            break;
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
            self->silent = true;
            break;
        case ZMQ_EVENT_DISCONNECTED:
            gone (self, value, secure, now);
            break;
        default:
            break;
    }
}

bool
arrivals_take_refusal (arrivals_t *self, char *address, const char **why)
{
    bool refused = self->refused;
    self->refused = false;
    if (refused) {
        memcpy (address, self->address, ADDRESS_ROOM);
        *why = self->why;
    }
    return refused;
}

uint64_t
arrivals_connection (const arrivals_t *self, int descriptor)
{
    const arrival_entry_t *entry = entry_of (self, descriptor);
    return entry ? entry->number : 0;
}

uint64_t
arrivals_note_refused (arrivals_t *self, int descriptor, uint64_t bytes)
{
    arrival_entry_t *entry = entry_of (self, descriptor);
    if (!entry || entry->number == 0)
        return 0;
    entry->refused = bytes ? entry->refused + bytes : 0;
    return entry->refused;
}

/*  ZeroMQ's thread may close the descriptor, and the host be given its number, at any
    moment: a duplicate stays what it is, so that is looked at, and ended if it is right. */
void
arrivals_cut (const arrivals_t *self, int descriptor)
{
    const arrival_entry_t *entry = entry_of (self, descriptor);
    int copy = entry && entry->known ? fcntl (descriptor, F_DUPFD_CLOEXEC, 0) : -1;
    struct in6_addr address;
    in_port_t port;
    if (copy < 0)
        return;
    if (ask_for_peer (copy, &address, &port)
        && port == entry->port && memcmp (&address, &entry->address, sizeof address) == 0)
        shutdown (copy, SHUT_RDWR);
    close (copy);
}

void
arrivals_clear (arrivals_t *self)
{
    alloc_free (self->entries);
    *self = (arrivals_t) { .entries = NULL };
}
