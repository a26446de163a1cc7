/*  test_attacks.c - peers that want to pass for another: the listener, a worker, an earlier self

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Attackers have a socket for each of the listener's two, and make their frames by
    hand. What uses up time or memory instead is tried in tests/attacks/.
*/
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <muster/muster.h>
#include <zmq.h>

#include "collector.h"
#include "keyring.h"
#include "raw.h"
#include "scene.h"

static keyring_t keyring;

static void
set_up (void)
{
    keyring = keyring_open ();
    keyring_admit (&keyring, "victim");
    keyring_admit (&keyring, "thief");
    scene_hush ();
}

static void
tear_down (void)
{
    keyring_close (&keyring);
}

TestSuite (attacks, .init = set_up, .fini = tear_down, .timeout = 300);

static scene_t
begin (void)
{
    scene_t scene = scene_open (scene_tcp ());
    MUST (muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages) == 0);
    keyring_arm_listener (&keyring, scene.listener);
    scene_start (&scene);
    return scene;
}

/*  --------------------------------------------------------------------------
    Attackers, and how often what they did was refused */

typedef struct {
    raw_socket_t push, dealer;
} attacker_t;

static attacker_t
attack (const scene_t *scene, const char *key, const char *routing_id)
{
    const char *endpoint = scene_endpoint (scene);
    return (attacker_t) {
        raw_connect_with_keys (ZMQ_PUSH, endpoint, &keyring, key, ""),
        raw_connect_with_keys (ZMQ_DEALER, raw_return_endpoint (endpoint), &keyring, key, routing_id) };
}

static attacker_t
attack_openly (const scene_t *scene)
{
    const char *endpoint = scene_endpoint (scene);
    return (attacker_t) { raw_connect (ZMQ_PUSH, endpoint), raw_connect (ZMQ_DEALER, raw_return_endpoint (endpoint)) };
}

static void
leave (attacker_t *self)
{
    raw_close (&self->push);
    raw_close (&self->dealer);
}

static void
put (raw_socket_t *socket, raw_t frame)
{
    raw_send (socket, frame.bytes, frame.size);
}

static uint64_t
refused (const scene_t *scene, muster_refusal_t reason)
{
    return scene_stats (scene).refused [reason];
}

/*  The next frame that is neither POSITIONS nor WANT: its kind, and the session. */
static int
next_kind (raw_socket_t *dealer, raw_t *frame, raw_peer_t *peer)
{
    int kind;
    do {
        MUST (raw_recv (dealer, NULL, frame, PATIENCE_MS));
        kind = raw_kind (frame, peer);
    }
    while (kind == RAW_POSITIONS || kind == RAW_WANT);
    return kind;
}

#define ERROR_AT 26     /* in an END: its error, which takes one byte */

static void
expect_end (raw_socket_t *dealer, muster_error_t error)
{
    raw_t frame;
    cr_assert_eq (next_kind (dealer, &frame, NULL), RAW_END);
    cr_expect_eq (frame.bytes [ERROR_AT], error, "%s", muster_error_name (frame.bytes [ERROR_AT]));
}

static void
expect_welcome (raw_socket_t *dealer, raw_peer_t peer)
{
    raw_t frame;
    raw_peer_t welcomed;
    cr_assert_eq (next_kind (dealer, &frame, &welcomed), RAW_WELCOME);
    cr_expect_eq (memcmp (welcomed.session, peer.session, sizeof peer.session), 0);
    cr_expect_eq (welcomed.epoch, peer.epoch);
}

/*  Nothing that is there to be read; whatever was sent before has arrived by now. */
static void
expect_nothing (raw_socket_t *dealer)
{
    raw_t frame;
    while (raw_recv (dealer, NULL, &frame, 0))
        cr_expect_eq (raw_kind (&frame, NULL), RAW_END, "kind %d", raw_kind (&frame, NULL));
}

static raw_t
one_message (raw_peer_t peer, uint64_t position, const char *cmd, uint64_t number)
{
    raw_t message = raw_message (cmd, number);
    return raw_data (peer, position, 1, &message);
}

/*  --------------------------------------------------------------------------
    A victim, whose messages are all there is in the end */

typedef struct {
    scene_t *scene;
    muster_worker_t *worker;
    int sent;
} victim_t;

