/*  test_transports.c - endpoints: what can be bound, what workers connect to, what is refused

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <muster/muster.h>
#include <zmq.h>

#include "collector.h"
#include "scene.h"

#define TEXT 300

/*  --------------------------------------------------------------------------
    A message there and a command back */

static void
exchange_with (scene_t *scene, const char *endpoint, const char *back)
{
    muster_worker_t *worker = muster_worker_new (endpoint, "a");
    MUST (worker);
    if (back)
        muster_worker_set_return_endpoint (worker, back);
    scene_start_worker (worker);
    MUST (muster_worker_send (worker, "THERE", "{s:i}", "n", 5) == 0);
    muster_message_t *message = scene_next (scene);
    MUST (scene_number (message) == 5);
    MUST (muster_message_reply (message, "BACK", NULL) == 0);
    muster_message_done (&message, 0);
    message = scene_recv (worker);
    MUST (strcmp (muster_message_cmd (message), "BACK") == 0);
    muster_message_done (&message, 0);
    scene_dismiss (worker);
}

static void
exchange_at (const char *endpoint)
{
    scene_t scene = scene_open (endpoint);
    scene_start (&scene);
    exchange_with (&scene, scene_endpoint (&scene), NULL);
    scene_close (&scene);
}

static int
port_of (const char *endpoint)
{
    return atoi (strrchr (endpoint, ':') + 1);
}

static const char *
scratch_path (char *path, const char *name)
{
    static char directory [TEXT / 2];
    if (!*directory) {
        snprintf (directory, sizeof directory, "%s/muster-test-XXXXXX", getenv ("TMPDIR") ? getenv ("TMPDIR") : "/tmp");
        MUST (mkdtemp (directory));
    }
    snprintf (path, TEXT, "%s%s%s", directory, *name ? "/" : "", name);
    return path;
}

/*  Fails if something was left in there. */
static void
remove_scratch (void)
{
    char path [TEXT];
    cr_assert_eq (rmdir (scratch_path (path, "")), 0, "something is left in %s", path);
}

Test (transports, tcp_over_ipv4_with_a_free_pair_of_ports)
{
    scene_t scene = scene_open ("tcp://127.0.0.1:*");
    cr_assert_str_eq (scene_endpoint (&scene), "", "before the first start");
    scene_start (&scene);
    char there [TEXT], back [TEXT];
    int port = port_of (scene_endpoint (&scene));
    snprintf (there, sizeof there, "tcp://127.0.0.1:%d", port);
    snprintf (back, sizeof back, "tcp://127.0.0.1:%d", port + 1);
    cr_assert_str_eq (scene_endpoint (&scene), there);
    exchange_with (&scene, there, NULL);
    exchange_with (&scene, there, back);
    scene_close (&scene);
}

Test (transports, tcp_over_ipv6)
{
    exchange_at ("tcp://[::1]:*");
}

Test (transports, tcp_by_a_name)
{
    exchange_at ("tcp://localhost:*");
}

Test (transports, tcp_on_an_interface)
{
    exchange_at ("tcp://lo:*");
}

Test (transports, ipc_by_a_path_which_is_gone_after_stop)
{
    char path [TEXT], endpoint [TEXT + 10];
    snprintf (endpoint, sizeof endpoint, "ipc://%s", scratch_path (path, "socket"));
    scene_t scene = scene_open (endpoint);
    for (int i = 0; i < 2; i++) {
        scene_start (&scene);
        cr_assert_str_eq (scene_endpoint (&scene), endpoint);
        exchange_with (&scene, endpoint, NULL);
        cr_assert_eq (muster_listener_stop (scene.listener, NULL), 0);
    }
    scene_close (&scene);
    remove_scratch ();
}

Test (transports, ipc_by_a_name_in_no_directory)
{
    char endpoint [TEXT];
    exchange_at (scene_private_endpoint (endpoint, sizeof endpoint));
}

Test (transports, ipc_by_a_path_of_the_listeners_choice)
{
    scene_t scene = scene_open ("ipc://*");
    scene_start (&scene);
    struct stat found;
    char directory [TEXT];
    cr_assert_eq (strncmp (scene_endpoint (&scene), "ipc:///", 7), 0);
    snprintf (directory, sizeof directory, "%s", scene_endpoint (&scene) + 6);
    *strrchr (directory, '/') = 0;
    cr_assert_eq (stat (directory, &found), 0);
    cr_assert_eq (found.st_mode & 0777, 0700, "nobody else may connect");
    exchange_with (&scene, scene_endpoint (&scene), NULL);
    scene_close (&scene);
    cr_assert_neq (stat (directory, &found), 0);
}

