/*  test_hostile.c - peers that keep no rules, towards a listener and towards a worker

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <muster/muster.h>
#include <zmq.h>

#include "raw.h"
#include "scene.h"
#include "tally.h"

/*  --------------------------------------------------------------------------
    A listener under fire */

typedef struct {
    scene_t scene;
    tally_t *tally;
    raw_socket_t push;          /* a plain producer, or what poses as a worker */
    raw_socket_t dealer;
    uint64_t sent;              /* frames by push, but for those after a session's gap */
    uint32_t sessions;
} siege_t;

static siege_t
begin_siege_with_floor (uint64_t floor)
{
    char endpoint [100], back [120];
    scene_private_endpoint (endpoint, sizeof endpoint);
    snprintf (back, sizeof back, "%s.return", endpoint);
    scene_hush ();
    siege_t self = { .scene = scene_open (endpoint), .tally = tally_new () };
    muster_listener_register_default_handler (self.scene.listener, tally_handler, self.tally);
    muster_listener_register_handler (self.scene.listener, "good", collector_handler, self.scene.messages, false);
    muster_listener_set_credit_floor (self.scene.listener, floor);
    scene_start (&self.scene);
    self.push = raw_connect (ZMQ_PUSH, endpoint);
    self.dealer = raw_connect (ZMQ_DEALER, back);
    return self;
}

static siege_t
begin_siege (void)
{
    return begin_siege_with_floor (1024);       /* for thousands of sessions */
}

static void
push (siege_t *self, const void *bytes, size_t size)
{
    raw_send (&self->push, bytes, size);
    self->sent++;
}

/*  The listener handles the next good message, and a real worker's. */
static void
expect_alive (siege_t *self)
{
    size_t before = collector_count (self->scene.messages);
    raw_t good = raw_plain ("good", "X", 0);
    push (self, good.bytes, good.size);
    MUST (collector_wait (self->scene.messages, before + 1));
    muster_worker_t *worker = scene_worker (&self->scene, "honest");
    MUST (muster_worker_send (worker, "X", NULL) == 0);
    self->sent++;
    scene_dismiss (worker);
}

/*  The frame after the last good one has been looked at. */
static uint64_t
accounted (siege_t *self)
{
    muster_stats_t stats = scene_stats (&self->scene);
    return stats.rejected + stats.stale + stats.duplicates + stats.handled;
}

static void
end_siege (siege_t *self)
{
    raw_close (&self->push);
    raw_close (&self->dealer);
    scene_close (&self->scene);
    tally_destroy (&self->tally);
}

/*  --------------------------------------------------------------------------
    Plain frames */

/*  unit.scan shows all 16.7 million strings of three bytes to the scan; to push
    each through a socket takes a minute. Here the third byte is only each of
    these, one of every kind of lead byte and both ends of each range of fixed
    ones, unless the first byte begins an array as long as a message, one whose
    length follows, or a session's header: what begins with any other byte is
    refused for that, whatever comes after. Of those AddressSanitizer, under which
    each takes ten times as long, sees one in five. */
static const uint8_t kinds [] = {
    0x00, 0x7f, 0x80, 0x81, 0x8f, 0x90, 0x93, 0x9f, 0xa0, 0xa1, 0xbf, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc7, 0xca, 0xcb,
    0xcc, 0xcf, 0xd0, 0xd3, 0xd4, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xff };

#ifdef __SANITIZE_ADDRESS__
#define STEP 5
#else
#define STEP 1
#endif

static bool
needs_all (int first)
{
    return first == 0x93 || first == 0xdc || first == 0xdd || first == 0xc7;
}

static void
push_all_of_three (siege_t *self, int first)
{
    bool all = needs_all (first);
    int thirds = all ? 256 : (int) sizeof kinds;
    for (int second = 0; second < 256; second++)
        for (int i = 0; i < thirds; i += all ? 1 : STEP)
            push (self, (uint8_t []) { (uint8_t) first, (uint8_t) second, all ? (uint8_t) i : kinds [i] }, 3);
}

