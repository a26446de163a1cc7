/*  test_binding.c - the two sockets of a listener, bound

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zmq.h>

#include "base/alloc.h"
#include "net/binding.h"
#include "net/context.h"

/*  How long a test waits for what has to happen. */
#define PATIENCE_MS 60000

static void *context;
static char reason [REASON_ROOM];
static char own_tcp [ENDPOINT_ROOM];
static char folder [] = "/tmp/muster-test-XXXXXX";

/*  A loopback address for each process: tests run side by side, and one may
    not take the port that another is about to bind again. */
static void
set_up (void)
{
    unsigned pid = (unsigned) getpid ();
    snprintf (own_tcp, sizeof own_tcp, "tcp://127.%u.%u.%u:*", 64 + (pid >> 16 & 63), pid >> 8 & 255, pid & 255);
    context = context_acquire ();
    cr_assert_not_null (mkdtemp (folder));
}

static void
tear_down (void)
{
    context_release (context);
    cr_assert_eq (rmdir (folder), 0, "something is left in %s", folder);
}

/*  After a failed assertion the context waits for the sockets that are left. */
TestSuite (binding, .init = set_up, .fini = tear_down, .timeout = 300);

static binding_options_t
at (const char *endpoint)
{
    return (binding_options_t) { .endpoint = endpoint, .frame_limit = 1 << 26 };
}

static binding_t *
must_open (binding_options_t options)
{
    binding_t *binding;
    muster_error_t error = binding_open (&binding, context, &options, reason);
    cr_assert_eq (error, 0, "%s: %s", muster_error_name (error), reason);
    return binding;
}

static void
must_fail (binding_options_t options, muster_error_t expected, const char *part_of_reason)
{
    binding_t *binding;
    muster_error_t error = binding_open (&binding, context, &options, reason);
    cr_assert_eq (error, expected, "%s: %s", muster_error_name (error), reason);
    cr_assert_null (binding);
    cr_assert_not_null (strstr (reason, part_of_reason), "%s", reason);
}

static unsigned
port_of (const char *endpoint)
{
    return (unsigned) strtoul (strrchr (endpoint, ':') + 1, NULL, 10);
}

/*  The path of an endpoint in the test's folder. */
static const char *
ipc_in_folder (char *endpoint, const char *name)
{
    snprintf (endpoint, ENDPOINT_ROOM, "ipc://%s/%s", folder, name);
    return endpoint;
}

static bool
exists (const char *endpoint, const char *suffix)
{
    char path [ENDPOINT_ROOM + 16];
    struct stat found;
    snprintf (path, sizeof path, "%s%s", endpoint + strlen ("ipc://"), suffix);
    return lstat (path, &found) == 0;
}

static bool
becomes_readable (void *socket)
{
    zmq_pollitem_t item = { .socket = socket, .events = ZMQ_POLLIN };
    return zmq_poll (&item, 1, PATIENCE_MS) == 1;
}

