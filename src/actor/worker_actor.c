/*  worker_actor.c - the thread that does a worker's input and output

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/worker_actor.h"

#include <string.h>

#include "actor/identity.h"
#include "actor/monotonic.h"
#include "actor/trace.h"
#include "base/alloc.h"
#include "base/spare.h"
#include "net/pollset.h"
#include "wire/frame.h"
#include "wire/placement.h"

#define BURST_FRAMES 64

/*  Connections in a row that the listener ended in their handshake before a probe is to
    find out why. */
#define SHUT_OUT_MOST 2

/*  How long a worker that is refused, and was not always, waits before it tries again. */
#define REFUSED_RETRY_MS 250

/*  While commands are out at their reader the actor looks at this interval, which
    is that of reports; when none is done, the reader calls. */
#define LOOK_MS REPORT_DELAY_MS

/*  Messages are a stream while so many bytes a millisecond are accepted; the actor looks
    at this interval whether they still are. */
#define STREAM_BYTES (FRAME_RUN_BYTES / 2)
#define STREAM_LOOK_MS 1

enum { POLL_PIPE, POLL_WAKE, POLL_DEALER, POLL_MONITORS };

typedef struct {
    worker_core_t *core;
    zsock_t *pipe;
    pollset_t set;
    bool listed;            /* set has the sockets of the connection that there is */
    int64_t now;            /* read once for each round of the loop */
    bool again;             /* the DEALER has more than one burst */
    bool slow;              /* the last look found nothing done */
    int64_t looked_at;      /* ms: for a stream, */
    uint64_t looked_bytes;  /* when so many were accepted */
    bool terminated;
} loop_t;

/*  --------------------------------------------------------------------------
    Connecting */

static void
tell (const loop_t *self, const char *what, const char *reason)
{
    trace_connection (what, self->core->source, self->core->data_endpoint, reason);
}

static void
disconnect (loop_t *self)
{
    connection_destroy (&self->core->connection);
    self->listed = false;
}

/*  The routing id is new in each epoch, so that no ROUTER takes one connection
    for another, and random, so that nobody can take it before. A first byte of zero
    is ZeroMQ's own. */
static void
connect_anew (loop_t *self)
{
    worker_core_t *core = self->core;
    struct {
        uint8_t mark;
        session_id_t luck;
    } id = { .mark = 'W' };
    connection_options_t options = {
        .endpoint = core->data_endpoint, .return_endpoint = core->back_endpoint,
        .routing_id = &id, .routing_size = sizeof id,
        .keys = core->keyed ? &core->keys : NULL, .server = core->server,
        .probe = core->shut_out >= SHUT_OUT_MOST, .now = self->now };
    disconnect (self);
    tell (self, core->keyed ? "connecting with keys" : "connecting", NULL);
    muster_error_t error = identity_new (&id.luck)
        ? connection_open (&core->connection, core->context, &options) : MUSTER_SYSTEM;
    if (error) {
        tell (self, "cannot connect", muster_error_text (error));
        session_disconnected (&core->session, self->now);
    }
}

static void
end_session (session_t *session, muster_error_t error, const char *reason)
{
    session->state = SESSION_ENDED;
    session->error = error;
    snprintf (session->reason, sizeof session->reason, "%s", reason);
}

static void
lose_connection (loop_t *self)
{
    disconnect (self);
    session_disconnected (&self->core->session, self->now);
}

/*  A refusal is not signed: whoever has the listener's port for a moment can say one, or
    a listener that is started without its keys by mistake. A worker that was welcomed
    before gives what it keeps a while. */
static void
take_refusal (loop_t *self)
{
    worker_core_t *core = self->core;
    tell (self, "handshake refused", connection_reason (core->connection));
    if (core->refused_since == 0)
        core->refused_since = self->now;
    if (session_has_met (&core->session) && self->now - core->refused_since < core->options.liveness_ms) {
        lose_connection (self);
        session_postpone (&core->session, self->now + REFUSED_RETRY_MS);
        return;
    }
    end_session (&core->session, MUSTER_ACCESS, connection_reason (core->connection));
    disconnect (self);
}

