/*  endpoint.c - taking endpoints apart, and what follows from one

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "model/endpoint.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <muster/endpoint.h>

#include "base/log.h"

#define IPC_PATH_MOST 107
#define PORT_MOST 65535
#define RETURN_SUFFIX ".return"

_Static_assert (MUSTER_ENDPOINT_REASON_ROOM == REASON_ROOM, "a reason may be cut");

/*  Say what is wrong with the endpoint written as text. */
static muster_error_t __attribute__ ((format (printf, 3, 4)))
refuse (char *reason, const char *text, const char *format, ...)
{
    char shown [256];
    log_escape (shown, sizeof shown, text, strlen (text));
    int used = snprintf (reason, REASON_ROOM, "%s: ", shown);
    va_list args;
    va_start (args, format);
    vsnprintf (reason + used, REASON_ROOM - (size_t) used, format, args);
    va_end (args);
    return MUSTER_ENDPOINT;
}

static muster_error_t __attribute__ ((format (printf, 3, 4)))
refuse_endpoint (char *reason, const endpoint_t *self, const char *format, ...)
{
    char text [ENDPOINT_ROOM];
    char what [REASON_ROOM / 2];
    va_list args;
    va_start (args, format);
    vsnprintf (what, sizeof what, format, args);
    va_end (args);
    return refuse (reason, endpoint_text (self, text), "%s", what);
}

static bool
parse_port (endpoint_t *self, const char *port)
{
    if (strcmp (port, "*") == 0 || strcmp (port, "0") == 0) {
        self->wildcard = true;
        return true;
    }
    size_t digits = strspn (port, "0123456789");
    if (digits == 0 || digits > 5 || port [digits])
        return false;
    unsigned value = 0;
    for (; *port; port++)
        value = value * 10 + (unsigned) (*port - '0');
    self->port = (uint16_t) value;
    return value > 0 && value <= PORT_MOST;
}

static bool
is_plain_name (const char *name)
{
    static const char allowed [] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return *name && name [strspn (name, allowed)] == 0;
}

/*  An IPv6 address, with a zone perhaps: fe80::1%eth0. */
static bool
is_ipv6 (const char *host)
{
    char address [INET6_ADDRSTRLEN];
    struct in6_addr parsed;
    size_t size = strcspn (host, "%");
    if (size >= sizeof address || (host [size] == '%' && !is_plain_name (host + size + 1)))
        return false;
    memcpy (address, host, size);
    address [size] = 0;
    return inet_pton (AF_INET6, address, &parsed) == 1;
}

static muster_error_t
parse_tcp (endpoint_t *self, const char *text, const char *rest, char *reason)
{
    bool bracketed = *rest == '[';
    const char *host = bracketed ? rest + 1 : rest;
    const char *end = bracketed ? strchr (host, ']') : strrchr (host, ':');
    const char *port = bracketed && end ? end + 1 : end;
    if (!end || *port != ':')
        return refuse (reason, text, "no port: write tcp://HOST:PORT");
    if (!parse_port (self, port + 1)) {
        char shown [64];
        log_escape (shown, sizeof shown, port + 1, strlen (port + 1));
        return refuse (reason, text, "port %s is not a number from 1 to %d or *", shown, PORT_MOST);
    }
    size_t size = (size_t) (end - host);
    if (size == 0)
        return refuse (reason, text, "no host before the port: write tcp://HOST:PORT, with * for all addresses");
    if (size >= sizeof self->host)
        return refuse (reason, text, "the host is longer than %zu bytes", sizeof self->host - 1);
    memcpy (self->host, host, size);
    self->host [size] = 0;
    if (bracketed && !is_ipv6 (self->host))
        return refuse (reason, text, "no IPv6 address between the brackets");
    if (!bracketed && strchr (self->host, ':'))
        return refuse (reason, text, "put an IPv6 address in brackets: tcp://[::1]:PORT");
    if (!bracketed && strcmp (self->host, "*") != 0 && !is_plain_name (self->host))
        return refuse (reason, text, "the host is no address, name or interface");
    return 0;
}

