/*  test_plain.c - tests of the plain producer

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zmq.h>

#include <muster/data.h>
#include <muster/keys.h>
#include <muster/plain.h>

#include "base/alloc.h"
#include "place.h"
#include "secret.h"

#define LONG_MS 60000

/*  A PULL in a context of its own, as another process would have it. */
typedef struct {
    void *context;
    void *socket;
    char endpoint [128];
} pull_t;

static void
pull_open (pull_t *self)
{
    self->context = zmq_ctx_new ();
    self->socket = zmq_socket (self->context, ZMQ_PULL);
}

static void
pull_set (pull_t *self, int option, int value)
{
    cr_assert_eq (zmq_setsockopt (self->socket, option, &value, sizeof value), 0);
}

static void
pull_bind_open (pull_t *self, const char *endpoint)
{
    size_t size = sizeof self->endpoint;
    cr_assert_eq (zmq_bind (self->socket, endpoint), 0, "%s: %s", endpoint, zmq_strerror (zmq_errno ()));
    zmq_getsockopt (self->socket, ZMQ_LAST_ENDPOINT, self->endpoint, &size);
}

static void
pull_bind (pull_t *self, const char *endpoint)
{
    pull_open (self);
    pull_bind_open (self, endpoint);
}

static void
pull_close (pull_t *self)
{
    zmq_close (self->socket);
    zmq_ctx_term (self->context);
}

/*  Take a message; returns the number that it has under "n". */
static uint64_t
pull_number (pull_t *self)
{
    uint8_t frame [256];
    int size = zmq_recv (self->socket, frame, sizeof frame, 0);
    muster_reader_t reader;
    muster_value_t value;
    cr_assert_gt (size, 0);
    muster_reader_init (&reader, frame, (size_t) size);
    for (int i = 0; i < 6; i++)     /* [source, cmd, {"n": number}] */
        cr_assert_eq (muster_reader_next (&reader, &value), MUSTER_OK);
    cr_assert_eq (value.type, MUSTER_VALUE_UINT);
    return value.u;
}

static muster_plain_t *
start_plain (const char *endpoint)
{
    muster_plain_t *plain = muster_plain_new (endpoint);
    cr_assert_not_null (plain);
    cr_assert_eq (muster_plain_start (plain), MUSTER_OK, "%s", muster_plain_reason (plain));
    return plain;
}

static muster_error_t
send_number (muster_plain_t *plain, uint64_t number)
{
    return muster_plain_send (plain, "worker-1", "NUMBER", "{s:U}", "n", number);
}

static void
send_numbers (muster_plain_t *plain, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        cr_assert_eq (send_number (plain, i), MUSTER_OK);
}

Test (plain, packs_source_cmd_and_data_into_one_frame)
{
    static const char expected [] = "\x93\xa8worker-1\xa6NUMBER\x81\xa1n\x05";
    pull_t pull;
    pull_bind (&pull, "tcp://127.0.0.1:*");
    muster_plain_t *plain = start_plain (pull.endpoint);
    cr_assert_eq (send_number (plain, 5), MUSTER_OK);
    char frame [64];
    cr_assert_eq (zmq_recv (pull.socket, frame, sizeof frame, 0), (int) sizeof expected - 1);
    cr_assert_arr_eq (frame, expected, sizeof expected - 1);
    cr_assert_eq (muster_plain_close (plain, LONG_MS), MUSTER_OK);
    muster_plain_destroy (&plain);
    cr_assert_null (plain);
    pull_close (&pull);
}

Test (plain, sends_a_packed_map_as_it_is)
{
    static const char expected [] = "\x93\xa1s\xa1" "c\x81\xa1k\xc4\x01\xff";
    pull_t pull;
    pull_bind (&pull, "tcp://127.0.0.1:*");
    muster_plain_t *plain = start_plain (pull.endpoint);
    cr_assert_eq (muster_plain_send_raw (plain, "s", "c", expected + 5, sizeof expected - 6), MUSTER_OK);
    char frame [64];
    cr_assert_eq (zmq_recv (pull.socket, frame, sizeof frame, 0), (int) sizeof expected - 1);
    cr_assert_arr_eq (frame, expected, sizeof expected - 1);
    muster_plain_destroy (&plain);
    pull_close (&pull);
}

