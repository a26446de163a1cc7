/*  listener_core.c - what a listener tells about itself

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/listener_core.h"

#include "actor/event.h"
#include "base/alloc.h"

/*  While refusals are told together, events are counted anew so often. */
#define EVENTS_WAIT_MS 1000

static void
put_event (listener_core_t *self, const char *cmd, const event_t *event)
{
    batch_t *batch = event_new (self->source, cmd, event);
    if (!batch) {
        log_write (LOG_LISTENER, MUSTER_LOG_ERROR, "no memory for an event: cmd=%s", cmd);
        return;
    }
    inbox_put (self->inbox, batch);
    batch_release (&batch);
}

static void
note_refused (void *argument, const char *address, const char *why, uint64_t count)
{
    listener_note_refused (argument, address, NULL, why, count);
}

void
listener_watch (listener_core_t *self)
{
    self->disconnects += binding_watch (self->binding, self->now, note_refused, self);
}

void
listener_tell (listener_core_t *self, const char *cmd, peer_t *peer, const char *reason)
{
    put_event (self, cmd, &(event_t) {
        .source = peer->session.source, .session = peer_session (peer), .reason = reason });
}

void
listener_note_refused (
    listener_core_t *self, const char *address, const char *source, const char *reason, uint64_t count)
{
    refusals_note (&self->refusals, address, source, reason, count, self->now);
}

static const char *
known (const char *text)
{
    return *text ? text : NULL;
}

static void
tell_refused_until (listener_core_t *self, int64_t due)
{
    refusal_note_t note;
    while (inbox_events (self->inbox) < EVENTS_APART && refusals_next (&self->refusals, due, &note))
        put_event (self, MUSTER_EVENT_REFUSED, &(event_t) {
            .source = known (note.source), .address = known (note.address),
            .reason = note.reason, .count = note.count, .others = note.others });
}

void
listener_tell_refused (listener_core_t *self)
{
    tell_refused_until (self, self->now);
}

void
listener_tell_all_refused (listener_core_t *self)
{
    tell_refused_until (self, self->now + REFUSALS_INTERVAL_MS);
}

int64_t
listener_refused_deadline (const listener_core_t *self)
{
    int64_t deadline = refusals_deadline (&self->refusals);
    int64_t later = self->now + EVENTS_WAIT_MS;
    return deadline < later && inbox_events (self->inbox) >= EVENTS_APART ? later : deadline;
}

void
listener_refuse (listener_core_t *self, muster_refusal_t reason)
{
    self->refused [reason]++;
    uint64_t lines = log_allow (&self->refusal_log, self->now);
    if (lines)
        log_write (LOG_LISTENER, MUSTER_LOG_WARNING, "refused a frame: name=%s reason=\"%s\" count=%llu",
            muster_refusal_name (reason), muster_refusal_text (reason), (unsigned long long) lines);
}
