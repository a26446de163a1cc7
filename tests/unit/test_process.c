/*  test_process.c - what a fork undoes, and what can be reserved

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
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