/*  A reader whose buffers are small, so that most of the messages are still
    here when close is called. */
#define MANY 100000

static void *
read_many (void *argument)
{
    pull_t *pull = argument;
    for (uint64_t i = 0; i < MANY; i++)
        cr_assert_eq (pull_number (pull), i);
    return NULL;
}

static void
assert_delivers_many (const char *endpoint)
{
    pull_t pull;
    pthread_t reader;
    pull_open (&pull);
    pull_set (&pull, ZMQ_RCVBUF, 4096);
    pull_set (&pull, ZMQ_RCVHWM, 1);
    pull_bind_open (&pull, endpoint);
    muster_plain_t *plain = start_plain (pull.endpoint);
    pthread_create (&reader, NULL, read_many, &pull);
    send_numbers (plain, MANY);
    cr_assert_eq (muster_plain_close (plain, LONG_MS), MUSTER_OK);
    muster_plain_destroy (&plain);
    pthread_join (reader, NULL);
    pull_close (&pull);
}

Test (plain, delivers_a_hundred_thousand_messages_before_close_returns_ok)
{
    assert_delivers_many ("tcp://127.0.0.1:*");
}

/*  ZeroMQ's PULL drops what it has not read when the other side closes, over ipc. */
Test (plain, delivers_a_hundred_thousand_messages_over_ipc)
{
    assert_delivers_many ("ipc://*");
}

Test (plain, says_timeout_while_nobody_reads_what_has_to_be_read_before_the_end)
{
    pull_t pull;
    pull_open (&pull);
    pull_set (&pull, ZMQ_RCVHWM, 1);
    pull_bind_open (&pull, "ipc://*");
    muster_plain_t *plain = start_plain (pull.endpoint);
    send_numbers (plain, 900);
    cr_assert_eq (muster_plain_close (plain, 200), MUSTER_TIMEOUT);
    muster_plain_destroy (&plain);
    pull_close (&pull);
}

Test (plain, delivers_what_was_sent_before_the_listener_was_there)
{
    pull_t pull;
    pull_bind (&pull, "tcp://127.0.0.1:*");
    pull_close (&pull);
    muster_plain_t *plain = start_plain (pull.endpoint);
    send_numbers (plain, 100);
    pull_bind (&pull, pull.endpoint);
    cr_assert_eq (muster_plain_close (plain, LONG_MS), MUSTER_OK);
    for (uint64_t i = 0; i < 100; i++)
        cr_assert_eq (pull_number (&pull), i);
    muster_plain_destroy (&plain);
    pull_close (&pull);
}

Test (plain, wait_for_listener_returns_once_there_is_a_connection)
{
    pull_t pull;
    pull_bind (&pull, "tcp://127.0.0.1:*");
    pull_close (&pull);
    muster_plain_t *plain = start_plain (pull.endpoint);
    cr_assert_eq (muster_plain_wait_for_listener (plain, 0), MUSTER_TIMEOUT);
    pull_bind (&pull, pull.endpoint);
    cr_assert_eq (muster_plain_wait_for_listener (plain, LONG_MS), MUSTER_OK);
    cr_assert_eq (muster_plain_wait_for_listener (plain, 0), MUSTER_OK);
    cr_assert_eq (muster_plain_close (plain, LONG_MS), MUSTER_OK);
    cr_assert_eq (muster_plain_wait_for_listener (plain, LONG_MS), MUSTER_CLOSED);
    cr_assert_eq (muster_plain_wait_for_listener (NULL, 0), MUSTER_INVAL);
    muster_plain_destroy (&plain);
    pull_close (&pull);
}

