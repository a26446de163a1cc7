/*  test_connection.c - the two sockets of a worker in one epoch

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zmq.h>

#include "base/alloc.h"
#include "net/binding.h"
#include "net/connection.h"
#include "net/context.h"
#include "net/curve.h"

/*  How long a test waits for what has to happen. */
#define PATIENCE_MS 60000
#define ID "id", 2
#define TO(endpoint_, back_) \
    &(connection_options_t) { .endpoint = endpoint_, .return_endpoint = back_, .routing_id = "id", .routing_size = 2 }

static void *context;
static char own_tcp [ENDPOINT_ROOM];

/*  A loopback address for each process: tests run side by side, and one may
    not take the port that another has just left. */
static void
set_up (void)
{
    unsigned pid = (unsigned) getpid ();
    snprintf (own_tcp, sizeof own_tcp, "tcp://127.%u.%u.%u:*", 64 + (pid >> 16 & 63), pid >> 8 & 255, pid & 255);
    context = context_acquire ();
}

static void
tear_down (void)
{
    context_release (context);
}

/*  After a failed assertion the context waits for the sockets that are left. */
TestSuite (connection, .init = set_up, .fini = tear_down, .timeout = 300);

static binding_t *
bound_to (const char *endpoint)
{
    char reason [REASON_ROOM];
    binding_t *binding;
    binding_options_t options = { .endpoint = endpoint };
    cr_assert_eq (binding_open (&binding, context, &options, reason), 0, "%s", reason);
    return binding;
}

static connection_t *
connect_to (const char *endpoint, const char *back)
{
    connection_t *connection;
    muster_error_t error = connection_open (&connection, context, TO (endpoint, back));
    cr_assert_eq (error, 0, "%s", muster_error_name (error));
    return connection;
}

static connection_t *
connect_binding (binding_t *binding)
{
    return connect_to (binding_bound (binding), binding_bound_return (binding));
}

static connection_news_t
next_news (connection_t *connection)
{
    for (;;) {
        connection_news_t news = connection_watch (connection, 0);
        if (news != CONNECTION_NOTHING)
            return news;
        zmq_pollitem_t items [CONNECTION_MONITORS];
        int count = 0;
        for (int i = 0; i < CONNECTION_MONITORS; i++)
            if (connection_monitor (connection, i))
                items [count++] = (zmq_pollitem_t) {
                    .socket = connection_monitor (connection, i), .events = ZMQ_POLLIN };
        cr_assert_gt (zmq_poll (items, count, PATIENCE_MS), 0);
    }
}

static bool
becomes_readable (void *socket)
{
    zmq_pollitem_t item = { .socket = socket, .events = ZMQ_POLLIN };
    return zmq_poll (&item, 1, PATIENCE_MS) == 1;
}

/*  A message each way; the listener sees the routing id. */
static void
assert_carries (connection_t *connection, binding_t *binding)
{
    char bytes [8];
    cr_assert_eq (zmq_send (connection_push (connection), "in", 2, 0), 2);
    cr_assert (becomes_readable (binding_pull (binding)));
    cr_assert_eq (zmq_recv (binding_pull (binding), bytes, sizeof bytes, 0), 2);
    cr_assert_eq (zmq_send (connection_dealer (connection), "hello", 5, 0), 5);
    cr_assert (becomes_readable (binding_router (binding)));
    cr_assert_eq (zmq_recv (binding_router (binding), bytes, sizeof bytes, 0), 2);
    cr_assert_eq (memcmp (bytes, ID), 0);
    cr_assert_eq (zmq_recv (binding_router (binding), bytes, sizeof bytes, 0), 5);
    cr_assert_eq (zmq_send (binding_router (binding), ID, ZMQ_SNDMORE), 2);
    cr_assert_eq (zmq_send (binding_router (binding), "back", 4, 0), 4);
    cr_assert (becomes_readable (connection_dealer (connection)));
    cr_assert_eq (zmq_recv (connection_dealer (connection), bytes, sizeof bytes, 0), 4);
}

static void
assert_comes_up (const char *endpoint)
{
    binding_t *binding = bound_to (endpoint);
    connection_t *connection = connect_binding (binding);
    cr_assert_eq (next_news (connection), CONNECTION_UP);
    cr_assert_eq (connection_watch (connection, 0), CONNECTION_NOTHING);
    assert_carries (connection, binding);
    connection_destroy (&connection);
    cr_assert_null (connection);
    connection_destroy (&connection);
    binding_destroy (&binding);
}

Test (connection, comes_up_over_tcp)
{
    assert_comes_up (own_tcp);
}

