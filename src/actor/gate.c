/*  gate.c - whose connection a frame came by, and what that one may say

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/gate.h"

#include <string.h>

#include <utlist.h>

#include "actor/intake.h"
#include "actor/pump.h"
#include "actor/round.h"

#define REVOKED_TEXT "the key was revoked"

static void
copy_property (zmq_msg_t *msg, const char *name, char *text, size_t room)
{
    const char *property = zmq_msg_gets (msg, name);
    size_t size = property ? strnlen (property, room - 1) : 0;
    memcpy (text, property ? property : "", size);
    text [size] = 0;
}

caller_t
gate_caller (zmq_msg_t *msg, bool secure)
{
    caller_t caller = { .secure = secure, .descriptor = zmq_msg_get (msg, ZMQ_SRCFD) };
    if (secure)
        copy_property (msg, "User-Id", caller.key, sizeof caller.key);
    copy_property (msg, "Peer-Address", caller.address, sizeof caller.address);
    return caller;
}

static bool
may (const listener_core_t *self, const char *key, const char *source, size_t size)
{
    const allow_entry_t *entry = self->allow ? allow_find (self->allow, key) : NULL;
    return entry && allow_entry_may (entry, source, size);
}

bool
gate_admits (const listener_core_t *self, const caller_t *caller, const char *source)
{
    return !caller->secure || may (self, caller->key, source, strlen (source));
}

static bool
may_say_all (const listener_core_t *self, const char *key, const batch_t *batch)
{
    const allow_entry_t *entry = self->allow ? allow_find (self->allow, key) : NULL;
    size_t offset = 0;
    for (uint32_t index = 0; entry && index < batch->count; index++) {
        scan_message_t parts;
        size_t size = batch_size_of (batch, index);
        scan_split (batch->bytes + offset, size, batch->form, &parts);
        if (!allow_entry_may (entry, (const char *) parts.source, parts.source_size))
            return false;
        offset += size;
    }
    return entry;
}

bool
gate_knows (const listener_core_t *self, const caller_t *caller)
{
    return !caller->secure || (self->allow && allow_find (self->allow, caller->key));
}

/*  Only a listener beyond loopback is reached from elsewhere; there, who has no address is
    somebody who is gone, and another address of this machine may be a stranger's: what forwards
    ports lends it. */
bool
gate_admits_observer (const listener_core_t *self, const caller_t *caller)
{
    if (caller->secure) {
        const allow_entry_t *entry = self->allow ? allow_find (self->allow, caller->key) : NULL;
        return entry && allow_entry_observes (entry);
    }
    return strncmp (binding_bound_return (self->binding), "tcp:", 4) != 0
        || strncmp (caller->address, "127.", 4) == 0
        || strncmp (caller->address, "::ffff:127.", 11) == 0
        || strcmp (caller->address, "::1") == 0;
}

bool
gate_admits_batch (const listener_core_t *self, const caller_t *caller, const batch_t *batch)
{
    return !caller->secure || may_say_all (self, caller->key, batch);
}

void
gate_refuse (listener_core_t *self, const caller_t *caller, const char *source)
{
    listener_refuse (self, MUSTER_REFUSAL_ACCESS);
    listener_note_refused (self, caller->address, source, muster_refusal_text (MUSTER_REFUSAL_ACCESS), 1);
}

void
gate_watch_plain (listener_core_t *self, const caller_t *caller, size_t refused)
{
    if (caller->secure
        && binding_note_refused (self->binding, caller->descriptor, caller->key, refused, self->now))
        listener_note_refused (self, caller->address, NULL,
            "it sends nothing but refused frames, and is kept out for a while", 1);
}

/*  --------------------------------------------------------------------------
    Revoking */

static bool
is_revoked (const listener_core_t *self, const peer_t *peer)
{
    return !may (self, peer->key, peer->session.source, strlen (peer->session.source));
}

/*  Does it hold what its connection's key may not say any more? Its peer may be gone. */
static bool
is_void (const batch_t *batch, const void *argument)
{
    const listener_core_t *self = argument;
    if (!batch->key)
        return false;
    return batch->form == SCAN_PLAIN ? !may_say_all (self, batch->key, batch)
        : !may (self, batch->key, batch->source, strlen (batch->source));
}

static void
end_peer (listener_core_t *self, peer_t *peer)
{
    if (peer->present) {
        peer->session.in.report_at = 0;     /* what was dropped is not handled: nobody may take it for that */
        pump_end (self, peer, MUSTER_REVOKED, REVOKED_TEXT);
        return;
    }
    ended_keep (&self->roster.ended, &peer->session.id, MUSTER_REVOKED, self->now);
    round_peer_gone (peer, MUSTER_REVOKED);
    roster_forget (&self->roster, peer);
}

/*  A peer that is forgotten may still have messages that wait. */
static void
mark_revoked (listener_core_t *self)
{
    peer_t *peer, *next;
    HASH_ITER (by_id, self->roster.by_id, peer, next)
        peer->revoked = is_revoked (self, peer);
    DL_FOREACH2 (self->roster.forgotten, peer, absent_next)
        peer->revoked = is_revoked (self, peer);
}

/*  What they took of the budget is free at once, though a message before them may be
    with a handler for long. */
static void
free_dropped (listener_core_t *self)
{
    peer_t *peer, *next;
    uint64_t count = 0, size = 0;
    backlog_settle_complete (&self->plain, &count, &size);
    self->plain_bytes -= intake_plain_cost (count, size);
    HASH_ITER (by_id, self->roster.by_id, peer, next) {
        count = size = 0;
        if (peer->revoked)
            backlog_settle_complete (&peer->backlog, &count, &size);
        if (count > 0)
            session_handled (&peer->session, count, size, false, self->now);
    }
    self->again = true;
}

/*  Their messages go first: an end comes after the last of them. */
void
gate_revoke (listener_core_t *self)
{
    peer_t *peer, *next;
    if (binding_router_is_secure (self->binding))
        mark_revoked (self);
    self->dropped += inbox_drop (self->inbox, is_void, self);
    self->dropped += round_drop (&self->roster, self->inbox, is_void, self);
    free_dropped (self);
    HASH_ITER (by_id, self->roster.by_id, peer, next)
        if (peer->revoked)
            end_peer (self, peer);
}