Test (hostile, every_string_of_two_bytes_and_every_kind_of_three_is_refused_and_counted, .timeout = 300)
{
    siege_t siege = begin_siege ();
    push (&siege, "", 0);
    for (int first = 0; first < 256; first++) {
        push (&siege, (uint8_t []) { (uint8_t) first }, 1);
        for (int second = 0; second < 256; second++)
            push (&siege, (uint8_t []) { (uint8_t) first, (uint8_t) second }, 2);
        push_all_of_three (&siege, first);
    }
    uint64_t hostile = siege.sent;
    expect_alive (&siege);
    cr_assert_eq (scene_stats (&siege.scene).rejected, hostile);
    cr_assert_eq (scene_stats (&siege.scene).handled, 2);
    end_siege (&siege);
}

Test (hostile, every_truncation_of_a_plain_message_is_refused)
{
    siege_t siege = begin_siege ();
    raw_t valid = raw_plain ("worker-1", "PROGRESS", 1000);
    for (size_t size = 0; size < valid.size; size++)
        push (&siege, valid.bytes, size);
    expect_alive (&siege);
    cr_assert_eq (scene_stats (&siege.scene).rejected, valid.size);
    cr_assert_eq (accounted (&siege), siege.sent);
    end_siege (&siege);
}

Test (hostile, every_change_of_one_byte_of_a_plain_message_is_refused_or_another_message)
{
    siege_t siege = begin_siege ();
    raw_t valid = raw_plain ("worker-1", "PROGRESS", 1000);
    for (size_t at = 0; at < valid.size; at++)
        for (int change = 1; change < 256; change++) {
            raw_t frame = valid;
            frame.bytes [at] ^= (uint8_t) change;
            push (&siege, frame.bytes, frame.size);
        }
    expect_alive (&siege);
    cr_assert_eq (accounted (&siege), siege.sent);
    cr_assert_gt (scene_stats (&siege.scene).rejected, 1000);
    cr_assert_eq (scene_stats (&siege.scene).stale, 0);
    end_siege (&siege);
}

Test (hostile, a_frame_that_promises_more_than_it_has_costs_nothing)
{
    static const struct {
        const char *bytes;
        size_t size;
    } frames [] = {
        { "\x93\xa1" "a\xa1X\xdf\xff\xff\xff\xff", 10 },
        { "\x93\xa1" "a\xa1X\x81\xa1n\xdd\xff\xff\xff\xff", 13 },
        { "\x93\xa1" "a\xa1X\x81\xa1n\xc6\xff\xff\xff\xff", 13 },
        { "\x93\xa1" "a\xdb\xff\xff\xff\xff", 8 },
        { "\xdd\xff\xff\xff\xff\xa1" "a", 7 },
        { "\xdd\x00\x00\x00\x03\xa1", 6 },
    };
    siege_t siege = begin_siege ();
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
        push (&siege, frames [i].bytes, frames [i].size);
    static uint8_t nested [100000];
    memcpy (nested, "\x93\xa1" "a\xa1X\x81\xa1n", 8);
    memset (nested + 8, 0x91, sizeof nested - 8);
    push (&siege, nested, sizeof nested);
    expect_alive (&siege);
    cr_assert_eq (scene_stats (&siege.scene).rejected, sizeof frames / sizeof *frames + 1);
    cr_assert_eq (scene_stats (&siege.scene).refused [MUSTER_REFUSAL_DEPTH], 1);
    end_siege (&siege);
}

/*  --------------------------------------------------------------------------
    Sessions */

