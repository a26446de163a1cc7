/*  test_process.c - what a fork undoes, and what can be reserved

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/process.h"

/*  Fork, and return what the child's check returned. */
static int
in_child (int (*check) (int), int descriptor)
{
    pid_t child = fork ();
    if (child == 0)
        _exit (check (descriptor));
    int status;
    cr_assert_eq (waitpid (child, &status, 0), child);
    cr_assert (WIFEXITED (status));
    return WEXITSTATUS (status);
}

static int
is_open (int descriptor)
{
    struct stat found;
    return fstat (descriptor, &found) == 0;
}

static int
generation (int ignored)
{
    (void) ignored;
    return (int) process_generation ();
}

static int
generation_of_grandchild (int ignored)
{
    return in_child (generation, ignored);
}

Test (process, counts_forks)
{
    int here = generation (0);
    cr_assert_eq (in_child (generation, 0), here + 1);
    cr_assert_eq (in_child (generation_of_grandchild, 0), here + 2);
    cr_assert_eq (generation (0), here);
}

Test (process, closes_in_a_child_what_it_was_told_to)
{
    int ends [2];
    cr_assert_eq (pipe (ends), 0);
    cr_assert_eq (process_close_in_child (ends [0]), 0);
    cr_assert_eq (in_child (is_open, ends [0]), 0);
    cr_assert_eq (in_child (is_open, ends [1]), 1);
    cr_assert (is_open (ends [0]));
}

Test (process, leaves_what_it_was_told_to_forget)
{
    int ends [2];
    cr_assert_eq (pipe (ends), 0);
    cr_assert_eq (process_close_in_child (ends [0]), 0);
    process_forget (ends [0]);
    cr_assert_eq (in_child (is_open, ends [0]), 1);
}

Test (process, leaves_a_number_that_is_another_file_now)
{
    int ends [2], other [2];
    cr_assert_eq (pipe (ends), 0);
    cr_assert_eq (pipe (other), 0);
    cr_assert_eq (process_close_in_child (ends [0]), 0);
    cr_assert_eq (dup2 (other [0], ends [0]), ends [0]);
    cr_assert_eq (in_child (is_open, ends [0]), 1);
}

Test (process, remembers_the_newest_file_of_a_number)
{
    int ends [2], other [2];
    cr_assert_eq (pipe (ends), 0);
    cr_assert_eq (pipe (other), 0);
    cr_assert_eq (process_close_in_child (ends [0]), 0);
    cr_assert_eq (dup2 (other [0], ends [0]), ends [0]);
    cr_assert_eq (process_close_in_child (ends [0]), 0);
    cr_assert_eq (in_child (is_open, ends [0]), 0);
    process_forget (ends [0]);
    cr_assert_eq (in_child (is_open, ends [0]), 1);
}

Test (process, refuses_a_descriptor_that_is_not_open)
{
    cr_assert_eq (process_close_in_child (-1), MUSTER_SYSTEM);
    process_forget (-1);
    process_forget (12345);
}

Test (process, closes_more_descriptors_than_it_had_room_for)
{
    int opened [200];
    for (int i = 0; i < 200; i++) {
        opened [i] = eventfd (0, 0);
        cr_assert_eq (process_close_in_child (opened [i]), 0);
    }
    for (int i = 0; i < 200; i++)
        cr_assert_eq (in_child (is_open, opened [i]), 0);
}

Test (process, says_when_it_cannot_remember)
{
    alloc_fail_from (1);
    cr_assert_eq (process_close_in_child (0), MUSTER_NOMEM);
    cr_assert_null (process_set_new ());
    cr_assert_eq (process_reserve (1, 0), MUSTER_NOMEM);
    cr_assert_eq (process_reserve (0, 1), MUSTER_NOMEM);
    alloc_fail_from (0);
    cr_assert_eq (in_child (is_open, 0), 1);
}

Test (process_set, keeps_owners_apart)
{
    int ends [2];
    cr_assert_eq (pipe (ends), 0);
    process_set_t *late = process_set_new ();
    process_set_t *now = process_set_new ();
    cr_assert_eq (process_set_add (late, ends [0]), 0);
    cr_assert_eq (process_set_add (now, ends [0]), 0);
    process_set_remove (late, ends [0]);
    cr_assert_eq (in_child (is_open, ends [0]), 0);
    process_set_destroy (&now);
    cr_assert_null (now);
    cr_assert_eq (in_child (is_open, ends [0]), 1);
    process_set_destroy (&late);
    process_set_destroy (&late);
}

static int
destroy_set (int descriptor)
{
    process_set_t *set = process_set_new ();
    process_set_add (set, descriptor);
    process_set_destroy (&set);
    return is_open (descriptor);
}

Test (process_set, works_in_a_child)
{
    process_set_t *set = process_set_new ();
    cr_assert_eq (process_set_add (set, 0), 0);
    cr_assert_eq (in_child (destroy_set, 1), 1);
    process_set_destroy (&set);
}

/*  --------------------------------------------------------------------------
    Sets of thousands, added and removed in any order */

#define MANY 3000

static int many [MANY];
static bool to_be_closed [MANY];

static void
shuffle (uint32_t seed)
{
    for (uint32_t i = MANY - 1; i > 0; i--) {
        seed = seed * 1103515245 + 12345;
        uint32_t other = (seed >> 8) % (i + 1);
        int kept = many [i];
        many [i] = many [other];
        many [other] = kept;
    }
}