Test (transports, inproc)
{
    exchange_at ("inproc://coordinator");
}

Test (transports, inproc_where_the_worker_comes_first)
{
    muster_worker_t *worker = muster_worker_new ("inproc://later", "a");
    scene_start_worker (worker);
    cr_assert_eq (muster_worker_send (worker, "X", NULL), 0);
    scene_t scene = scene_open ("inproc://later");
    scene_start (&scene);
    muster_message_t *message = scene_next (&scene);
    muster_message_done (&message, 0);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (transports, a_stop_and_a_start_keep_what_was_found_for_a_wildcard)
{
    static const char *const endpoints [] = { "tcp://127.0.0.1:*", "ipc://*", "inproc://again" };
    for (int i = 0; i < 3; i++) {
        char before [TEXT];
        scene_t scene = scene_open (endpoints [i]);
        scene_start (&scene);
        snprintf (before, sizeof before, "%s", scene_endpoint (&scene));
        for (int round = 0; round < 3; round++) {
            muster_listener_stop (scene.listener, NULL);
            cr_assert_str_eq (scene_endpoint (&scene), before);
            scene_start (&scene);
            cr_assert_str_eq (scene_endpoint (&scene), before);
            exchange_with (&scene, before, NULL);
        }
        scene_close (&scene);
    }
}

/*  --------------------------------------------------------------------------
    The way back, and what is shown */

Test (transports, the_way_back_may_be_given)
{
    char back [TEXT];
    scene_private_endpoint (back, sizeof back);
    scene_t scene = scene_open ("tcp://127.0.0.1:*");
    muster_listener_set_return_endpoint (scene.listener, back);
    scene_start (&scene);
    exchange_with (&scene, scene_endpoint (&scene), back);
    scene_close (&scene);
}

Test (transports, a_worker_can_connect_to_the_host_that_is_advertised)
{
    scene_t scene = scene_open ("tcp://127.0.0.1:*");
    muster_listener_set_advertise (scene.listener, "localhost");
    scene_start (&scene);
    cr_assert_eq (strncmp (scene_endpoint (&scene), "tcp://localhost:", 16), 0, "%s", scene_endpoint (&scene));
    exchange_with (&scene, scene_endpoint (&scene), NULL);
    scene_close (&scene);
}

Test (transports, a_wildcard_address_shows_as_the_hosts_name_unless_another_is_advertised)
{
    char name [200] = "", expected [TEXT];
    gethostname (name, sizeof name - 1);
    scene_t scene = scene_open ("tcp://*:*");
    muster_listener_set_insecure (scene.listener, true);
    scene_start (&scene);
    snprintf (expected, sizeof expected, "tcp://%s:%d", name, port_of (scene_endpoint (&scene)));
    cr_assert_str_eq (scene_endpoint (&scene), expected);
    snprintf (expected, sizeof expected, "tcp://127.0.0.1:%d", port_of (scene_endpoint (&scene)));
    exchange_with (&scene, expected, NULL);
    muster_listener_stop (scene.listener, NULL);
    muster_listener_set_advertise (scene.listener, "::1");
    scene_start (&scene);
    snprintf (expected, sizeof expected, "tcp://[::1]:%d", port_of (scene_endpoint (&scene)));
    cr_assert_str_eq (scene_endpoint (&scene), expected);
    scene_close (&scene);
}

Test (transports, what_no_worker_can_connect_to_is_not_advertised)
{
    static const char *const hosts [] = { "*", "", "0.0.0.0", "a b", "::" };
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        scene_t scene = scene_open ("tcp://127.0.0.1:*");
        muster_listener_set_advertise (scene.listener, hosts [i]);
        cr_expect_eq (muster_listener_start (scene.listener), MUSTER_ENDPOINT, "%s", hosts [i]);
        cr_expect_neq (strlen (muster_listener_reason (scene.listener)), 0);
        scene_close (&scene);
    }
}

/*  --------------------------------------------------------------------------
    In use */

/*  start fails with error, and the reason has all of these words. */
static void
expect_refusal (scene_t *scene, muster_error_t expected, const char *word, const char *other)
{
    muster_error_t error = muster_listener_start (scene->listener);
    const char *reason = muster_listener_reason (scene->listener);
    cr_assert_eq (error, expected, "%s: %s", muster_error_name (error), reason);
    cr_assert (strstr (reason, word), "%s", reason);
    cr_assert (strstr (reason, other), "%s", reason);
    cr_assert_eq (muster_listener_stop (scene->listener, NULL), 0);
}