/*  A session that is welcomed, with a source of its own. */
static raw_peer_t
greet (siege_t *self)
{
    char source [20];
    snprintf (source, sizeof source, "raw%u", self->sessions);
    raw_peer_t peer = raw_peer (self->sessions++), answered;
    raw_t hello = raw_hello (peer, source), frame;
    raw_send (&self->dealer, hello.bytes, hello.size);
    do
        MUST (raw_recv (&self->dealer, NULL, &frame, PATIENCE_MS));
    while (raw_kind (&frame, &answered) != RAW_WELCOME || memcmp (answered.session, peer.session, sizeof peer.session));
    return peer;
}

Test (hostile, a_session_made_by_hand_is_heard)
{
    siege_t siege = begin_siege ();
    raw_peer_t peer = greet (&siege);
    raw_t message = raw_message ("X", 0), frame = raw_data (peer, 1, 1, &message);
    push (&siege, frame.bytes, frame.size);
    cr_assert (tally_wait (siege.tally, 1));
    cr_assert_eq (tally_wrong (siege.tally), 0);
    push (&siege, frame.bytes, frame.size);
    expect_alive (&siege);
    cr_assert_eq (scene_stats (&siege.scene).duplicates, 1);
    cr_assert_eq (accounted (&siege), siege.sent);
    end_siege (&siege);
}

/*  A frame for session is pushed as it is but for one change; a frame past a gap
    is for no one to count. */
typedef raw_t (frame_fn) (raw_peer_t peer);

static raw_t
one_message (raw_peer_t peer)
{
    raw_t message = raw_message ("X", 0);
    return raw_data (peer, 1, 1, &message);
}

static raw_t
one_piece (raw_peer_t peer)
{
    raw_t message = raw_message ("X", 0);
    return raw_chunk (peer, 1, message.size, 0, &message);
}

static void
push_truncations (siege_t *self, frame_fn *make)
{
    size_t size = make (raw_peer (0)).size;
    for (size_t end = 0; end < size; end++) {
        raw_t frame = make (greet (self));
        push (self, frame.bytes, end);
    }
}

Test (hostile, every_truncation_of_a_sessions_frame_is_refused)
{
    siege_t siege = begin_siege ();
    push_truncations (&siege, one_message);
    expect_alive (&siege);
    cr_assert_eq (scene_stats (&siege.scene).rejected, siege.sent - 2);
    cr_assert_eq (accounted (&siege), siege.sent);
    end_siege (&siege);
}

Test (hostile, every_truncation_of_a_piece_is_refused_or_a_piece)
{
    siege_t siege = begin_siege ();
    push_truncations (&siege, one_piece);
    raw_t message = raw_message ("X", 0);
    expect_alive (&siege);
    cr_assert_eq (accounted (&siege), siege.sent - (message.size - 1), "those with a part of the message wait for the rest");
    end_siege (&siege);
}

/*  How many positions other than 1 can one byte of it be changed to that leave a gap? */
#define GAPS (127 + 6 * 255 + 254)

Test (hostile, every_change_of_one_byte_of_a_sessions_frame_is_accounted_for, .timeout = 300)
{
    siege_t siege = begin_siege ();
    size_t size = one_message (raw_peer (0)).size;
    for (size_t at = 0; at < size; at++)
        for (int change = 1; change < 256; change++) {
            raw_t frame = one_message (greet (&siege));
            frame.bytes [at] ^= (uint8_t) change;
            push (&siege, frame.bytes, frame.size);
        }
    expect_alive (&siege);
    cr_assert_eq (accounted (&siege) + GAPS, siege.sent);
    cr_assert_eq (scene_stats (&siege.scene).joined, siege.sessions + 1);
    end_siege (&siege);
}

Test (hostile, every_change_of_one_byte_of_a_piece_leaves_the_listener_well, .timeout = 300)
{
    siege_t siege = begin_siege ();
    size_t size = one_piece (raw_peer (0)).size;
    for (size_t at = 0; at < size; at++)
        for (int change = 1; change < 256; change += at < 27 ? 7 : 1) {
            raw_t frame = one_piece (greet (&siege));
            frame.bytes [at] ^= (uint8_t) change;
            push (&siege, frame.bytes, frame.size);
        }
    expect_alive (&siege);
    cr_assert_leq (accounted (&siege), siege.sent);
    end_siege (&siege);
}

