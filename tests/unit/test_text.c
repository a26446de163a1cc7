/*  test_text.c - characters, and what may be a name

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <string.h>

#include <muster/message.h>

#include "base/text.h"

static bool
is_name (const char *text)
{
    return text_is_name (text, strlen (text));
}

Test (text_is_name, takes_utf8)
{
    cr_assert (is_name ("a"));
    cr_assert (is_name ("worker 1"));
    cr_assert (is_name ("\xc3\xa9 \xf0\x9f\x98\x80"));
}

Test (text_is_name, takes_1_to_255_bytes)
{
    char text [MUSTER_NAME_MAX + 1];
    memset (text, 'n', sizeof text);
    cr_assert_not (text_is_name (text, 0));
    cr_assert (text_is_name (text, 1));
    cr_assert (text_is_name (text, MUSTER_NAME_MAX));
    cr_assert_not (text_is_name (text, MUSTER_NAME_MAX + 1));
}

Test (text_is_name, refuses_control_characters)
{
    cr_assert_not (is_name ("a\tb"));
    cr_assert_not (is_name ("a\x7f"));
    cr_assert_not (is_name ("a\xc2\x85"));
    cr_assert_not (text_is_name ("a\0b", 3));
}

Test (text_is_name, refuses_what_is_not_utf8)
{
    cr_assert_not (is_name ("a\xff"));
    cr_assert_not (is_name ("\xc3"));
    cr_assert_not (is_name ("\xc0\x80"));
    cr_assert_not (is_name ("\xed\xa0\x80"));
}
