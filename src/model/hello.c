/*  hello.c - what a listener makes of a worker that says hello

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "model/hello.h"

#include <string.h>

static hello_verdict_t
refuse (muster_error_t *error, muster_error_t why)
{
    *error = why;
    return HELLO_REFUSE;
}

/*  Another listener may have had the session meanwhile and handled more of it
    than this one knows. */
static hello_verdict_t
judge_known (const frame_t *hello, const session_t *known, muster_error_t *error)
{
    if (strcmp (known->source, hello->hello.source) != 0)
        return refuse (error, MUSTER_ACCESS);
    if (hello->epoch <= known->epoch)
        return HELLO_STALE;
    if (session_hello_fits (known, &hello->hello))
        return HELLO_RESUME;
    if (memcmp (&hello->hello.listener, &known->listener, sizeof (session_id_t)) != 0)
        return HELLO_BEGIN_ANEW;
    return refuse (error, MUSTER_REJECTED);
}

hello_verdict_t
hello_judge (const frame_t *hello, const session_t *known, muster_error_t ended,
    const session_t *holder, bool holder_is_here, muster_error_t *error)
{
    *error = 0;
    if (ended)
        return refuse (error, ended);
    if (known)
        return judge_known (hello, known, error);
    if (holder && holder_is_here && !hello->hello.fresh)
        return refuse (error, MUSTER_REPLACED);
    return HELLO_BEGIN;
}