static victim_t
begin_victim (scene_t *scene, bool keyed)
{
    victim_t self = { scene, scene_new_worker (scene, "victim"), 0 };
    if (keyed)
        keyring_arm_worker (&keyring, self.worker, "victim");
    scene_start_worker (self.worker);
    return self;
}

static void
go_on (victim_t *self)
{
    for (int i = 0; i < 100; i++)
        cr_assert_eq (muster_worker_send (self->worker, "X", "{s:i}", "n", self->sent++), 0);
    cr_assert_eq (muster_worker_flush (self->worker, PATIENCE_MS), 0);
    cr_assert_eq (muster_listener_send (self->scene->listener, "victim", "GO", "{s:i}", "n", self->sent), 0);
    muster_message_t *command = scene_recv (self->worker);
    cr_assert_str_eq (muster_message_cmd (command), "GO");
    cr_assert_eq (scene_number (command), self->sent);
    muster_message_done (&command, 0);
}

static size_t
count_events (const scene_t *scene, const char *cmd, const char *source)
{
    size_t found = 0;
    for (size_t i = 0; i < collector_count (scene->events); i++)
        found += !strcmp (collector_cmd (scene->events, i), cmd) && !strcmp (collector_about (scene->events, i), source);
    return found;
}

/*  All of it came once and in order, and nothing else in its name; it was here from its
    JOINED to its LEFT. */
static void
end_victim (victim_t *self)
{
    const scene_t *scene = self->scene;
    size_t next = 0;
    go_on (self);
    scene_dismiss (self->worker);
    collector_find (scene->events, 0, MUSTER_EVENT_LEFT);
    for (size_t i = 0; i < collector_count (scene->messages); i++)
        if (strcmp (collector_source (scene->messages, i), "victim") == 0)
            cr_assert_eq (collector_number (scene->messages, i), (int64_t) next++);
    cr_expect_eq (next, (size_t) self->sent);
    cr_expect_eq (count_events (scene, MUSTER_EVENT_JOINED, "victim"), 1);
    cr_expect_eq (count_events (scene, MUSTER_EVENT_RETURNED, "victim"), 0);
    cr_expect_eq (count_events (scene, MUSTER_EVENT_LEFT, "victim"), 1);
}

/*  --------------------------------------------------------------------------
    Forged: who speaks as the listener */

/*  All ways to say what only the listener may; name is one that the attacker may use. */
static void
forge (scene_t *scene, attacker_t *attacker, const char *name)
{
    const char *own = muster_listener_source (scene->listener);
    raw_t stop = raw_plain (own, "STOP", 1), joined = raw_plain (own, MUSTER_EVENT_JOINED, 2);
    raw_t both = raw_plain (name, "X", 3);
    raw_put (&both, stop.bytes, stop.size);
    put (&attacker->push, stop);
    put (&attacker->push, joined);
    put (&attacker->push, both);
    AWAIT (refused (scene, MUSTER_REFUSAL_FORGED) == 3);

    raw_peer_t peer = raw_peer (1);
    put (&attacker->dealer, raw_hello (peer, own));
    expect_end (&attacker->dealer, MUSTER_RESERVED);
    put (&attacker->dealer, raw_hello_again (peer, own));
    expect_end (&attacker->dealer, MUSTER_RESERVED);
    AWAIT (refused (scene, MUSTER_REFUSAL_FORGED) == 5);
    put (&attacker->dealer, stop);
    AWAIT (refused (scene, MUSTER_REFUSAL_HEADER) == 1);
    cr_expect_eq (collector_count (scene->messages), 0);
}

/*  In a session of his own: a command STOP is a message as any other, and a source has no
    place there. What the listener alone says is no control frame of a worker. */
