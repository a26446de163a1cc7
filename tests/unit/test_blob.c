/*  test_blob.c - bytes that several owners share

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "base/alloc.h"
#include "model/blob.h"

static const size_t rooms [] = { 0, 1, 4096, 5 << 20 };

Test (blob, is_ours_while_nobody_else_owns_it)
{
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        blob_t *blob = blob_new (rooms [i]);
        cr_assert_eq (blob->room, rooms [i]);
        memset (blob->bytes, 1, rooms [i]);
        cr_assert (blob_is_ours (blob));
        blob_t *other = blob_share (blob);
        cr_assert_eq (other, blob);
        cr_assert_not (blob_is_ours (blob));
        blob_release (&other);
        cr_assert_null (other);
        cr_assert (blob_is_ours (blob));
        other = blob_share (blob);
        blob_release (&blob);
        cr_assert (blob_is_ours (other));
        blob_release (&other);
        blob_release (&other);
    }
}

static void *
read_and_release (void *argument)
{
    blob_t *blob = argument;
    size_t sum = 0;
    for (size_t i = 0; i < blob->room; i++)
        sum += blob->bytes [i];
    bool right = sum == blob->room;
    blob_release (&blob);
    return right ? NULL : argument;
}

Test (blob, once_it_is_ours_nobody_reads_it_any_more)
{
    blob_t *blob = blob_new (1000);
    for (int round = 0; round < 200; round++) {
        pthread_t thread;
        void *wrong;
        memset (blob->bytes, 1, blob->room);
        cr_assert_eq (pthread_create (&thread, NULL, read_and_release, blob_share (blob)), 0);
        while (!blob_is_ours (blob))
            sched_yield ();
        memset (blob->bytes, 2, blob->room);
        pthread_join (thread, &wrong);
        cr_assert_null (wrong);
    }
    blob_release (&blob);
}

Test (blob, says_when_there_is_no_memory)
{
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        alloc_fail_from (1);
        cr_assert_null (blob_new (rooms [i]));
        alloc_fail_from (0);
    }
}