Test (transports, a_port_that_another_listener_has_is_in_use)
{
    scene_t one = scene_begin (), two = scene_open (scene_endpoint (&one));
    char port [20];
    snprintf (port, sizeof port, "port %d", port_of (scene_endpoint (&one)));
    expect_refusal (&two, MUSTER_INUSE, port, "in use");
    scene_close (&two);
    scene_close (&one);
}

static int
occupy (int port)
{
    int descriptor = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    setsockopt (descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons ((uint16_t) port), .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    MUST (bind (descriptor, (struct sockaddr *) &address, sizeof address) == 0);
    MUST (listen (descriptor, 1) == 0);
    return descriptor;
}

Test (transports, a_return_port_that_is_taken_is_named_and_start_works_when_it_is_free)
{
    scene_t scene = scene_open ("tcp://127.0.0.1:*");    /* where occupy takes a port */
    scene_start (&scene);
    char word [20], endpoint [TEXT];
    int port = port_of (scene_endpoint (&scene));
    snprintf (endpoint, sizeof endpoint, "%s", scene_endpoint (&scene));
    snprintf (word, sizeof word, "port %d", port + 1);
    scene_close (&scene);
    int descriptor = occupy (port + 1);
    scene = scene_open (endpoint);
    expect_refusal (&scene, MUSTER_INUSE, word, endpoint);
    close (descriptor);
    scene_start (&scene);
    exchange_with (&scene, endpoint, NULL);
    scene_close (&scene);
}

Test (transports, a_return_endpoint_that_is_taken_is_in_use)
{
    scene_t one = scene_begin (), two = scene_open ("tcp://127.0.0.1:*");
    muster_listener_set_return_endpoint (two.listener, scene_endpoint (&one));
    char port [20];
    snprintf (port, sizeof port, "port %d", port_of (scene_endpoint (&one)));
    expect_refusal (&two, MUSTER_INUSE, port, "in use");
    scene_close (&two);
    scene_close (&one);
}

Test (transports, a_live_ipc_path_is_in_use_and_the_first_listener_keeps_it)
{
    char path [TEXT], endpoint [TEXT + 10];
    snprintf (endpoint, sizeof endpoint, "ipc://%s", scratch_path (path, "socket"));
    scene_t one = scene_open (endpoint), two = scene_open (endpoint);
    scene_start (&one);
    expect_refusal (&two, MUSTER_INUSE, path, "in use");
    exchange_with (&one, endpoint, NULL);
    scene_close (&one);
    scene_start (&two);
    exchange_with (&two, endpoint, NULL);
    scene_close (&two);
    remove_scratch ();
}

Test (transports, an_ipc_path_that_another_kind_of_server_listens_on_is_in_use)
{
    char path [TEXT], endpoint [TEXT + 10];
    snprintf (endpoint, sizeof endpoint, "ipc://%s", scratch_path (path, "socket"));
    void *context = zmq_ctx_new (), *socket = zmq_socket (context, ZMQ_PULL);
    cr_assert_eq (zmq_bind (socket, endpoint), 0);
    scene_t scene = scene_open (endpoint);
    expect_refusal (&scene, MUSTER_INUSE, path, "in use");
    struct stat found;
    cr_assert_eq (stat (path, &found), 0);
    scene_close (&scene);
    zmq_close (socket);
    zmq_ctx_term (context);
    unlink (path);
    remove_scratch ();
}

Test (transports, an_abstract_name_that_another_listener_has_is_in_use)
{
    char endpoint [TEXT];
    scene_private_endpoint (endpoint, sizeof endpoint);
    scene_t one = scene_open (endpoint), two = scene_open (endpoint);
    scene_start (&one);
    expect_refusal (&two, MUSTER_INUSE, endpoint, "in use");
    exchange_with (&one, endpoint, NULL);
    scene_close (&two);
    scene_close (&one);
}

Test (transports, an_inproc_name_that_another_listener_has_is_in_use)
{
    scene_t one = scene_open ("inproc://one"), two = scene_open ("inproc://one");
    scene_start (&one);
    expect_refusal (&two, MUSTER_INUSE, "inproc://one", "in use");
    scene_close (&two);
    exchange_with (&one, "inproc://one", NULL);
    scene_close (&one);
}

/*  --------------------------------------------------------------------------
    What lies at an ipc path */

Test (transports, a_socket_file_that_nobody_listens_on_is_taken_over)
{
    char path [TEXT], endpoint [TEXT + 10];
    snprintf (endpoint, sizeof endpoint, "ipc://%s", scratch_path (path, "socket"));
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    MUST (strlen (path) < sizeof address.sun_path);
    strcpy (address.sun_path, path);
    int descriptor = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq (bind (descriptor, (struct sockaddr *) &address, sizeof address), 0);
    close (descriptor);
    exchange_at (endpoint);
    remove_scratch ();
}

Test (transports, a_file_that_is_no_socket_is_left_alone)
{
    char path [TEXT], endpoint [TEXT + 10];
    snprintf (endpoint, sizeof endpoint, "ipc://%s", scratch_path (path, "thesis"));
    FILE *file = fopen (path, "w");
    fputs ("years of work", file);
    fclose (file);
    scene_t scene = scene_open (endpoint);
    expect_refusal (&scene, MUSTER_ENDPOINT, path, "no socket");
    scene_close (&scene);
    char text [50] = "";
    file = fopen (path, "r");
    cr_assert_not_null (file);
    cr_assert_not_null (fgets (text, sizeof text, file));
    fclose (file);
    cr_assert_str_eq (text, "years of work");
    unlink (path);
    remove_scratch ();
}

/*  --------------------------------------------------------------------------
    Beyond loopback */

Test (transports, an_address_beyond_loopback_is_refused_unless_insecure)
{
    static const char *const endpoints [] = { "tcp://*:*", "tcp://0.0.0.0:*", "tcp://[::]:*" };
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        scene_t scene = scene_open (endpoints [i]);
        expect_refusal (&scene, MUSTER_ACCESS, "insecure", "key");
        muster_listener_set_insecure (scene.listener, true);
        scene_start (&scene);
        char endpoint [TEXT];
        snprintf (endpoint, sizeof endpoint, "tcp://%s:%d", i == 2 ? "[::1]" : "127.0.0.1", port_of (scene_endpoint (&scene)));
        exchange_with (&scene, endpoint, NULL);
        scene_close (&scene);
    }
}

