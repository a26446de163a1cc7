/*  welcome.c - waiting for a listener, and not in silence

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/welcome.h"

#include "cli/say.h"

void
welcome_say (const contact_t *contact, const char *limit)
{
    say ("%s: no listener answers yet; waiting (%s%smuster doctor looks why)",
        contact->endpoint, limit ? limit : "", limit ? ", " : "");
}

void
welcome_await (muster_worker_t *worker, const contact_t *contact, const char *limit)
{
    if (muster_worker_wait_for_listener (worker, WELCOME_SILENCE_MS) != MUSTER_TIMEOUT)
        return;
    welcome_say (contact, limit);
    (void) muster_worker_wait_for_listener (worker, -1);
}
