/*  test_luck.c - the host's random numbers, and ours

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/luck.h"

static long
draw_ours (void)
{
    luck_t luck;
    luck_set_aside (&luck);
    long number = random ();
    luck_bring_back (&luck);
    return number;
}

Test (luck, the_host_gets_the_numbers_that_it_would_get_without_us)
{
    srandom (7);
    long first = random (), second = random ();
    srandom (7);
    cr_assert_eq (random (), first);
    draw_ours ();
    cr_assert_eq (random (), second);
}

/*  Two in a row may be the same, ten are not. */
Test (luck, nobody_knows_what_we_draw)
{
    srandom (7);
    long first = draw_ours ();
    bool same = true;
    for (int i = 0; i < 10; i++)
        same = same && draw_ours () == first;
    cr_assert (!same);
}