/*  A connection whose session is open has some only when a monitor says so. */
static bool
may_have_news (const loop_t *self)
{
    if (!self->listed || self->core->session.state != SESSION_OPEN)
        return true;
    for (int number = POLL_MONITORS; number < self->set.count; number++)
        if (pollset_is_ready (&self->set, number))
            return true;
    return false;
}

static void
watch_connection (loop_t *self)
{
    worker_core_t *core = self->core;
    if (!core->connection || !may_have_news (self))
        return;
    /*  A probe that has its answer has no sockets any more: they are listed anew. */
    self->listed = false;
    connection_news_t news = connection_watch (core->connection, self->now);
    switch (news) {
        case CONNECTION_UP:
            core->shut_out = 0;
            core->refused_since = 0;
            tell (self, "connected", NULL);
            session_connected (&core->session, self->now);
            break;
        case CONNECTION_DOWN:
            core->shut_out = 0;
            core->refused_since = 0;
            tell (self, "not connected any more, or nobody is there", NULL);
            lose_connection (self);
            break;
        case CONNECTION_SHUT_OUT:
            core->shut_out++;
            tell (self, "handshake failed", "the listener ended the connection");
            lose_connection (self);
            break;
        case CONNECTION_REFUSED:
            take_refusal (self);
            break;
        default:
            break;
    }
}

static void
step (loop_t *self)
{
    worker_core_t *core = self->core;
    session_step_t next;
    while ((next = session_step (&core->session, self->now)) != SESSION_WAIT)
        if (next == SESSION_CONNECT) {
            connect_anew (self);
            watch_connection (self);
        }
        else
            disconnect (self);
    if (core->session.state == SESSION_ENDED) {
        disconnect (self);
        inbox_close (core->inbox);
    }
}

/*  --------------------------------------------------------------------------
    What the listener sends */

static void
refuse (loop_t *self, muster_refusal_t reason)
{
    uint64_t lines = log_allow (&self->core->refusal_log, self->now);
    if (lines)
        log_write (LOG_WORKER, MUSTER_LOG_WARNING, "refused a frame of the listener: name=%s reason=\"%s\" count=%llu",
            muster_refusal_name (reason), muster_refusal_text (reason), (unsigned long long) lines);
}

static void
take_batch (loop_t *self, batch_t *batch, uint64_t first, uint32_t count, uint32_t skip)
{
    worker_core_t *core = self->core;
    scan_limits_t limits = { .depth = MUSTER_DEPTH_MAX, .message_size = core->session.limits.message_limit };
    meeting_name (&core->meeting, core->session.listener_source, batch);
    batch->session = core->session_text;
    batch->stream = core->session.in.stream;
    batch->first = first;
    muster_refusal_t refusal = batch_scan (batch, &limits, NULL);
    if (!refusal && batch->count != count)
        refusal = MUSTER_REFUSAL_MISCOUNT;
    if (refusal == MUSTER_REFUSAL_MEMORY)
        core->session.down_due = true;
    else
    if (refusal) {
        refuse (self, refusal);
        batch->refused = true;
        batch->count = count - skip;
        batch->done = count - skip;
        if (backlog_keep (&core->backlog, batch))
            session_received (&core->session, count - skip, batch->size, self->now);
        else
            core->session.down_due = true;
    }
    else {
        batch_skip (batch, skip);
        session_received (&core->session, count - skip, batch->size - batch->offset, self->now);
        if (!backlog_join (&core->backlog, core->inbox, batch)) {
            backlog_keep (&core->backlog, batch);
            inbox_put (core->inbox, batch);
        }
    }
    batch_release (&batch);
}

static void
note_arrival (loop_t *self, arrival_t arrival)
{
    if (arrival == ARRIVAL_CREDIT)
        refuse (self, MUSTER_REFUSAL_CREDIT);
    if (arrival == ARRIVAL_CREDIT || arrival == ARRIVAL_MEMORY)
        self->core->session.down_due = true;
}

