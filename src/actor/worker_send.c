/*  worker_send.c - a worker's messages: checked, written, and accepted into its outbox

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/worker_send.h"

#include <stdarg.h>
#include <string.h>

#include "actor/worker.h"
#include "actor/worker_wait.h"
#include "wire/encode.h"
#include "wire/picture.h"
#include "wire/scan.h"
#include "wire/writer.h"

typedef struct {
    const char *cmd;
    size_t cmd_size;        /* set by send_message */
    packed_t data;
    uint8_t kind;
    uint32_t stream;        /* of the message it answers, */
    uint64_t position;      /* and where in it */
    bool at_once;           /* AGAIN where it would have to wait */
} message_parts_t;

/*  --------------------------------------------------------------------------
    Accepting. With the core's lock. */

static bool
has_room (const worker_core_t *core)
{
    return outbox_charge (&core->session.out.box) < core->options.send_buffer;
}

static muster_error_t
wait_for_room (muster_worker_t *self, bool at_once)
{
    worker_core_t *core = &self->core;
    worker_progress_t progress = { 0 };
    muster_error_t error = worker_why_ended (self);
    if (error || has_room (core))
        return error;
    if (at_once)
        return MUSTER_AGAIN;
    worker_press (core);
    while (!error && !has_room (core)) {
        error = worker_wait_for_change (core, INT64_MAX, &progress);
        if (!error)
            error = worker_why_ended (self);
    }
    worker_relax (core);
    return error;
}

static bool
is_too_big (const worker_core_t *core, size_t size)
{
    uint64_t limit = core->session.out.message_limit;
    return limit && size > limit;
}

static void
send_accepted (worker_core_t *core)
{
    worker_pump (core);
    if (session_has_want (&core->session))
        wake_call (core->wake);
}

/*  What is written already. */
static muster_error_t
accept_part (worker_core_t *core, const blob_part_t *message)
{
    if (is_too_big (core, message->size))
        return MUSTER_TOOBIG;
    muster_error_t error = outbox_append_part (&core->session.out.box, message, false);
    if (!error)
        send_accepted (core);
    return error;
}

/*  What is no reply is written where it is sent from. */
static muster_error_t
accept_in_place (worker_core_t *core, const message_parts_t *parts)
{
    size_t size = encode_size (parts->cmd_size, parts->data.size);
    if (is_too_big (core, size))
        return MUSTER_TOOBIG;
    uint8_t *at = outbox_reserve (&core->session.out.box, size);
    if (!at)
        return MUSTER_NOMEM;
    encode_at (at, parts->cmd, parts->cmd_size, parts->data.bytes, parts->data.size);
    outbox_accept (&core->session.out.box, size);
    send_accepted (core);
    return 0;
}

static muster_error_t
write_parts (const message_parts_t *self, muster_writer_t *writer, blob_part_t *message)
{
    muster_writer_clear (writer);
    encode_session (
        writer, self->cmd, self->data.bytes, self->data.size, self->kind, self->stream, self->position);
    return writer_part (writer, message);
}

static muster_error_t
accept_reply (worker_core_t *core, const message_parts_t *parts)
{
    blob_part_t written;
    muster_error_t error = write_parts (parts, core->writer, &written);
    return error ? error : accept_part (core, &written);
}

/*  --------------------------------------------------------------------------
    Checking and writing. Without it. */

/*  False if that would have to wait. */
static bool
lock_core (worker_core_t *core, bool at_once)
{
    if (at_once)
        return pthread_mutex_trylock (&core->lock) == 0;
    pthread_mutex_lock (&core->lock);
    return true;
}

static muster_error_t
check_message (const message_parts_t *parts)
{
    if (!scan_name (parts->cmd, parts->cmd_size))
        return MUSTER_INVAL;
    scan_limits_t limits = { .depth = MUSTER_DEPTH_MAX, .message_size = WORKER_MESSAGE_LIMIT };
    switch (scan_data (parts->data.bytes, parts->data.size, &limits)) {
        case MUSTER_REFUSAL_NONE: return 0;
        case MUSTER_REFUSAL_SIZE: return MUSTER_TOOBIG;
        case MUSTER_REFUSAL_MEMORY: return MUSTER_NOMEM;
        default: return MUSTER_FORMAT;
    }
}

