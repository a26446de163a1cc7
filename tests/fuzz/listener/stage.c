/*  stage.c - a listener with keys, a liar's sockets and an honest witness

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "listener/stage.h"

#include <sched.h>
#include <string.h>

#include <zmq.h>

#include "actor/listener.h"
#include "require.h"
#include "scene.h"
#include "session_check.h"
#include "wire/frame.h"

/*  Longer than anything takes that comes at all. */
#define WAIT_MS 60000
/*  Executions between two that also wait until the witness knows that all is handled. */
#define FLUSH_EACH 16
#define PEERS_MOST 64

static const session_id_t sync_id = { { 's', 'y', 'n', 'c' } };

/*  --------------------------------------------------------------------------
    The liar's sockets */

static void
set_number (raw_socket_t *self, int option, int number)
{
    MUST (zmq_setsockopt (self->socket, option, &number, sizeof number) == 0);
}

static void
connect_liar (stage_t *self)
{
    const char *endpoint = muster_listener_endpoint (self->listener);
    self->sockets [CHANNEL_PUSH] = raw_connect_with_keys (ZMQ_PUSH, endpoint, &self->keyring, "liar", "");
    self->sockets [CHANNEL_DEALER] = raw_connect_beside (&self->sockets [CHANNEL_PUSH],
        ZMQ_DEALER, raw_return_endpoint (endpoint), &self->keyring, "liar", "liar");
    for (channel_t channel = CHANNEL_PUSH; channel <= CHANNEL_DEALER; channel++) {
        set_number (&self->sockets [channel], ZMQ_LINGER, 0);
        set_number (&self->sockets [channel], ZMQ_SNDTIMEO, WAIT_MS);
        set_number (&self->sockets [channel], ZMQ_RCVTIMEO, WAIT_MS);
    }
}

static void
disconnect_liar (stage_t *self)
{
    raw_close (&self->sockets [CHANNEL_DEALER]);
    raw_close (&self->sockets [CHANNEL_PUSH]);
}

void
stage_send (stage_t *self, channel_t channel, const void *bytes, size_t size, bool more)
{
    self->spoken = self->spoken || channel == CHANNEL_DEALER;
    require (zmq_send (self->sockets [channel].socket, bytes, size, more ? ZMQ_SNDMORE : 0) >= 0,
        "the listener reads no more");
}

void
stage_send_control (stage_t *self, const frame_t *frame)
{
    const void *bytes;
    size_t size;
    muster_writer_clear (self->writer);
    frame_write (frame, self->writer);
    MUST (muster_writer_bytes (self->writer, &bytes, &size) == 0);
    stage_send (self, CHANNEL_DEALER, bytes, size, false);
}

/*  What the listener sends keeps the rules, and is for sessions that the liar named. He
    may name the witness's, too, and hears only that he may not. What it counts is for no
    session. */
static void
check_answer (stage_t *self, const frame_t *frame, muster_refusal_t refusal, uint8_t version)
{
    require (!refusal && version == PROTOCOL_VERSION, "the listener breaks a rule of the protocol");
    if (frame->kind == FRAME_REPORT) {
        require (frame->epoch == 0 && memcmp (&frame->session, &(session_id_t) { { 0 } }, sizeof frame->session) == 0,
            "a report for a session");
        return;
    }
    for (unsigned i = 0; i <= LEDGER_SYNC; i++)
        if (memcmp (&self->ledger.sessions [i].id, &frame->session, sizeof frame->session) == 0) {
            if (frame->kind == FRAME_WELCOME)
                self->ledger.sessions [i].stream = frame->welcome.stream;
            return;
        }
    bool witness = memcmp (&self->ledger.sessions [LEDGER_WITNESS].id, &frame->session, sizeof frame->session) == 0;
    require (self->ledger.wild_id || (witness && frame->kind == FRAME_END),
        "the liar hears of a session that is not his");
}

/*  The next frame on the way back. */
static void
take_answer (stage_t *self, frame_t *frame)
{
    zmq_msg_t msg;
    const uint8_t *body;
    size_t size;
    uint8_t version;
    zmq_msg_init (&msg);
    require (zmq_msg_recv (&msg, self->sockets [CHANNEL_DEALER].socket, 0) >= 0, "no answer on the way back");
    muster_refusal_t refusal = frame_read (zmq_msg_data (&msg), zmq_msg_size (&msg), frame, &body, &size, &version);
    check_answer (self, frame, refusal, version);
    if (frame->kind == FRAME_WELCOME)
        self->listener_id = frame->welcome.listener;
    zmq_msg_close (&msg);
}