Test (hostile, one_that_sends_beyond_its_credit_is_sent_away)
{
    siege_t siege = begin_siege ();
    raw_peer_t peer = greet (&siege);
    raw_t message = raw_message ("X", 0), frame = raw_chunk (peer, 1, UINT32_MAX, 0, &message);
    push (&siege, frame.bytes, frame.size);
    int kind;
    do {
        MUST (raw_recv (&siege.dealer, NULL, &frame, PATIENCE_MS));
        kind = raw_kind (&frame, NULL);
    }
    while (kind != RAW_END);
    expect_alive (&siege);
    cr_assert_eq (scene_stats (&siege.scene).refused [MUSTER_REFUSAL_CREDIT], 1);
    cr_assert_eq (scene_stats (&siege.scene).workers, 0);
    end_siege (&siege);
}

Test (hostile, refused_messages_between_good_ones_that_wait_do_not_pile_up_without_bound)
{
    enum { MOST = 16384, PAIRS = MOST + 10 };       /* as BACKLOG_REFUSED_MOST */
    siege_t siege = begin_siege_with_floor (1 << 20);
    muster_listener_register_handler (siege.scene.listener, "raw0", collector_handler, siege.scene.messages, false);
    collector_block (siege.scene.messages);
    raw_peer_t peer = greet (&siege);
    raw_t good = raw_message ("X", 0), wrong = { .bytes = { 0xc1 }, .size = 1 };
    for (uint64_t position = 1; position <= 2 * PAIRS; position += 2) {
        raw_t frame = raw_data (peer, position, 1, &good);
        push (&siege, frame.bytes, frame.size);
        frame = raw_data (peer, position + 1, 1, &wrong);
        push (&siege, frame.bytes, frame.size);
    }
    AWAIT (scene_stats (&siege.scene).refused [MUSTER_REFUSAL_MEMORY] == 1);
    collector_unblock (siege.scene.messages);
    cr_assert (collector_wait (siege.scene.messages, MOST + 1));
    expect_alive (&siege);
    cr_assert_eq (scene_stats (&siege.scene).rejected, MOST + 1);
    end_siege (&siege);
}

/*  --------------------------------------------------------------------------
    The way back of a listener */

static raw_t
positions_of (raw_peer_t peer)
{
    return raw_positions (peer, 0, 0, 1000, 0);
}
static raw_t
want_of (raw_peer_t peer)
{
    return raw_want (peer, 0, 1000, 2000, 0);
}
static raw_t
goodbye_of (raw_peer_t peer)
{
    return raw_goodbye (peer, 1000);
}
static raw_t
hello_of (raw_peer_t peer)
{
    peer.epoch++;
    return raw_hello (peer, "raw");
}

static frame_fn *const controls [] = { positions_of, want_of, goodbye_of, hello_of };

#define CONTROLS (sizeof controls / sizeof *controls)

Test (hostile, every_truncation_of_a_control_frame_is_refused)
{
    siege_t siege = begin_siege ();
    uint64_t sent = 0;
    raw_peer_t peer = greet (&siege);
    for (size_t i = 0; i < CONTROLS; i++) {
        raw_t frame = (*controls [i]) (peer);
        for (size_t size = 0; size < frame.size; size++, sent++)
            raw_send (&siege.dealer, frame.bytes, size);
    }
    AWAIT (scene_stats (&siege.scene).rejected == sent);
    expect_alive (&siege);
    cr_assert_eq (scene_stats (&siege.scene).rejected, sent);
    cr_assert_eq (scene_stats (&siege.scene).workers, 1);
    end_siege (&siege);
}

