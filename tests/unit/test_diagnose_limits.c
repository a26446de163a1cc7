/*  test_diagnose_limits.c - how often a diagnosis asks the resolver, and how long its ports take

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    The resolver is this file's: it knows a name more, which no network has.
*/
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <muster/muster.h>

#include "net/reach.h"
#include "scene.h"

#define NAME "name.test"

TestSuite (diagnose_limits, .init = scene_hush, .timeout = 300);

/*  --------------------------------------------------------------------------
    The resolver */

static const char *first_address = "127.0.0.1";
static int address_count = 1;       /* the first, and those after it */
static atomic_int answers = 1000;   /* then it fails */

typedef int (resolver_t) (const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found);

static resolver_t *
real_resolver (void)
{
    resolver_t *real;
    *(void **) &real = dlsym (RTLD_NEXT, "getaddrinfo");
    return real;
}

static int
resolve_name (const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    struct in_addr address = { inet_addr (first_address) };
    int error = atomic_fetch_sub (&answers, 1) > 0 ? 0 : EAI_AGAIN;
    for (int i = 0; i < address_count && !error; i++) {
        error = real_resolver () (inet_ntoa (address), service, hints, found);
        address.s_addr = htonl (ntohl (address.s_addr) + 1);
        found = &(*found)->ai_next;
    }
    return error;
}

int
getaddrinfo (const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    bool ours = name && strcmp (name, NAME) == 0;
    return ours ? resolve_name (service, hints, found) : real_resolver () (name, service, hints, found);
}

/*  -------------------------------------------------------------------------- */

typedef struct {
    char name [20];
    char text [256];
} last_t;

static void
keep_last (const muster_step_t *step, void *arg)
{
    last_t *last = arg;
    snprintf (last->name, sizeof last->name, "%s", step->name);
    snprintf (last->text, sizeof last->text, "%s", step->text);
}

static muster_error_t
diagnose (unsigned port, int timeout_ms, last_t *last)
{
    char endpoint [64];
    snprintf (endpoint, sizeof endpoint, "tcp://" NAME ":%u", port);
    return muster_diagnose (endpoint, NULL, NULL, NULL, timeout_ms, keep_last, last);
}

Test (diagnose_limits, a_name_is_resolved_in_its_own_step_and_in_no_other)
{
    char host [64];
    unsigned port;
    last_t last;
    scene_t scene = scene_begin ();
    cr_assert_eq (sscanf (scene_endpoint (&scene), "tcp://%63[0-9.]:%u", host, &port), 2);
    first_address = host;
    atomic_store (&answers, 2);     /* the address to take, and all there are */
    cr_assert_eq (diagnose (port, 60000, &last), 0, "%s: %s", last.name, last.text);
    cr_assert_str_eq (last.name, "clock");
    scene_close (&scene);
}

/*  A port of all addresses of the loopback, whose line is full: nobody else is answered. */
typedef struct {
    unsigned port;
    int descriptor;
    int waiting [4];
} busy_t;

static busy_t
be_busy (void)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof address;
    busy_t self = { .descriptor = socket (AF_INET, SOCK_STREAM, 0) };
    MUST (bind (self.descriptor, (struct sockaddr *) &address, size) == 0 && listen (self.descriptor, 0) == 0);
    MUST (getsockname (self.descriptor, (struct sockaddr *) &address, &size) == 0);
    self.port = ntohs (address.sin_port);
    address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    for (int i = 0; i < 4; i++) {
        self.waiting [i] = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect (self.waiting [i], (struct sockaddr *) &address, size);
    }
    return self;
}

Test (diagnose_limits, a_port_that_does_not_answer_at_any_address_takes_a_second_more_for_all_of_them_together)
{
    last_t last;
    busy_t busy = be_busy ();
    address_count = REACH_HOSTS;
    int64_t began = scene_now_ms ();
    cr_assert_eq (diagnose (busy.port, 100, &last), MUSTER_TIMEOUT);
    cr_assert_str_eq (last.name, "port");
    cr_assert_not_null (strstr (last.text, "does not answer within 0.1 s"), "%s", last.text);
    cr_assert_lt (scene_now_ms () - began, 1000 * (REACH_HOSTS - 2));
    for (int i = 0; i < 4; i++)
        close (busy.waiting [i]);
    close (busy.descriptor);
}