/*  --------------------------------------------------------------------------
    Taking messages */

void
stage_take (stage_t *self, const muster_message_t *message)
{
    ledger_take (&self->ledger, message);
    if (strcmp (muster_message_cmd (message), "SYNC") == 0 && !*muster_message_session (message)
        && strcmp (muster_message_source (message), ledger_sources [SOURCE_SYNC]) == 0)
        (void) muster_message_unpack (message, "{s:U}", "n", &self->synced);
}

static bool
take_next (stage_t *self, int timeout_ms)
{
    muster_message_t *message;
    muster_error_t error = muster_listener_next (self->listener, &message, timeout_ms);
    require (!error || timeout_ms == 0, "a message does not come");
    if (error)
        return false;
    stage_take (self, message);
    MUST (muster_message_done (&message, 0) == 0);
    return true;
}

/*  --------------------------------------------------------------------------
    Knowing where the listener is */

static uint64_t
send_sync (stage_t *self)
{
    const void *bytes;
    size_t size;
    muster_writer_clear (self->writer);
    muster_writer_seq (self->writer, 3);
    muster_writer_str (self->writer, ledger_sources [SOURCE_SYNC], 4);
    muster_writer_str (self->writer, "SYNC", 4);
    uint64_t number = ledger_write_plain (&self->ledger, self->writer, SOURCE_SYNC, 0);
    MUST (muster_writer_bytes (self->writer, &bytes, &size) == 0);
    ledger_expect (&self->ledger, number);
    stage_send (self, CHANNEL_PUSH, bytes, size, false);
    return number;
}

static void
await_sync (stage_t *self, uint64_t number)
{
    while (self->synced < number)
        (void) take_next (self, WAIT_MS);
}

/*  SYNC's session comes again under the next epoch, which is always answered. */
static void
send_sync_hello (stage_t *self)
{
    frame_t hello = { .kind = FRAME_HELLO, .session = sync_id, .epoch = ++self->sync_epoch };
    strcpy (hello.hello.source, ledger_sources [SOURCE_SYNC]);
    hello.hello.fresh = self->sync_epoch == 1;
    stage_send_control (self, &hello);
}

static void
await_sync_welcome (stage_t *self)
{
    frame_t frame;
    do
        take_answer (self, &frame);
    while (frame.kind != FRAME_WELCOME || frame.epoch != self->sync_epoch
        || memcmp (&frame.session, &sync_id, sizeof sync_id) != 0);
}

void
stage_sync (stage_t *self, channel_t channel)
{
    if (channel == CHANNEL_PUSH)
        await_sync (self, send_sync (self));
    else {
        send_sync_hello (self);
        await_sync_welcome (self);
    }
}

/*  --------------------------------------------------------------------------
    What holds at any moment */

static size_t
gather_sessions (const roster_t *roster, const session_t **sessions)
{
    peer_t *peer, *next;
    size_t count = 0;
    HASH_ITER (by_id, roster->by_id, peer, next) {
        require (count < PEERS_MOST, "sessions gather");
        sessions [count++] = &peer->session;
    }
    for (peer = roster->forgotten; peer; peer = peer->absent_next) {
        require (count < PEERS_MOST, "sessions gather that are forgotten");
        sessions [count++] = &peer->session;
    }
    return count;
}

static void
check_sessions (stage_t *self)
{
    const session_t *sessions [PEERS_MOST];
    listener_core_t *core = &self->listener->core;
    roster_lock (&core->roster);
    size_t count = gather_sessions (&core->roster, sessions);
    for (size_t i = 0; i < count; i++)
        require_no_fault (session_fault (sessions [i]));
    require_no_fault (credit_fault (&core->roster.credit, sessions, count));
    require (core->plain_bytes <= core->limits.plain_share + core->limits.frame_limit, "plain bytes over their share");
    roster_unlock (&core->roster);
}