Test (connection, comes_up_over_ipc)
{
    assert_comes_up ("ipc://*");
}

Test (connection, comes_up_over_inproc_at_once)
{
    binding_t *binding = bound_to ("inproc://name");
    connection_t *connection = connect_binding (binding);
    cr_assert_null (connection_monitor (connection, 0));
    cr_assert_null (connection_monitor (connection, 1));
    cr_assert_eq (connection_watch (connection, 0), CONNECTION_UP);
    cr_assert_eq (connection_watch (connection, 0), CONNECTION_NOTHING);
    assert_carries (connection, binding);
    connection_destroy (&connection);
    binding_destroy (&binding);
}

Test (connection, takes_names)
{
    char endpoint [ENDPOINT_ROOM], back [ENDPOINT_ROOM];
    binding_t *binding = bound_to ("tcp://127.0.0.1:*");
    unsigned port = (unsigned) strtoul (strrchr (binding_bound (binding), ':') + 1, NULL, 10);
    snprintf (endpoint, sizeof endpoint, "tcp://localhost:%u", port);
    snprintf (back, sizeof back, "tcp://localhost:%u", port + 1);
    connection_t *connection = connect_to (endpoint, back);
    cr_assert_eq (next_news (connection), CONNECTION_UP);
    assert_carries (connection, binding);
    connection_destroy (&connection);
    binding_destroy (&binding);
}

/*  A pair of endpoints that nobody listens to any more. */
static void
find_deserted (const char *endpoint, char *front, char *back)
{
    binding_t *binding = bound_to (endpoint);
    snprintf (front, ENDPOINT_ROOM, "%s", binding_bound (binding));
    snprintf (back, ENDPOINT_ROOM, "%s", binding_bound_return (binding));
    binding_destroy (&binding);
}

static void
assert_is_down (const char *front, const char *back)
{
    connection_t *connection = connect_to (front, back);
    cr_assert_eq (next_news (connection), CONNECTION_DOWN);
    cr_assert_eq (connection_watch (connection, 0), CONNECTION_NOTHING);
    connection_destroy (&connection);
}

Test (connection, is_down_where_nobody_listens)
{
    char front [ENDPOINT_ROOM], back [ENDPOINT_ROOM];
    find_deserted (own_tcp, front, back);
    assert_is_down (front, back);
    find_deserted ("ipc://*", front, back);
    assert_is_down (front, back);
}

Test (connection, is_down_where_there_is_no_way_back)
{
    char front [ENDPOINT_ROOM], back [ENDPOINT_ROOM];
    find_deserted (own_tcp, front, back);
    binding_t *binding = bound_to (own_tcp);
    assert_is_down (binding_bound (binding), back);
    assert_is_down (front, binding_bound_return (binding));
    binding_destroy (&binding);
}

Test (connection, is_down_where_the_host_does_not_resolve)
{
    connection_t *connection = connect_to ("tcp://no.such.host.invalid:5555", "tcp://127.0.0.1:5556");
    cr_assert_eq (connection_watch (connection, 0), CONNECTION_DOWN);
    cr_assert_eq (connection_watch (connection, 0), CONNECTION_NOTHING);
    connection_destroy (&connection);
}

Test (connection, goes_down_with_the_listener_and_stays_so)
{
    char front [ENDPOINT_ROOM];
    binding_t *binding = bound_to (own_tcp);
    snprintf (front, sizeof front, "%s", binding_bound (binding));
    connection_t *connection = connect_binding (binding);
    cr_assert_eq (next_news (connection), CONNECTION_UP);
    binding_destroy (&binding);
    cr_assert_eq (next_news (connection), CONNECTION_DOWN);

    binding = bound_to (front);
    connection_t *successor = connect_binding (binding);
    cr_assert_eq (next_news (successor), CONNECTION_UP);
    assert_carries (successor, binding);
    cr_assert_eq (connection_watch (connection, 0), CONNECTION_NOTHING);
    cr_assert_lt (zmq_send (connection_push (connection), "1", 1, ZMQ_DONTWAIT), 0);
    connection_destroy (&connection);
    connection_destroy (&successor);
    binding_destroy (&binding);
}

static int
listen_on_any_port (char *endpoint)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    int listener = socket (AF_INET, SOCK_STREAM, 0);
    cr_assert_eq (bind (listener, (struct sockaddr *) &address, size), 0);
    cr_assert_eq (listen (listener, 4), 0);
    cr_assert_eq (getsockname (listener, (struct sockaddr *) &address, &size), 0);
    snprintf (endpoint, ENDPOINT_ROOM, "tcp://127.0.0.1:%u", ntohs (address.sin_port));
    return listener;
}