static void
forge_in_session (scene_t *scene, attacker_t *attacker, const char *name)
{
    const char *own = muster_listener_source (scene->listener);
    raw_peer_t peer = raw_peer (2), nobody = { .epoch = 1 };
    raw_t stop = raw_plain (own, "STOP", 1);
    put (&attacker->dealer, raw_hello (peer, name));
    expect_welcome (&attacker->dealer, peer);
    put (&attacker->push, raw_data (peer, 1, 1, &stop));
    AWAIT (refused (scene, MUSTER_REFUSAL_DATA) == 1);
    put (&attacker->push, one_message (peer, 2, "STOP", 7));
    cr_assert (collector_wait (scene->messages, 1));
    cr_expect_str_eq (collector_source (scene->messages, 0), name);

    put (&attacker->dealer, raw_welcome (peer, 1, 1000, 1000));
    put (&attacker->dealer, raw_end (peer, MUSTER_CLOSED, "the listener stopped"));
    AWAIT (refused (scene, MUSTER_REFUSAL_CONTROL) == 1);
    put (&attacker->dealer, raw_goodbye (nobody, 0));
    put (&attacker->push, one_message (nobody, 1, "STOP", 1));
    AWAIT (scene_stats (scene).stale == 2);
}

static void
expect_only_forged (scene_t *scene, const char *name)
{
    cr_expect_eq (collector_count (scene->messages), 201);
    cr_expect_eq (refused (scene, MUSTER_REFUSAL_FORGED), 5);
    cr_expect_eq (count_events (scene, MUSTER_EVENT_JOINED, name), 1);
    cr_expect_eq (scene_stats (scene).joined, 2);
    cr_expect_eq (scene_stats (scene).workers, 1, "the forger is still here");
}

Test (attacks, an_enrolled_key_does_not_speak_as_the_listener)
{
    scene_t scene = begin ();
    victim_t victim = begin_victim (&scene, true);
    attacker_t attacker = attack (&scene, "thief", "");
    forge (&scene, &attacker, "thief");
    go_on (&victim);
    cr_expect_eq (collector_count (scene.messages), 100);
    leave (&attacker);
    end_victim (&victim);
    scene_close (&scene);
}

Test (attacks, a_session_does_not_speak_as_the_listener)
{
    scene_t scene = begin ();
    attacker_t attacker = attack (&scene, "thief", "");
    forge (&scene, &attacker, "thief");
    forge_in_session (&scene, &attacker, "thief");
    victim_t victim = begin_victim (&scene, true);
    go_on (&victim);
    end_victim (&victim);
    expect_only_forged (&scene, "thief");
    leave (&attacker);
    scene_close (&scene);
}