/*  The liar's last answer may come before the events that tell of it, but for the lock. */
static void
check_stats (stage_t *self)
{
    muster_stats_t stats;
    MUST (muster_listener_stats (self->listener, &stats) == 0);
    while (take_next (self, 0))
        MUST (muster_listener_stats (self->listener, &stats) == 0);
    ledger_compare (&self->ledger, &stats);
    require (stats.queued == 0 && stats.queued_bytes == 0, "messages are queued when all is handled");
    require (stats.workers == 1u + self->ledger.sessions [LEDGER_SYNC].present, "the wrong number of workers is here");
    require (stats.failed == 0 && stats.unhandled == 0, "a message failed");
}

/*  --------------------------------------------------------------------------
    An execution */

/*  Else the listener would keep them, until no more has room. */
static void
take_commands (muster_worker_t *witness)
{
    muster_message_t *command;
    while (muster_worker_recv (witness, &command, 0) == 0)
        MUST (muster_message_done (&command, 0) == 0);
}

void
stage_begin (stage_t *self)
{
    uint64_t seal;
    take_commands (self->witness);
    ledger_begin (&self->ledger, self->execution);
    self->spoken = false;
    uint64_t number = ledger_seal_witness (&self->ledger, &seal);
    MUST (muster_worker_send (self->witness, "WITNESS", "{s:U, s:U}", "n", number, "h", seal) == 0);
}

/*  A fresh session takes a source from whoever has it, and says goodbye. */
static void
sweep (stage_t *self, unsigned source)
{
    unsigned index = LEDGER_PLAYED + source;
    self->ledger.sessions [index].sources = 1u << source;
    frame_t frame = { .kind = FRAME_HELLO, .session = self->ledger.sessions [index].id, .epoch = 1 };
    strcpy (frame.hello.source, ledger_sources [source]);
    frame.hello.fresh = true;
    stage_send_control (self, &frame);
    frame.kind = FRAME_GOODBYE;
    frame.goodbye = (frame_goodbye_t) { .last = 0 };
    stage_send_control (self, &frame);
    self->sweeps++;
}

/*  Only where somebody may be, for it takes as long as all the rest. */
static void
send_sweeps (stage_t *self)
{
    unsigned sources = 0;
    for (unsigned i = 0; i < LEDGER_PLAYED; i++)
        sources |= self->ledger.sessions [i].sources;
    self->sweeps = 0;
    for (unsigned source = SOURCE_A; source <= SOURCE_B; source++)
        if (sources & 1u << source || self->ledger.wild_id)
            sweep (self, source);
    if (self->spoken && self->sweeps == 0)
        send_sync_hello (self);
}

static bool
is_end_of_sweep (const stage_t *self, const frame_t *frame)
{
    for (unsigned index = LEDGER_PLAYED; index < LEDGER_SESSIONS; index++)
        if (memcmp (&frame->session, &self->ledger.sessions [index].id, sizeof frame->session) == 0)
            return frame->kind == FRAME_END && frame->end.error == MUSTER_LEFT;
    return false;
}

/*  Sessions are answered in any order, each in its own. */
static void
await_sweeps (stage_t *self)
{
    frame_t frame;
    if (self->spoken && self->sweeps == 0)
        await_sync_welcome (self);
    while (self->sweeps > 0) {
        take_answer (self, &frame);
        if (is_end_of_sweep (self, &frame))
            self->sweeps--;
    }
}

/*  The way back first: meanwhile all the messages come. */
void
stage_settle (stage_t *self)
{
    uint64_t number = send_sync (self);
    send_sweeps (self);
    await_sweeps (self);
    await_sync (self, number);
    while (self->ledger.witness_handled < self->ledger.witness_sent)
        (void) take_next (self, WAIT_MS);
}

void
stage_end (stage_t *self)
{
    check_stats (self);
    check_sessions (self);
    ledger_settle (&self->ledger);
    if (self->execution % FLUSH_EACH == 0)
        require (muster_worker_flush (self->witness, WAIT_MS) == 0, "the witness cannot flush");
    self->execution++;
}

/*  --------------------------------------------------------------------------
    Stopping and starting */

void
stage_stop (stage_t *self)
{
    MUST (muster_listener_stop (self->listener, NULL) == 0);
}

static void
check_nothing_left (stage_t *self)
{
    muster_stats_t stats;
    const listener_core_t *core = &self->listener->core;
    MUST (muster_listener_stats (self->listener, &stats) == 0);
    ledger_compare (&self->ledger, &stats);
    require (stats.queued == 0 && stats.queued_bytes == 0 && stats.workers == 0, "something is left after a stop");
    require (core->plain_bytes == 0 && !core->plain.first, "plain messages are left after a stop");
}