Test (connection, goes_down_where_something_else_listens)
{
    static const char answer [] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
    char endpoint [ENDPOINT_ROOM];
    int listener = listen_on_any_port (endpoint);
    connection_t *connection = connect_to (endpoint, endpoint);
    for (int i = 0; i < 2; i++) {
        int accepted = accept (listener, NULL, NULL);
        cr_assert_eq (write (accepted, answer, sizeof answer - 1), (ssize_t) sizeof answer - 1);
        close (accepted);
    }
    cr_assert_eq (next_news (connection), CONNECTION_SHUT_OUT);
    connection_destroy (&connection);
    close (listener);
}

/*  Answers one ZAP request with 400. */
static void *
refuse_one (void *zap)
{
    char version [8], id [8];
    int versions = zmq_recv (zap, version, sizeof version, 0);
    int ids = zmq_recv (zap, id, sizeof id, 0);
    int more = 1;
    size_t size = sizeof more;
    while (more) {
        char rest [256];
        zmq_recv (zap, rest, sizeof rest, 0);
        zmq_getsockopt (zap, ZMQ_RCVMORE, &more, &size);
    }
    zmq_send (zap, version, (size_t) versions, ZMQ_SNDMORE);
    zmq_send (zap, id, (size_t) ids, ZMQ_SNDMORE);
    zmq_send (zap, "400", 3, ZMQ_SNDMORE);
    zmq_send (zap, "no", 2, ZMQ_SNDMORE);
    zmq_send (zap, "", 0, ZMQ_SNDMORE);
    zmq_send (zap, "", 0, 0);
    return NULL;
}

Test (connection, tells_when_it_is_refused_for_good)
{
    char endpoint [ENDPOINT_ROOM];
    size_t size = sizeof endpoint;
    pthread_t thread;
    void *zap = zmq_socket (context, ZMQ_REP);
    cr_assert_eq (zmq_bind (zap, "inproc://zeromq.zap.01"), 0);
    void *pull = zmq_socket (context, ZMQ_PULL);
    cr_assert_eq (zmq_setsockopt (pull, ZMQ_ZAP_DOMAIN, "test", 4), 0);
    cr_assert_eq (zmq_bind (pull, "tcp://127.0.0.1:*"), 0);
    zmq_getsockopt (pull, ZMQ_LAST_ENDPOINT, endpoint, &size);
    binding_t *binding = bound_to (own_tcp);
    pthread_create (&thread, NULL, refuse_one, zap);
    connection_t *connection = connect_to (endpoint, binding_bound_return (binding));
    connection_news_t news = next_news (connection);
    if (news == CONNECTION_DOWN)
        news = next_news (connection);
    cr_assert_eq (news, CONNECTION_REFUSED);
    pthread_join (thread, NULL);
    connection_destroy (&connection);
    binding_destroy (&binding);
    zmq_close (pull);
    zmq_close (zap);
}

/*  Connect as the worker does: again, with a probe, when the listener has hung up. Returns
    why it is refused. */
static const char *
why_refused (binding_t *binding, const keypair_t *keys, const char *server)
{
    connection_options_t options = {
        .endpoint = binding_bound (binding), .return_endpoint = binding_bound_return (binding),
        .routing_id = "id", .routing_size = 2, .keys = keys, .server = server };
    for (;;) {
        connection_t *connection;
        cr_assert_eq (connection_open (&connection, context, &options), 0);
        connection_news_t news = next_news (connection);
        const char *why = connection_reason (connection);
        connection_destroy (&connection);
        if (news == CONNECTION_REFUSED)
            return why;
        cr_assert (!options.probe && news == CONNECTION_SHUT_OUT);
        options.probe = true;
    }
}

static binding_t *
bound_with_keys (const char *endpoint, const keypair_t *keys)
{
    char reason [REASON_ROOM];
    binding_t *binding;
    allow_t *allow;
    cr_assert_eq (allow_parse (&allow, "", 0, reason), 0, "%s", reason);
    binding_options_t options = { .endpoint = endpoint, .keys = keys, .allow = allow };
    cr_assert_eq (binding_open (&binding, context, &options, reason), 0, "%s", reason);
    allow_release (&allow);
    return binding;
}