static void
take_data (loop_t *self, const frame_t *frame, zmq_msg_t *msg, const uint8_t *body, size_t size)
{
    uint32_t skip = 0;
    arrival_t arrival = session_data (&self->core->session, frame, size, &skip, self->now);
    note_arrival (self, arrival);
    if (arrival != ARRIVAL_TAKE)
        return;
    batch_t *batch = batch_new_msg (msg, body, size, SCAN_SESSION);
    if (batch)
        take_batch (self, batch, frame->data.first, frame->data.count, skip);
    else
        self->core->session.down_due = true;
}

static void
take_chunk (loop_t *self, const frame_t *frame, const uint8_t *body, size_t size)
{
    session_t *session = &self->core->session;
    size_t aligned = frame->chunk.offset == 0 ? placement_find (body, size) : 0;
    arrival_t arrival = session_chunk (session, frame, body, size, aligned, self->now);
    note_arrival (self, arrival);
    if (arrival != ARRIVAL_TAKE)
        return;
    uint64_t total;
    uint8_t *memory = session_take_partial (session, &total);
    batch_t *batch = batch_new_memory (memory, memory, total, SCAN_SESSION);
    if (batch)
        take_batch (self, batch, frame->chunk.position, 1, 0);
    else {
        alloc_block_free (memory);
        session->down_due = true;
    }
}

static muster_refusal_t
take_frame (loop_t *self, zmq_msg_t *msg)
{
    frame_t frame;
    const uint8_t *body;
    size_t size;
    uint8_t version;
    session_t *session = &self->core->session;
    muster_refusal_t refusal = frame_read (zmq_msg_data (msg), zmq_msg_size (msg), &frame, &body, &size, &version);
    if (!refusal && (version != PROTOCOL_VERSION || memcmp (&frame.session, &session->id, sizeof session->id) != 0))
        refusal = MUSTER_REFUSAL_HEADER;
    if (refusal)
        return refusal;
    if (frame.kind == FRAME_DATA)
        take_data (self, &frame, msg, body, size);
    else
    if (frame.kind == FRAME_CHUNK)
        take_chunk (self, &frame, body, size);
    else {
        trace_frame (self->core->source, &frame, TRACE_RECEIVED, &self->core->received_log, self->now);
        if (!session_control (session, &frame, self->now))
            return MUSTER_REFUSAL_CONTROL;
        if (frame_is_stamped (&frame))
            session_take_stamp (session, &frame, monotonic_us ());
    }
    /*  Before any command of another listener: they come by later frames. */
    meeting_tell (&self->core->meeting, session, self->core->inbox);
    return MUSTER_REFUSAL_NONE;
}

static void
take_dealer (loop_t *self)
{
    if (self->listed && !self->again && !pollset_is_ready (&self->set, POLL_DEALER))
        return;
    self->again = false;
    for (int frames = 0; frames < BURST_FRAMES && self->core->connection; frames++) {
        zmq_msg_t msg;
        zmq_msg_init (&msg);
        bool taken = zmq_msg_recv (&msg, connection_dealer (self->core->connection), ZMQ_DONTWAIT) >= 0;
        muster_refusal_t refusal = taken ? take_frame (self, &msg) : MUSTER_REFUSAL_NONE;
        zmq_msg_close (&msg);
        if (refusal)
            refuse (self, refusal);
        if (!taken)
            return;
    }
    self->again = self->core->connection;
}

/*  --------------------------------------------------------------------------
    Commands that are done */

static void
drop_progress (worker_core_t *core)
{
    batch_t *batch;
    while ((batch = inbox_take_progress (core->inbox)))
        batch_release (&batch);
}

static void
settle (loop_t *self)
{
    worker_core_t *core = self->core;
    settled_t settled;
    self->slow = true;
    drop_progress (core);
    while (backlog_settle (&core->backlog, &settled)) {
        self->slow = false;
        if (settled.stream == core->session.in.stream)
            session_handled (&core->session, settled.count, settled.size, settled.refused, self->now);
        else
            session_handled_before (&core->session, settled.size);
    }
    while (credit_grant (&core->credit))
        session_report (&core->session, self->now);
}

/*  --------------------------------------------------------------------------
    The loop */