static void *
connected (int type, const char *endpoint)
{
    int linger = 0;
    int ipv6 = strchr (endpoint, '[') != NULL;
    void *socket = zmq_socket (context, type);
    zmq_setsockopt (socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt (socket, ZMQ_IPV6, &ipv6, sizeof ipv6);
    cr_assert_eq (zmq_connect (socket, endpoint), 0);
    return socket;
}

/*  A message goes in, and one comes back. */
static void
assert_works (binding_t *binding)
{
    char bytes [16];
    void *push = connected (ZMQ_PUSH, binding_bound (binding));
    void *dealer = connected (ZMQ_DEALER, binding_bound_return (binding));
    cr_assert_eq (zmq_send (push, "in", 2, 0), 2);
    cr_assert (becomes_readable (binding_pull (binding)));
    cr_assert_eq (zmq_recv (binding_pull (binding), bytes, sizeof bytes, 0), 2);
    cr_assert_eq (zmq_send (dealer, "hello", 5, 0), 5);
    cr_assert (becomes_readable (binding_router (binding)));
    int size = zmq_recv (binding_router (binding), bytes, sizeof bytes, 0);
    cr_assert_eq (zmq_send (binding_router (binding), bytes, (size_t) size, ZMQ_SNDMORE), size);
    cr_assert_eq (zmq_recv (binding_router (binding), bytes, sizeof bytes, 0), 5);
    cr_assert_eq (zmq_send (binding_router (binding), "back", 4, 0), 4);
    cr_assert (becomes_readable (dealer));
    zmq_close (push);
    zmq_close (dealer);
}

Test (binding, finds_a_free_pair_of_ports)
{
    binding_t *binding = must_open (at (own_tcp));
    cr_assert_neq (port_of (binding_bound (binding)), 0);
    cr_assert_eq (port_of (binding_bound_return (binding)), port_of (binding_bound (binding)) + 1);
    cr_assert_str_eq (binding_endpoint (binding), binding_bound (binding));
    assert_works (binding);
    binding_destroy (&binding);
    cr_assert_null (binding);
    binding_destroy (&binding);
}

Test (binding, finds_many_pairs)
{
    binding_t *bindings [20];
    for (int i = 0; i < 20; i++)
        bindings [i] = must_open (at ("tcp://127.0.0.1:0"));
    for (int i = 0; i < 20; i++)
        binding_destroy (&bindings [i]);
}

Test (binding, works_over_ipv6)
{
    int probe = socket (AF_INET6, SOCK_STREAM, 0);
    binding_options_t options = at ("tcp://[::1]:*");
    binding_t *binding;
    if (probe < 0 || binding_open (&binding, context, &options, reason) != 0)
        cr_skip_test ("no IPv6 here");
    close (probe);
    cr_assert_eq (strncmp (binding_endpoint (binding), "tcp://[::1]:", 12), 0);
    assert_works (binding);
    binding_destroy (&binding);
}

Test (binding, takes_names_and_interfaces)
{
    static const char *const endpoints [] = { "tcp://localhost:*", "tcp://lo:*" };
    for (int i = 0; i < 2; i++) {
        binding_t *binding = must_open (at (endpoints [i]));
        cr_assert_eq (strncmp (binding_endpoint (binding), "tcp://127.0.0.1:", 16), 0);
        assert_works (binding);
        binding_destroy (&binding);
    }
}

Test (binding, takes_a_return_endpoint)
{
    binding_options_t options = at (own_tcp);
    options.return_endpoint = "inproc://the-way-back";
    binding_t *binding = must_open (options);
    cr_assert_str_eq (binding_bound_return (binding), "inproc://the-way-back");
    assert_works (binding);
    binding_destroy (&binding);
}

Test (binding, is_free_again_at_once)
{
    char bound [ENDPOINT_ROOM];
    binding_t *binding = must_open (at (own_tcp));
    snprintf (bound, sizeof bound, "%s", binding_bound (binding));
    for (int i = 0; i < 30; i++) {
        assert_works (binding);
        binding_destroy (&binding);
        binding = must_open (at (bound));
        cr_assert_str_eq (binding_bound (binding), bound);
    }
    binding_destroy (&binding);
}

Test (binding, names_a_port_that_is_in_use)
{
    char expected [REASON_ROOM];
    binding_t *binding = must_open (at (own_tcp));
    const char *bound = binding_bound (binding);
    snprintf (expected, sizeof expected, "%s: port %u is in use", bound, port_of (bound));
    must_fail (at (bound), MUSTER_INUSE, expected);
    assert_works (binding);
    binding_destroy (&binding);
}

Test (binding, names_a_port_of_the_way_back_that_is_in_use)
{
    char expected [REASON_ROOM];
    char before [ENDPOINT_ROOM];
    binding_t *binding = must_open (at (own_tcp));
    const char *bound = binding_bound (binding);
    binding_options_t options = at ("inproc://front");
    options.return_endpoint = bound;
    snprintf (expected, sizeof expected,
        "%s: port %u (the way back of inproc://front) is in use", bound, port_of (bound));
    must_fail (options, MUSTER_INUSE, expected);
    snprintf (before, sizeof before, "%.*s:%u", (int) (strlen (own_tcp) - 2), own_tcp, port_of (bound) - 1);
    snprintf (expected, sizeof expected, "%s: port %u (the way back of %s) is in use", bound, port_of (bound), before);
    must_fail (at (before), MUSTER_INUSE, expected);
    binding_destroy (&binding);
}

Test (binding, names_what_cannot_be_bound)
{
    binding_options_t options = at ("tcp://203.0.113.7:5555");
    options.insecure = true;
    must_fail (options, MUSTER_ENDPOINT, "tcp://203.0.113.7:5555: port 5555 cannot be bound: ");
    must_fail (at ("tcp://127.0.0.1:65535"), MUSTER_ENDPOINT, "port 65535");
    must_fail (at ("tcp://no.such.host.invalid:5555"), MUSTER_ENDPOINT, "no.such.host.invalid");
    must_fail (at ("udp://127.0.0.1:5555"), MUSTER_ENDPOINT, "udp://127.0.0.1:5555");
    must_fail (at (NULL), MUSTER_ENDPOINT, "no endpoint");
}

Test (binding, is_closed_beyond_loopback)
{
    static const char *const open [] = {
        "tcp://*:*", "tcp://0.0.0.0:5555", "tcp://[::]:*", "tcp://203.0.113.7:5555" };
    for (int i = 0; i < 4; i++) {
        must_fail (at (open [i]), MUSTER_ACCESS, open [i]);
        cr_assert_not_null (strstr (reason, "give keys (key and allow list)"), "%s", reason);
        cr_assert_not_null (strstr (reason, "allow it with insecure"), "%s", reason);
    }
    binding_options_t options = at ("inproc://front");
    options.return_endpoint = "tcp://*:*";
    must_fail (options, MUSTER_ACCESS, "tcp://*:*");
}

Test (binding, shows_the_name_of_the_host_for_a_wildcard_address)
{
    static const char *const endpoints [] = { "tcp://*:*", "tcp://0.0.0.0:*" };
    char host [256] = "";
    char expected [ENDPOINT_ROOM];
    gethostname (host, sizeof host - 1);
    for (int i = 0; i < 2; i++) {
        binding_options_t options = at (endpoints [i]);
        options.insecure = true;
        binding_t *binding = must_open (options);
        snprintf (expected, sizeof expected, "tcp://%s:%u", host, port_of (binding_bound (binding)));
        cr_assert_str_eq (binding_endpoint (binding), expected);
        binding_destroy (&binding);
    }
}

static void
assert_shows (const char *endpoint, const char *advertise, const char *expected_host)
{
    char expected [ENDPOINT_ROOM];
    binding_options_t options = at (endpoint);
    options.insecure = true;
    options.advertise = advertise;
    binding_t *binding = must_open (options);
    snprintf (expected, sizeof expected, "tcp://%s:%u", expected_host, port_of (binding_bound (binding)));
    cr_assert_str_eq (binding_endpoint (binding), expected);
    binding_destroy (&binding);
}

Test (binding, shows_what_is_advertised)
{
    assert_shows ("tcp://*:*", "coordinator.example", "coordinator.example");
    assert_shows (own_tcp, "10.0.0.1", "10.0.0.1");
    assert_shows (own_tcp, "2001:db8::1", "[2001:db8::1]");
    assert_shows (own_tcp, "[2001:db8::1]", "[2001:db8::1]");
}

Test (binding, refuses_to_advertise_what_is_no_host)
{
    static const char *const bad [] = { "", "*", "0.0.0.0", "::", "host:5555", "a b", "a\n" };
    for (size_t i = 0; i < sizeof bad / sizeof bad [0]; i++) {
        binding_options_t options = at (own_tcp);
        options.advertise = bad [i];
        must_fail (options, MUSTER_ENDPOINT, "advertise");
    }
}

Test (binding, binds_again_what_it_says_was_bound)
{
    static const char *const endpoints [] = { "tcp://*:*", "tcp://localhost:*", "ipc://*", "inproc://name" };
    for (int i = 0; i < 4; i++) {
        char bound [ENDPOINT_ROOM];
        binding_options_t options = at (endpoints [i]);
        options.insecure = true;
        binding_t *binding = must_open (options);
        snprintf (bound, sizeof bound, "%s", binding_bound (binding));
        binding_destroy (&binding);
        options.endpoint = bound;
        binding = must_open (options);
        cr_assert_str_eq (binding_bound (binding), bound);
        binding_destroy (&binding);
    }
}

static void
ignore_refused (void *argument, const char *address, const char *why, uint64_t count)
{
    (void) argument;
    (void) address;
    (void) why;
    (void) count;
}

Test (binding, counts_connections_that_end)
{
    char bytes [8];
    unsigned ended = 0;
    binding_t *binding = must_open (at (own_tcp));
    void *push = connected (ZMQ_PUSH, binding_bound (binding));
    cr_assert_eq (zmq_send (push, "1", 1, 0), 1);
    cr_assert (becomes_readable (binding_pull (binding)));
    cr_assert_eq (zmq_recv (binding_pull (binding), bytes, sizeof bytes, 0), 1);
    cr_assert_eq (binding_watch (binding, 0, ignore_refused, NULL), 0);
    zmq_close (push);
    while (ended == 0) {
        cr_assert (becomes_readable (binding_monitor (binding, 0)));
        ended = binding_watch (binding, 0, ignore_refused, NULL);
    }
    cr_assert_eq (ended, 1);
    cr_assert_not_null (binding_monitor (binding, 1));
    binding_destroy (&binding);
}

Test (binding, holds_an_ipc_path_and_its_return_path)
{
    char endpoint [ENDPOINT_ROOM], back [ENDPOINT_ROOM];
    ipc_in_folder (endpoint, "socket");
    ipc_in_folder (back, "socket.return");
    binding_t *binding = must_open (at (endpoint));
    cr_assert_str_eq (binding_bound_return (binding), back);
    cr_assert (exists (endpoint, ".lock"));
    cr_assert (exists (back, ".lock"));
    assert_works (binding);
    must_fail (at (endpoint), MUSTER_INUSE, "the path is in use");
    must_fail (at (back), MUSTER_INUSE, "socket.return: the path is in use");
    assert_works (binding);
    binding_destroy (&binding);
    cr_assert_not (exists (endpoint, ".lock"));
    cr_assert_not (exists (endpoint, ""));
    cr_assert_not (exists (back, ""));
}

Test (binding, leaves_what_is_no_socket_alone)
{
    char endpoint [ENDPOINT_ROOM];
    ipc_in_folder (endpoint, "data");
    const char *path = endpoint + strlen ("ipc://");
    int file = open (path, O_CREAT | O_WRONLY, 0600);
    cr_assert_eq (write (file, "data", 4), 4);
    close (file);
    must_fail (at (endpoint), MUSTER_ENDPOINT, "no socket");
    struct stat found;
    cr_assert_eq (stat (path, &found), 0);
    cr_assert_eq (found.st_size, 4);
    cr_assert_eq (unlink (path), 0);
    cr_assert_eq (mkdir (path, 0700), 0);
    must_fail (at (endpoint), MUSTER_ENDPOINT, "no socket");
    cr_assert_eq (rmdir (path), 0);
}

Test (binding, leaves_a_file_by_the_name_of_its_lock_alone)
{
    char endpoint [ENDPOINT_ROOM], in_the_way [ENDPOINT_ROOM];
    ipc_in_folder (endpoint, "socket");
    ipc_in_folder (in_the_way, "socket.lock");
    int file = open (in_the_way + strlen ("ipc://"), O_CREAT | O_WRONLY, 0600);
    cr_assert_eq (write (file, "data", 4), 4);
    close (file);
    must_fail (at (endpoint), MUSTER_ENDPOINT, "PATH.lock");
    cr_assert_eq (unlink (in_the_way + strlen ("ipc://")), 0);
}

Test (binding, does_not_steal_a_path_from_who_knows_no_locks)
{
    char endpoint [ENDPOINT_ROOM];
    void *other = zmq_socket (context, ZMQ_PULL);
    cr_assert_eq (zmq_bind (other, ipc_in_folder (endpoint, "socket")), 0);
    must_fail (at (endpoint), MUSTER_INUSE, "in use");
    void *push = connected (ZMQ_PUSH, endpoint);
    cr_assert_eq (zmq_send (push, "1", 1, 0), 1);
    cr_assert (becomes_readable (other));
    zmq_close (push);
    zmq_close (other);
    cr_assert_eq (unlink (endpoint + strlen ("ipc://")), 0);
}

Test (binding, takes_over_a_socket_that_nobody_listens_to)
{
    char endpoint [ENDPOINT_ROOM];
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    ipc_in_folder (endpoint, "socket");
    snprintf (address.sun_path, sizeof address.sun_path, "%.100s", endpoint + strlen ("ipc://"));
    int stale = socket (AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq (bind (stale, (struct sockaddr *) &address, sizeof address), 0);
    close (stale);
    binding_t *binding = must_open (at (endpoint));
    assert_works (binding);
    binding_destroy (&binding);
}

Test (binding, names_a_path_whose_folder_is_missing)
{
    char endpoint [ENDPOINT_ROOM];
    must_fail (at (ipc_in_folder (endpoint, "missing/socket")), MUSTER_ENDPOINT, "missing/socket");
    cr_assert_not_null (strstr (reason, "No such file or directory"), "%s", reason);
}

Test (binding, finds_a_path_for_a_wildcard)
{
    char bound [ENDPOINT_ROOM];
    setenv ("TMPDIR", folder, 1);
    binding_t *first = must_open (at ("ipc://*"));
    binding_t *second = must_open (at ("ipc://*"));
    snprintf (bound, sizeof bound, "%s", binding_endpoint (first));
    cr_assert_str_neq (bound, binding_endpoint (second));
    cr_assert_eq (strncmp (bound + strlen ("ipc://"), folder, strlen (folder)), 0);
    assert_works (first);
    assert_works (second);
    binding_destroy (&first);
    binding_destroy (&second);
    cr_assert_not (exists (bound, ""));
}

Test (binding, keeps_the_folder_of_a_wildcard_to_this_user)
{
    char bound [ENDPOINT_ROOM];
    struct stat found;
    setenv ("TMPDIR", folder, 1);
    binding_t *binding = must_open (at ("ipc://*"));
    snprintf (bound, sizeof bound, "%s", binding_bound (binding));
    char *path = bound + strlen ("ipc://");
    char *end = strrchr (path, '/');
    *end = 0;
    cr_assert_eq (stat (path, &found), 0);
    cr_assert_eq (found.st_mode & 0777, 0700);
    binding_destroy (&binding);
    cr_assert_eq (mkdir (path, 0777), 0);
    cr_assert_eq (chmod (path, 0777), 0);
    *end = '/';
    must_fail (at (bound), MUSTER_ENDPOINT, "open to others");
    *end = 0;
    rmdir (path);
}

Test (binding, says_when_the_folder_for_wildcards_has_too_long_a_name)
{
    char name [120];
    memset (name, 'd', sizeof name - 1);
    name [0] = '/';
    name [sizeof name - 1] = 0;
    setenv ("TMPDIR", name, 1);
    must_fail (at ("ipc://*"), MUSTER_ENDPOINT, "TMPDIR");
}

Test (binding, refuses_an_abstract_name_that_is_taken)
{
    char endpoint [ENDPOINT_ROOM];
    snprintf (endpoint, sizeof endpoint, "ipc://@%s", folder);
    binding_t *binding = must_open (at (endpoint));
    must_fail (at (endpoint), MUSTER_INUSE, "in use");
    assert_works (binding);
    binding_destroy (&binding);
    binding = must_open (at (endpoint));
    binding_destroy (&binding);
}

Test (binding, refuses_an_inproc_name_that_is_taken)
{
    binding_t *binding = must_open (at ("inproc://name"));
    cr_assert_str_eq (binding_bound_return (binding), "inproc://name.return");
    must_fail (at ("inproc://name"), MUSTER_INUSE, "inproc://name: the name is in use");
    must_fail (at ("inproc://name.return"), MUSTER_INUSE, "in use");
    assert_works (binding);
    binding_destroy (&binding);
    binding = must_open (at ("inproc://name"));
    binding_destroy (&binding);
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

Test (binding, leaves_nothing_behind)
{
    char endpoint [ENDPOINT_ROOM];
    ipc_in_folder (endpoint, "socket");
    int before = count_descriptors_at_rest ();
    for (int i = 0; i < 100; i++) {
        binding_t *tcp = must_open (at (own_tcp));
        binding_t *ipc = must_open (at (endpoint));
        must_fail (at (binding_bound (tcp)), MUSTER_INUSE, "in use");
        must_fail (at (endpoint), MUSTER_INUSE, "in use");
        binding_destroy (&tcp);
        binding_destroy (&ipc);
    }
    cr_assert_eq (count_descriptors_at_rest (), before);
}

Test (binding, says_when_descriptors_are_too_few)
{
    struct rlimit limit;
    getrlimit (RLIMIT_NOFILE, &limit);
    int next = dup (0);
    close (next);
    for (rlim_t more = 0; more < 15; more++) {
        struct rlimit few = { (rlim_t) next + more, limit.rlim_max };
        cr_assert_eq (setrlimit (RLIMIT_NOFILE, &few), 0);
        must_fail (at ("inproc://name"), MUSTER_RESOURCE, "inproc://name");
    }
    setrlimit (RLIMIT_NOFILE, &limit);
    binding_t *binding = must_open (at ("inproc://name"));
    binding_destroy (&binding);
}

Test (binding, says_when_memory_runs_out)
{
    char endpoint [ENDPOINT_ROOM];
    binding_options_t options = at (ipc_in_folder (endpoint, "socket"));
    binding_t *binding = NULL;
    size_t nth = 0;
    do {
        alloc_fail_from (++nth);
        muster_error_t error = binding_open (&binding, context, &options, reason);
        alloc_fail_from (0);
        cr_assert_eq (error, binding ? 0 : MUSTER_NOMEM, "%s", reason);
    }
    while (!binding);
    cr_assert_gt (nth, 5);
    assert_works (binding);
    binding_destroy (&binding);
}

/*  A process that lives until its pipe is closed. */
typedef struct {
    pid_t pid;
    int line;
} idler_t;

/*  The child closes what it inherited before it says that it is there. */
static void
start_idler (idler_t *idler)
{
    int ends [2];
    char byte = 0;
    cr_assert_eq (socketpair (AF_UNIX, SOCK_STREAM, 0, ends), 0);
    idler->pid = fork ();
    if (idler->pid == 0) {
        close (ends [0]);
        bool said = write (ends [1], &byte, 1) == 1;
        _exit (said && read (ends [1], &byte, 1) == 0 ? 0 : 1);
    }
    close (ends [1]);
    idler->line = ends [0];
    cr_assert_eq (read (idler->line, &byte, 1), 1);
}

static void
stop_idler (idler_t *idler)
{
    int status;
    close (idler->line);
    cr_assert_eq (waitpid (idler->pid, &status, 0), idler->pid);
    cr_assert (WIFEXITED (status) && WEXITSTATUS (status) == 0);
}

Test (binding, is_free_again_while_a_forked_child_lives)
{
    char endpoint [ENDPOINT_ROOM], bound [ENDPOINT_ROOM];
    idler_t idler;
    binding_t *tcp = must_open (at (own_tcp));
    binding_t *ipc = must_open (at (ipc_in_folder (endpoint, "socket")));
    snprintf (bound, sizeof bound, "%s", binding_bound (tcp));
    start_idler (&idler);
    binding_destroy (&tcp);
    binding_destroy (&ipc);
    tcp = must_open (at (bound));
    ipc = must_open (at (endpoint));
    assert_works (tcp);
    assert_works (ipc);
    binding_destroy (&tcp);
    binding_destroy (&ipc);
    stop_idler (&idler);
}

/*  In a process of its own: bind, say what was bound, take a connection in,
    fork a child that says who it is and outlives us, and wait to be killed. */
static void
be_a_parent (const char *endpoint, int to_test)
{
    char bytes [8];
    context = context_acquire ();
    binding_t *tcp = must_open (at (own_tcp));
    must_open (at (endpoint));
    cr_assert_eq (write (to_test, binding_bound (tcp), ENDPOINT_ROOM), ENDPOINT_ROOM);
    if (!becomes_readable (binding_pull (tcp)) || zmq_recv (binding_pull (tcp), bytes, sizeof bytes, 0) != 1)
        _exit (1);
    binding_watch (tcp, 0, ignore_refused, NULL);
    pid_t child = fork () == 0 ? getpid () : 0;
    if (child != 0 && write (to_test, &child, sizeof child) != sizeof child)
        _exit (1);
    for (;;)
        pause ();
}

static void
read_all (int from, void *bytes, size_t size)
{
    for (size_t used = 0; used < size; ) {
        ssize_t more = read (from, (char *) bytes + used, size - used);
        cr_assert_gt (more, 0);
        used += (size_t) more;
    }
}

Test (binding, dies_with_its_process_though_a_forked_child_lives)
{
    char endpoint [ENDPOINT_ROOM], bound [ENDPOINT_ROOM];
    int ends [2];
    pid_t child;
    ipc_in_folder (endpoint, "socket");
    cr_assert_eq (pipe (ends), 0);
    /*  A sanitizer's heap may be locked by another thread in a forked child. */
    context_release (context);
    pid_t parent = fork ();
    if (parent == 0)
        be_a_parent (endpoint, ends [1]);
    context = context_acquire ();
    read_all (ends [0], bound, sizeof bound);
    void *push = connected (ZMQ_PUSH, bound);
    cr_assert_eq (zmq_socket_monitor (push, "inproc://down", ZMQ_EVENT_DISCONNECTED), 0);
    void *down = connected (ZMQ_PAIR, "inproc://down");
    cr_assert_eq (zmq_send (push, "1", 1, 0), 1);
    read_all (ends [0], &child, sizeof child);

    kill (parent, SIGKILL);
    waitpid (parent, NULL, 0);
    cr_assert_eq (kill (child, 0), 0);
    cr_assert (becomes_readable (down));
    zmq_socket_monitor (push, NULL, 0);
    zmq_close (down);
    zmq_close (push);
    binding_t *tcp = must_open (at (bound));
    binding_t *ipc = must_open (at (endpoint));
    assert_works (tcp);
    assert_works (ipc);
    kill (child, SIGKILL);
    binding_destroy (&tcp);
    binding_destroy (&ipc);
}

Test (binding, is_not_hurt_by_a_forked_child_that_destroys_it)
{
    char endpoint [ENDPOINT_ROOM];
    int status;
    binding_t *binding = must_open (at (ipc_in_folder (endpoint, "socket")));
    pid_t child = fork ();
    if (child == 0) {
        binding_destroy (&binding);
        _exit (binding ? 1 : 0);
    }
    cr_assert_eq (waitpid (child, &status, 0), child);
    cr_assert (WIFEXITED (status) && WEXITSTATUS (status) == 0);
    cr_assert (exists (endpoint, ".lock"));
    cr_assert (exists (endpoint, ""));
    assert_works (binding);
    binding_destroy (&binding);
}
