/*  test_endpoint.c - taking endpoints apart, and what follows from one

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include <muster/endpoint.h>

#include "model/endpoint.h"

static endpoint_t
parsed (const char *text)
{
    endpoint_t endpoint;
    char reason [REASON_ROOM] = "";
    cr_assert_eq (endpoint_parse (&endpoint, text, reason), 0, "%s: %s", text, reason);
    return endpoint;
}

static void
assert_refused (const char *text, const char *part_of_reason)
{
    endpoint_t endpoint;
    char reason [REASON_ROOM] = "";
    cr_assert_eq (endpoint_parse (&endpoint, text, reason), MUSTER_ENDPOINT, "%s", text);
    cr_assert_not_null (strstr (reason, part_of_reason), "%s: %s", text, reason);
}

static void
assert_same_text (const char *text)
{
    char written [ENDPOINT_ROOM];
    endpoint_t endpoint = parsed (text);
    cr_assert_str_eq (endpoint_text (&endpoint, written), text);
}

Test (endpoint, takes_tcp_apart)
{
    endpoint_t endpoint = parsed ("tcp://127.0.0.1:5555");
    cr_assert_eq (endpoint.transport, ENDPOINT_TCP);
    cr_assert_str_eq (endpoint.host, "127.0.0.1");
    cr_assert_eq (endpoint.port, 5555);
    cr_assert_not (endpoint.wildcard);
}

Test (endpoint, takes_ipv6_without_its_brackets)
{
    cr_assert_str_eq (parsed ("tcp://[::1]:5555").host, "::1");
    cr_assert_str_eq (parsed ("tcp://[fe80::1%eth0]:5555").host, "fe80::1%eth0");
    cr_assert_str_eq (parsed ("tcp://[::ffff:10.0.0.1]:5555").host, "::ffff:10.0.0.1");
}

Test (endpoint, takes_star_and_nought_as_a_wildcard_port)
{
    cr_assert (parsed ("tcp://127.0.0.1:*").wildcard);
    cr_assert (parsed ("tcp://127.0.0.1:0").wildcard);
    cr_assert_eq (parsed ("tcp://*:*").port, 0);
}

Test (endpoint, takes_ipc_and_inproc)
{
    endpoint_t ipc = parsed ("ipc:///run/muster.sock");
    cr_assert_eq (ipc.transport, ENDPOINT_IPC);
    cr_assert_str_eq (ipc.path, "/run/muster.sock");
    cr_assert (parsed ("ipc://*").wildcard);
    cr_assert_str_eq (parsed ("ipc://@name").path, "@name");
    endpoint_t inproc = parsed ("inproc://name");
    cr_assert_eq (inproc.transport, ENDPOINT_INPROC);
    cr_assert_str_eq (inproc.path, "name");
}

Test (endpoint, writes_what_it_read)
{
    assert_same_text ("tcp://127.0.0.1:5555");
    assert_same_text ("tcp://[::1]:65535");
    assert_same_text ("tcp://[fe80::1%eth0]:1");
    assert_same_text ("tcp://a-host.example:80");
    assert_same_text ("tcp://*:*");
    assert_same_text ("ipc:///run/muster.sock");
    assert_same_text ("ipc://*");
    assert_same_text ("inproc://a name");
}

Test (endpoint, refuses_other_transports)
{
    assert_refused (NULL, "no endpoint");
    assert_refused ("", "tcp://");
    assert_refused ("127.0.0.1:5555", "tcp://");
    assert_refused ("pgm://10.0.0.1:5555", "pgm://10.0.0.1:5555: ");
    assert_refused ("TCP://127.0.0.1:5555", "tcp://");
}

Test (endpoint, refuses_a_port_that_is_none)
{
    assert_refused ("tcp://127.0.0.1", "no port");
    assert_refused ("tcp://[::1]", "no port");
    assert_refused ("tcp://127.0.0.1:", "port ");
    assert_refused ("tcp://127.0.0.1:65536", "port 65536");
    assert_refused ("tcp://127.0.0.1:99999", "port 99999");
    assert_refused ("tcp://127.0.0.1:123456", "port 123456");
    assert_refused ("tcp://127.0.0.1:-1", "port -1");
    assert_refused ("tcp://127.0.0.1:http", "port http");
    assert_refused ("tcp://127.0.0.1:5555/", "port 5555/");
}

Test (endpoint, takes_the_lowest_and_the_highest_port)
{
    cr_assert_eq (parsed ("tcp://127.0.0.1:1").port, 1);
    cr_assert_eq (parsed ("tcp://127.0.0.1:65535").port, 65535);
}

Test (endpoint, refuses_a_host_that_is_none)
{
    assert_refused ("tcp://:5555", "no host");
    assert_refused ("tcp://[]:5555", "no host");
    assert_refused ("tcp://::1:5555", "brackets");
    assert_refused ("tcp://[::g]:5555", "brackets");
    assert_refused ("tcp://[::1%]:5555", "brackets");
    assert_refused ("tcp://[::1:5555", "no port");
    assert_refused ("tcp://a b:5555", "host");
    assert_refused ("tcp://a;b:5555", "host");
}

Test (endpoint, refuses_a_host_over_255_bytes)
{
    char text [400] = "tcp://";
    memset (text + 6, 'h', 255);
    strcpy (text + 6 + 255, ":5555");
    cr_assert_eq (strlen (parsed (text).host), 255);
    strcpy (text + 6 + 255, "h:5555");
    assert_refused (text, "255");
}

Test (endpoint, refuses_an_ipc_path_that_is_none)
{
    assert_refused ("ipc://", "no path");
    assert_refused ("ipc://@", "no path");
    assert_refused ("inproc://", "no name");
}

Test (endpoint, refuses_an_ipc_path_over_107_bytes)
{
    char text [200] = "ipc://";
    memset (text + 6, 'p', 107);
    cr_assert_eq (strlen (parsed (text).path), 107);
    text [6 + 107] = 'p';
    assert_refused (text, "107");
}

Test (endpoint, refuses_an_inproc_name_over_255_bytes)
{
    char text [400] = "inproc://";
    memset (text + 9, 'n', 255);
    cr_assert_eq (strlen (parsed (text).path), 255);
    text [9 + 255] = 'n';
    assert_refused (text, "255");
}

Test (endpoint, escapes_the_text_that_it_refuses)
{
    assert_refused ("tcp://\n:5555", "tcp://\\x0a:5555");
}

Test (endpoint, fits_its_reason_whatever_the_text)
{
    char text [5000];
    char reason [REASON_ROOM];
    endpoint_t endpoint;
    memset (text, '\n', sizeof text - 1);
    text [sizeof text - 1] = 0;
    cr_assert_eq (endpoint_parse (&endpoint, text, reason), MUSTER_ENDPOINT);
    cr_assert_lt (strnlen (reason, sizeof reason), sizeof reason);
}

static void
assert_return (const char *text, const char *expected)
{
    endpoint_t endpoint = parsed (text);
    endpoint_t back;
    char reason [REASON_ROOM] = "";
    char written [ENDPOINT_ROOM];
    cr_assert_eq (endpoint_return (&endpoint, &back, reason), 0, "%s", reason);
    cr_assert_str_eq (endpoint_text (&back, written), expected);
}

Test (endpoint_return, follows_from_the_endpoint)
{
    assert_return ("tcp://127.0.0.1:5555", "tcp://127.0.0.1:5556");
    assert_return ("tcp://[::1]:65534", "tcp://[::1]:65535");
    assert_return ("ipc:///run/muster.sock", "ipc:///run/muster.sock.return");
    assert_return ("ipc://@name", "ipc://@name.return");
    assert_return ("inproc://name", "inproc://name.return");
}

Test (endpoint_return, of_a_wildcard_is_a_wildcard)
{
    assert_return ("tcp://*:*", "tcp://*:*");
    assert_return ("ipc://*", "ipc://*");
}

static void
assert_no_return (const char *text, const char *part_of_reason)
{
    endpoint_t endpoint = parsed (text);
    endpoint_t back;
    char reason [REASON_ROOM] = "";
    cr_assert_eq (endpoint_return (&endpoint, &back, reason), MUSTER_ENDPOINT);
    cr_assert_not_null (strstr (reason, part_of_reason), "%s", reason);
    cr_assert_not_null (strstr (reason, text), "%s", reason);
}

Test (endpoint_return, is_refused_for_the_last_port)
{
    assert_no_return ("tcp://127.0.0.1:65535", "port 65535");
}

Test (endpoint_return, is_refused_where_the_path_gets_too_long)
{
    char text [200] = "ipc://";
    memset (text + 6, 'p', 100);
    char expected [300];
    snprintf (expected, sizeof expected, "%s.return", text);
    assert_return (text, expected);
    text [6 + 100] = 'p';
    assert_no_return (text, "107");
}

static bool
loopback (const char *text)
{
    endpoint_t endpoint = parsed (text);
    char reason [REASON_ROOM] = "";
    bool answer;
    cr_assert_eq (endpoint_is_loopback (&endpoint, &answer, reason), 0, "%s", reason);
    return answer;
}

Test (endpoint_is_loopback, knows_addresses)
{
    cr_assert (loopback ("tcp://127.0.0.1:1"));
    cr_assert (loopback ("tcp://127.200.3.4:1"));
    cr_assert (loopback ("tcp://[::1]:1"));
    cr_assert (loopback ("tcp://[::ffff:127.0.0.1]:1"));
    cr_assert_not (loopback ("tcp://0.0.0.0:1"));
    cr_assert_not (loopback ("tcp://[::]:1"));
    cr_assert_not (loopback ("tcp://192.0.2.1:1"));
    cr_assert_not (loopback ("tcp://[2001:db8::1]:1"));
    cr_assert_not (loopback ("tcp://[::ffff:10.0.0.1]:1"));
    cr_assert_not (loopback ("tcp://*:1"));
}

Test (endpoint_is_loopback, knows_names_and_interfaces)
{
    cr_assert (loopback ("tcp://localhost:1"));
    cr_assert (loopback ("tcp://lo:1"));
}

Test (endpoint_is_loopback, says_what_does_not_resolve)
{
    endpoint_t endpoint = parsed ("tcp://no.such.host.invalid:5555");
    char reason [REASON_ROOM] = "";
    bool answer = true;
    cr_assert_eq (endpoint_is_loopback (&endpoint, &answer, reason), MUSTER_ENDPOINT);
    cr_assert_not (answer);
    cr_assert_not_null (strstr (reason, "no.such.host.invalid does not resolve"), "%s", reason);
}

static void
assert_resolved (const char *text, const char *expected)
{
    endpoint_t endpoint = parsed (text);
    char reason [REASON_ROOM] = "";
    char written [ENDPOINT_ROOM];
    cr_assert_eq (endpoint_resolve (&endpoint, &endpoint, reason), 0, "%s", reason);
    cr_assert_str_eq (endpoint_text (&endpoint, written), expected);
}

Test (endpoint_resolve, replaces_names_and_interfaces)
{
    assert_resolved ("tcp://localhost:5555", "tcp://127.0.0.1:5555");
    assert_resolved ("tcp://lo:*", "tcp://127.0.0.1:*");
}

Test (endpoint_resolve, leaves_the_rest)
{
    assert_resolved ("tcp://192.0.2.1:5555", "tcp://192.0.2.1:5555");
    assert_resolved ("tcp://[::1]:5555", "tcp://[::1]:5555");
    assert_resolved ("tcp://*:5555", "tcp://*:5555");
    assert_resolved ("ipc:///localhost", "ipc:///localhost");
    assert_resolved ("inproc://localhost", "inproc://localhost");
}

Test (endpoint_resolve, says_what_does_not_resolve)
{
    endpoint_t endpoint = parsed ("tcp://no.such.host.invalid:5555");
    endpoint_t numeric;
    char reason [REASON_ROOM] = "";
    cr_assert_eq (endpoint_resolve (&endpoint, &numeric, reason), MUSTER_ENDPOINT);
    cr_assert_not_null (strstr (reason, "tcp://no.such.host.invalid:5555"), "%s", reason);
}

static bool
any (const char *text)
{
    endpoint_t endpoint = parsed (text);
    return endpoint_is_any (&endpoint);
}

Test (endpoint_is_any, knows_what_nobody_can_connect_to)
{
    cr_assert (any ("tcp://*:1"));
    cr_assert (any ("tcp://0.0.0.0:1"));
    cr_assert (any ("tcp://[::]:1"));
    cr_assert (any ("tcp://[0:0::0]:1"));
    cr_assert_not (any ("tcp://127.0.0.1:1"));
    cr_assert_not (any ("tcp://[::1]:1"));
    cr_assert_not (any ("tcp://localhost:1"));
    cr_assert_not (any ("ipc://*"));
    cr_assert_not (any ("inproc://*"));
}

Test (muster_endpoint_check, says_of_a_text_whether_it_is_an_endpoint_and_why_not)
{
    char reason [MUSTER_ENDPOINT_REASON_ROOM] = "before";
    cr_assert_eq (muster_endpoint_check ("tcp://no.such.host.invalid:*", reason, sizeof reason), 0);
    cr_assert_str_empty (reason);
    cr_assert_eq (muster_endpoint_check ("tcp://127.0.0.1", reason, sizeof reason), MUSTER_ENDPOINT);
    cr_assert_str_eq (reason, "tcp://127.0.0.1: no port: write tcp://HOST:PORT");
}

Test (muster_endpoint_check, cuts_a_reason_and_needs_no_room_for_one)
{
    char reason [4] = "";
    cr_assert_eq (muster_endpoint_check ("tcp://", reason, sizeof reason), MUSTER_ENDPOINT);
    cr_assert_str_eq (reason, "tcp");
    cr_assert_eq (muster_endpoint_check ("tcp://", reason, 0), MUSTER_ENDPOINT);
    cr_assert_eq (muster_endpoint_check (NULL, NULL, 0), MUSTER_ENDPOINT);
}
