/*  endpoint.h - taking endpoints apart, and what follows from one

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef MODEL_ENDPOINT_H_INCLUDED
#define MODEL_ENDPOINT_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <muster/error.h>

typedef enum { ENDPOINT_TCP, ENDPOINT_IPC, ENDPOINT_INPROC } endpoint_transport_t;

/*  Room for any endpoint with its terminator. */
#define ENDPOINT_ROOM 512
/*  Room for a sentence about one. */
#define REASON_ROOM 768

typedef struct {
    endpoint_transport_t transport;
    char host [256];        /* tcp: address, name, interface or "*"; IPv6 without brackets */
    uint16_t port;          /* tcp; 0 for a wildcard */
    bool wildcard;          /* tcp port "*" or 0; ipc "*" */
    char path [256];        /* ipc path ("@name" for an abstract one) or inproc name */
} endpoint_t;

/*  Take text apart. Errors: MUSTER_ENDPOINT, and reason (REASON_ROOM bytes)
    says what is wrong with it, naming it. */
muster_error_t endpoint_parse (endpoint_t *self, const char *text, char *reason);

/*  Write it as ZeroMQ takes it: tcp://[::1]:5555. Returns text (ENDPOINT_ROOM bytes). */
const char *endpoint_text (const endpoint_t *self, char *text);

/*  The endpoint of the way back: tcp port + 1, ipc path or inproc name +
    ".return". Errors: MUSTER_ENDPOINT (port 65535 has none; an ipc path over
    107 bytes), with reason. A wildcard's is a wildcard. */
muster_error_t endpoint_return (const endpoint_t *self, endpoint_t *back, char *reason);

/*  Resolve a tcp host to bind to and say whether every address it stands for is
    loopback (127/8, ::1). "*" and interfaces are not ("lo" is). Errors:
    MUSTER_ENDPOINT if it does not resolve, with reason. May wait for a resolver. */
muster_error_t endpoint_is_loopback (const endpoint_t *self, bool *loopback, char *reason);

/*  The same with a host name or an interface replaced by its address, an IPv4
    one if it has any; "*" and what is no tcp endpoint stay. numeric may be
    self. Errors: MUSTER_ENDPOINT if it does not resolve, with reason. May wait
    for a resolver. */
muster_error_t endpoint_resolve (const endpoint_t *self, endpoint_t *numeric, char *reason);

/*  Is this an address that no worker can connect to (*, 0.0.0.0, ::)? */
bool endpoint_is_any (const endpoint_t *self);

/*  Is this an ipc name that is no file? */
bool endpoint_is_abstract (const endpoint_t *self);

#endif
