/*  test_spare.c - memory of large messages that waits to be used again

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <sys/mman.h>

#include "base/spare.h"

#define SIZE ((size_t) 8 << 20)

static void *
map (size_t size)
{
    void *memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq (memory, MAP_FAILED);
    return memory;
}

/*  msync says ENOMEM of what is not mapped. */
static bool
is_mapped (void *memory, size_t size)
{
    return msync (memory, size, MS_ASYNC) == 0;
}

Test (spare, is_used_again, .init = spare_open, .fini = spare_close)
{
    void *memory = map (SIZE);
    cr_assert (spare_keep (memory, SIZE));
    size_t size = SIZE;
    cr_assert_eq (spare_take (&size), memory);
    cr_assert_eq (size, SIZE);
    cr_assert_null (spare_take (&size), "it is taken once");
    munmap (memory, SIZE);
}

Test (spare, serves_what_is_not_much_smaller, .init = spare_open, .fini = spare_close)
{
    void *memory = map (SIZE);
    cr_assert (spare_keep (memory, SIZE));
    size_t larger = SIZE + 1, small = SIZE / 2, little = SIZE - 4096;
    cr_assert_null (spare_take (&larger));
    cr_assert_null (spare_take (&small));
    cr_assert_eq (spare_take (&little), memory);
    cr_assert_eq (little, SIZE, "and says what it has");
    munmap (memory, SIZE);
}

Test (spare, is_unmapped_a_second_after_an_actor_has_seen_it, .init = spare_open, .fini = spare_close)
{
    void *memory = map (SIZE);
    cr_assert (spare_keep (memory, SIZE));
    int sleep_ms = spare_age (10000);
    spare_age (10999);
    cr_assert (is_mapped (memory, SIZE));
    spare_age (11000);
    cr_assert_not (is_mapped (memory, SIZE));
    cr_assert_gt (spare_age (11000), sleep_ms, "with nothing kept an actor may sleep longer");
}

Test (spare, is_not_kept_where_nobody_sees_to_its_end)
{
    void *memory = map (SIZE);
    cr_assert_not (spare_keep (memory, SIZE));
    munmap (memory, SIZE);
}

Test (spare, goes_with_the_last_user)
{
    spare_open ();
    spare_open ();
    void *memory = map (SIZE);
    cr_assert (spare_keep (memory, SIZE));
    spare_close ();
    cr_assert (is_mapped (memory, SIZE));
    spare_close ();
    cr_assert_not (is_mapped (memory, SIZE));
}

Test (spare, has_few_places, .init = spare_open, .fini = spare_close)
{
    void *memory [3] = { map (SIZE), map (SIZE), map (SIZE) };
    cr_assert (spare_keep (memory [0], SIZE));
    cr_assert (spare_keep (memory [1], SIZE));
    cr_assert_not (spare_keep (memory [2], SIZE));
    munmap (memory [2], SIZE);
}

Test (spare, is_dropped_in_a_forked_child, .init = spare_open, .fini = spare_close)
{
    void *memory = map (SIZE), *other = map (SIZE);
    cr_assert (spare_keep (memory, SIZE));
    spare_forget ();
    cr_assert_not (is_mapped (memory, SIZE));
    cr_assert_not (spare_keep (other, SIZE));
    spare_open ();
    munmap (other, SIZE);
}
