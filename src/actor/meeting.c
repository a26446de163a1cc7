/*  meeting.c - the listener that a worker has met, which may be another each time

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/meeting.h"

#include <string.h>

#include <muster/worker.h>

#include "actor/event.h"

void
meeting_clear (meeting_t *self)
{
    blob_release (&self->name);
    self->untold = 0;
}

static bool
is_named (const meeting_t *self, const char *listener)
{
    return self->name && strcmp ((const char *) self->name->bytes, listener) == 0;
}

static void
rename_to (meeting_t *self, const char *listener)
{
    size_t size = strlen (listener) + 1;
    blob_release (&self->name);
    self->name = blob_new (size);
    if (self->name)
        memcpy (self->name->bytes, listener, size);
}

void
meeting_name (meeting_t *self, const char *listener, batch_t *batch)
{
    if (!is_named (self, listener))
        rename_to (self, listener);
    batch->names = self->name ? blob_share (self->name) : NULL;
    batch->source = self->name ? (const char *) self->name->bytes : "";
}

static batch_t *
restarted (const char *listener, uint64_t count)
{
    event_t event = { .source = listener,
        .reason = "another listener: commands of the one before that did not arrive are void",
        .count = count > 1 ? count : 0 };
    return event_new (listener, MUSTER_EVENT_RESTARTED, &event);
}

void
meeting_tell (meeting_t *self, session_t *session, inbox_t *inbox)
{
    self->untold += session->met_another;
    session->met_another = false;
    if (self->untold == 0 || inbox_events (inbox) >= EVENTS_APART)
        return;
    batch_t *batch = restarted (session->listener_source, self->untold);
    if (!batch)
        return;
    self->untold = 0;
    inbox_put (inbox, batch);
    batch_release (&batch);
}