Test (transports, a_way_back_beyond_loopback_is_refused_too)
{
    scene_t scene = scene_open ("tcp://127.0.0.1:*");
    muster_listener_set_return_endpoint (scene.listener, "tcp://0.0.0.0:*");
    expect_refusal (&scene, MUSTER_ACCESS, "insecure", "0.0.0.0");
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    Endpoints that are none */

Test (transports, an_endpoint_that_cannot_be_bound_is_refused_with_a_reason_that_names_it)
{
    char long_path [TEXT];
    snprintf (long_path, sizeof long_path, "ipc:///tmp/%0150d", 1);
    const char *const endpoints [] = {
        "", "tcp", "tcp:", "tcp://", "tcp://:5000", "tcp://127.0.0.1", "tcp://127.0.0.1:",
        "tcp://127.0.0.1:65536", "tcp://127.0.0.1:-1", "tcp://127.0.0.1:x", "tcp://127.0.0.1:5000 ", "tcp://::1:5000",
        "tcp://[]:5000", "tcp://127.0.0.1:65535", "tcp://no.such.host.invalid:5000", "ipc://", "inproc://",
        "udp://127.0.0.1:5000", "ws://127.0.0.1:5000", "ipc:///no/such/directory/socket", long_path, "TCP://127.0.0.1:*",
    };
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        scene_t scene = scene_open (endpoints [i]);
        muster_error_t error = muster_listener_start (scene.listener);
        const char *reason = muster_listener_reason (scene.listener);
        cr_expect_eq (error, MUSTER_ENDPOINT, "%s: %s", endpoints [i], muster_error_name (error));
        char word [12];
        snprintf (word, sizeof word, "%s", endpoints [i]);
        cr_expect (strlen (reason) > 10 && strstr (reason, word), "%s: %s", endpoints [i], reason);
        cr_expect_eq (muster_listener_stop (scene.listener, NULL), 0);
        scene_close (&scene);
    }
}

Test (transports, an_address_that_is_not_this_hosts_cannot_be_bound)
{
    scene_t scene = scene_open ("tcp://192.0.2.1:5000");
    muster_listener_set_insecure (scene.listener, true);
    expect_refusal (&scene, MUSTER_ENDPOINT, "192.0.2.1", "cannot be bound");
    scene_close (&scene);
}

Test (transports, a_worker_that_is_sent_nowhere_goes_on_trying_and_closes_in_time)
{
    muster_worker_t *worker = muster_worker_new ("tcp://no.such.host.invalid:5000", "a");
    muster_worker_set_drain (worker, 0.1);
    scene_start_worker (worker);
    cr_assert_eq (muster_worker_send (worker, "X", NULL), 0);
    uint64_t unconfirmed = 0;
    cr_assert_eq (muster_worker_close (worker, &unconfirmed), MUSTER_TIMEOUT);
    cr_assert_eq (unconfirmed, 1);
    muster_worker_destroy (&worker);
}
