/*  watch.h - a thread that asks a listener what it counts, again and again

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    An answer may take as long as its timeout; who draws and reads keys does not wait for it.
*/
#ifndef CLI_WATCH_H_INCLUDED
#define CLI_WATCH_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include <muster/observe.h>

#include "cli/contact.h"
#include "cli/snapshot.h"

typedef struct watch watch_t;

typedef struct {
    snapshot_t *snapshot;       /* who takes the news destroys it; NULL after an error */
    muster_error_t error;
    char reason [MUSTER_OBSERVE_REASON_ROOM];
} watch_news_t;

/*  Ask once, and wait for the answer. */
void watch_ask (const contact_t *contact, watch_news_t *news);

/*  Begin to ask, every interval (seconds). NULL, and errno says why, if there is no thread or memory. */
watch_t *watch_new (const contact_t *contact, double interval) MUSTER_CHECK_RESULT;

/*  Ends without waiting for an answer. */
void watch_destroy (watch_t **self_p);

/*  A descriptor that is readable while there is news, and the news; false if there is none. */
int watch_descriptor (const watch_t *self);
bool watch_take (watch_t *self, watch_news_t *news);

#endif