Test (hostile, every_change_of_one_byte_of_a_control_frame_leaves_the_listener_well, .timeout = 300)
{
    siege_t siege = begin_siege ();
    raw_peer_t peer = greet (&siege);
    for (size_t i = 0; i < CONTROLS; i++) {
        size_t size = (*controls [i]) (peer).size;
        for (size_t at = 0; at < size; at++)
            for (int change = 1; change < 256; change++) {
                if (change == 1 || controls [i] == goodbye_of)
                    peer = greet (&siege);
                raw_t frame = (*controls [i]) (peer);
                frame.bytes [at] ^= (uint8_t) change;
                raw_send (&siege.dealer, frame.bytes, frame.size);
            }
    }
    greet (&siege);
    expect_alive (&siege);
    cr_assert_gt (scene_stats (&siege.scene).rejected, 1000);
    end_siege (&siege);
}

Test (hostile, the_way_back_takes_one_frame_and_no_more)
{
    siege_t siege = begin_siege ();
    zmq_send (siege.dealer.socket, "a", 1, ZMQ_SNDMORE);
    zmq_send (siege.dealer.socket, "b", 1, 0);
    raw_send (&siege.dealer, "", 0);
    raw_t message = raw_message ("X", 0), frame = raw_data (raw_peer (0), 1, 1, &message);
    raw_send (&siege.dealer, frame.bytes, frame.size);
    AWAIT (scene_stats (&siege.scene).rejected == 3);
    cr_assert_eq (scene_stats (&siege.scene).refused [MUSTER_REFUSAL_MULTIPART], 1);
    cr_assert_eq (scene_stats (&siege.scene).refused [MUSTER_REFUSAL_HEADER], 2);
    expect_alive (&siege);
    end_siege (&siege);
}

Test (hostile, another_version_of_the_protocol_is_told_so)
{
    siege_t siege = begin_siege ();
    raw_t hello = raw_hello (raw_peer (0), "raw"), frame;
    hello.bytes [3] = 2;
    raw_send (&siege.dealer, hello.bytes, hello.size);
    MUST (raw_recv (&siege.dealer, NULL, &frame, PATIENCE_MS));
    cr_assert_eq (raw_kind (&frame, NULL), RAW_END);
    cr_assert_eq (frame.bytes [26], MUSTER_VERSION);
    cr_assert (collector_wait (siege.scene.events, 1));
    cr_assert_str_eq (collector_cmd (siege.scene.events, 0), "REFUSED");
    expect_alive (&siege);
    end_siege (&siege);
}

Test (hostile, nobody_speaks_for_anothers_session)
{
    siege_t siege = begin_siege ();
    raw_peer_t peer = greet (&siege);
    char back [120];
    snprintf (back, sizeof back, "%s.return", scene_endpoint (&siege.scene));
    raw_socket_t other = raw_connect (ZMQ_DEALER, back);
    raw_t goodbye = raw_goodbye (peer, 0);
    raw_send (&other, goodbye.bytes, goodbye.size);
    AWAIT (scene_stats (&siege.scene).stale == 1);
    cr_assert_eq (scene_stats (&siege.scene).workers, 1);
    raw_close (&other);
    end_siege (&siege);
}

/*  Where the listener's id is in a WELCOME with a source of 36 bytes, and in a HELLO with one of 4. */
#define ID_IN_WELCOME (25 + 1 + 2 + 36 + 2)
#define ID_IN_HELLO (25 + 1 + 2 + 4 + 1 + 2)

