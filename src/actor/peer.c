/*  peer.c - a worker as its listener knows it

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/peer.h"

#include "actor/identity.h"
#include "base/alloc.h"

#include <stdio.h>
#include <string.h>

#define SOURCE_ROOM (MUSTER_NAME_MAX + 1)

peer_t *
peer_new (const frame_t *hello, const session_t *session, const char *key, wake_t *wake)
{
    peer_t *self = alloc_zero (sizeof *self);
    if (!self)
        return NULL;
    self->flight = flight_new (wake);
    self->names = blob_new (SOURCE_ROOM + SESSION_TEXT_ROOM + sizeof self->key);
    if (!self->flight || !self->names) {
        flight_release (&self->flight);
        blob_release (&self->names);
        alloc_free (self);
        return NULL;
    }
    self->session = *session;
    self->session.in.account.owner = self;
    memcpy (self->names->bytes, session->source, SOURCE_ROOM);
    identity_hex (&hello->session, (char *) self->names->bytes + SOURCE_ROOM);
    snprintf (self->key, sizeof self->key, "%s", key);
    memcpy (self->names->bytes + SOURCE_ROOM + SESSION_TEXT_ROOM, self->key, sizeof self->key);
    return self;
}

void
peer_destroy (peer_t **self_p)
{
    peer_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    backlog_clear (&self->backlog);
    ahead_clear (&self->ahead);
    blob_release (&self->names);
    session_clear (&self->session);
    flight_release (&self->flight);
    transfers_clear (&self->transfers);
    alloc_free (self);
}

const char *
peer_session (const peer_t *self)
{
    return (const char *) self->names->bytes + SOURCE_ROOM;
}

void
peer_name (const peer_t *self, batch_t *batch)
{
    batch->names = blob_share (self->names);
    batch->source = (const char *) self->names->bytes;
    batch->session = peer_session (self);
    if (*self->key)
        batch->key = peer_session (self) + SESSION_TEXT_ROOM;
}

bool
peer_keep (peer_t *self, batch_t *batch)
{
    if (!backlog_keep (&self->backlog, batch))
        return false;
    batch->owner = self;
    return true;
}
