/*  test_error.c - names and texts of errors and refusals, the version

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include <muster/error.h>
#include <muster/stats.h>
#include <muster/version.h>

Test (error, has_a_name_and_a_text_for_each)
{
    for (int i = 0; i < MUSTER_ERROR_COUNT; i++) {
        cr_assert_str_neq (muster_error_name ((muster_error_t) i), "UNKNOWN", "error %d", i);
        cr_assert_str_not_empty (muster_error_text ((muster_error_t) i), "error %d", i);
    }
    cr_assert_str_eq (muster_error_name (MUSTER_TIMEOUT), "TIMEOUT");
    cr_assert_str_eq (muster_error_text (MUSTER_TIMEOUT), "time limit passed");
}

Test (error, calls_nought_ok)
{
    cr_assert_str_eq (muster_error_name (MUSTER_OK), "OK");
}

Test (error, calls_a_number_that_is_none_unknown)
{
    cr_assert_str_eq (muster_error_name (MUSTER_ERROR_COUNT), "UNKNOWN");
    cr_assert_str_eq (muster_error_name ((muster_error_t) -1), "UNKNOWN");
    cr_assert_str_not_empty (muster_error_text ((muster_error_t) -1));
}

Test (error, keeps_its_numbers)
{
    cr_assert_eq (MUSTER_INVAL, 1);
    cr_assert_eq (MUSTER_FORKED, 10);
    cr_assert_eq (MUSTER_INUSE, 14);
    cr_assert_eq (MUSTER_END, 28);
    cr_assert_eq (MUSTER_INTERRUPTED, 29);
    cr_assert_eq (MUSTER_ERROR_COUNT, 30);
}

Test (refusal, has_a_name_and_a_text_for_each)
{
    for (int i = 0; i < MUSTER_REFUSAL_COUNT; i++) {
        cr_assert_str_neq (muster_refusal_name ((muster_refusal_t) i), "UNKNOWN", "refusal %d", i);
        cr_assert_str_not_empty (muster_refusal_text ((muster_refusal_t) i), "refusal %d", i);
    }
    cr_assert_str_eq (muster_refusal_name (MUSTER_REFUSAL_UTF8), "UTF8");
    cr_assert_str_eq (muster_refusal_text (MUSTER_REFUSAL_UTF8), "a str is not UTF-8");
}

Test (refusal, calls_a_number_that_is_none_unknown)
{
    cr_assert_str_eq (muster_refusal_name (MUSTER_REFUSAL_COUNT), "UNKNOWN");
    cr_assert_str_eq (muster_refusal_name ((muster_refusal_t) -1), "UNKNOWN");
}

Test (version, is_that_of_the_header)
{
    char expected [32];
    snprintf (expected, sizeof expected, "%d.%d.%d", MUSTER_VERSION_MAJOR, MUSTER_VERSION_MINOR, MUSTER_VERSION_PATCH);
    cr_assert_str_eq (muster_version (), expected);
}