Test (hostile, one_that_claims_commands_before_they_were_sent_gets_those_that_follow)
{
    siege_t siege = begin_siege ();
    raw_peer_t peer = raw_peer (0);
    raw_t hello = raw_hello (peer, "liar");
    raw_send (&siege.dealer, hello.bytes, hello.size);
    raw_t welcome = raw_await (&siege.dealer, RAW_WELCOME);
    cr_assert_eq (muster_listener_send (siege.scene.listener, "liar", "A", NULL), 0);
    peer.epoch++;
    hello = raw_hello (peer, "liar");
    hello.bytes [ID_IN_HELLO - 3] = 0xc2;                           /* not fresh */
    memcpy (hello.bytes + ID_IN_HELLO, welcome.bytes + ID_IN_WELCOME, 16);
    hello.bytes [hello.size - 2] = 1;                               /* commands received */
    raw_send (&siege.dealer, hello.bytes, hello.size);
    raw_await (&siege.dealer, RAW_WELCOME);
    cr_assert_eq (muster_listener_send (siege.scene.listener, "liar", "B", NULL), 0);
    raw_t positions = raw_positions (peer, 1, 0, 1000, 0);
    raw_send (&siege.dealer, positions.bytes, positions.size);
    raw_t data = raw_await (&siege.dealer, RAW_DATA);
    cr_assert_eq (data.bytes [32], 2, "position");
    cr_assert_eq (data.bytes [36], 1, "messages");
    expect_alive (&siege);
    end_siege (&siege);
}

/*  --------------------------------------------------------------------------
    A worker whose listener keeps no rules */

typedef struct {
    raw_socket_t pull, router;
    muster_worker_t *worker;
    raw_peer_t peer;            /* the worker's session, and its epoch of the moment */
    raw_t route;
    uint32_t incarnations;
} impostor_t;

/*  The worker has connected anew, and says hello. */
static void
await_hello (impostor_t *self)
{
    raw_t frame;
    do
        MUST (raw_recv (&self->router, &self->route, &frame, PATIENCE_MS));
    while (raw_kind (&frame, &self->peer) != RAW_HELLO);
}

/*  Answer what the worker sends until it sends a frame of this kind. A HELLO is
    welcomed by a listener that is always another, so that commands begin anew. */
static void
serve_until (impostor_t *self, int wanted)
{
    int kind;
    do {
        raw_t frame;
        raw_peer_t peer;
        MUST (raw_recv (&self->router, &self->route, &frame, PATIENCE_MS));
        kind = raw_kind (&frame, &peer);
        if (kind == RAW_HELLO) {
            self->peer = peer;
            raw_t welcome = raw_welcome (peer, ++self->incarnations, 1000000, 1000000);
            raw_send_to (&self->router, &self->route, welcome.bytes, welcome.size);
        }
    }
    while (kind != wanted);
}

static impostor_t
begin_impostor (void)
{
    char endpoint [100], back [120];
    scene_private_endpoint (endpoint, sizeof endpoint);
    snprintf (back, sizeof back, "%s.return", endpoint);
    scene_hush ();
    impostor_t self = { raw_bind (ZMQ_PULL, endpoint), raw_bind (ZMQ_ROUTER, back), NULL, { { 0 }, 0 }, { { 0 }, 0 }, 0 };
    self.worker = muster_worker_new (endpoint, "victim");
    MUST (self.worker);
    muster_worker_set_drain (self.worker, 0);
    scene_start_worker (self.worker);
    serve_until (&self, RAW_HELLO);
    return self;
}

static void
send_to_worker (impostor_t *self, const void *bytes, size_t size)
{
    raw_send_to (&self->router, &self->route, bytes, size);
}

/*  Make the worker connect anew. */
static void
begin_epoch (impostor_t *self)
{
    raw_t gap = raw_positions (self->peer, 0, 0, 1000000, 4);
    send_to_worker (self, gap.bytes, gap.size);
    serve_until (self, RAW_HELLO);
    serve_until (self, RAW_POSITIONS);
}

/*  Wait until the worker has taken all so far: it answers a WANT at once, unless
    it was told to wait for a position, and is in an epoch that is good for nothing. */
static void
catch_up (impostor_t *self)
{
    raw_t want = raw_want (self->peer, 0, 0, 0, 0);
    send_to_worker (self, want.bytes, want.size);
    zmq_pollitem_t item = { .socket = self->router.socket, .events = ZMQ_POLLIN };
    if (zmq_poll (&item, 1, 50) > 0)
        serve_until (self, RAW_POSITIONS);
    else
        begin_epoch (self);
}

