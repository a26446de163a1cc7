/*  listener_core.c - what a listener tells about itself

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/listener_core.h"

#include "actor/event.h"
#include "base/alloc.h"

#define REFUSED_EVENT_MS 1000

static void
put_event (listener_core_t *self, const char *cmd, const event_t *event)
{
    batch_t *batch = event_new (self->source, cmd, event);
    if (!batch) {
        log_write (MUSTER_LOG_ERROR, "no memory to tell %s", cmd);
        return;
    }
    inbox_put (self->inbox, batch);
    batch_release (&batch);
}

void
listener_tell (listener_core_t *self, const char *cmd, peer_t *peer, const char *reason)
{
    put_event (self, cmd, &(event_t) {
        .source = peer->session.source, .session = peer_session (peer), .reason = reason });
}

void
listener_tell_refused (listener_core_t *self, const char *source, const char *reason)
{
    self->refused_events++;
    if (self->now < self->refused_event_at)
        return;
    put_event (self, MUSTER_EVENT_REFUSED, &(event_t) {
        .source = source, .reason = reason, .count = self->refused_events });
    self->refused_events = 0;
    self->refused_event_at = self->now + REFUSED_EVENT_MS;
}

void
listener_refuse (listener_core_t *self, muster_refusal_t reason)
{
    self->refused [reason]++;
    uint64_t lines = log_allow (&self->refusal_log, self->now);
    if (lines)
        log_write (MUSTER_LOG_WARNING, "refused a frame: %s (%s); %llu since the last such line",
            muster_refusal_text (reason), muster_refusal_name (reason), (unsigned long long) lines);
}
