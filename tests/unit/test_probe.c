/*  test_probe.c - does what listens at an endpoint ask for keys?

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zmq.h>

#include "base/alloc.h"
#include "net/admission.h"
#include "net/context.h"
#include "net/curve.h"
#include "net/probe.h"
#include "net/secure.h"

#define PATIENCE_MS 60000
#define GREETING "\xff\0\0\0\0\0\0\0\1\x7f\3\1"     /* a NUL follows each name of a mechanism */

static void *context;

static void
set_up (void)
{
    context = context_acquire ();
}

static void
tear_down (void)
{
    context_release (context);
}

TestSuite (probe, .init = set_up, .fini = tear_down, .timeout = 300);

static probe_t *
probe_of (const char *text)
{
    char reason [REASON_ROOM];
    endpoint_t endpoint;
    probe_t *probe;
    cr_assert_eq (endpoint_parse (&endpoint, text, reason), 0, "%s", reason);
    cr_assert_eq (probe_open (&probe, context, &endpoint), 0);
    return probe;
}

static probe_answer_t
answer_of (probe_t *probe)
{
    probe_answer_t answer;
    while ((answer = probe_watch (probe)) == PROBE_WAITING) {
        zmq_pollitem_t items [PROBE_SOCKETS];
        for (int i = 0; i < PROBE_SOCKETS; i++)
            items [i] = (zmq_pollitem_t) { .socket = probe_socket (probe, i), .events = ZMQ_POLLIN };
        cr_assert_gt (zmq_poll (items, PROBE_SOCKETS, PATIENCE_MS), 0);
    }
    for (int i = 0; i < PROBE_SOCKETS; i++)
        cr_assert_null (probe_socket (probe, i));
    cr_assert_eq (probe_watch (probe), answer);
    return answer;
}

/*  Ask so often that all of what can come first does. */
static void
assert_answers (const char *bound, bool keyed, probe_answer_t answer)
{
    char endpoint [ENDPOINT_ROOM];
    size_t size = sizeof endpoint;
    keypair_t keys;
    void *pull = zmq_socket (context, ZMQ_PULL);
    cr_assert_eq (curve_generate (&keys), 0);
    if (keyed)
        cr_assert_eq (secure_serve (pull, &keys, "nobody"), 0);
    cr_assert_eq (zmq_bind (pull, bound), 0);
    zmq_getsockopt (pull, ZMQ_LAST_ENDPOINT, endpoint, &size);
    for (int i = 0; i < 100; i++) {
        probe_t *probe = probe_of (endpoint);
        cr_assert_eq (answer_of (probe), answer);
        probe_close (&probe);
        cr_assert_null (probe);
    }
    zmq_close (pull);
}

Test (probe, always_finds_out_over_tcp)
{
    assert_answers ("tcp://127.0.0.1:*", true, PROBE_KEYS);
    assert_answers ("tcp://127.0.0.1:*", false, PROBE_NO_KEYS);
}

