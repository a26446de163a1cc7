/*  worker.c - the worker's facade: start and close, and what any thread may call

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/worker.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "actor/guest.h"
#include "actor/identity.h"
#include "actor/monotonic.h"
#include "actor/patience.h"
#include "actor/worker.h"
#include "actor/worker_actor.h"
#include "actor/worker_wait.h"
#include "base/alloc.h"
#include "base/process.h"
#include "net/context.h"
#include "wire/encode.h"
#include "wire/picture.h"
#include "wire/scan.h"
#include "wire/writer.h"

#define CREDIT_FLOOR ((uint64_t) 64 * 1024)

/*  How long close waits for the listener's answer to goodbye, beyond the drain limit. */
#define GOODBYE_MS 1000

bool
worker_is_foreign (const muster_worker_t *self)
{
    return self->generation != process_generation ();
}

/*  --------------------------------------------------------------------------
    Making and destroying */

typedef struct {
    const char *cmd;
    size_t cmd_size;        /* set by send_message */
    packed_t data;
    uint8_t kind;
    uint32_t stream;        /* of the message it answers, */
    uint64_t position;      /* and where in it */
    bool at_once;           /* AGAIN where it would have to wait */
} message_parts_t;

static muster_error_t send_message (muster_worker_t *self, message_parts_t *parts);

static muster_error_t
done (muster_message_t *message, int failed)
{
    if (inbox_is_foreign (message->context))
        return MUSTER_FORKED;
    inbox_done (&message, failed != 0);
    return 0;
}

static muster_error_t
reply (const muster_message_t *message, const char *cmd, const packed_t *data)
{
    muster_worker_t *self = inbox_context (message->context);
    uint8_t kind = MESSAGE_KIND_REPLY | (message->asked ? MESSAGE_KIND_ASKED : 0);
    return send_message (self, &(message_parts_t) { .cmd = cmd, .data = *data,
        .kind = kind, .stream = message->stream, .position = message->position });
}

static const message_origin_t origin = {
    .done = done, .reply = reply, .share = batch_share_message, .release = batch_release_message };

static bool
set_identity (worker_core_t *core, const char *source)
{
    session_id_t *id = &core->session.id;
    char uuid [UUID_ROOM];
    if (!identity_new (id))
        return false;
    memcpy (&core->session.out.stream, id->bytes + 8, sizeof core->session.out.stream);
    identity_hex (id, core->session_text);
    snprintf (core->source, sizeof core->source, "%s", source ? source : identity_uuid (id, uuid));
    return true;
}

static bool
make_parts (muster_worker_t *self, const char *endpoint)
{
    worker_core_t *core = &self->core;
    core->options.endpoint = alloc_text (endpoint);
    core->wake = wake_new ();
    core->writer = muster_writer_new ();
    if (!core->options.endpoint || !core->wake || !core->writer)
        return false;
    core->flight = flight_new (core->wake);
    core->inbox = inbox_new (core->wake, &origin, self);
    if (!core->flight || !core->inbox)
        return false;
    inbox_decide (core->inbox, INBOX_CALLERS);
    return true;
}

static void
free_parts (muster_worker_t *self)
{
    worker_core_t *core = &self->core;
    backlog_clear (&core->backlog);
    inbox_leave (&core->inbox);
    if (core->session.in.credit)
        session_clear (&core->session);
    flight_release (&core->flight);
    transfers_clear (&core->transfers);
    muster_writer_destroy (&core->writer);
    wake_release (&core->wake);
    meeting_clear (&core->meeting);
    alloc_free (core->options.endpoint);
    alloc_free (core->options.return_endpoint);
    alloc_free (core->options.key_file);
    alloc_free (core->options.server_file);
    keyfile_wipe (&core->keys);
    pthread_cond_destroy (&core->changed);
    pthread_cond_destroy (&core->eased);
    pthread_mutex_destroy (&core->lock);
    pthread_mutex_destroy (&self->lifecycle);
    alloc_free (self);
}

static void
check_source (muster_worker_t *self, const char *source)
{
    self->bad_source = source && !scan_name (source, strlen (source));
    if (self->bad_source)
        snprintf (self->reason, sizeof self->reason,
            "source must be 1 to %d bytes of UTF-8 without control characters", MUSTER_NAME_MAX);
}

muster_worker_t *
muster_worker_new (const char *endpoint, const char *source)
{
    if (!endpoint)
        return NULL;
    muster_worker_t *self = alloc_zero (sizeof *self);
    if (!self)
        return NULL;
    worker_core_t *core = &self->core;
    self->generation = process_generation ();
    patience_lock_init (&self->lifecycle);
    pthread_mutex_init (&core->lock, NULL);
    monotonic_cond_init (&core->changed);
    monotonic_cond_init (&core->eased);
    worker_options_init (&core->options);
    if (!make_parts (self, endpoint) || !set_identity (core, source)) {
        free_parts (self);
        return NULL;
    }
    check_source (self, source);
    return self;
}

/*  --------------------------------------------------------------------------
    Start */

static void
init_session (worker_core_t *core)
{
    uint64_t buffer = core->options.command_buffer;
    session_limits_t limits = { .liveness = core->options.liveness_ms,
        .no_progress = core->options.no_progress_ms, .message_limit = WORKER_MESSAGE_LIMIT };
    session_id_t id = core->session.id;
    credit_init (&core->credit, buffer + WORKER_MESSAGE_LIMIT, buffer < CREDIT_FLOOR ? buffer : CREDIT_FLOOR, WORKER_MESSAGE_LIMIT);
    session_init_worker (&core->session, &id, core->source, core->session.out.stream,
        &limits, &core->credit, monotonic_ms ());
}

