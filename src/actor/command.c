/*  command.c - commands from a listener to its workers

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/command.h"

#include <string.h>

#include <utlist.h>

#include "actor/monotonic.h"
#include "actor/names.h"
#include "actor/patience.h"
#include "base/alloc.h"
#include "wire/encode.h"
#include "wire/picture.h"
#include "wire/scan.h"
#include "wire/writer.h"

muster_error_t
command_pack (command_t *self, muster_writer_t **writer, const char *picture, va_list arguments)
{
    muster_error_t error = picture_pack_new (writer, picture, arguments);
    return error ? error : writer_packed (*writer, &self->data);
}

muster_error_t
command_check (const command_t *self, muster_listener_t *listener)
{
    if (!scan_name (self->cmd, strlen (self->cmd)))
        return MUSTER_INVAL;
    scan_limits_t limits = { .depth = MUSTER_DEPTH_MAX };
    roster_lock (&listener->core.roster);
    limits.message_size = listener->core.limits.message_limit;
    roster_unlock (&listener->core.roster);
    if (limits.message_size > WORKER_MESSAGE_LIMIT)
        limits.message_size = WORKER_MESSAGE_LIMIT;
    switch (scan_data (self->data.bytes, self->data.size, &limits)) {
        case MUSTER_REFUSAL_NONE: return 0;
        case MUSTER_REFUSAL_SIZE: return MUSTER_TOOBIG;
        case MUSTER_REFUSAL_MEMORY: return MUSTER_NOMEM;
        default: return MUSTER_FORMAT;
    }
}

/*  In the blob of data's writer, if that is worth having, else in writer. */
static muster_error_t
encode (const command_t *self, uint32_t stream, muster_writer_t *writer, blob_part_t *message)
{
    message->blob = NULL;
    if (self->data.writer)
        writer_part (self->data.writer, message);
    if (message->blob)
        return encode_session_around (message, self->cmd, self->kind, stream, self->position);
    muster_writer_clear (writer);
    encode_session (writer, self->cmd, self->data.bytes, self->data.size, self->kind, stream, self->position);
    return writer_part (writer, message);
}

static muster_error_t
copy_to_blob (blob_part_t *message)
{
    blob_t *blob = blob_new (FRAME_HEADER_ROOM + message->size);
    if (!blob)
        return MUSTER_NOMEM;
    memcpy (blob->bytes + FRAME_HEADER_ROOM, message->bytes, message->size);
    message->blob = blob;
    message->bytes = blob->bytes + FRAME_HEADER_ROOM;
    return 0;
}

muster_error_t
command_encode (const command_t *self, blob_part_t *message)
{
    muster_writer_t *writer = muster_writer_new ();
    if (!writer)
        return MUSTER_NOMEM;
    muster_error_t error = encode (self, 0, writer, message);
    if (!error && message->blob)
        blob_share (message->blob);
    else
    if (!error)
        error = copy_to_blob (message);
    muster_writer_destroy (&writer);
    return error;
}

/*  --------------------------------------------------------------------------
    To one worker */

/*  The worker it is for, or NULL; with the roster's lock. */
static peer_t *
receiver (const command_t *self, const roster_t *roster, const char *source)
{
    peer_t *peer = roster_find_present (roster, source);
    if (peer && self->reply_to_session && strcmp (peer_session (peer), self->reply_to_session) != 0)
        peer = NULL;
    return peer;
}

static muster_error_t
try_send (const command_t *self, roster_t *roster, const char *source, muster_writer_t *writer, uint64_t *progress)
{
    if (!roster->open)
        return MUSTER_CLOSED;
    peer_t *peer = receiver (self, roster, source);
    if (!peer)
        return MUSTER_NOTFOUND;
    blob_part_t message;
    uint64_t position;
    muster_error_t error = encode (self, peer->session.in.stream, writer, &message);
    if (!error)
        error = roster_command (roster, peer, &message, false, &position);
    *progress = session_progress (&peer->session);
    return error;
}

/*  Waits while the worker's buffer is full and it makes progress. */
static muster_error_t
send_patiently (muster_listener_t *listener, const char *source, const command_t *self, muster_writer_t *writer)
{
    roster_t *roster = &listener->core.roster;
    bool inside = registry_inside (listener->core.registry);
    uint64_t progress = 0, before = 0;
    roster_lock (roster);
    int64_t patience = listener->core.limits.no_progress_ms;
    int64_t deadline = monotonic_deadline (patience);
    muster_error_t error = try_send (self, roster, source, writer, &progress);
    while (error == MUSTER_AGAIN && !inside) {
        if (progress != before)
            deadline = monotonic_deadline (patience);
        before = progress;
        muster_error_t wait = patience_wait (&roster->changed, &roster->lock, deadline);
        error = try_send (self, roster, source, writer, &progress);
        if (error == MUSTER_AGAIN && (wait == MUSTER_INTERRUPTED || (wait && progress == before)))
            error = wait;
    }
    roster_unlock (roster);
    return error;
}

/*  What is large is copied before the lock is taken, and once, however often it is tried. */
static muster_error_t
send_copy (muster_listener_t *listener, const char *source, command_t command, muster_writer_t *writer)
{
    muster_writer_t *data = muster_writer_new ();
    if (!data)
        return MUSTER_NOMEM;
    muster_writer_raw (data, command.data.bytes, command.data.size);
    muster_error_t error = writer_packed (data, &command.data);
    if (!error)
        error = send_patiently (listener, source, &command, writer);
    muster_writer_destroy (&data);
    return error;
}

muster_error_t
command_send (muster_listener_t *listener, const char *source, const command_t *self)
{
    muster_error_t error = command_check (self, listener);
    if (error)
        return error;
    muster_writer_t *writer = muster_writer_new ();
    if (!writer)
        return MUSTER_NOMEM;
    bool copy = !self->data.writer && self->data.size >= FRAME_RUN_BYTES;
    error = copy ? send_copy (listener, source, *self, writer) : send_patiently (listener, source, self, writer);
    muster_writer_destroy (&writer);
    if (!error && self->data.writer)
        writer_sent (self->data.writer);
    return error;
}

/*  --------------------------------------------------------------------------
    To all that are here */

/*  With the roster's lock. */
static muster_error_t
send_to_all (roster_t *roster, blob_part_t *message, names_t *names)
{
    if (!roster->open)
        return MUSTER_CLOSED;
    if (!names_init (names, roster))
        return MUSTER_NOMEM;
    peer_t *peer;
    uint64_t position;
    DL_FOREACH2 (roster->heard, peer, heard_next)
        if (roster_command (roster, peer, message, true, &position) == 0)
            names_add (names, peer);
    return 0;
}

muster_error_t
command_broadcast (muster_listener_t *listener, char ***sources, size_t *sent, const command_t *self)
{
    names_t names = { .count = 0 };
    blob_part_t message;
    muster_error_t error = command_check (self, listener);
    if (!error)
        error = command_encode (self, &message);
    if (!error) {
        roster_lock (&listener->core.roster);
        error = send_to_all (&listener->core.roster, &message, &names);
        roster_unlock (&listener->core.roster);
        blob_release (&message.blob);
    }
    if (!error && self->data.writer)
        writer_sent (self->data.writer);
    if (sent)
        *sent = names.count;
    if (sources)
        *sources = names.list;
    else
        alloc_free (names.list);
    return error;
}