/*  Whoever is first to see that it does not fit hangs up: often enough for both. */
static void
assert_refuses_what_does_not_fit (const char *endpoint)
{
    keypair_t own, other;
    cr_assert_eq (curve_generate (&own), 0);
    cr_assert_eq (curve_generate (&other), 0);
    binding_t *keyed = bound_with_keys (endpoint, &own);
    binding_t *open = bound_to (endpoint);
    for (int i = 0; i < 50; i++) {
        cr_expect (strstr (why_refused (keyed, NULL, NULL), "asks for keys"));
        cr_expect (strstr (why_refused (open, &other, own.public_key), "has no keys"));
        cr_expect (strstr (why_refused (keyed, &other, other.public_key), "has another key"));
        cr_expect (strstr (why_refused (keyed, &other, own.public_key), "does not admit this key"));
    }
    binding_destroy (&keyed);
    binding_destroy (&open);
}

Test (connection, finds_out_that_it_does_not_fit_in_the_second_try_over_tcp)
{
    assert_refuses_what_does_not_fit (own_tcp);
}

Test (connection, finds_out_that_it_does_not_fit_in_the_second_try_over_ipc)
{
    assert_refuses_what_does_not_fit ("ipc://*");
}

Test (connection, refuses_endpoints_that_nobody_can_connect_to)
{
    static const char *const bad [] = { NULL, "", "tcp://127.0.0.1", "tcp://*:5555", "tcp://127.0.0.1:*", "ipc://*" };
    connection_t *connection;
    for (size_t i = 0; i < sizeof bad / sizeof bad [0]; i++) {
        cr_assert_eq (connection_open (&connection, context, TO (bad [i], "inproc://a")), MUSTER_ENDPOINT);
        cr_assert_null (connection);
        cr_assert_eq (connection_open (&connection, context, TO ("inproc://a", bad [i])), MUSTER_ENDPOINT);
        cr_assert_null (connection);
    }
}

static int
count_descriptors (void)
{
    int count = 0;
    DIR *opened = opendir ("/proc/self/fd");
    while (readdir (opened))
        count++;
    closedir (opened);
    return count;
}

/*  ZeroMQ closes sockets in a thread of its own; it has ended once the context has. */
static int
count_descriptors_at_rest (void)
{
    context_release (context);
    int count = count_descriptors ();
    context = context_acquire ();
    return count;
}

Test (connection, leaves_nothing_behind)
{
    char front [ENDPOINT_ROOM], back [ENDPOINT_ROOM];
    int before = count_descriptors_at_rest ();
    find_deserted (own_tcp, front, back);
    binding_t *binding = bound_to (own_tcp);
    for (int i = 0; i < 100; i++) {
        connection_t *up = connect_binding (binding);
        cr_assert_eq (next_news (up), CONNECTION_UP);
        connection_t *unasked = connect_binding (binding);
        connection_destroy (&up);
        connection_destroy (&unasked);
        assert_is_down (front, back);
    }
    binding_destroy (&binding);
    cr_assert_eq (count_descriptors_at_rest (), before);
}

Test (connection, says_when_memory_runs_out)
{
    binding_t *binding = bound_to (own_tcp);
    connection_t *connection = NULL;
    size_t nth = 0;
    do {
        alloc_fail_from (++nth);
        muster_error_t error = connection_open (
            &connection, context, TO (binding_bound (binding), binding_bound_return (binding)));
        alloc_fail_from (0);
        cr_assert_eq (error, connection ? 0 : MUSTER_NOMEM);
    }
    while (!connection);
    cr_assert_gt (nth, 3);
    cr_assert_eq (next_news (connection), CONNECTION_UP);
    connection_destroy (&connection);
    binding_destroy (&binding);
}

static int
count_tcp_sockets (void)
{
    int count = 0;
    for (int i = 0; i < 1024; i++) {
        int family;
        socklen_t size = sizeof family;
        if (getsockopt (i, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 && family == AF_INET)
            count++;
    }
    return count;
}

Test (connection, is_the_parents_alone)
{
    int status;
    int before = count_tcp_sockets ();
    binding_t *binding = bound_to (own_tcp);
    connection_t *connection = connect_binding (binding);
    cr_assert_eq (next_news (connection), CONNECTION_UP);
    assert_carries (connection, binding);
    binding_watch (binding, 0, NULL, NULL);
    cr_assert_eq (count_tcp_sockets (), before + 6);
    pid_t child = fork ();
    if (child == 0) {
        int left = count_tcp_sockets ();
        connection_destroy (&connection);
        _exit (left == before && !connection ? 0 : 1);
    }
    cr_assert_eq (waitpid (child, &status, 0), child);
    cr_assert (WIFEXITED (status) && WEXITSTATUS (status) == 0);
    assert_carries (connection, binding);
    connection_destroy (&connection);
    binding_destroy (&binding);
}