static muster_error_t
parse_ipc (endpoint_t *self, const char *text, const char *path, char *reason)
{
    if (*path == 0 || strcmp (path, "@") == 0)
        return refuse (reason, text, "no path: write ipc://PATH");
    if (strlen (path) > IPC_PATH_MOST)
        return refuse (reason, text, "the path is longer than %d bytes", IPC_PATH_MOST);
    self->wildcard = strcmp (path, "*") == 0;
    memcpy (self->path, path, strlen (path) + 1);
    return 0;
}

static muster_error_t
parse_inproc (endpoint_t *self, const char *text, const char *name, char *reason)
{
    if (*name == 0)
        return refuse (reason, text, "no name: write inproc://NAME");
    if (strlen (name) >= sizeof self->path)
        return refuse (reason, text, "the name is longer than %zu bytes", sizeof self->path - 1);
    memcpy (self->path, name, strlen (name) + 1);
    return 0;
}

typedef muster_error_t (parse_fn) (endpoint_t *self, const char *text, const char *rest, char *reason);

static const struct {
    const char *prefix;
    parse_fn *parse;
} transports [] = {
    [ENDPOINT_TCP] = { "tcp://", parse_tcp },
    [ENDPOINT_IPC] = { "ipc://", parse_ipc },
    [ENDPOINT_INPROC] = { "inproc://", parse_inproc },
};

muster_error_t
endpoint_parse (endpoint_t *self, const char *text, char *reason)
{
    memset (self, 0, sizeof *self);
    if (!text)
        return refuse (reason, "(none)", "no endpoint given");
    for (size_t i = 0; i < sizeof transports / sizeof transports [0]; i++) {
        size_t size = strlen (transports [i].prefix);
        if (strncmp (text, transports [i].prefix, size) == 0) {
            self->transport = (endpoint_transport_t) i;
            return transports [i].parse (self, text, text + size, reason);
        }
    }
    return refuse (reason, text, "an endpoint begins with tcp://, ipc:// or inproc://");
}

muster_error_t
muster_endpoint_check (const char *endpoint, char *reason, size_t reason_size)
{
    endpoint_t parsed;
    char why [REASON_ROOM] = "";
    muster_error_t error = endpoint_parse (&parsed, endpoint, why);
    if (reason && reason_size > 0)
        snprintf (reason, reason_size, "%s", why);
    return error;
}

const char *
endpoint_text (const endpoint_t *self, char *text)
{
    const char *prefix = transports [self->transport].prefix;
    if (self->transport != ENDPOINT_TCP) {
        snprintf (text, ENDPOINT_ROOM, "%s%s", prefix, self->path);
        return text;
    }
    char port [8] = "*";
    if (!self->wildcard)
        snprintf (port, sizeof port, "%u", self->port);
    bool ipv6 = strchr (self->host, ':') != NULL;
    snprintf (text, ENDPOINT_ROOM, "%s%s%s%s:%s", prefix, ipv6 ? "[" : "", self->host, ipv6 ? "]" : "", port);
    return text;
}

static muster_error_t
return_port (const endpoint_t *self, endpoint_t *back, char *reason)
{
    if (self->wildcard)
        return 0;
    if (self->port == PORT_MOST)
        return refuse_endpoint (reason, self,
            "port %d has no port after it for the way back: take a lower one, or give a return endpoint", PORT_MOST);
    back->port = (uint16_t) (self->port + 1);
    return 0;
}

muster_error_t
endpoint_return (const endpoint_t *self, endpoint_t *back, char *reason)
{
    *back = *self;
    if (self->transport == ENDPOINT_TCP)
        return return_port (self, back, reason);
    if (self->wildcard)
        return 0;
    size_t most = self->transport == ENDPOINT_IPC ? IPC_PATH_MOST : sizeof back->path - 1;
    size_t size = strlen (self->path);
    if (size + strlen (RETURN_SUFFIX) > most)
        return refuse_endpoint (reason, self,
            "with %s for the way back it is longer than %zu bytes: take a shorter one, or give a return endpoint",
            RETURN_SUFFIX, most);
    memcpy (back->path + size, RETURN_SUFFIX, sizeof RETURN_SUFFIX);
    return 0;
}

