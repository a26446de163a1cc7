/*  test_pollset.c - what a wait for sockets and descriptors finds

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <zmq.h>

#include "net/pollset.h"

static void *context, *ours, *theirs;
static pollset_t set;

/*  Two sockets of one process: what one sends is at the other's when the call returns. */
static void
begin (void)
{
    context = zmq_ctx_new ();
    ours = zmq_socket (context, ZMQ_PAIR);
    theirs = zmq_socket (context, ZMQ_PAIR);
    cr_assert_eq (zmq_bind (ours, "inproc://pollset"), 0);
    cr_assert_eq (zmq_connect (theirs, "inproc://pollset"), 0);
    pollset_clear (&set);
}

static void
end (void)
{
    zmq_close (ours);
    zmq_close (theirs);
    zmq_ctx_term (context);
}

static void
send_number (void *socket, int number)
{
    cr_assert_eq (zmq_send (socket, &number, sizeof number, 0), sizeof number);
}

static int
receive (void *socket)
{
    int number = -1;
    if (zmq_recv (socket, &number, sizeof number, ZMQ_DONTWAIT) < 0)
        cr_assert_eq (errno, EAGAIN);
    return number;
}

/*  As a send does now and then: whoever looks takes what the descriptor would have told. */
static void
take_edge (void *socket)
{
    int events;
    size_t size = sizeof events;
    cr_assert_eq (zmq_getsockopt (socket, ZMQ_EVENTS, &events, &size), 0);
}

static bool
is_ready_at_once (int number)
{
    pollset_wait (&set, set.count, 0);
    return pollset_is_ready (&set, number);
}

/*  Our socket is in it and nothing waits. */
static void
begin_with_ours (void)
{
    begin ();
    pollset_add_socket (&set, ours);
    cr_assert_not (is_ready_at_once (0));
}

Test (pollset, a_descriptor_is_ready_while_it_is_readable)
{
    int one = eventfd (0, 0), two = eventfd (0, 0);
    uint64_t count = 1;
    pollset_clear (&set);
    pollset_add_descriptor (&set, one);
    pollset_add_descriptor (&set, two);
    cr_assert_not (is_ready_at_once (0));
    cr_assert_not (is_ready_at_once (1));
    cr_assert_eq (write (two, &count, sizeof count), sizeof count);
    for (int i = 0; i < 3; i++) {
        pollset_wait (&set, 2, -1);
        cr_assert_not (pollset_is_ready (&set, 0));
        cr_assert (pollset_is_ready (&set, 1));
    }
    cr_assert_eq (read (two, &count, sizeof count), sizeof count);
    cr_assert_not (is_ready_at_once (1));
    close (one);
    close (two);
}

Test (pollset, a_descriptor_whose_other_end_is_closed_is_ready)
{
    int ends [2];
    cr_assert_eq (pipe (ends), 0);
    pollset_clear (&set);
    pollset_add_descriptor (&set, ends [0]);
    cr_assert_not (is_ready_at_once (0));
    close (ends [1]);
    pollset_wait (&set, 1, -1);
    cr_assert (pollset_is_ready (&set, 0));
    close (ends [0]);
}

Test (pollset, a_bad_descriptor_does_not_hide_the_others)
{
    int good = eventfd (1, 0), closed = eventfd (0, 0);
    close (closed);
    pollset_clear (&set);
    pollset_add_descriptor (&set, -1);
    pollset_add_socket (&set, NULL);
    pollset_add_descriptor (&set, good);
    pollset_wait (&set, 3, -1);
    cr_assert_not (pollset_is_ready (&set, 0));
    cr_assert_not (pollset_is_ready (&set, 1));
    cr_assert (pollset_is_ready (&set, 2));
    pollset_add_descriptor (&set, closed);
    pollset_wait (&set, 4, -1);
    cr_assert (pollset_is_ready (&set, 2));
    cr_assert (pollset_is_ready (&set, 3), "whoever reads learns what is wrong with it");
    close (good);
}

Test (pollset, a_wait_of_no_time_and_one_that_is_over_find_nothing_where_nothing_is, .init = begin_with_ours, .fini = end)
{
    pollset_wait (&set, 1, 0);
    cr_assert_not (pollset_is_ready (&set, 0));
    pollset_wait (&set, 1, 1);
    cr_assert_not (pollset_is_ready (&set, 0));
    pollset_wait (&set, 0, 0);
}

Test (pollset, a_time_longer_than_poll_can_wait_is_for_long_not_over, .init = begin_with_ours, .fini = end)
{
    send_number (theirs, 1);
    pollset_wait (&set, 1, LONG_MAX);
    cr_assert (pollset_is_ready (&set, 0));
    cr_assert_eq (receive (ours), 1);
}

Test (pollset, a_socket_is_ready_when_something_has_come, .init = begin_with_ours, .fini = end)
{
    for (int number = 1; number <= 10; number++) {
        send_number (theirs, number);
        pollset_wait (&set, 1, -1);
        cr_assert (pollset_is_ready (&set, 0));
        cr_assert_eq (receive (ours), number);
        cr_assert_eq (receive (ours), -1);
        cr_assert_not (is_ready_at_once (0));
    }
}

Test (pollset, what_has_come_before_a_socket_is_added_is_found, .init = begin, .fini = end)
{
    send_number (theirs, 1);
    take_edge (ours);
    pollset_add_socket (&set, ours);
    pollset_wait (&set, 1, -1);
    cr_assert (pollset_is_ready (&set, 0));
    cr_assert_eq (receive (ours), 1);
}

