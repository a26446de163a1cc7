/*  test_alloc.c - memory, and letting it run out

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include <muster/muster.h>

#include "base/alloc.h"

Test (alloc, clears_memory_when_asked)
{
    uint8_t *memory = alloc_zero (100);
    for (int i = 0; i < 100; i++)
        cr_assert_eq (memory [i], 0);
    alloc_free (memory);
}

Test (alloc, keeps_the_bytes_when_it_resizes)
{
    char *memory = alloc_new (4);
    memcpy (memory, "abc", 4);
    memory = alloc_resize (memory, 10000);
    cr_assert_str_eq (memory, "abc");
    alloc_free (memory);
}

Test (alloc, gives_memory_for_no_bytes)
{
    void *memory = alloc_new (0);
    cr_assert_not_null (memory);
    memory = alloc_resize (memory, 0);
    cr_assert_not_null (memory);
    alloc_free (memory);
    memory = alloc_zero (0);
    cr_assert_not_null (memory);
    alloc_free (memory);
}

Test (alloc, copies_text)
{
    char text [] = "text";
    char *copy = alloc_text (text);
    text [0] = 'n';
    cr_assert_str_eq (copy, "text");
    alloc_free (copy);
}

Test (alloc, copies_no_text_as_null)
{
    cr_assert_null (alloc_text (NULL));
    alloc_free (NULL);
}

Test (alloc, fails_from_the_nth_on_until_told_otherwise)
{
    alloc_fail_from (3);
    void *first = alloc_new (1);
    void *second = alloc_zero (1);
    cr_assert_not_null (first);
    cr_assert_not_null (second);
    cr_assert_null (alloc_new (1));
    cr_assert_null (alloc_zero (1));
    cr_assert_null (alloc_text ("text"));
    cr_assert_null (alloc_resize (first, 2));
    alloc_fail_from (0);
    first = alloc_resize (first, 2);
    cr_assert_not_null (first);
    alloc_free (first);
    alloc_free (second);
}

static void *
allocate (void *arg)
{
    (void) arg;
    void *memory = alloc_new (1);
    alloc_free (memory);
    return memory ? (void *) 1 : NULL;
}

Test (alloc, fails_in_the_asking_thread_alone)
{
    pthread_t thread;
    void *worked;
    alloc_fail_from (1);
    pthread_create (&thread, NULL, allocate, NULL);
    pthread_join (thread, &worked);
    cr_assert_not_null (worked);
    cr_assert_null (alloc_new (1));
    alloc_fail_from (0);
}

Test (alloc, a_block_of_any_size_is_aligned_can_be_filled_and_is_given_back)
{
    for (size_t size = 0; size < (size_t) 4 << 20; size = size * 3 + 1) {
        uint8_t *block = alloc_block (size);
        cr_assert_not_null (block);
        cr_assert_eq ((uintptr_t) block % _Alignof (max_align_t), 0);
        memset (block, 7, size);
        alloc_block_free (block);
    }
    alloc_block_free (NULL);
}

Test (alloc, a_block_has_the_byte_aligned_that_it_was_asked_for)
{
    static const size_t sizes [] = { 100, 300000, 5000000 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t offset = 0; offset < 100; offset += 3) {
            uint8_t *block = alloc_block_aligned (sizes [i], offset);
            cr_assert_not_null (block);
            cr_assert_eq ((uintptr_t) (block + offset) % BLOCK_ALIGNMENT, 0);
            memset (block, 7, sizes [i]);
            alloc_block_free (block);
        }
}

Test (alloc, a_block_larger_than_all_memory_is_refused)
{
    cr_assert_null (alloc_block (SIZE_MAX));
    cr_assert_null (alloc_block (SIZE_MAX / 2));
    alloc_fail_from (1);
    cr_assert_null (alloc_block (10));
    cr_assert_null (alloc_block_aligned (10, 1));
    alloc_fail_from (0);
}

/*  A key that was given and lost must not let everybody in. */
Test (alloc, an_option_that_there_was_no_memory_for_is_not_taken_for_unset)
{
    muster_listener_t *listener = muster_listener_new ("inproc://x");
    alloc_fail_from (1);
    muster_listener_set_key (listener, "a.key");
    muster_listener_set_allow (listener, "allow");
    alloc_fail_from (0);
    cr_assert_eq (muster_listener_start (listener), MUSTER_NOMEM);
    cr_assert_eq (muster_listener_destroy (&listener), 0);
    muster_worker_t *worker = muster_worker_new ("inproc://x", NULL);
    alloc_fail_from (1);
    muster_worker_set_key (worker, "a.key");
    muster_worker_set_server (worker, "b.pub");
    alloc_fail_from (0);
    cr_assert_eq (muster_worker_start (worker), MUSTER_NOMEM);
    cr_assert_eq (muster_worker_destroy (&worker), 0);
}