/*  What the addresses of a host come to. */
typedef struct {
    bool found;
    bool beyond_loopback;
    int family;
    char host [256];        /* the first IPv4 address, or else the first of all */
} addresses_t;

static bool
is_loopback (const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const void *) address;
        return ntohl (ipv4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    const struct sockaddr_in6 *ipv6 = (const void *) address;
    if (IN6_IS_ADDR_V4MAPPED (&ipv6->sin6_addr))
        return ipv6->sin6_addr.s6_addr [12] == IN_LOOPBACKNET;
    return IN6_IS_ADDR_LOOPBACK (&ipv6->sin6_addr);
}

static void
add_address (addresses_t *self, const struct sockaddr *address)
{
    int family = address ? address->sa_family : AF_UNSPEC;
    if (family != AF_INET && family != AF_INET6)
        return;
    if (!is_loopback (address))
        self->beyond_loopback = true;
    if (self->found && (self->family == AF_INET || family == AF_INET6))
        return;
    socklen_t size = family == AF_INET ? sizeof (struct sockaddr_in) : sizeof (struct sockaddr_in6);
    if (getnameinfo (address, size, self->host, sizeof self->host, NULL, 0, NI_NUMERICHOST) == 0) {
        self->found = true;
        self->family = family;
    }
}

static void
add_interface (addresses_t *self, const char *name)
{
    struct ifaddrs *interfaces;
    if (getifaddrs (&interfaces) != 0)
        return;
    for (const struct ifaddrs *each = interfaces; each; each = each->ifa_next)
        if (strcmp (each->ifa_name, name) == 0)
            add_address (self, each->ifa_addr);
    freeifaddrs (interfaces);
}

static muster_error_t
find_addresses (const endpoint_t *self, addresses_t *addresses, char *reason)
{
    memset (addresses, 0, sizeof *addresses);
    const char *why = "it has no address";
    if (if_nametoindex (self->host) != 0)
        add_interface (addresses, self->host);
    else {
        struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
        struct addrinfo *found;
        int rc = getaddrinfo (self->host, NULL, &hints, &found);
        if (rc != 0)
            why = gai_strerror (rc);
        for (struct addrinfo *each = rc ? NULL : found; each; each = each->ai_next)
            add_address (addresses, each->ai_addr);
        if (rc == 0)
            freeaddrinfo (found);
    }
    if (addresses->found)
        return 0;
    return refuse_endpoint (reason, self, "the host %s does not resolve: %s", self->host, why);
}

static bool
is_star (const endpoint_t *self)
{
    return strcmp (self->host, "*") == 0;
}

muster_error_t
endpoint_is_loopback (const endpoint_t *self, bool *loopback, char *reason)
{
    *loopback = false;
    if (self->transport != ENDPOINT_TCP || is_star (self))
        return 0;
    addresses_t addresses;
    muster_error_t error = find_addresses (self, &addresses, reason);
    *loopback = !error && !addresses.beyond_loopback;
    return error;
}

muster_error_t
endpoint_resolve (const endpoint_t *self, endpoint_t *numeric, char *reason)
{
    addresses_t addresses;
    bool stays = self->transport != ENDPOINT_TCP || is_star (self);
    muster_error_t error = stays ? 0 : find_addresses (self, &addresses, reason);
    if (error)
        return error;
    if (numeric != self)
        *numeric = *self;
    if (!stays)
        memcpy (numeric->host, addresses.host, sizeof numeric->host);
    return 0;
}

bool
endpoint_is_any (const endpoint_t *self)
{
    struct in6_addr ipv6;
    struct in_addr ipv4;
    if (self->transport != ENDPOINT_TCP)
        return false;
    if (inet_pton (AF_INET6, self->host, &ipv6) == 1)
        return IN6_IS_ADDR_UNSPECIFIED (&ipv6);
    return is_star (self) || (inet_pton (AF_INET, self->host, &ipv4) == 1 && ipv4.s_addr == INADDR_ANY);
}

bool
endpoint_is_abstract (const endpoint_t *self)
{
    return self->transport == ENDPOINT_IPC && self->path [0] == '@';
}
