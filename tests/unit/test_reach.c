/*  test_reach.c - can a plain connection be made, and if not, why?

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/reach.h"

#define PATIENCE_MS 60000

TestSuite (reach, .timeout = 300);

/*  A port of the loopback, bound; -1 where the host has no such family. */
static int
bind_port (int family, endpoint_t *endpoint)
{
    struct sockaddr_in ipv4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    struct sockaddr *address = family == AF_INET ? (void *) &ipv4 : (void *) &ipv6;
    socklen_t size = family == AF_INET ? sizeof ipv4 : sizeof ipv6;
    int descriptor = socket (family, SOCK_STREAM, 0);
    if (descriptor < 0 || bind (descriptor, address, size) != 0)
        return -1;
    cr_assert_eq (getsockname (descriptor, address, &size), 0);
    *endpoint = (endpoint_t) { .transport = ENDPOINT_TCP };
    endpoint->port = ntohs (family == AF_INET ? ipv4.sin_port : ipv6.sin6_port);
    snprintf (endpoint->host, sizeof endpoint->host, "%s", family == AF_INET ? "127.0.0.1" : "::1");
    return descriptor;
}

Test (reach, finds_a_port_open_or_closed)
{
    static const int families [] = { AF_INET, AF_INET6 };
    for (size_t i = 0; i < 2; i++) {
        endpoint_t endpoint;
        int descriptor = bind_port (families [i], &endpoint);
        if (descriptor < 0)
            continue;
        cr_assert_eq (reach_try (&endpoint, PATIENCE_MS), ECONNREFUSED);
        cr_assert_eq (listen (descriptor, 1), 0);
        cr_assert_eq (reach_try (&endpoint, PATIENCE_MS), 0);
        close (descriptor);
    }
}

/*  Who is in line is not accepted: nobody else is answered. */
typedef struct {
    endpoint_t endpoint;
    int descriptor;
    int waiting [4];
} busy_t;

static busy_t
be_busy (void)
{
    busy_t self;
    self.descriptor = bind_port (AF_INET, &self.endpoint);
    cr_assert_eq (listen (self.descriptor, 0), 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK), .sin_port = htons (self.endpoint.port) };
    for (int i = 0; i < 4; i++) {
        self.waiting [i] = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect (self.waiting [i], (struct sockaddr *) &address, sizeof address);
    }
    return self;
}

static void
be_free (busy_t *self)
{
    for (int i = 0; i < 4; i++)
        close (self->waiting [i]);
    close (self->descriptor);
}

Test (reach, gives_up_on_a_port_that_does_not_answer)
{
    busy_t busy = be_busy ();
    cr_assert_eq (reach_try (&busy.endpoint, 100), ETIMEDOUT);
    cr_assert_eq (reach_try (&busy.endpoint, 0), ETIMEDOUT);
    be_free (&busy);
}

static void
heed (int number)
{
    (void) number;
}

Test (reach, gives_up_in_time_where_signals_come_without_end)
{
    busy_t busy = be_busy ();
    struct sigaction action = { .sa_handler = heed };
    struct itimerval often = { .it_interval.tv_usec = 5000, .it_value.tv_usec = 5000 };
    cr_assert_eq (sigaction (SIGALRM, &action, NULL), 0);
    cr_assert_eq (setitimer (ITIMER_REAL, &often, NULL), 0);
    cr_assert_eq (reach_try (&busy.endpoint, 100), ETIMEDOUT);
    be_free (&busy);
}

static endpoint_t
ipc (const char *path)
{
    endpoint_t endpoint = { .transport = ENDPOINT_IPC };
    snprintf (endpoint.path, sizeof endpoint.path, "%s", path);
    return endpoint;
}

Test (reach, tells_what_is_wrong_with_a_path)
{
    char directory [] = "/tmp/muster-test-XXXXXX", path [64];
    cr_assert_not_null (mkdtemp (directory));
    snprintf (path, sizeof path, "%s/socket", directory);
    endpoint_t endpoint = ipc (path), none = ipc (directory);
    cr_assert_eq (reach_look (&endpoint), ENOENT);
    cr_assert_eq (reach_look (&none), ENOTSOCK);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    memcpy (address.sun_path, path, strlen (path) + 1);
    int descriptor = socket (AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq (bind (descriptor, (struct sockaddr *) &address, sizeof address), 0);
    cr_assert_eq (reach_look (&endpoint), 0);
    cr_assert_eq (reach_try (&endpoint, PATIENCE_MS), ECONNREFUSED);
    cr_assert_eq (listen (descriptor, 1), 0);
    cr_assert_eq (reach_try (&endpoint, PATIENCE_MS), 0);
    close (descriptor);
    unlink (path);
    rmdir (directory);
}

Test (reach, connects_to_an_abstract_name)
{
    char name [64];
    snprintf (name, sizeof name, "@muster-test-%ld", (long) getpid ());
    endpoint_t endpoint = ipc (name);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    memcpy (address.sun_path + 1, name + 1, strlen (name) - 1);
    int descriptor = socket (AF_UNIX, SOCK_STREAM, 0);
    socklen_t size = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + strlen (name));
    cr_assert_eq (bind (descriptor, (struct sockaddr *) &address, size), 0);
    cr_assert_eq (listen (descriptor, 1), 0);
    cr_assert_eq (reach_look (&endpoint), 0);
    cr_assert_eq (reach_try (&endpoint, PATIENCE_MS), 0);
    close (descriptor);
}

Test (reach, lists_the_addresses_of_a_name_each_once)
{
    endpoint_t endpoint = { .transport = ENDPOINT_TCP, .host = "127.0.0.1" };
    reach_hosts_t hosts;
    reach_hosts (&endpoint, &hosts);
    cr_assert_eq (hosts.count, 1);
    cr_assert_str_eq (hosts.hosts [0], "127.0.0.1");
    snprintf (endpoint.host, sizeof endpoint.host, "name.invalid");
    reach_hosts (&endpoint, &hosts);
    cr_assert_eq (hosts.count, 0);
}