Test (probe, always_finds_out_over_ipc)
{
    assert_answers ("ipc://*", true, PROBE_KEYS);
    assert_answers ("ipc://*", false, PROBE_NO_KEYS);
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

Test (probe, learns_nothing_where_nobody_listens)
{
    char endpoint [ENDPOINT_ROOM];
    close (listen_on_any_port (endpoint));
    probe_t *probe = probe_of (endpoint);
    cr_assert_eq (answer_of (probe), PROBE_NOTHING);
    probe_close (&probe);
    probe = probe_of ("ipc:///tmp/muster-test-nobody");
    cr_assert_eq (answer_of (probe), PROBE_NOTHING);
    probe_close (&probe);
}

/*  What a peer says and then hangs up; taken in pieces of one byte. */
static void
assert_answer_to (const char *said, size_t size, probe_answer_t answer)
{
    char endpoint [ENDPOINT_ROOM];
    int listener = listen_on_any_port (endpoint);
    probe_t *probe = probe_of (endpoint);
    char asked [64];
    int accepted = accept (listener, NULL, NULL);
    cr_assert_eq (recv (accepted, asked, 11, MSG_WAITALL), 11);
    for (size_t i = 0; i < size; i++)
        cr_assert_eq (send (accepted, said + i, 1, MSG_NOSIGNAL), 1);
    close (accepted);
    cr_expect_eq (answer_of (probe), answer, "%zu bytes", size);
    probe_close (&probe);
    close (listener);
}

Test (probe, heeds_a_greeting_and_nothing_else)
{
    static const char curve [64] = GREETING "CURVE";
    static const char null [64] = GREETING "NULL";
    static const char plain [64] = GREETING "PLAIN";
    static const char longer [64] = GREETING "CURVED";
    static const char http [] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
    assert_answer_to (curve, 64, PROBE_KEYS);
    assert_answer_to (curve, 32, PROBE_KEYS);
    assert_answer_to (curve, 31, PROBE_NOTHING);
    assert_answer_to (null, 64, PROBE_NO_KEYS);
    assert_answer_to (plain, 64, PROBE_NOTHING);
    assert_answer_to (longer, 64, PROBE_NOTHING);
    assert_answer_to (http, sizeof http - 1, PROBE_NOTHING);
    assert_answer_to ("", 0, PROBE_NOTHING);
}

Test (probe, says_too_little_for_a_handshake)
{
    char endpoint [ENDPOINT_ROOM];
    char said [64];
    int listener = listen_on_any_port (endpoint);
    probe_t *probe = probe_of (endpoint);
    int accepted = accept (listener, NULL, NULL);
    cr_assert_eq (recv (accepted, said, 11, MSG_WAITALL), 11);
    cr_assert_arr_eq (said, GREETING, 11);
    probe_close (&probe);
    cr_assert_eq (recv (accepted, said, sizeof said, 0), 0);
    close (accepted);
    close (listener);
}

Test (probe, belongs_to_the_process_that_made_it)
{
    char endpoint [ENDPOINT_ROOM];
    int status;
    int listener = listen_on_any_port (endpoint);
    probe_t *probe = probe_of (endpoint);
    pid_t child = fork ();
    if (child == 0) {
        probe_abandon (&probe);
        _exit (probe ? 1 : 0);
    }
    cr_assert_eq (waitpid (child, &status, 0), child);
    cr_assert_eq (status, 0);
    probe_close (&probe);
    probe_close (&probe);
    probe_abandon (&probe);
    close (listener);
}

Test (probe, says_when_memory_runs_out)
{
    endpoint_t endpoint = { .transport = ENDPOINT_IPC, .path = "/tmp/muster-test-nobody" };
    probe_t *probe = NULL;
    size_t nth = 0;
    do {
        alloc_fail_from (++nth);
        muster_error_t error = probe_open (&probe, context, &endpoint);
        alloc_fail_from (0);
        cr_assert_eq (error, probe ? 0 : MUSTER_NOMEM);
    }
    while (!probe && nth < 100);
    cr_assert_gt (nth, 2);
    probe_close (&probe);
}

/*  --------------------------------------------------------------------------
    What follows from it */

Test (admission, ends_with_a_reason_where_trying_again_is_no_use)
{
    cr_expect_not_null (strstr (admission_answer (PROBE_KEYS, true), "another key"));
    cr_expect_not_null (strstr (admission_answer (PROBE_KEYS, false), "asks for keys"));
    cr_expect_not_null (strstr (admission_answer (PROBE_NO_KEYS, true), "has no keys"));
    cr_expect_null (admission_answer (PROBE_NO_KEYS, false));
    for (int keyed = 0; keyed < 2; keyed++) {
        cr_expect_null (admission_answer (PROBE_NOTHING, keyed));
        cr_expect_null (admission_answer (PROBE_WAITING, keyed));
        cr_expect_null (admission_event (ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, 0, keyed));
        cr_expect_null (admission_event (
            ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC, keyed));
        cr_expect_null (admission_event (ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, 500, keyed));
        cr_expect_not_null (admission_event (ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, 400, keyed));
        cr_expect_not_null (admission_event (
            ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH, keyed));
    }
}
