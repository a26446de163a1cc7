/*  require.h - what a fuzz target ends with when something does not hold

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef FUZZ_REQUIRE_H_INCLUDED
#define FUZZ_REQUIRE_H_INCLUDED

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static inline void
require (bool holds, const char *what)
{
    if (!holds) {
        fprintf (stderr, "fuzz: %s\n", what);
        abort ();
    }
}

static inline void
require_no_error (int error, const char *what)
{
    if (error) {
        fprintf (stderr, "fuzz: %s: error %d\n", what, error);
        abort ();
    }
}

/*  The same with what a check has found; NULL if it found nothing. */
static inline void
require_no_fault (const char *fault)
{
    require (!fault, fault);
}

#endif