Test (attacks, nobody_speaks_as_a_listener_without_keys)
{
    scene_t scene = scene_begin ();
    attacker_t attacker = attack_openly (&scene);
    forge (&scene, &attacker, "anybody");
    forge_in_session (&scene, &attacker, "anybody");
    victim_t victim = begin_victim (&scene, false);
    go_on (&victim);
    end_victim (&victim);
    expect_only_forged (&scene, "anybody");
    leave (&attacker);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    In another's name */

/*  Was somebody refused for this source ("": none was named) and reason? */
static void
expect_refused_event (const scene_t *scene, const char *source, const char *reason)
{
    size_t index = 0;
    for (;; index++) {
        index = collector_find (scene->events, index, MUSTER_EVENT_REFUSED);
        if (!strcmp (collector_about (scene->events, index), source)
            && strstr (collector_reason (scene->events, index), reason))
            break;
    }
    cr_expect_eq (strncmp (collector_address (scene->events, index), "127.", 4), 0);
}

#define MAY_NOT_SPEAK "may not speak for this source"
#define MAY_NOT_USE "the key may not use this source"

Test (attacks, a_plain_frame_in_anothers_name_is_refused)
{
    scene_t scene = begin ();
    victim_t victim = begin_victim (&scene, true);
    attacker_t thief = attack (&scene, "thief", "");
    go_on (&victim);
    raw_t stolen = raw_plain ("victim", "X", 100), own = raw_plain ("thief", "X", 1), both = own;
    raw_put (&both, stolen.bytes, stolen.size);
    for (int i = 0; i < 100; i++)
        put (&thief.push, i % 2 ? stolen : both);
    put (&thief.push, own);
    AWAIT (refused (&scene, MUSTER_REFUSAL_ACCESS) == 100);
    cr_assert (collector_wait (scene.messages, 101), "his own is heard");
    expect_refused_event (&scene, "", MAY_NOT_SPEAK);
    end_victim (&victim);
    cr_expect_eq (collector_count (scene.messages), 201);
    cr_expect_eq (scene_stats (&scene).rejected, 100);
    leave (&thief);
    scene_close (&scene);
}

Test (attacks, a_session_in_anothers_name_is_refused_and_named)
{
    scene_t scene = begin ();
    victim_t victim = begin_victim (&scene, true);
    attacker_t thief = attack (&scene, "thief", "");
    go_on (&victim);
    for (uint32_t i = 0; i < 10; i++) {
        raw_peer_t peer = raw_peer (i);
        put (&thief.dealer, i % 2 ? raw_hello (peer, "victim") : raw_hello_again (peer, "victim"));
        expect_end (&thief.dealer, MUSTER_ACCESS);
        put (&thief.push, one_message (peer, 1, "X", 100));
    }
    AWAIT (scene_stats (&scene).stale == 10);
    expect_refused_event (&scene, "victim", MAY_NOT_USE);
    end_victim (&victim);
    cr_expect_eq (collector_count (scene.messages), 200);
    cr_expect_eq (scene_stats (&scene).joined, 1);
    leave (&thief);
    scene_close (&scene);
}

/*  The other key is one that may use the source, but has no part in the session. */
static void
admit_thief_to_source (void)
{
    keyring_enrol (&keyring, "thief", "victim");
}

/*  --------------------------------------------------------------------------
    A stolen session */

static int
digit (char character)
{
    return character <= '9' ? character - '0' : character - 'a' + 10;
}

/*  A handler that learns what a thief needs. */
typedef struct {
    pthread_mutex_t lock;
    raw_peer_t peer;
    bool known;
} spy_t;

static int
spy (const muster_message_t *message, void *argument)
{
    spy_t *self = argument;
    const char *text = muster_message_session (message);
    pthread_mutex_lock (&self->lock);
    for (int i = 0; i < 16; i++)
        self->peer.session [i] = (uint8_t) (digit (text [2 * i]) << 4 | digit (text [2 * i + 1]));
    self->peer.epoch = 1;
    self->known = true;
    pthread_mutex_unlock (&self->lock);
    return 0;
}

/*  The victim's session, by a message that is not counted. */
static raw_peer_t
steal_session (victim_t *victim)
{
    static spy_t self = { .lock = PTHREAD_MUTEX_INITIALIZER };
    muster_listener_t *listener = victim->scene->listener;
    MUST (muster_listener_register_handler (listener, "victim", spy, &self, false) == 0);
    MUST (muster_worker_send (victim->worker, "SPY", NULL) == 0);
    MUST (muster_worker_flush (victim->worker, PATIENCE_MS) == 0);
    MUST (muster_listener_unregister_handler (listener, "victim") == 0);
    MUST (self.known);
    return self.peer;
}

/*  Returns the number of frames. */
static uint64_t
steal_by_push (attacker_t *thief, raw_peer_t peer, uint64_t next)
{
    uint64_t sent = 0;
    raw_t message = raw_message ("X", 100);
    for (peer.epoch = 0; peer.epoch < 4; peer.epoch++)
        for (uint64_t position = next - 1; position < next + 2; position++) {
            put (&thief->push, one_message (peer, position, "X", 100));
            put (&thief->push, raw_chunk (peer, position, message.size, 0, &message));
            put (&thief->push, raw_chunk (peer, position, 1000, 0, &message));
            sent += 3;
        }
    return sent;
}

static uint64_t
steal_by_dealer (attacker_t *thief, raw_peer_t peer, uint64_t next)
{
    uint64_t sent = 0;
    for (peer.epoch = 0; peer.epoch < 4; peer.epoch++) {
        put (&thief->dealer, raw_positions (peer, 1, 1, 1000000, 0));
        put (&thief->dealer, raw_positions (peer, 0, 0, 0, 4));
        put (&thief->dealer, raw_want (peer, 0, 1000, 2000, next));
        put (&thief->dealer, raw_goodbye (peer, next - 1));
        put (&thief->dealer, raw_goodbye (peer, next + 1000));
        sent += 5;
    }
    return sent;
}

/*  In the victim's name and in the thief's own. */
static void
steal_by_hello (attacker_t *thief, raw_peer_t peer)
{
    static const char *const names [] = { "victim", "thief" };
    for (peer.epoch = 0; peer.epoch < 4; peer.epoch++)
        for (int i = 0; i < 4; i++) {
            const char *name = names [i / 2];
            put (&thief->dealer, i % 2 ? raw_hello (peer, name) : raw_hello_again (peer, name));
            expect_end (&thief->dealer, MUSTER_ACCESS);
        }
}

static void
expect_session_cannot_be_stolen (const char *reason)
{
    scene_t scene = begin ();
    victim_t victim = begin_victim (&scene, true);
    attacker_t thief = attack (&scene, "thief", "");
    raw_peer_t peer = steal_session (&victim);
    go_on (&victim);
    uint64_t sent = steal_by_push (&thief, peer, 102);
    sent += steal_by_dealer (&thief, peer, 102);
    steal_by_hello (&thief, peer);
    AWAIT (refused (&scene, MUSTER_REFUSAL_ACCESS) == sent);
    go_on (&victim);
    expect_nothing (&thief.dealer);
    expect_refused_event (&scene, "victim", reason);
    end_victim (&victim);
    cr_expect_eq (collector_count (scene.messages), 300);
    cr_expect_eq (scene_stats (&scene).joined, 1);
    cr_expect_eq (scene_stats (&scene).rejected, sent);
    cr_expect_eq (scene_stats (&scene).gaps + scene_stats (&scene).duplicates + scene_stats (&scene).stale, 0);
    leave (&thief);
    scene_close (&scene);
}

Test (attacks, a_session_is_of_no_use_to_another_key)
{
    expect_session_cannot_be_stolen (MAY_NOT_SPEAK);
}

Test (attacks, a_session_is_of_no_use_to_another_key_that_may_use_its_source)
{
    admit_thief_to_source ();
    expect_session_cannot_be_stolen (MAY_NOT_SPEAK);
}

/*  --------------------------------------------------------------------------
    A victim by hand, whose routing id is known */

#define ROUTE "Wvictim"

static attacker_t
begin_open_victim (const scene_t *scene, raw_peer_t peer)
{
    attacker_t self = attack (scene, "victim", ROUTE);
    put (&self.dealer, raw_hello (peer, "victim"));
    expect_welcome (&self.dealer, peer);
    put (&self.dealer, raw_positions (peer, 0, 0, 1000000, 0));
    return self;
}

/*  The next command that comes in a session; it is not said to be handled. */
static void
expect_command (raw_socket_t *dealer, raw_peer_t peer)
{
    raw_t frame;
    raw_peer_t found;
    cr_assert_eq (next_kind (dealer, &frame, &found), RAW_DATA);
    cr_expect_eq (memcmp (found.session, peer.session, sizeof peer.session), 0);
}

/*  ZeroMQ gives a routing id to the next one who asks for it, and ends the connection of
    who had it: the session is the victim's still, and commands wait for it. */
static void
expect_inherits_nothing (bool takes_over)
{
    scene_t scene = begin ();
    raw_peer_t peer = raw_peer (1);
    attacker_t victim = begin_open_victim (&scene, peer), thief;
    if (takes_over)
        thief = attack (&scene, "thief", ROUTE);
    leave (&victim);
    AWAIT (scene_stats (&scene).disconnects >= 2);
    if (!takes_over)
        thief = attack (&scene, "thief", ROUTE);
    put (&thief.dealer, raw_positions (peer, 0, 0, 1000000, 0));
    put (&thief.dealer, raw_goodbye (peer, 0));
    attacker_t other = attack (&scene, "thief", "");
    put (&other.dealer, raw_hello (raw_peer (3), "thief"));
    expect_welcome (&other.dealer, raw_peer (3));
    cr_assert_eq (muster_listener_send (scene.listener, "victim", "SECRET", NULL), 0);
    cr_assert_eq (muster_listener_send (scene.listener, "thief", "GO", NULL), 0);
    put (&other.dealer, raw_positions (raw_peer (3), 0, 0, 1000000, 0));
    expect_command (&other.dealer, raw_peer (3));
    expect_nothing (&thief.dealer);

    peer.epoch = 2;
    victim = attack (&scene, "victim", "Wvictim2");
    put (&victim.dealer, raw_hello_again (peer, "victim"));
    expect_welcome (&victim.dealer, peer);
    put (&victim.dealer, raw_positions (peer, 0, 0, 1000000, 0));
    expect_command (&victim.dealer, peer);
    leave (&victim);
    leave (&thief);
    leave (&other);
    scene_close (&scene);
}

Test (attacks, a_routing_id_whose_connection_has_ended_gets_no_commands)
{
    expect_inherits_nothing (false);
}

Test (attacks, who_takes_a_routing_id_over_gets_no_commands)
{
    expect_inherits_nothing (true);
}

/*  --------------------------------------------------------------------------
    Nothing but refused frames */

Test (attacks, who_sends_nothing_but_refused_frames_is_cut_off_and_kept_out_a_while)
{
    static uint8_t garbage [1 << 20] = { 0xc1 };
    scene_t scene = begin ();
    attacker_t thief = attack (&scene, "thief", "");
    for (int i = 0; i < 70; i++)
        raw_send (&thief.push, garbage, sizeof garbage);
    size_t event = collector_find (scene.events, 0, MUSTER_EVENT_REFUSED);
    cr_expect (strstr (collector_reason (scene.events, event), "nothing but refused frames"));
    AWAIT (scene_stats (&scene).disconnects > 0);
    cr_expect_geq (refused (&scene, MUSTER_REFUSAL_RESERVED), 64);
    leave (&thief);
    scene_close (&scene);
}

Test (attacks, a_good_frame_in_between_forgives_the_refused_ones)
{
    static uint8_t garbage [1 << 20] = { 0xc1 };
    scene_t scene = begin ();
    attacker_t thief = attack (&scene, "thief", "");
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 40; j++)
            raw_send (&thief.push, garbage, sizeof garbage);
        put (&thief.push, raw_plain ("thief", "X", i));
    }
    cr_assert (collector_wait (scene.messages, 3));
    cr_expect_eq (refused (&scene, MUSTER_REFUSAL_RESERVED), 120);
    cr_expect_eq (scene_stats (&scene).disconnects, 0);
    leave (&thief);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    Replays, by the same key */