static void
assert_nobody_there (const char *endpoint)
{
    muster_plain_t *plain = start_plain (endpoint);
    cr_assert_eq (send_number (plain, 1), MUSTER_OK);
    cr_assert_eq (muster_plain_close (plain, 50), MUSTER_TIMEOUT);
    cr_assert_eq (send_number (plain, 1), MUSTER_CLOSED);
    cr_assert_eq (muster_plain_close (plain, 50), MUSTER_OK);
    muster_plain_destroy (&plain);
}

Test (plain, says_timeout_when_nobody_is_there)
{
    pull_t pull;
    pull_bind (&pull, "tcp://127.0.0.1:*");
    pull_close (&pull);
    assert_nobody_there (pull.endpoint);
    assert_nobody_there ("ipc:///tmp/muster-test-nobody");
}

Test (plain, send_waits_for_a_connection_no_longer_than_no_progress)
{
    pull_t pull;
    pull_bind (&pull, "tcp://127.0.0.1:*");
    pull_close (&pull);
    muster_plain_t *plain = muster_plain_new (pull.endpoint);
    muster_plain_set_no_progress (plain, 0.02);
    cr_assert_eq (muster_plain_start (plain), MUSTER_OK);
    muster_error_t error = MUSTER_OK;
    for (int i = 0; i < 100000 && !error; i++)
        error = send_number (plain, 1);
    cr_assert_eq (error, MUSTER_TIMEOUT);
    muster_plain_destroy (&plain);
}

Test (plain, says_lost_when_a_connection_broke_and_another_had_to_be_made)
{
    pull_t pull;
    pull_bind (&pull, "tcp://127.0.0.1:*");
    muster_plain_t *plain = start_plain (pull.endpoint);
    cr_assert_eq (send_number (plain, 1), MUSTER_OK);
    cr_assert_eq (pull_number (&pull), 1);
    pull_close (&pull);
    pull_bind (&pull, pull.endpoint);
    muster_error_t error = MUSTER_OK;
    zmq_pollitem_t item = { .socket = pull.socket, .events = ZMQ_POLLIN };
    while (!error && zmq_poll (&item, 1, 10) == 0)
        error = send_number (plain, 2);
    cr_assert_eq (error, MUSTER_OK);
    cr_assert_eq (muster_plain_close (plain, LONG_MS), MUSTER_LOST);
    muster_plain_destroy (&plain);
    pull_close (&pull);
}

Test (plain, a_listener_that_ends_when_it_has_all_is_no_loss)
{
    pull_t pull;
    pull_bind (&pull, "tcp://127.0.0.1:*");
    muster_plain_t *plain = start_plain (pull.endpoint);
    cr_assert_eq (send_number (plain, 1), MUSTER_OK);
    cr_assert_eq (pull_number (&pull), 1);
    pull_close (&pull);
    cr_assert_eq (muster_plain_close (plain, LONG_MS), MUSTER_OK);
    muster_plain_destroy (&plain);
}

Test (plain, says_lost_when_a_connection_broke_within_a_large_message)
{
    enum { SIZE = 64 * 1024 * 1024 };
    char *zeros = calloc (1, SIZE);
    pull_t pull;
    pull_open (&pull);
    int64_t most = 1000;
    zmq_setsockopt (pull.socket, ZMQ_MAXMSGSIZE, &most, sizeof most);
    pull_bind_open (&pull, "tcp://127.0.0.1:*");
    muster_plain_t *plain = start_plain (pull.endpoint);
    cr_assert_eq (send_number (plain, 1), MUSTER_OK);
    cr_assert_eq (pull_number (&pull), 1);
    cr_assert_eq (muster_plain_send (plain, "s", "c", "{s:y}", "x", zeros, (size_t) SIZE), MUSTER_OK);
    cr_assert_eq (muster_plain_close (plain, LONG_MS), MUSTER_LOST);
    muster_plain_destroy (&plain);
    pull_close (&pull);
    free (zeros);
}

