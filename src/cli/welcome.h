/*  welcome.h - waiting for a listener, and not in silence

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef CLI_WELCOME_H_INCLUDED
#define CLI_WELCOME_H_INCLUDED

#include <muster/worker.h>

#include "cli/contact.h"

/*  Nobody waits longer for a listener without being told. */
#define WELCOME_SILENCE_MS 2000

/*  Say that no listener answers yet, and how not to wait for ever: limit has the
    command's option for that, NULL if it has none. */
void welcome_say (const contact_t *contact, const char *limit);

/*  Wait until the listener has welcomed worker, or never will; where that takes long it
    is said, once. */
void welcome_await (muster_worker_t *worker, const contact_t *contact, const char *limit);

#endif