/*  Late replies have outlived the stop. The witness's session comes back, with what was
    given up of it. */
void
stage_start (stage_t *self)
{
    while (take_next (self, 0))
        ;
    check_nothing_left (self);
    ledger_stopped (&self->ledger);
    disconnect_liar (self);
    require (muster_listener_start (self->listener) == 0, "the listener does not start again");
    connect_liar (self);
    stage_sync (self, CHANNEL_DEALER);
    MUST (muster_listener_wait_for_sources (self->listener, &ledger_sources [SOURCE_WITNESS], 1, WAIT_MS) == 0);
}

static void
open_listener (stage_t *self)
{
    self->listener = muster_listener_new (scene_tcp ());
    MUST (self->listener);
    keyring_arm_listener (&self->keyring, self->listener);
    muster_listener_set_receive_budget (self->listener, STAGE_BUDGET);
    muster_listener_set_credit_floor (self->listener, STAGE_FLOOR);
    muster_listener_set_message_limit (self->listener, STAGE_LIMIT);
    muster_listener_set_frame_limit (self->listener, STAGE_LIMIT);
    muster_listener_set_retention (self->listener, 60);     /* longer than a restart takes on a busy machine */
    muster_listener_set_retained_sessions (self->listener, 8);
    muster_listener_set_drain (self->listener, 0.05);
    MUST (muster_listener_start (self->listener) == 0);
}

static session_id_t
id_of (const char *text)
{
    session_id_t id;
    for (size_t i = 0; i < sizeof id.bytes; i++)
        MUST (sscanf (text + 2 * i, "%2hhx", &id.bytes [i]) == 1);
    return id;
}

/*  The witness's session is known once one of his messages has come. */
static void
open_witness (stage_t *self)
{
    muster_message_t *message;
    self->witness = muster_worker_new (muster_listener_endpoint (self->listener), ledger_sources [SOURCE_WITNESS]);
    MUST (self->witness);
    keyring_arm_worker (&self->keyring, self->witness, "witness");
    MUST (muster_worker_start (self->witness) == 0);
    MUST (muster_worker_send (self->witness, "HERE", NULL) == 0);
    MUST (muster_listener_next (self->listener, &message, WAIT_MS) == 0);
    session_id_t id = id_of (muster_message_session (message));
    ledger_name_session (&self->ledger, LEDGER_WITNESS, &id, SOURCE_WITNESS);
    self->ledger.sessions [LEDGER_WITNESS].present = true;
    MUST (muster_message_done (&message, 0) == 0);
    MUST (muster_listener_register_system_handler (self->listener, ledger_take_event, &self->ledger) == 0);
}

/*  Threads that hand over to each other all the time do so several times faster on one
    processor, where one goes on until it waits. */
static void
share_a_processor (void)
{
    cpu_set_t set;
    CPU_ZERO (&set);
    CPU_SET (sched_getcpu (), &set);
    (void) sched_setaffinity (0, sizeof set, &set);
    (void) sched_setscheduler (0, SCHED_BATCH, &(struct sched_param) { .sched_priority = 0 });
}

void
stage_open (stage_t *self)
{
    share_a_processor ();
    scene_hush ();
    memset (self, 0, sizeof *self);
    ledger_open (&self->ledger);
    self->writer = muster_writer_new ();
    self->keyring = keyring_open ();
    keyring_admit (&self->keyring, "witness");
    keyring_make (&self->keyring, "liar");
    for (unsigned source = 0; source < SOURCE_WITNESS; source++)
        keyring_enrol (&self->keyring, "liar", ledger_sources [source]);
    keyring_enrol_observer (&self->keyring, "liar");
    ledger_name_session (&self->ledger, LEDGER_SYNC, &sync_id, SOURCE_SYNC);
    open_listener (self);
    open_witness (self);
    connect_liar (self);
    stage_sync (self, CHANNEL_DEALER);
}

void
stage_close (stage_t *self)
{
    disconnect_liar (self);
    muster_worker_destroy (&self->witness);
    MUST (muster_listener_destroy (&self->listener) == 0);
    muster_writer_destroy (&self->writer);
    keyring_close (&self->keyring);
    ledger_close (&self->ledger);
}