static void
end_at_exit (void *argument)
{
    muster_worker_t *self = argument;
    guest_end (&self->actor, self);
}

static muster_error_t
start (muster_worker_t *self)
{
    worker_core_t *core = &self->core;
    muster_error_t error = worker_options_check (self);
    if (!error)
        error = worker_options_load_keys (self);
    if (error)
        return error;
    core->context = context_acquire ();
    if (!core->context)
        error = MUSTER_RESOURCE;
    else {
        init_session (core);
        inbox_open (core->inbox);
        error = guest_start (&self->actor, worker_actor, core, end_at_exit, self);
        if (error)
            context_release (core->context);
    }
    if (error) {
        keyfile_wipe (&core->keys);
        snprintf (self->reason, sizeof self->reason, "%s: %s", core->options.endpoint, muster_error_text (error));
    }
    return error;
}

muster_error_t
muster_worker_start (muster_worker_t *self)
{
    if (!self)
        return MUSTER_INVAL;
    if (worker_is_foreign (self))
        return MUSTER_FORKED;
    muster_error_t error = patience_lock (&self->lifecycle);
    if (error)
        return error;
    error = MUSTER_BUSY;
    if (!self->started) {
        error = start (self);
        self->started = error == 0;
    }
    pthread_mutex_unlock (&self->lifecycle);
    return error;
}

/*  --------------------------------------------------------------------------
    Sending */

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

/*  Messages up to so many bytes are written with the lock held. */
#define WRITTEN_AT_ONCE 4096

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

/*  --------------------------------------------------------------------------
    Commands */

muster_error_t
muster_worker_recv (muster_worker_t *self, muster_message_t **message, int timeout_ms)
{
    if (!self || !message)
        return MUSTER_INVAL;
    *message = NULL;
    if (worker_is_foreign (self))
        return MUSTER_FORKED;
    if (!self->started)
        return MUSTER_CLOSED;
    bool event;
    muster_error_t error = inbox_take (
        self->core.inbox, INBOX_CALLER, monotonic_deadline (timeout_ms), message, &event);
    if (error == MUSTER_CLOSED) {
        pthread_mutex_lock (&self->core.lock);
        muster_error_t why = worker_why_ended (self);
        error = why ? why : error;
        pthread_mutex_unlock (&self->core.lock);
    }
    return error;
}

muster_error_t
muster_worker_descriptor (muster_worker_t *self, int *descriptor)
{
    if (!self || !descriptor)
        return MUSTER_INVAL;
    if (worker_is_foreign (self))
        return MUSTER_FORKED;
    if (!self->started)
        return MUSTER_CLOSED;
    *descriptor = inbox_descriptor (self->core.inbox);
    return 0;
}

/*  --------------------------------------------------------------------------
    Close */

/*  With the core's lock. */
static muster_error_t
close_session (muster_worker_t *self, uint64_t *unconfirmed)
{
    worker_core_t *core = &self->core;
    const outbox_t *box = &core->session.out.box;
    int64_t deadline = monotonic_deadline (core->options.drain_ms);
    muster_error_t error = worker_flush_until (self, deadline, true);
    if (error == MUSTER_INTERRUPTED)
        return error;
    if (core->session.state != SESSION_ENDED && worker_say_goodbye (self, monotonic_ms () + GOODBYE_MS))
        return MUSTER_INTERRUPTED;
    if (unconfirmed)
        *unconfirmed = box->accepted.messages - box->handled.messages;
    self->closed = true;
    pthread_cond_broadcast (&core->changed);
    return error;
}

static void
end_actor (muster_worker_t *self)
{
    guest_end (&self->actor, self);
    inbox_close (self->core.inbox);
    context_release (self->core.context);
}

muster_error_t
muster_worker_close (muster_worker_t *self, uint64_t *unconfirmed)
{
    if (unconfirmed)
        *unconfirmed = 0;
    if (!self)
        return MUSTER_INVAL;
    if (worker_is_foreign (self))
        return MUSTER_FORKED;
    muster_error_t error = patience_lock (&self->lifecycle);
    if (error)
        return error;
    if (self->started && !self->closed) {
        pthread_mutex_lock (&self->core.lock);
        error = close_session (self, unconfirmed);
        pthread_mutex_unlock (&self->core.lock);
        if (self->closed)
            end_actor (self);
    }
    pthread_mutex_unlock (&self->lifecycle);
    return error;
}

muster_error_t
muster_worker_destroy (muster_worker_t **self_p)
{
    if (!self_p || !*self_p)
        return 0;
    muster_worker_t *self = *self_p;
    *self_p = NULL;
    if (worker_is_foreign (self)) {
        keyfile_wipe (&self->core.keys);
        alloc_free (self);
        return MUSTER_FORKED;
    }
    if (self->started && !self->closed)
        end_actor (self);
    free_parts (self);
    return 0;
}

/*  --------------------------------------------------------------------------
    What it is */

const char *
muster_worker_source (const muster_worker_t *self)
{
    return self ? self->core.source : "";
}

/*  The actor writes it with the core's lock, once: it does not change any more. In a forked
    child nobody writes it, and the lock may be held for ever. */
static const char *
session_reason (muster_worker_t *self)
{
    worker_core_t *core = &self->core;
    bool foreign = worker_is_foreign (self);
    if (!foreign)
        pthread_mutex_lock (&core->lock);
    bool ended = core->session.state == SESSION_ENDED;
    if (!foreign)
        pthread_mutex_unlock (&core->lock);
    return ended ? core->session.reason : "";
}

const char *
muster_worker_reason (const muster_worker_t *self)
{
    if (!self)
        return "";
    /*  To lock it changes nothing that its caller could see. */
    return *self->reason ? self->reason : session_reason ((muster_worker_t *) self);
}
