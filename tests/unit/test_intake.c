/*  test_intake.c - when a listener's handlers have enough to do, and what it keeps meanwhile

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <string.h>

#include <muster/muster.h>
#include <zmq.h>

#include "actor/intake.h"
#include "actor/listener.h"
#include "base/alloc.h"
#include "raw.h"
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

/*  --------------------------------------------------------------------------
    Frames that need no credit */

#define FRAMES 1000

typedef struct {
    size_t batches;             /* in its backlog */
    uint64_t handled;
} kept_t;

/*  The actor has the lock while it takes and settles. */
static kept_t
kept_of (const scene_t *scene, raw_peer_t worker)
{
    roster_t *roster = &scene->listener->core.roster;
    kept_t kept = { 0 };
    session_id_t id;
    memcpy (id.bytes, worker.session, sizeof id.bytes);
    roster_lock (roster);
    const peer_t *peer = roster_find (roster, &id);
    for (const batch_t *batch = peer->backlog.first; batch; batch = batch->backlog_next)
        kept.batches++;
    kept.handled = peer->session.in.handled.messages;
    roster_unlock (roster);
    return kept;
}

static void
put (raw_socket_t *socket, raw_t frame)
{
    raw_send (socket, frame.bytes, frame.size);
}

/*  While its first message is with a handler. */
static void
expect_little_is_kept (raw_t (*refused) (raw_peer_t worker, uint64_t position), muster_refusal_t reason)
{
    scene_t scene = scene_begin ();
    raw_peer_t worker = raw_peer (1);
    raw_t message = raw_message ("C", 1);
    raw_socket_t dealer = raw_connect (ZMQ_DEALER, raw_return_endpoint (scene_endpoint (&scene)));
    raw_socket_t push = raw_connect (ZMQ_PUSH, scene_endpoint (&scene));
    collector_block (scene.messages);
    put (&dealer, raw_hello (worker, "a"));
    raw_await (&dealer, RAW_WELCOME);
    put (&push, raw_data (worker, 1, 1, &message));
    MUST (collector_wait (scene.messages, 1));
    for (uint64_t position = 2; position <= FRAMES + 1; position++)
        put (&push, refused (worker, position));
    AWAIT (scene_stats (&scene).refused [reason] == FRAMES);
    kept_t kept = kept_of (&scene, worker);
    cr_expect_eq (kept.batches, 2, "%zu", kept.batches);
    cr_expect_eq (kept.handled, 0);
    collector_unblock (scene.messages);
    AWAIT (kept_of (&scene, worker).handled == FRAMES + 1);
    raw_close (&push);
    raw_close (&dealer);
    scene_close (&scene);
}

static raw_t
withdrawn (raw_peer_t worker, uint64_t position)
{
    return raw_chunk (worker, position, 0, 0, &(raw_t) { .size = 0 });
}

Test (intake, messages_without_end_that_are_withdrawn_take_the_memory_of_one)
{
    expect_little_is_kept (withdrawn, MUSTER_REFUSAL_SIZE);
}

static raw_t
one_bad_byte (raw_peer_t worker, uint64_t position)
{
    return raw_data (worker, position, 1, &(raw_t) { .bytes = { 0xc1 }, .size = 1 });
}

Test (intake, frames_of_a_byte_that_are_refused_take_the_memory_of_one)
{
    expect_little_is_kept (one_bad_byte, MUSTER_REFUSAL_RESERVED);
}