Test (attacks, a_replayed_hello_changes_nothing)
{
    scene_t scene = begin ();
    raw_peer_t peer = raw_peer (1);
    raw_t hello = raw_hello (peer, "victim");
    attacker_t first = begin_open_victim (&scene, peer), second = attack (&scene, "victim", "");
    put (&first.push, one_message (peer, 1, "X", 0));
    cr_assert (collector_wait (scene.messages, 1));
    for (int i = 0; i < 10; i++) {
        put (&first.dealer, hello);
        put (&second.dealer, hello);
    }
    AWAIT (scene_stats (&scene).stale == 20);
    put (&first.push, one_message (peer, 2, "X", 1));
    cr_assert (collector_wait (scene.messages, 2));
    cr_assert_eq (muster_listener_send (scene.listener, "victim", "GO", NULL), 0);
    expect_command (&first.dealer, peer);
    expect_nothing (&second.dealer);
    cr_expect_eq (scene_stats (&scene).joined, 1);
    cr_expect_eq (scene_stats (&scene).workers, 1);
    cr_expect_eq (collector_number (scene.messages, 1), 1);
    leave (&first);
    leave (&second);
    scene_close (&scene);
}

Test (attacks, a_hello_of_a_session_that_was_replaced_does_not_bring_it_back)
{
    scene_t scene = begin ();
    raw_peer_t old = raw_peer (1), new = raw_peer (2);
    attacker_t first = begin_open_victim (&scene, old), second = attack (&scene, "victim", "");
    put (&second.dealer, raw_hello (new, "victim"));
    expect_welcome (&second.dealer, new);
    expect_end (&first.dealer, MUSTER_REPLACED);
    for (old.epoch = 1; old.epoch < 4; old.epoch++) {
        put (&first.dealer, raw_hello (old, "victim"));
        expect_end (&first.dealer, MUSTER_REPLACED);
        put (&first.dealer, raw_hello_again (old, "victim"));
        expect_end (&first.dealer, MUSTER_REPLACED);
        put (&first.push, one_message (old, 1, "X", 99));
    }
    AWAIT (scene_stats (&scene).stale == 3);
    put (&second.push, one_message (new, 1, "X", 0));
    cr_assert (collector_wait (scene.messages, 1));
    cr_expect_eq (collector_number (scene.messages, 0), 0);
    cr_expect_eq (scene_stats (&scene).joined, 2);
    cr_expect_eq (scene_stats (&scene).workers, 1);
    leave (&first);
    leave (&second);
    scene_close (&scene);
}