static void
send_controls (loop_t *self)
{
    worker_core_t *core = self->core;
    frame_t frame;
    while (core->connection && session_next_control (&core->session, self->now, &frame)) {
        if (frame_is_stamped (&frame))
            session_stamp (&core->session, &frame, monotonic_us ());
        if (flight_send_control (connection_dealer (core->connection), NULL, &frame, core->writer)) {
            session_unsent (&core->session, &frame, self->now);
            return;
        }
        trace_frame (core->source, &frame, TRACE_SENT, &core->sent_log, self->now);
    }
}

static void
look_for_stream (loop_t *self)
{
    worker_core_t *core = self->core;
    uint64_t accepted = core->session.out.box.accepted.bytes;
    int64_t passed = self->now - self->looked_at;
    if (passed < STREAM_LOOK_MS)
        return;
    core->streaming = accepted >= self->looked_bytes + STREAM_BYTES * (uint64_t) passed;
    self->looked_bytes = accepted;
    self->looked_at = self->now;
}

static void
tell_progress (loop_t *self)
{
    worker_core_t *core = self->core;
    if (core->transfers.list)
        transfers_tell (&core->transfers, &core->options.progress, core->source,
            core->session.out.peer_received, self->now);
}

static void
work (loop_t *self)
{
    worker_core_t *core = self->core;
    self->now = monotonic_ms ();
    watch_connection (self);
    take_dealer (self);
    settle (self);
    step (self);
    send_controls (self);
    look_for_stream (self);
    worker_pump (core);
    send_controls (self);
    tell_progress (self);
    pthread_cond_broadcast (&core->changed);
}

static void
take_pipe (loop_t *self)
{
    if (!pollset_is_ready (&self->set, POLL_PIPE) || !(zsock_events (self->pipe) & ZMQ_POLLIN))
        return;
    zmsg_t *msg = zmsg_recv (self->pipe);
    self->terminated = true;
    zmsg_destroy (&msg);
}

/*  What is sent on the DEALER may take what it would have told. */
static void
list_sockets (loop_t *self)
{
    worker_core_t *core = self->core;
    if (self->listed) {
        pollset_use (&self->set, POLL_DEALER);
        return;
    }
    pollset_clear (&self->set);
    pollset_add_socket (&self->set, zsock_resolve (self->pipe));
    pollset_add_descriptor (&self->set, core->wake->descriptor);
    if (!core->connection)
        return;
    pollset_add_socket (&self->set, connection_dealer (core->connection));
    for (int i = 0; i < CONNECTION_MONITORS; i++)
        if (connection_monitor (core->connection, i))
            pollset_add_socket (&self->set, connection_monitor (core->connection, i));
    self->listed = true;
}

static long
poll_timeout (const loop_t *self)
{
    const worker_core_t *core = self->core;
    if (self->again)
        return 0;
    int64_t deadline = session_deadline (&core->session);
    if (core->backlog.first && !self->slow && self->now + LOOK_MS < deadline)
        deadline = self->now + LOOK_MS;
    if (core->streaming && self->now + STREAM_LOOK_MS < deadline)
        deadline = self->now + STREAM_LOOK_MS;
    int64_t idle = self->now + spare_age (self->now);
    if (deadline > idle)
        deadline = idle;
    return deadline > self->now ? (long) (deadline - self->now) : 0;
}

void
worker_actor (zsock_t *pipe, void *argument)
{
    loop_t self = { .core = argument, .pipe = pipe };
    worker_core_t *core = self.core;
    zsock_signal (pipe, 0);
    while (!self.terminated) {
        pthread_mutex_lock (&core->lock);
        work (&self);
        list_sockets (&self);
        long timeout = poll_timeout (&self);
        inbox_set_call (core->inbox, self.slow ? INBOX_EACH_MESSAGE : INBOX_EACH_BATCH);
        pthread_mutex_unlock (&core->lock);
        pollset_wait (&self.set, self.set.count, timeout);
        if (pollset_is_ready (&self.set, POLL_WAKE))
            wake_heard (core->wake);
        take_pipe (&self);
    }
    pthread_mutex_lock (&core->lock);
    disconnect (&self);
    keyfile_wipe (&core->keys);
    pthread_mutex_unlock (&core->lock);
}
