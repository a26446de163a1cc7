/*  test_try_send.c - a send that never waits, while another thread is at work in the worker

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <muster/worker.h>

#include "actor/worker.h"

static void
check_data (const void *data, size_t size)
{
    muster_worker_t *worker = muster_worker_new ("inproc://nobody", "a");
    cr_assert_eq (muster_worker_start (worker), 0);
    pthread_mutex_lock (&worker->core.lock);
    cr_assert_eq (muster_worker_try_send_raw (worker, "X", data, size), MUSTER_AGAIN);
    cr_assert_eq (worker->core.session.out.box.accepted.messages, 0);
    pthread_mutex_unlock (&worker->core.lock);
    muster_worker_destroy (&worker);
}

Test (try_send, does_not_wait_for_the_lock_with_a_small_message)
{
    check_data ("\x80", 1);
}

Test (try_send, does_not_wait_for_the_lock_with_a_large_message)
{
    static uint8_t data [100000] = { 0x81, 0xa1, 'b', 0xc6, 0x00, 0x01, 0x86, 0x98 };
    check_data (data, sizeof data);
}