Test (pollset, what_a_send_took_notice_of_is_found_once_the_socket_is_called_used, .init = begin_with_ours, .fini = end)
{
    send_number (theirs, 1);
    send_number (ours, 2);
    take_edge (ours);
    cr_assert_not (is_ready_at_once (0), "else this tests nothing");
    pollset_use (&set, 0);
    pollset_wait (&set, 1, -1);
    cr_assert (pollset_is_ready (&set, 0));
    cr_assert_eq (receive (ours), 1);
    cr_assert_eq (receive (theirs), 2);
}

Test (pollset, a_socket_that_was_used_and_has_nothing_is_asked_once, .init = begin_with_ours, .fini = end)
{
    pollset_use (&set, 0);
    cr_assert_not (is_ready_at_once (0));
    send_number (theirs, 1);
    take_edge (ours);
    cr_assert_not (is_ready_at_once (0));
    pollset_use (&set, 0);
    cr_assert (is_ready_at_once (0));
    cr_assert_eq (receive (ours), 1);
}

Test (pollset, what_was_left_in_a_socket_is_found_once_the_socket_is_called_used, .init = begin_with_ours, .fini = end)
{
    for (int number = 1; number <= 5; number++)
        send_number (theirs, number);
    for (int number = 1; number <= 5; number++) {
        pollset_wait (&set, 1, -1);
        cr_assert (pollset_is_ready (&set, 0));
        cr_assert_eq (receive (ours), number);
        pollset_use (&set, 0);
    }
    cr_assert_not (is_ready_at_once (0));
}

Test (pollset, a_ready_socket_does_not_hide_a_ready_descriptor, .init = begin_with_ours, .fini = end)
{
    int descriptor = eventfd (1, 0);
    pollset_add_descriptor (&set, descriptor);
    send_number (theirs, 1);
    take_edge (ours);
    pollset_use (&set, 0);
    pollset_wait (&set, 2, -1);
    cr_assert (pollset_is_ready (&set, 0));
    cr_assert (pollset_is_ready (&set, 1));
    close (descriptor);
}

Test (pollset, those_behind_the_first_are_left_alone_and_found_later, .init = begin, .fini = end)
{
    int descriptor = eventfd (1, 0);
    pollset_add_descriptor (&set, descriptor);
    pollset_add_socket (&set, ours);
    send_number (theirs, 1);
    take_edge (ours);
    for (int i = 0; i < 3; i++) {
        pollset_wait (&set, 1, -1);
        cr_assert (pollset_is_ready (&set, 0));
        cr_assert_not (pollset_is_ready (&set, 1));
    }
    pollset_wait (&set, 2, -1);
    cr_assert (pollset_is_ready (&set, 1), "that it is new is not forgotten");
    close (descriptor);
}

Test (pollset, it_begins_anew_when_it_is_cleared, .init = begin_with_ours, .fini = end)
{
    send_number (theirs, 1);
    take_edge (ours);
    cr_assert_not (is_ready_at_once (0));
    pollset_clear (&set);
    cr_assert_eq (set.count, 0);
    pollset_add_socket (&set, ours);
    cr_assert (is_ready_at_once (0));
}

/*  --------------------------------------------------------------------------
    Two threads */

#define ROUNDS 20000

static void *
echo (void *socket)
{
    pollset_t own;
    int number = 0;
    pollset_clear (&own);
    pollset_add_socket (&own, socket);
    while (number >= 0) {
        pollset_wait (&own, 1, -1);
        while (pollset_is_ready (&own, 0) && zmq_recv (socket, &number, sizeof number, ZMQ_DONTWAIT) > 0 && number >= 0) {
            zmq_send (socket, &number, sizeof number, 0);
            pollset_use (&own, 0);
        }
    }
    return NULL;
}

/*  Receives up to where nothing is, or leaves something and says so, and sends in between. */
Test (pollset, of_two_threads_that_send_and_wait_neither_waits_in_vain, .timeout = 300)
{
    pthread_t thread;
    char endpoint [64];
    size_t size = sizeof endpoint;
    context = zmq_ctx_new ();
    ours = zmq_socket (context, ZMQ_PAIR);
    theirs = zmq_socket (context, ZMQ_PAIR);
    cr_assert_eq (zmq_bind (ours, "tcp://127.0.0.1:*"), 0);
    cr_assert_eq (zmq_getsockopt (ours, ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
    cr_assert_eq (zmq_connect (theirs, endpoint), 0);
    pollset_clear (&set);
    pollset_add_socket (&set, ours);
    cr_assert_eq (pthread_create (&thread, NULL, echo, theirs), 0);
    int sent = 0, received = 0;
    while (received < ROUNDS) {
        while (sent < ROUNDS && sent - received < 1 + received % 4) {
            send_number (ours, sent++);
            pollset_use (&set, 0);
        }
        pollset_wait (&set, 1, -1);
        if (!pollset_is_ready (&set, 0))
            continue;
        int number;
        while ((number = receive (ours)) >= 0) {
            cr_assert_eq (number, received++);
            if (received % 3 == 0) {
                pollset_use (&set, 0);
                break;
            }
        }
    }
    send_number (ours, -1);
    pthread_join (thread, NULL);
    end ();
}
