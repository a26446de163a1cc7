/*  test_pace.c - who sends faster than the connection takes is held up

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Most of it has a worker that is not started: where it stands the test says, and nobody moves it.
*/
#include <criterion/criterion.h>

#include <pthread.h>
#include <stdatomic.h>

#include <muster/muster.h>

#include "actor/worker.h"
#include "scene.h"

/*  What docs/delivery.md promises, and the few frames until which who waits is kept. */
#define MOST (4 << 20)
#define FEW (1 << 20)
#define LET_IN (128 << 10)

static muster_worker_t *worker;
static worker_core_t *core;

/*  It is in line for credit: what waits will go out. */
static void
begin (void)
{
    worker = muster_worker_new ("inproc://nobody", "a");
    core = &worker->core;
    core->session.state = SESSION_OPEN;
    core->session.out.wanted = core->session.out.credit + 1;
}

static void
end (void)
{
    cr_assert_eq (core->paced, 0);
    core->session.state = SESSION_ABSENT;
    muster_worker_destroy (&worker);
}

TestSuite (pace, .init = begin, .fini = end);

static void
accept_bytes (uint64_t bytes)
{
    core->session.out.box.accepted.bytes += bytes;
}

/*  Who waits and is not called waits to the end, and leaves word from where on to wait again. */
static bool
is_held_up (void)
{
    uint64_t before = core->pace_from;
    pthread_mutex_lock (&core->lock);
    worker_pace (core);
    pthread_mutex_unlock (&core->lock);
    return core->pace_from != before;
}

Test (pace, who_sends_waits_once_four_mebibytes_wait_and_not_before)
{
    accept_bytes (MOST - 1);
    cr_assert_not (is_held_up ());
    accept_bytes (1);
    cr_assert (is_held_up ());
}

Test (pace, what_was_sent_waits_no_more)
{
    accept_bytes (3 * MOST);
    core->session.out.box.sent.bytes = 2 * MOST + 1;
    cr_assert_not (is_held_up ());
}

Test (pace, who_waited_in_vain_waits_again_when_another_batch_was_let_in)
{
    accept_bytes (MOST);
    cr_assert (is_held_up ());
    accept_bytes (LET_IN - 1);
    cr_assert_not (is_held_up ());
    accept_bytes (1);
    cr_assert (is_held_up ());
}

Test (pace, nobody_waits_where_nothing_goes_out)
{
    accept_bytes (MOST);
    core->session.out.wanted = core->session.out.credit;
    cr_assert_not (is_held_up ());
    core->session.out.wanted++;
    core->session.state = SESSION_GREETING;
    cr_assert_not (is_held_up ());
}

Test (pace, who_sends_waits_for_frames_that_are_under_way)
{
    accept_bytes (MOST);
    core->session.out.wanted = core->session.out.credit;
    atomic_store (&core->flight->frames, 1);
    cr_assert (is_held_up ());
    atomic_store (&core->flight->frames, 0);
}

/*  All but so many bytes are sent. */
static void *
send_until (void *left)
{
    outbox_t *box = &core->session.out.box;
    pthread_mutex_lock (&core->lock);
    box->sent.bytes = box->accepted.bytes - *(uint64_t *) left;
    worker_pump (core);
    pthread_mutex_unlock (&core->lock);
    return NULL;
}

/*  Is who waits called when so many bytes are left? The other thread has the lock once who
    waits has given it up. */
static bool
is_called_with (uint64_t left)
{
    pthread_t sender;
    core->pace_from = 0;
    accept_bytes (MOST);
    pthread_mutex_lock (&core->lock);
    cr_assert_eq (pthread_create (&sender, NULL, send_until, &left), 0);
    worker_pace (core);
    bool called = core->pace_from == 0;
    pthread_mutex_unlock (&core->lock);
    pthread_join (sender, NULL);
    return called;
}

/*  A busy machine may be later than who waits has patience for: then another one waits. */
Test (pace, who_waits_is_called_when_few_frames_are_left_and_no_sooner)
{
    cr_assert_not (is_called_with (FEW + 1));
    AWAIT (is_called_with (FEW));
}

/*  --------------------------------------------------------------------------
    A worker at work, whose listener's handler stands still */

#define SIZE 8192
#define COUNT(bytes) ((bytes) / SIZE)

static uint64_t
paced_from (muster_worker_t *self)
{
    pthread_mutex_lock (&self->core.lock);
    uint64_t from = self->core.pace_from;
    pthread_mutex_unlock (&self->core.lock);
    return from;
}

Test (pace_at_work, a_send_is_held_up_and_one_that_never_waits_is_not, .init = scene_hush)
{
    static const uint8_t data [SIZE] = { 0x81, 0xa1, 'b', 0xc5, (SIZE - 6) >> 8, (SIZE - 6) & 255 };
    scene_t scene = scene_begin ();
    muster_worker_t *sender = scene_worker (&scene, "a");
    MUST (muster_worker_send (sender, "FIRST", NULL) == 0);
    MUST (muster_worker_flush (sender, PATIENCE_MS) == 0);
    collector_block (scene.messages);
    for (int i = 0; i < COUNT (3 * MOST); i++)
        MUST (muster_worker_send_raw (sender, "X", data, SIZE) == 0);
    uint64_t from = paced_from (sender);
    cr_assert_gt (from, 0);
    for (int i = 0; i < COUNT (2 * LET_IN); i++)
        AWAIT (muster_worker_try_send_raw (sender, "X", data, SIZE) == 0);
    cr_assert_eq (paced_from (sender), from);
    collector_unblock (scene.messages);
    scene_dismiss (sender);
    cr_assert_eq (collector_count (scene.messages), 1 + COUNT (3 * MOST) + COUNT (2 * LET_IN));
    scene_close (&scene);
}