static void
assert_start_refuses (const char *endpoint)
{
    muster_plain_t *plain = muster_plain_new (endpoint);
    cr_assert_eq (muster_plain_start (plain), MUSTER_ENDPOINT, "%s", endpoint);
    cr_assert_not_null (strstr (muster_plain_reason (plain), endpoint), "%s", muster_plain_reason (plain));
    cr_assert_eq (send_number (plain, 1), MUSTER_CLOSED);
    muster_plain_destroy (&plain);
}

Test (plain, start_refuses_an_endpoint_that_nobody_can_connect_to)
{
    assert_start_refuses ("tcp://127.0.0.1:*");
    assert_start_refuses ("udp://127.0.0.1:1");
    assert_start_refuses ("tcp://127.0.0.1");
    assert_start_refuses ("ipc://*");
    assert_start_refuses ("inproc://name");
}

Test (plain, start_refuses_a_time_that_cannot_be)
{
    muster_plain_t *plain = muster_plain_new ("ipc:///tmp/muster-test-nobody");
    muster_plain_set_no_progress (plain, -1);
    cr_assert_eq (muster_plain_start (plain), MUSTER_INVAL);
    muster_plain_destroy (&plain);
}

Test (plain, starts_once)
{
    muster_plain_t *plain = start_plain ("ipc:///tmp/muster-test-nobody");
    cr_assert_eq (muster_plain_start (plain), MUSTER_BUSY);
    muster_plain_destroy (&plain);
}

Test (plain, refuses_what_no_message_may_hold)
{
    char longest [257];
    memset (longest, 's', 256);
    longest [256] = 0;
    muster_plain_t *plain = start_plain ("ipc:///tmp/muster-test-nobody");
    cr_assert_eq (muster_plain_send (plain, "", "c", NULL), MUSTER_INVAL);
    cr_assert_eq (muster_plain_send (plain, longest, "c", NULL), MUSTER_INVAL);
    cr_assert_eq (muster_plain_send (plain, longest + 1, "c", NULL), MUSTER_OK);
    cr_assert_eq (muster_plain_send (plain, "s", "a\nb", NULL), MUSTER_INVAL);
    cr_assert_eq (muster_plain_send (plain, "s", "c", "[]"), MUSTER_INVAL);
    cr_assert_eq (muster_plain_send_raw (plain, "s", "c", "\x90", 1), MUSTER_FORMAT);
    cr_assert_eq (muster_plain_send_raw (plain, "s", "c", "\x80\x80", 2), MUSTER_FORMAT);
    cr_assert_eq (muster_plain_send_raw (plain, "s", "c", NULL, 0), MUSTER_INVAL);
    cr_assert_eq (muster_plain_send (NULL, "s", "c", NULL), MUSTER_INVAL);
    muster_plain_destroy (&plain);
}

Test (plain, is_harmless_where_nothing_was_begun)
{
    muster_plain_t *plain = NULL;
    cr_assert_eq (muster_plain_destroy (&plain), MUSTER_OK);
    cr_assert_null (muster_plain_new (NULL));
    plain = muster_plain_new ("ipc:///tmp/muster-test-nobody");
    cr_assert_eq (muster_plain_close (plain, 0), MUSTER_OK);
    cr_assert_str_eq (muster_plain_reason (plain), "");
    cr_assert_eq (muster_plain_destroy (&plain), MUSTER_OK);
}