static void
open_many (void)
{
    struct rlimit limit;
    cr_assert_eq (getrlimit (RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    cr_assert_eq (setrlimit (RLIMIT_NOFILE, &limit), 0);
    for (int i = 0; i < MANY; i++) {
        many [i] = eventfd (0, 0);
        cr_assert_geq (many [i], 0);
    }
}

/*  How many are not as they are to be. */
static int
wrong_ones (int ignored)
{
    (void) ignored;
    int wrong = 0;
    for (int i = 0; i < MANY; i++)
        wrong += is_open (many [i]) == to_be_closed [i];
    return wrong < 255 ? wrong : 255;
}

static void
assert_as_they_are_to_be (void)
{
    cr_assert_eq (in_child (wrong_ones, 0), 0);
    for (int i = 0; i < MANY; i++)
        cr_assert (is_open (many [i]));
}

static void
leave_all (void)
{
    for (int i = 0; i < MANY; i++)
        to_be_closed [i] = false;
}

Test (process_set, a_child_closes_what_is_left_of_thousands)
{
    process_set_t *set = process_set_new ();
    open_many ();
    for (uint32_t round = 1; round <= 3; round++) {
        shuffle (round);
        for (int i = 0; i < MANY; i++)
            cr_assert_eq (process_set_add (set, many [i]), 0);
        shuffle (round + 100);
        for (int i = 0; i < MANY; i++) {
            to_be_closed [i] = i % (int) (round + 1) == 0;
            if (!to_be_closed [i])
                process_set_remove (set, many [i]);
        }
        assert_as_they_are_to_be ();
    }
    shuffle (1000);
    for (int i = 0; i < MANY; i++)
        process_set_remove (set, many [i]);
    leave_all ();
    assert_as_they_are_to_be ();
    process_set_destroy (&set);
}

Test (process_set, what_is_added_or_removed_twice_is_there_once_or_not)
{
    process_set_t *set = process_set_new ();
    open_many ();
    for (int i = 0; i < MANY; i++)
        for (int times = 0; times < 2; times++)
            cr_assert_eq (process_set_add (set, many [i]), 0);
    for (int i = 0; i < MANY; i++) {
        to_be_closed [i] = i % 3 > 0;
        for (int times = 0; times < 2 && !to_be_closed [i]; times++)
            process_set_remove (set, many [i]);
    }
    assert_as_they_are_to_be ();
    process_set_destroy (&set);
    leave_all ();
    assert_as_they_are_to_be ();
}

Test (process_set, thousands_of_several_owners_are_kept_apart)
{
    process_set_t *sets [3] = { process_set_new (), process_set_new (), process_set_new () };
    open_many ();
    for (int i = 0; i < MANY; i++)
        for (int owner = 0; owner < 3; owner++)
            if (i % 3 == owner || i % 5 == 0)
                cr_assert_eq (process_set_add (sets [owner], many [i]), 0);
    process_set_destroy (&sets [0]);
    for (int i = 0; i < MANY; i++) {
        process_set_remove (sets [1], many [i]);
        to_be_closed [i] = i % 3 == 2 || i % 5 == 0;
    }
    assert_as_they_are_to_be ();
    process_set_destroy (&sets [2]);
    leave_all ();
    assert_as_they_are_to_be ();
    process_set_destroy (&sets [1]);
}

Test (process_set, numbers_that_are_closed_and_used_again_are_left_alone)
{
    process_set_t *set = process_set_new ();
    open_many ();
    for (int i = 0; i < MANY; i++)
        cr_assert_eq (process_set_add (set, many [i]), 0);
    int ends [2];
    cr_assert_eq (pipe (ends), 0);
    for (int i = 0; i < MANY; i++) {
        to_be_closed [i] = i % 2;
        if (!to_be_closed [i])
            cr_assert_eq (dup2 (ends [0], many [i]), many [i]);
    }
    cr_assert_eq (in_child (wrong_ones, 0), 0);
    process_set_destroy (&set);
}

Test (process_set, says_when_it_cannot_remember_and_keeps_the_others)
{
    process_set_t *set = process_set_new ();
    open_many ();
    leave_all ();
    int refused = 0;
    for (int i = 0; i < MANY; i++) {
        alloc_fail_from ((size_t) i % 7);
        muster_error_t error = process_set_add (set, many [i]);
        alloc_fail_from (0);
        cr_assert (!error || error == MUSTER_NOMEM);
        to_be_closed [i] = !error;
        refused += !!error;
    }
    cr_assert_gt (refused, MANY / 7 - 1);
    assert_as_they_are_to_be ();
    for (int i = 0; i < MANY; i++)
        if (!to_be_closed [i])
            cr_assert_eq (process_set_add (set, many [i]), 0);
    memset (to_be_closed, true, sizeof to_be_closed);
    assert_as_they_are_to_be ();
    process_set_destroy (&set);
}

static int
count_open (void)
{
    int count = 0;
    for (int i = 0; i < 1024; i++)
        count += is_open (i);
    return count;
}

Test (reserve, leaves_nothing_behind)
{
    int before = count_open ();
    cr_assert_eq (process_reserve (16, 4), 0);
    cr_assert_eq (process_reserve (0, 0), 0);
    cr_assert_eq (count_open (), before);
}

Test (reserve, says_when_descriptors_are_too_few)
{
    struct rlimit limit;
    cr_assert_eq (getrlimit (RLIMIT_NOFILE, &limit), 0);
    int next = eventfd (0, 0);
    struct rlimit few = { (rlim_t) next + 8, limit.rlim_max };
    cr_assert_eq (setrlimit (RLIMIT_NOFILE, &few), 0);
    int before = count_open ();
    cr_assert_eq (process_reserve (4, 0), 0);
    cr_assert_eq (process_reserve (16, 0), MUSTER_RESOURCE);
    cr_assert_eq (count_open (), before);
    setrlimit (RLIMIT_NOFILE, &limit);
}
