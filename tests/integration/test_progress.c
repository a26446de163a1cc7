/*  test_progress.c - how far a large message has come, as a host is told

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <muster/muster.h>

#include "collector.h"
#include "scene.h"

#define MIB (1024 * 1024)

/*  Written by the actor; read by a test once what it waited for has happened. */
typedef struct {
    char source [40];
    unsigned calls;
    atomic_uint complete;       /* calls that said all of it; what came before it is seen with it */
    unsigned wrong;             /* that went back, or were beyond the size */
    uint64_t position, sent, size;
} told_t;

static void
note (const char *source, uint64_t position, uint64_t sent, uint64_t size, void *arg)
{
    told_t *told = arg;
    snprintf (told->source, sizeof told->source, "%s", source);
    if (sent > size || (position == told->position && sent <= told->sent) || position < told->position)
        told->wrong++;
    told->calls++;
    told->position = position;
    told->sent = sent;
    told->size = size;
    told->complete += sent == size;
}

/*  {"b": size bytes}; the caller owns it. */
static muster_writer_t *
large (size_t size)
{
    void *bytes = calloc (1, size);
    muster_writer_t *writer = muster_writer_new ();
    MUST (bytes && writer);
    muster_writer_map (writer, 1);
    muster_writer_str (writer, "b", 1);
    muster_writer_bin (writer, bytes, size);
    free (bytes);
    return writer;
}

static void
send_large (muster_worker_t *worker, size_t size)
{
    muster_writer_t *data = large (size);
    cr_assert_eq (muster_worker_send_writer (worker, "LARGE", data), 0);
    muster_writer_destroy (&data);
}

static muster_worker_t *
watched_worker (const scene_t *scene, told_t *told)
{
    muster_worker_t *worker = scene_new_worker (scene, "a");
    muster_worker_set_progress (worker, note, told);
    scene_start_worker (worker);
    return worker;
}

Test (progress, a_worker_is_told_of_its_large_message_to_the_last_byte_before_flush_returns)
{
    told_t told = { .calls = 0 };
    scene_t scene = scene_begin ();
    muster_worker_t *worker = watched_worker (&scene, &told);
    cr_assert_eq (muster_worker_send (worker, "SMALL", NULL), 0);
    send_large (worker, 40 * MIB);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert_str_eq (told.source, "a");
    cr_assert_eq (told.position, 2);
    cr_assert_eq (told.sent, told.size);
    cr_assert_geq (told.size, 40 * MIB);
    cr_assert_leq (told.size, 40 * MIB + 100);
    cr_assert_eq (told.complete, 1);
    cr_assert_eq (told.wrong, 0);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (progress, each_of_many_large_messages_has_its_last_call)
{
    told_t told = { .calls = 0 };
    scene_t scene = scene_begin ();
    muster_worker_t *worker = watched_worker (&scene, &told);
    for (int i = 0; i < 20; i++)
        send_large (worker, 3 * MIB / 2);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    cr_assert_eq (told.complete, 20);
    cr_assert_eq (told.position, 20);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (progress, a_worker_is_not_told_of_messages_of_a_mebibyte_or_of_any_when_nobody_is_to_be_told)
{
    told_t told = { .calls = 0 };
    scene_t scene = scene_begin ();
    muster_worker_t *worker = watched_worker (&scene, &told);
    send_large (worker, MIB - 100);
    scene_dismiss (worker);
    worker = scene_new_worker (&scene, "b");
    muster_worker_set_progress (worker, note, &told);
    muster_worker_set_progress (worker, NULL, NULL);
    scene_start_worker (worker);
    send_large (worker, 4 * MIB);
    scene_dismiss (worker);
    cr_assert_eq (told.calls, 0);
    scene_close (&scene);
}

Test (progress, a_listener_is_told_of_its_large_command)
{
    told_t told = { .calls = 0 };
    scene_t scene = scene_open ("tcp://127.0.0.1:*");
    muster_listener_set_progress (scene.listener, note, &told);
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 1, PATIENCE_MS), 0);
    muster_writer_t *data = large (20 * MIB);
    cr_assert_eq (muster_listener_send_writer (scene.listener, "a", "LARGE", data), 0);
    muster_message_t *command = scene_recv (worker);
    cr_assert_str_eq (muster_message_cmd (command), "LARGE");
    cr_assert_eq (muster_message_position (command), 1);
    muster_message_done (&command, 0);
    AWAIT (told.complete == 1);
    cr_assert_eq (muster_worker_close (worker, NULL), 0);
    cr_assert_eq (muster_listener_stop (scene.listener, NULL), 0);
    cr_assert_str_eq (told.source, "a");
    cr_assert_eq (told.position, 1);
    cr_assert_eq (told.sent, told.size);
    cr_assert_eq (told.wrong, 0);
    muster_writer_destroy (&data);
    muster_worker_destroy (&worker);
    scene_close (&scene);
}