/*  The worker takes the next good command. */
static void
expect_worker_alive (impostor_t *self)
{
    begin_epoch (self);
    raw_t message = raw_message ("GOOD", self->incarnations);
    raw_t frame = raw_data (self->peer, 1, 1, &message);
    send_to_worker (self, frame.bytes, frame.size);
    bool good = false;
    while (!good) {
        muster_message_t *command = scene_recv (self->worker);
        good = strcmp (muster_message_cmd (command), "GOOD") == 0 && scene_number (command) == self->incarnations;
        muster_message_done (&command, 0);
    }
}

static void
end_impostor (impostor_t *self)
{
    muster_worker_destroy (&self->worker);
    raw_close (&self->pull);
    raw_close (&self->router);
}

static raw_t
welcome_of (raw_peer_t peer)
{
    return raw_welcome (peer, 77, 1000, 1000);
}
static raw_t
end_of (raw_peer_t peer)
{
    return raw_end (peer, MUSTER_FULL, "no room");
}

static frame_fn *const to_worker [] = {
    one_message, one_piece, positions_of, want_of, goodbye_of, welcome_of, end_of };

#define TO_WORKER (sizeof to_worker / sizeof *to_worker)

Test (hostile, a_worker_lives_through_every_truncation_of_what_a_listener_sends)
{
    impostor_t impostor = begin_impostor ();
    for (size_t i = 0; i < TO_WORKER; i++) {
        size_t size = (*to_worker [i]) (impostor.peer).size;
        for (size_t end = 0; end < size; end++) {
            raw_t frame = (*to_worker [i]) (impostor.peer);
            send_to_worker (&impostor, frame.bytes, end);
            catch_up (&impostor);
        }
        expect_worker_alive (&impostor);
    }
    end_impostor (&impostor);
}

Test (hostile, a_worker_lives_through_every_short_frame)
{
    impostor_t impostor = begin_impostor ();
    for (int first = 0; first < 256; first++) {
        send_to_worker (&impostor, (uint8_t []) { (uint8_t) first }, 1);
        for (int second = 0; second < 256; second++)
            send_to_worker (&impostor, (uint8_t []) { (uint8_t) first, (uint8_t) second }, 2);
        catch_up (&impostor);
    }
    expect_worker_alive (&impostor);
    end_impostor (&impostor);
}

/*  Changes that make the worker connect anew take their time: of a position, a
    size, an offset or what is waited for it is single bits. */
static bool
is_tried (const raw_t *frame, size_t at, int change)
{
    int kind = raw_kind (frame, NULL);
    bool place = (kind == RAW_DATA && at >= 25 && at < 37) || (kind == RAW_CHUNK && at >= 25 && at < 49)
        || (kind == RAW_WANT && at == frame->size - 1);
    return !place || (change & (change - 1)) == 0;
}

/*  END is left out: a change of it is as good a reason to end as any. */
Test (hostile, a_worker_lives_through_every_change_of_one_byte_of_what_a_listener_sends, .timeout = 300)
{
    impostor_t impostor = begin_impostor ();
    for (size_t i = 0; i < TO_WORKER - 2; i++) {
        size_t size = (*to_worker [i]) (impostor.peer).size;
        for (size_t at = 0; at < size; at++) {
            for (int change = 1; change < 256; change++) {
                raw_t frame = (*to_worker [i]) (impostor.peer);
                if (!is_tried (&frame, at, change))
                    continue;
                frame.bytes [at] ^= (uint8_t) change;
                send_to_worker (&impostor, frame.bytes, frame.size);
                catch_up (&impostor);
            }
            expect_worker_alive (&impostor);
        }
    }
    end_impostor (&impostor);
}

