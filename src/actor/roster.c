/*  roster.c - the workers of a listener, here and absent

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/roster.h"

#include <utlist.h>

#include "actor/monotonic.h"

void
roster_init (roster_t *self, wake_t *wake)
{
    *self = (roster_t) { .wake = wake };
    pthread_mutex_init (&self->lock, NULL);
    monotonic_cond_init (&self->changed);
}

void
roster_clear (roster_t *self)
{
    peer_t *peer, *next;
    HASH_ITER (by_id, self->by_id, peer, next) {
        roster_forget (self, peer);
    }
    roster_bury_all (self);
    ended_clear (&self->ended);
    pthread_cond_destroy (&self->changed);
    pthread_mutex_destroy (&self->lock);
}

void
roster_lock (roster_t *self)
{
    pthread_mutex_lock (&self->lock);
}

void
roster_unlock (roster_t *self)
{
    pthread_mutex_unlock (&self->lock);
}

/*  --------------------------------------------------------------------------
    The tables */

peer_t *
roster_find (const roster_t *self, const session_id_t *id)
{
    peer_t *peer = NULL;
    HASH_FIND (by_id, self->by_id, id, sizeof *id, peer);
    return peer;
}

peer_t *
roster_find_source (const roster_t *self, const char *source)
{
    peer_t *peer = NULL;
    HASH_FIND (by_source, self->by_source, source, strlen (source), peer);
    return peer;
}

peer_t *
roster_find_present (const roster_t *self, const char *source)
{
    peer_t *peer = roster_find_source (self, source);
    return peer && peer->present ? peer : NULL;
}

/*  uthash tells of a lack of memory by leaving the handle's table NULL. */
bool
roster_add (roster_t *self, peer_t *peer)
{
    session_t *session = &peer->session;
    HASH_ADD_KEYPTR (by_id, self->by_id, &session->id, sizeof session->id, peer);
    if (!peer->by_id.tbl)
        return false;
    HASH_ADD_KEYPTR (by_source, self->by_source, session->source, strlen (session->source), peer);
    if (!peer->by_source.tbl) {
        HASH_DELETE (by_id, self->by_id, peer);
        return false;
    }
    return true;
}

void
roster_arrive (roster_t *self, peer_t *peer)
{
    if (peer->present)
        return;
    if (peer->absent_since) {
        DL_DELETE2 (self->absent, peer, absent_prev, absent_next);
        self->absent_count--;
        peer->absent_since = 0;
    }
    DL_APPEND2 (self->heard, peer, heard_prev, heard_next);
    peer->present = true;
    self->present++;
    self->joined++;
    pthread_cond_broadcast (&self->changed);
}

static void
end_presence (roster_t *self, peer_t *peer)
{
    if (!peer->present)
        return;
    DL_DELETE2 (self->heard, peer, heard_prev, heard_next);
    peer->present = false;
    self->present--;
    pthread_cond_broadcast (&self->changed);
}

void
roster_depart (roster_t *self, peer_t *peer, int64_t now)
{
    if (!peer->present)
        return;
    end_presence (self, peer);
    roster_not_due (self, peer);
    roster_not_report (self, peer);
    peer->absent_since = now ? now : 1;
    DL_APPEND2 (self->absent, peer, absent_prev, absent_next);
    self->absent_count++;
}

void
roster_forget (roster_t *self, peer_t *peer)
{
    end_presence (self, peer);
    roster_not_due (self, peer);
    roster_not_report (self, peer);
    if (peer->absent_since) {
        DL_DELETE2 (self->absent, peer, absent_prev, absent_next);
        self->absent_count--;
        peer->absent_since = 0;
    }
    if (!peer->forgotten) {
        HASH_DELETE (by_id, self->by_id, peer);
        HASH_DELETE (by_source, self->by_source, peer);
    }
    if (!peer->forgotten)
        DL_APPEND2 (self->forgotten, peer, absent_prev, absent_next);
    peer->forgotten = true;
    session_leave (&peer->session);
    roster_bury (self, peer);
}

void
roster_bury (roster_t *self, peer_t *peer)
{
    if (peer->backlog.first)
        return;
    DL_DELETE2 (self->forgotten, peer, absent_prev, absent_next);
    peer_destroy (&peer);
}

void
roster_bury_all (roster_t *self)
{
    while (self->forgotten) {
        peer_t *peer = self->forgotten;
        backlog_clear (&peer->backlog);
        roster_bury (self, peer);
    }
}

/*  --------------------------------------------------------------------------
    The lists */

void
roster_heard (roster_t *self, peer_t *peer)
{
    if (!peer->present)
        return;
    DL_DELETE2 (self->heard, peer, heard_prev, heard_next);
    DL_APPEND2 (self->heard, peer, heard_prev, heard_next);
}

void
roster_due (roster_t *self, peer_t *peer)
{
    if (peer->in_due)
        return;
    DL_APPEND2 (self->due, peer, due_prev, due_next);
    peer->in_due = true;
}

void
roster_not_due (roster_t *self, peer_t *peer)
{
    if (peer->in_due)
        DL_DELETE2 (self->due, peer, due_prev, due_next);
    peer->in_due = false;
}

void
roster_not_report (roster_t *self, peer_t *peer)
{
    if (peer->in_report)
        DL_DELETE2 (self->report, peer, report_prev, report_next);
    peer->in_report = false;
}

/*  All delays are the same, so the list is in the order of report_at. */
void
roster_schedule (roster_t *self, peer_t *peer, int64_t now)
{
    int64_t report_at = peer->session.in.report_at;
    if (report_at == 0)
        return;
    if (report_at <= now) {
        roster_not_report (self, peer);
        roster_due (self, peer);
    }
    else
    if (!peer->in_report) {
        DL_APPEND2 (self->report, peer, report_prev, report_next);
        peer->in_report = true;
    }
}

/*  --------------------------------------------------------------------------
    Commands */

muster_error_t
roster_command (roster_t *self, peer_t *peer, const blob_part_t *message, bool shared, uint64_t *position)
{
    outbox_t *box = &peer->session.out.box;
    if (outbox_charge (box) >= self->command_buffer)
        return MUSTER_AGAIN;
    muster_error_t error = outbox_append_part (box, message, shared);
    if (error)
        return error;
    *position = box->accepted.messages;
    roster_due (self, peer);
    wake_call (self->wake);
    return 0;
}
