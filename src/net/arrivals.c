/*  arrivals.c - connections that were accepted: where from, and who did not get in

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "net/arrivals.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <zmq.h>

#include "base/alloc.h"
#include "net/option.h"

/*  The timer's start and ours are not the same moment. */
#define TIMER_SLACK_MS 500

struct arrival_entry {
    struct in6_addr address;    /* an IPv4 one as mapped */
    bool known;
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

/*  The descriptor may be closed by now, or be another connection's. */
static void
learn (arrivals_t *self, int descriptor, int64_t now)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    arrival_entry_t *entry = make_entry (self, descriptor);
    if (!entry)
        return;
    *entry = (arrival_entry_t) { .since = now, .number = ++self->accepted };
    if (getpeername (descriptor, (struct sockaddr *) &peer, &size) != 0)
        return;
    if (peer.ss_family == AF_INET) {
        entry->address.s6_addr [10] = entry->address.s6_addr [11] = 0xff;
        memcpy (entry->address.s6_addr + 12, &((struct sockaddr_in *) &peer)->sin_addr, 4);
        entry->known = true;
    }
    else
    if (peer.ss_family == AF_INET6) {
        entry->address = ((struct sockaddr_in6 *) &peer)->sin6_addr;
        entry->known = true;
    }
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

void
arrivals_clear (arrivals_t *self)
{
    alloc_free (self->entries);
    *self = (arrivals_t) { .entries = NULL };
}