Test (plain, belongs_to_the_process_that_made_it)
{
    pull_t pull;
    pull_bind (&pull, "tcp://127.0.0.1:*");
    muster_plain_t *plain = start_plain (pull.endpoint);
    cr_assert_eq (send_number (plain, 1), MUSTER_OK);
    cr_assert_eq (pull_number (&pull), 1);
    fflush (NULL);
    pid_t child = fork ();
    if (child == 0) {
        bool refused = send_number (plain, 2) == MUSTER_FORKED
            && muster_plain_wait_for_listener (plain, -1) == MUSTER_FORKED
            && muster_plain_close (plain, 0) == MUSTER_FORKED
            && muster_plain_destroy (&plain) == MUSTER_FORKED;
        _exit (refused ? 0 : 1);
    }
    int status;
    cr_assert_eq (waitpid (child, &status, 0), child);
    cr_assert_eq (status, 0);
    cr_assert_eq (send_number (plain, 3), MUSTER_OK);
    cr_assert_eq (pull_number (&pull), 3);
    cr_assert_eq (muster_plain_close (plain, LONG_MS), MUSTER_OK);
    muster_plain_destroy (&plain);
    pull_close (&pull);
}

Test (plain, says_so_when_memory_runs_out)
{
    muster_plain_t *plain = NULL;
    size_t nth = 0;
    while (!plain && ++nth < 100) {
        alloc_fail_from (nth);
        plain = muster_plain_new ("ipc:///tmp/muster-test-nobody");
        alloc_fail_from (0);
    }
    cr_assert_gt (nth, 1);
    muster_error_t error = MUSTER_NOMEM;
    for (nth = 1; error && nth < 100; nth++) {
        cr_assert (error == MUSTER_NOMEM || error == MUSTER_RESOURCE);
        alloc_fail_from (nth);
        error = muster_plain_start (plain);
        alloc_fail_from (0);
    }
    cr_assert_eq (error, MUSTER_OK, "%s", muster_plain_reason (plain));
    cr_assert_gt (nth, 2);
    alloc_fail_from (1);
    error = send_number (plain, 1);
    alloc_fail_from (0);
    cr_assert_eq (error, MUSTER_NOMEM);
    cr_assert_eq (send_number (plain, 1), MUSTER_OK);
    muster_plain_destroy (&plain);
}

static muster_plain_t *
new_keyed (void)
{
    muster_plain_t *plain = muster_plain_new ("ipc:///tmp/muster-test-nobody");
    muster_plain_set_key (plain, "worker.key");
    muster_plain_set_server (plain, "listener.pub");
    return plain;
}

/*  Make keys in another process. */
static void
have_keys_generated (void)
{
    int status;
    pid_t child = fork ();
    if (child == 0)
        _exit (muster_keys_generate ("worker", NULL, 0) || muster_keys_generate ("listener", NULL, 0));
    cr_assert (waitpid (child, &status, 0) == child && status == 0);
}

/*  The bytes are ZeroMQ's as long as it has the socket. */
Test (plain, keeps_nothing_of_its_secret, .init = place_enter, .fini = place_leave)
{
    have_keys_generated ();
    secret_t secret = secret_of ("worker.key");
    muster_plain_t *plain = new_keyed ();
    cr_assert_eq (muster_plain_start (plain), MUSTER_OK, "%s", muster_plain_reason (plain));
    cr_expect (secret_bytes_are_in_memory (&secret));
    cr_expect_not (secret_text_is_in_memory (&secret));
    cr_assert_eq (muster_plain_destroy (&plain), MUSTER_OK);
    cr_expect_not (secret_text_is_in_memory (&secret));
}

Test (plain, does_without_no_key_for_lack_of_memory, .init = place_enter, .fini = place_leave)
{
    have_keys_generated ();
    muster_error_t error = MUSTER_NOMEM;
    size_t nth;
    for (nth = 1; error && nth < 100; nth++) {
        muster_plain_t *plain = new_keyed ();
        alloc_fail_from (nth);
        muster_plain_set_key (plain, "worker.key");
        muster_plain_set_server (plain, "listener.pub");
        error = muster_plain_start (plain);
        alloc_fail_from (0);
        cr_expect (!error || error == MUSTER_NOMEM || error == MUSTER_RESOURCE, "%s", muster_error_name (error));
        muster_plain_destroy (&plain);
    }
    cr_assert_eq (error, MUSTER_OK);
    cr_assert_gt (nth, 6);
}