/*  A welcome counts once in an epoch: each is the first of one. */
Test (hostile, a_worker_lives_through_every_kind_of_change_of_one_byte_of_a_welcome, .timeout = 300)
{
    static const uint8_t changes [] = { 0x01, 0x7f, 0x80, 0xff };
    impostor_t impostor = begin_impostor ();
    size_t size = welcome_of (impostor.peer).size;
    for (size_t at = 0; at < size; at++)
        for (size_t i = 0; i < sizeof changes; i++) {
            raw_t gap = raw_positions (impostor.peer, 0, 0, 1000000, 4);
            send_to_worker (&impostor, gap.bytes, gap.size);
            await_hello (&impostor);
            raw_t bad = raw_welcome (impostor.peer, ++impostor.incarnations, 1000, 1000);
            raw_t good = raw_welcome (impostor.peer, ++impostor.incarnations, 1000, 1000);
            bad.bytes [at] ^= changes [i];
            send_to_worker (&impostor, bad.bytes, bad.size);
            send_to_worker (&impostor, good.bytes, good.size);
            catch_up (&impostor);
        }
    expect_worker_alive (&impostor);
    end_impostor (&impostor);
}

Test (hostile, a_welcome_with_the_shortest_liveness_does_not_keep_the_worker_busy)
{
    for (uint8_t liveness = 0; liveness < 5; liveness++) {
        impostor_t impostor = begin_impostor ();
        raw_t gap = raw_positions (impostor.peer, 0, 0, 1000000, 4);
        send_to_worker (&impostor, gap.bytes, gap.size);
        await_hello (&impostor);
        raw_t welcome = raw_welcome (impostor.peer, 1, 1000, 1000);
        welcome.bytes [welcome.size - 9] = 0xcc;        /* the last field, one byte wide */
        welcome.bytes [welcome.size - 8] = liveness;
        welcome.size -= 7;
        send_to_worker (&impostor, welcome.bytes, welcome.size);
        expect_worker_alive (&impostor);
        end_impostor (&impostor);
    }
}

/*  Under another name of eight bytes, as "listener" is. */
static void
begin_epoch_as (impostor_t *self, const char *name)
{
    raw_t gap = raw_positions (self->peer, 0, 0, 1000000, 4);
    send_to_worker (self, gap.bytes, gap.size);
    await_hello (self);
    raw_t welcome = raw_welcome (self->peer, ++self->incarnations, 1000000, 1000000);
    memcpy (memmem (welcome.bytes, welcome.size, "listener", 8), name, 8);
    send_to_worker (self, welcome.bytes, welcome.size);
    serve_until (self, RAW_POSITIONS);
}

static void
expect_from (muster_worker_t *worker, const char *name, const char *cmd)
{
    muster_message_t *command = scene_recv (worker);
    cr_expect_str_eq (muster_message_cmd (command), cmd);
    cr_expect_str_eq (muster_message_source (command), name);
    muster_message_done (&command, 0);
}

Test (hostile, a_listener_that_is_called_otherwise_each_time_is_told_of_before_its_commands)
{
    impostor_t impostor = begin_impostor ();
    for (int i = 0; i < 30; i++) {
        char name [20];
        snprintf (name, sizeof name, "other%03d", i);
        begin_epoch_as (&impostor, name);
        raw_t frame = one_message (impostor.peer);
        send_to_worker (&impostor, frame.bytes, frame.size);
        expect_from (impostor.worker, name, MUSTER_EVENT_RESTARTED);
        expect_from (impostor.worker, name, "X");
    }
    end_impostor (&impostor);
}

Test (hostile, a_worker_that_is_told_the_end_says_why)
{
    impostor_t impostor = begin_impostor ();
    raw_t end = end_of (impostor.peer);
    send_to_worker (&impostor, end.bytes, end.size);
    muster_message_t *command;
    cr_assert_eq (muster_worker_recv (impostor.worker, &command, PATIENCE_MS), MUSTER_FULL);
    cr_assert_str_eq (muster_worker_reason (impostor.worker), "no room");
    end_impostor (&impostor);
}
