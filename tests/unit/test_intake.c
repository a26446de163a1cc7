/*  test_intake.c - when a listener's handlers have enough to do

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <string.h>

#include <muster/muster.h>

#include "actor/intake.h"
#include "actor/listener.h"
#include "base/alloc.h"
#include "scene.h"

#define MOST (2 << 20)
#define LEAST (1 << 20)

TestSuite (intake, .init = scene_hush);

/*  One message of so many bytes: ["c", {"b": ...}]. */
static batch_t *
batch_of (size_t size)
{
    static const uint8_t begin [] = { 0x92, 0xa1, 'c', 0x81, 0xa1, 'b', 0xc6 };
    size_t rest = size - sizeof begin - 4;
    uint8_t *bytes = alloc_block (size);
    memset (bytes, 0, size);
    memcpy (bytes, begin, sizeof begin);
    for (int i = 0; i < 4; i++)
        bytes [sizeof begin + i] = (uint8_t) (rest >> (24 - 8 * i));
    batch_t *batch = batch_new_memory (bytes, bytes, size, SCAN_SESSION);
    cr_assert_eq (batch_scan (batch, &(scan_limits_t) { .depth = 8 }, NULL), MUSTER_REFUSAL_NONE);
    return batch;
}

/*  Is a listener that was crowded, or not, crowded with so many bytes that wait? */
static bool
is_crowded (bool before, size_t size)
{
    muster_listener_t *listener = muster_listener_new ("inproc://a");
    batch_t *batch = batch_of (size);
    inbox_put (listener->core.inbox, batch);
    batch_release (&batch);
    credit_crowd (&listener->core.roster.credit, before);
    bool crowded = intake_is_crowded (&listener->core);
    muster_listener_destroy (&listener);
    return crowded;
}

Test (intake, handlers_have_enough_to_do_with_more_than_two_mebibytes)
{
    cr_assert_not (is_crowded (false, MOST));
    cr_assert (is_crowded (false, MOST + 1));
}

Test (intake, handlers_that_had_enough_have_enough_until_one_mebibyte_is_left)
{
    cr_assert (is_crowded (true, LEAST + 1));
    cr_assert_not (is_crowded (true, LEAST));
}

/*  As the actor has told it to whom it grants credit. */
static bool
is_told_crowded (const scene_t *scene)
{
    roster_t *roster = &scene->listener->core.roster;
    roster_lock (roster);
    bool crowded = roster->credit.crowded;
    roster_unlock (roster);
    return crowded;
}

Test (intake, credit_is_told_when_a_handler_lags_and_when_it_has_caught_up)
{
    static const uint8_t data [8192] = { 0x81, 0xa1, 'b', 0xc5, 8186 >> 8, 8186 & 255 };
    scene_t scene = scene_begin ();
    muster_worker_t *worker = scene_worker (&scene, "a");
    collector_block (scene.messages);
    for (int i = 0; i < MOST * 2 / 8192; i++)
        MUST (muster_worker_send_raw (worker, "X", data, sizeof data) == 0);
    AWAIT (is_told_crowded (&scene));
    collector_unblock (scene.messages);
    MUST (muster_worker_flush (worker, PATIENCE_MS) == 0);
    AWAIT (!is_told_crowded (&scene));
    scene_dismiss (worker);
    scene_close (&scene);
}
