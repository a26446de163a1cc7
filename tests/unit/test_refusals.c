/*  test_refusals.c - who was not let in lately, summed up for each address

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "model/refusals.h"

static refusals_t refusals;

static void
setup (void)
{
    refusals = (refusals_t) { .count = 0 };
}

static void
teardown (void)
{
    refusals_clear (&refusals);
}

TestSuite (refusals, .init = setup, .fini = teardown);

static void
note (const char *address, const char *reason, int64_t now)
{
    refusals_note (&refusals, address, "w", reason, 1, now);
}

static uint64_t
told (int64_t now, const char *address, const char *reason)
{
    refusal_note_t one;
    if (!refusals_next (&refusals, now, &one))
        return 0;
    cr_assert_str_eq (one.address, address);
    cr_assert_str_eq (one.reason, reason);
    cr_assert_str_eq (one.source, "w");
    return one.count;
}

Test (refusals, the_first_of_an_address_is_told_at_once)
{
    note ("10.0.0.1", "unknown", 5000);
    cr_assert_eq (refusals_deadline (&refusals), 5000);
    cr_assert_eq (told (5000, "10.0.0.1", "unknown"), 1);
    cr_assert_eq (told (5000, "", ""), 0);
}

Test (refusals, those_that_follow_are_told_together_a_second_later_without_another_coming)
{
    note ("a", "first", 0);
    told (0, "a", "first");
    note ("a", "second", 10);
    note ("a", "third", 20);
    cr_assert_eq (told (999, "", ""), 0);
    cr_assert_eq (refusals_deadline (&refusals), 1000);
    cr_assert_eq (told (1000, "a", "second"), 2);
}

Test (refusals, addresses_do_not_wait_for_each_other)
{
    note ("a", "x", 0);
    told (0, "a", "x");
    note ("b", "y", 1);
    cr_assert_eq (told (1, "b", "y"), 1);
}

Test (refusals, an_address_that_is_quiet_for_a_second_is_forgotten)
{
    note ("a", "x", 0);
    told (0, "a", "x");
    cr_assert_eq (told (1000, "", ""), 0);
    cr_assert_eq (refusals_deadline (&refusals), INT64_MAX);
    cr_assert_eq (refusals.count, 0);
}

Test (refusals, addresses_beyond_a_hundred_are_summed_up_under_none)
{
    char address [32];
    for (int i = 0; i < REFUSALS_ADDRESSES; i++) {
        snprintf (address, sizeof address, "10.0.0.%d", i);
        note (address, "x", 0);
        cr_assert_eq (told (0, address, "x"), 1);
    }
    for (int i = 0; i < 50; i++) {
        snprintf (address, sizeof address, "10.0.1.%d", i);
        note (address, "many", 1);
    }
    cr_assert_eq (told (1, "", "many"), 50);
    cr_assert_eq (refusals.count, REFUSALS_ADDRESSES + 1);
}

Test (refusals, many_at_once_are_counted_as_many)
{
    refusals_note (&refusals, "a", "w", "x", 7, 0);
    cr_assert_eq (told (0, "a", "x"), 7);
}

Test (refusals, texts_that_are_missing_are_empty_and_long_ones_cut)
{
    char text [600];
    memset (text, 'r', sizeof text - 1);
    text [sizeof text - 1] = 0;
    refusal_note_t one;
    refusals_note (&refusals, NULL, NULL, text, 1, 0);
    cr_assert (refusals_next (&refusals, 0, &one));
    cr_assert_str_empty (one.address);
    cr_assert_str_empty (one.source);
    cr_assert_eq (strlen (one.reason), MUSTER_NAME_MAX);
}

/*  A worker that is refused makes two connections; one of them may be gone before it is
    known whose they are. */
static void
note_source (const char *source, const char *reason, int64_t now)
{
    refusals_note (&refusals, "a", source, reason, 1, now);
}

static refusal_note_t
told_of_a (int64_t now)
{
    refusal_note_t one = { .count = 0 };
    cr_assert (refusals_next (&refusals, now, &one));
    cr_assert_str_eq (one.address, "a");
    return one;
}

Test (refusals, one_that_names_a_source_is_told_before_one_that_does_not)
{
    note_source (NULL, "first", 0);
    told_of_a (0);
    note_source (NULL, "it hung up", 10);
    note_source ("w", "the key may not use this source", 20);
    note_source (NULL, "it hung up", 30);
    refusal_note_t one = told_of_a (1000);
    cr_assert_str_eq (one.source, "w");
    cr_assert_str_eq (one.reason, "the key may not use this source");
    cr_assert_eq (one.count, 3);
    cr_assert (one.others);
}

Test (refusals, the_first_that_names_a_source_is_told_and_that_there_were_others)
{
    note_source ("v", "x", 0);
    note_source ("w", "x", 0);
    refusal_note_t one = told_of_a (0);
    cr_assert_str_eq (one.source, "v");
    cr_assert (one.others);
    note_source ("v", "x", 10);
    note_source ("v", "y", 10);
    note_source ("v", "x", 10);
    one = told_of_a (1000);
    cr_assert_str_eq (one.reason, "x");
    cr_assert (one.others);
}

Test (refusals, those_of_one_source_and_reason_have_no_others_whatever_was_told_before)
{
    note_source (NULL, "y", 0);
    note_source ("w", "x", 0);
    cr_assert (told_of_a (0).others);
    note_source ("w", "x", 10);
    note_source ("w", "x", 20);
    refusal_note_t one = told_of_a (1000);
    cr_assert_eq (one.count, 2);
    cr_assert_not (one.others);
}
