/*  test_message.c - copies of a message, and what becomes of their origin's memory

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include "base/alloc.h"
#include "model/message.h"

static int shares;

static void *
share (const muster_message_t *message)
{
    shares++;
    return message->ticket;
}

static void
release (void *ticket)
{
    (void) ticket;
    shares--;
}

static const message_origin_t origin = { .share = share, .release = release };

Test (message, a_copy_that_has_no_memory_keeps_nothing_of_its_origin)
{
    muster_message_t message = { .data = (const uint8_t *) "\x80", .size = 1, .origin = &origin, .ticket = &shares };
    alloc_fail_from (1);
    cr_assert_null (muster_message_dup (&message));
    alloc_fail_from (0);
    cr_assert_eq (shares, 0);
}

Test (message, each_copy_gives_back_its_own_share)
{
    muster_message_t message = { .data = (const uint8_t *) "\x80", .size = 1, .origin = &origin, .ticket = &shares };
    muster_message_t *first = muster_message_dup (&message), *second = muster_message_dup (first);
    cr_assert_eq (shares, 2);
    cr_assert_eq (muster_message_data (second, NULL), message.data);
    muster_message_destroy (&first);
    cr_assert_null (first);
    cr_assert_eq (shares, 1);
    muster_message_destroy (&second);
    cr_assert_eq (shares, 0);
}

Test (message, one_without_an_origin_is_copied_whole)
{
    muster_message_t message = { .data = (const uint8_t *) "\x80", .size = 1 };
    muster_message_t *copy = muster_message_dup (&message);
    cr_assert_neq (muster_message_data (copy, NULL), message.data);
    muster_message_destroy (&copy);
}
