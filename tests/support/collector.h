/*  collector.h - a handler that remembers, and waiting for what it has seen

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef SUPPORT_COLLECTOR_H_INCLUDED
#define SUPPORT_COLLECTOR_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <muster/muster.h>

/*  Long enough for a loaded machine; a test that is right never waits so long. */
#define PATIENCE_MS 60000

typedef struct collector collector_t;

collector_t *collector_new (void);
void collector_destroy (collector_t **self_p);

/*  A handler whose arg is a collector: remembers source, cmd and data {"n": ...}. */
int collector_handler (const muster_message_t *message, void *collector);

/*  While blocked, the handler waits before it returns; it counts as seen already. */
void collector_block (collector_t *self);
void collector_unblock (collector_t *self);
/*  What the handler returns. */
void collector_fail (collector_t *self, int rc);

/*  Wait until count messages were seen; false when patience ends first. */
bool collector_wait (collector_t *self, size_t count);
size_t collector_count (collector_t *self);

/*  The message number index, from 0. Texts belong to the collector. */
const char *collector_source (collector_t *self, size_t index);
const char *collector_cmd (collector_t *self, size_t index);
int64_t collector_number (collector_t *self, size_t index);
/*  data {"source": ...} and {"reason": ...} of an event, "" if there is none. */
const char *collector_about (collector_t *self, size_t index);
const char *collector_reason (collector_t *self, size_t index);

/*  {"address": ...}, "" if there is none, and {"count": ...}, 1 if there is none. */
const char *collector_address (collector_t *self, size_t index);
uint64_t collector_times (collector_t *self, size_t index);

/*  The first message from index on with this cmd, which is waited for. When patience
    ends first the test does. */
size_t collector_find (collector_t *self, size_t index, const char *cmd);

/*  "JOINED a, LEFT a": the cmds with what they are about. The caller frees it. */
char *collector_story (collector_t *self);

#endif
