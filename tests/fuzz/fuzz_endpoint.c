/*  fuzz_endpoint.c - endpoints from any text

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Nothing is resolved: what a host stands for is the network's.
*/
#include <string.h>

#include "fuzz.h"
#include "model/endpoint.h"
#include "require.h"

#define TEXT_MOST 1024

static bool
is_same (const endpoint_t *one, const endpoint_t *other)
{
    return one->transport == other->transport && one->port == other->port && one->wildcard == other->wildcard
        && strcmp (one->host, other->host) == 0 && strcmp (one->path, other->path) == 0;
}

/*  It is for a log: one line, whatever the endpoint holds. */
static void
check_reason (const char *reason)
{
    const char *end = memchr (reason, 0, REASON_ROOM);
    require (end && end > reason, "no reason");
    for (const char *at = reason; at < end; at++)
        require ((uint8_t) *at >= 0x20 && *at != 0x7f, "a control character in a reason");
}

/*  What is written reads as the same, and is written the same. */
static void
check_text (const endpoint_t *endpoint)
{
    endpoint_t again;
    char text [ENDPOINT_ROOM], same [ENDPOINT_ROOM], reason [REASON_ROOM];
    memset (text, 'x', sizeof text);
    require (endpoint_text (endpoint, text) == text && memchr (text, 0, sizeof text), "no text");
    require (endpoint_parse (&again, text, reason) == 0, "what was written does not read");
    require (is_same (endpoint, &again), "what was written reads as another");
    require (strcmp (endpoint_text (&again, same), text) == 0, "written in two ways");
}

static void
check_return (const endpoint_t *endpoint)
{
    endpoint_t back;
    char reason [REASON_ROOM] = "";
    if (endpoint_return (endpoint, &back, reason)) {
        check_reason (reason);
        require (!endpoint->wildcard, "a wildcard without a way back");
        return;
    }
    check_text (&back);
    require (back.transport == endpoint->transport && back.wildcard == endpoint->wildcard, "a way back of another kind");
    require (endpoint->wildcard ? is_same (&back, endpoint) : !is_same (&back, endpoint), "the way back is the way in");
    if (endpoint->transport == ENDPOINT_TCP)
        require (endpoint->wildcard || back.port == endpoint->port + 1, "another port");
    else
        require (strncmp (back.path, endpoint->path, strlen (endpoint->path)) == 0, "another name");
}

static void
check_parts (const endpoint_t *endpoint)
{
    bool tcp = endpoint->transport == ENDPOINT_TCP;
    require (memchr (endpoint->host, 0, sizeof endpoint->host) && memchr (endpoint->path, 0, sizeof endpoint->path),
        "no end of a text");
    require (tcp ? *endpoint->host && !*endpoint->path : *endpoint->path && !*endpoint->host, "parts of another kind");
    require (!tcp || (endpoint->port == 0) == endpoint->wildcard, "port 0, or a wildcard with a port");
    require (tcp || endpoint->port == 0, "a port that is none");
    require (endpoint->transport != ENDPOINT_IPC || strlen (endpoint->path) <= 107, "a path that is too long");
    require (tcp || !endpoint_is_any (endpoint), "any address without addresses");
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
    endpoint_t endpoint;
    char reason [REASON_ROOM] = "", text [TEXT_MOST + 1];
    if (size > TEXT_MOST)
        return 0;
    memcpy (text, bytes, size);
    text [size] = 0;
    muster_error_t error = endpoint_parse (&endpoint, text, reason);
    require (!error || error == MUSTER_ENDPOINT, "an error that parse has not");
    if (error)
        check_reason (reason);
    else {
        check_parts (&endpoint);
        check_text (&endpoint);
        check_return (&endpoint);
        endpoint_is_any (&endpoint);
    }
    return 0;
}