/*  message: NULL, if it is not written yet. */
static muster_error_t
accept_message (muster_worker_t *self, const message_parts_t *parts, const blob_part_t *message)
{
    worker_core_t *core = &self->core;
    if (!lock_core (core, parts->at_once))
        return MUSTER_AGAIN;
    muster_error_t error = wait_for_room (self, parts->at_once);
    if (!error)
        error = message ? accept_part (core, message)
            : parts->kind ? accept_reply (core, parts) : accept_in_place (core, parts);
    if (!error && !parts->at_once)
        worker_pace (core);
    pthread_mutex_unlock (&core->lock);
    return error;
}

static muster_error_t
accept_copy (muster_worker_t *self, const message_parts_t *parts)
{
    blob_part_t message;
    muster_writer_t *writer = muster_writer_new ();
    if (!writer)
        return MUSTER_NOMEM;
    muster_error_t error = write_parts (parts, writer, &message);
    if (!error)
        error = accept_message (self, parts, &message);
    muster_writer_destroy (&writer);
    return error;
}

/*  Messages up to so many bytes are written with the lock held. */
#define WRITTEN_AT_ONCE 4096

/*  What is large is written without the lock, so that no heartbeat waits for it; what
    is small without memory of its own, and what lies in a writer's blob around that. */
static muster_error_t
write_message (muster_worker_t *self, const message_parts_t *parts)
{
    if (parts->data.size <= WRITTEN_AT_ONCE)
        return accept_message (self, parts, NULL);
    blob_part_t message = { .blob = NULL };
    if (parts->data.writer)
        writer_part (parts->data.writer, &message);
    if (!message.blob)
        return accept_copy (self, parts);
    muster_error_t error = encode_session_around (
        &message, parts->cmd, parts->kind, parts->stream, parts->position);
    return error ? error : accept_message (self, parts, &message);
}

static muster_error_t
send_message (muster_worker_t *self, message_parts_t *parts)
{
    if (worker_is_foreign (self))
        return MUSTER_FORKED;
    if (!self->started)
        return MUSTER_CLOSED;
    parts->cmd_size = strlen (parts->cmd);
    muster_error_t error = check_message (parts);
    return error ? error : write_message (self, parts);
}

muster_error_t
worker_reply (const muster_message_t *message, const char *cmd, const packed_t *data)
{
    muster_worker_t *self = inbox_context (message->context);
    uint8_t kind = MESSAGE_KIND_REPLY | (message->asked ? MESSAGE_KIND_ASKED : 0);
    return send_message (self, &(message_parts_t) { .cmd = cmd, .data = *data,
        .kind = kind, .stream = message->stream, .position = message->position });
}

/*  --------------------------------------------------------------------------
    Sending, from any thread */

static muster_error_t
send_raw (muster_worker_t *self, const char *cmd, const void *bytes, size_t size, bool at_once)
{
    if (!self || !cmd || !bytes)
        return MUSTER_INVAL;
    return send_message (self, &(message_parts_t) {
        .cmd = cmd, .data = { .bytes = bytes, .size = size }, .at_once = at_once });
}

static muster_error_t
send_writer (muster_worker_t *self, const char *cmd, muster_writer_t *data, bool at_once)
{
    if (!self || !cmd || !data)
        return MUSTER_INVAL;
    message_parts_t parts = { .cmd = cmd, .at_once = at_once };
    muster_error_t error = writer_packed (data, &parts.data);
    if (!error)
        error = send_message (self, &parts);
    if (!error)
        writer_sent (data);
    return error;
}

muster_error_t
muster_worker_send_raw (muster_worker_t *self, const char *cmd, const void *bytes, size_t size)
{
    return send_raw (self, cmd, bytes, size, false);
}

muster_error_t
muster_worker_try_send_raw (muster_worker_t *self, const char *cmd, const void *bytes, size_t size)
{
    return send_raw (self, cmd, bytes, size, true);
}

muster_error_t
muster_worker_send_writer (muster_worker_t *self, const char *cmd, muster_writer_t *data)
{
    return send_writer (self, cmd, data, false);
}

muster_error_t
muster_worker_try_send_writer (muster_worker_t *self, const char *cmd, muster_writer_t *data)
{
    return send_writer (self, cmd, data, true);
}

muster_error_t
muster_worker_send (muster_worker_t *self, const char *cmd, const char *picture, ...)
{
    if (!self || !cmd)
        return MUSTER_INVAL;
    va_list arguments;
    va_start (arguments, picture);
    muster_writer_t *writer;
    muster_error_t error = picture_pack_new (&writer, picture, arguments);
    va_end (arguments);
    if (!error)
        error = send_writer (self, cmd, writer, false);
    muster_writer_destroy (&writer);
    return error;
}
