/*  test_plain_keys.c - plain producers with keys: who gets in, and what the others learn

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <muster/muster.h>

#include "collector.h"
#include "keyring.h"
#include "raw.h"
#include "scene.h"

static keyring_t keyring;

static void
set_up (void)
{
    keyring = keyring_open ();
    scene_hush ();
}

static void
tear_down (void)
{
    keyring_close (&keyring);
}

TestSuite (plain_keys, .init = set_up, .fini = tear_down, .timeout = 300);

static scene_t
open_at (const char *endpoint, bool keyed)
{
    scene_t scene = scene_open (endpoint);
    MUST (muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages) == 0);
    if (keyed)
        keyring_arm_listener (&keyring, scene.listener);
    return scene;
}

static scene_t
begin_at (const char *endpoint, bool keyed)
{
    scene_t scene = open_at (endpoint, keyed);
    scene_start (&scene);
    return scene;
}

static scene_t
begin (void)
{
    return begin_at (scene_tcp (), true);
}

/*  key, server: names in the keyring, or NULL. */
static muster_plain_t *
new_plain (const char *endpoint, const char *key, const char *server)
{
    muster_plain_t *plain = muster_plain_new (endpoint);
    MUST (plain);
    muster_plain_set_key (plain, key ? keyring_file (&keyring, key, ".key") : NULL);
    muster_plain_set_server (plain, server ? keyring_file (&keyring, server, ".pub") : NULL);
    return plain;
}

static muster_plain_t *
begin_plain (const char *endpoint, const char *key, const char *server)
{
    muster_plain_t *plain = new_plain (endpoint, key, server);
    cr_assert_eq (muster_plain_start (plain), 0, "%s", muster_plain_reason (plain));
    return plain;
}

static void
send_numbers (muster_plain_t *plain, const char *source, int from, int to)
{
    for (int i = from; i < to; i++)
        cr_assert_eq (muster_plain_send (plain, source, "X", "{s:i}", "n", i), 0);
}

static void
close_plain (muster_plain_t *plain, muster_error_t expected)
{
    muster_error_t error = muster_plain_close (plain, PATIENCE_MS);
    cr_expect_eq (error, expected, "%s: %s", muster_error_name (error), muster_plain_reason (plain));
    muster_plain_destroy (&plain);
}

/*  --------------------------------------------------------------------------
    In */

static void
expect_carries (const char *endpoint)
{
    keyring_admit (&keyring, "a");
    scene_t scene = begin_at (endpoint, true);
    muster_plain_t *plain = begin_plain (scene_endpoint (&scene), "a", "listener");
    send_numbers (plain, "a", 0, 5000);
    cr_expect_eq (muster_plain_check (plain), 0);
    close_plain (plain, 0);
    cr_assert (collector_wait (scene.messages, 5000), "%zu", collector_count (scene.messages));
    for (int i = 0; i < 5000; i++)
        cr_assert_eq (collector_number (scene.messages, i), i);
    cr_expect_eq (scene_stats (&scene).rejected, 0);
    scene_close (&scene);
}

Test (plain_keys, an_enrolled_producer_gets_in_over_tcp)
{
    expect_carries (scene_tcp ());
}

Test (plain_keys, an_enrolled_producer_gets_in_over_ipc)
{
    char endpoint [128];
    expect_carries (scene_private_endpoint (endpoint, sizeof endpoint));
}

Test (plain_keys, what_is_sent_before_the_listener_is_there_is_kept_for_it)
{
    keyring_admit (&keyring, "a");
    char endpoint [128];
    scene_private_endpoint (endpoint, sizeof endpoint);
    muster_plain_t *plain = begin_plain (endpoint, "a", "listener");
    send_numbers (plain, "a", 0, 100);
    scene_t scene = begin_at (endpoint, true);
    close_plain (plain, 0);
    cr_assert (collector_wait (scene.messages, 100));
    scene_close (&scene);
}

/*  It hangs up more often than it takes to be taken for a refusal. */
Test (plain_keys, a_way_that_cannot_reach_the_listener_at_the_moment_is_no_reason_to_give_up)
{
    keyring_admit (&keyring, "a");
    scene_t scene = begin ();
    char endpoint [128];
    snprintf (endpoint, sizeof endpoint, "%s", scene_endpoint (&scene));
    cr_assert_eq (muster_listener_stop (scene.listener, NULL), 0);
    muster_plain_t *plain = begin_plain (endpoint, "a", "listener");
    send_numbers (plain, "a", 0, 10);
    raw_hang_up (endpoint, 8);
    scene_start (&scene);
    close_plain (plain, 0);
    cr_assert (collector_wait (scene.messages, 10));
    scene_close (&scene);
}

Test (plain_keys, a_restart_of_the_listener_lets_it_in_again)
{
    keyring_admit (&keyring, "a");
    scene_t scene = begin ();
    muster_plain_t *plain = begin_plain (scene_endpoint (&scene), "a", "listener");
    send_numbers (plain, "a", 0, 1);
    cr_assert (collector_wait (scene.messages, 1));
    cr_assert_eq (muster_listener_stop (scene.listener, NULL), 0);
    scene_start (&scene);
    size_t sent = 1;
    AWAIT (collector_count (scene.messages) > 1
        || (muster_plain_send (plain, "a", "X", NULL) == 0 && ++sent > 100000));
    close_plain (plain, MUSTER_LOST);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    Not in */

/*  Nothing but the refusal can end a call of it: its limit is an hour. */
static muster_plain_t *
begin_patient (const char *endpoint, const char *key, const char *server)
{
    muster_plain_t *plain = new_plain (endpoint, key, server);
    muster_plain_set_no_progress (plain, 3600);
    cr_assert_eq (muster_plain_start (plain), 0, "%s", muster_plain_reason (plain));
    return plain;
}

static void
expect_refused (const char *endpoint, const char *key, const char *server, const char *why)
{
    muster_plain_t *plain = begin_patient (endpoint, key, server);
    muster_error_t error = muster_plain_send (plain, "a", "X", NULL);
    cr_expect (error == 0 || error == MUSTER_ACCESS, "%s", muster_error_name (error));
    error = muster_plain_close (plain, -1);
    cr_expect_eq (error, MUSTER_ACCESS, "%s", muster_error_name (error));
    cr_expect (strstr (muster_plain_reason (plain), why), "%s", muster_plain_reason (plain));
    cr_expect (strstr (muster_plain_reason (plain), endpoint), "%s", muster_plain_reason (plain));
    cr_expect_eq (muster_plain_send (plain, "a", "X", NULL), MUSTER_CLOSED);
    muster_plain_destroy (&plain);
}

/*  Each side can be the first to see that it does not fit, and hang up: often enough for both. */
static void
expect_all_refused (const char *keyed_endpoint, const char *open_endpoint)
{
    keyring_admit (&keyring, "a");
    keyring_make (&keyring, "stranger");
    scene_t keyed = begin_at (keyed_endpoint, true);
    scene_t open = begin_at (open_endpoint, false);
    for (int i = 0; i < 3; i++) {
        expect_refused (scene_endpoint (&keyed), NULL, NULL, "the listener asks for keys: give key and server");
        expect_refused (scene_endpoint (&keyed), "stranger", "listener", "the listener does not admit this key");
        expect_refused (scene_endpoint (&keyed), "a", "stranger",
            "the listener has another key than the one that server gives");
        expect_refused (scene_endpoint (&open), "a", "listener", "the listener has no keys");
    }
    collector_find (keyed.events, 0, MUSTER_EVENT_REFUSED);
    collector_find (open.events, 0, MUSTER_EVENT_REFUSED);
    cr_expect_eq (collector_count (keyed.messages), 0);
    cr_expect_eq (collector_count (open.messages), 0);
    scene_close (&keyed);
    scene_close (&open);
}

Test (plain_keys, who_does_not_fit_learns_why_over_tcp)
{
    expect_all_refused (scene_tcp (), scene_tcp ());
}

Test (plain_keys, who_does_not_fit_learns_why_over_ipc)
{
    char keyed [128], open [128];
    expect_all_refused (scene_private_endpoint (keyed, sizeof keyed), scene_private_endpoint (open, sizeof open));
}

Test (plain_keys, send_waits_no_longer_once_it_is_refused)
{
    keyring_admit (&keyring, "a");
    keyring_make (&keyring, "other");
    scene_t scene = begin ();
    const char *const servers [] = { "other", NULL };
    for (int i = 0; i < 2; i++) {
        muster_plain_t *plain = begin_patient (scene_endpoint (&scene), servers [i] ? "a" : NULL, servers [i]);
        muster_error_t error;
        while ((error = muster_plain_send (plain, "a", "X", NULL)) == 0)
            continue;
        cr_expect_eq (error, MUSTER_ACCESS, "%s", muster_error_name (error));
        cr_expect_eq (muster_plain_send (plain, "a", "X", NULL), MUSTER_ACCESS);
        cr_expect_eq (muster_plain_check (plain), MUSTER_ACCESS);
        close_plain (plain, MUSTER_ACCESS);
    }
    scene_close (&scene);
}

/*  Three handshakes and a probe of each, however long the others take to find out. */
Test (plain_keys, who_is_refused_does_not_try_again)
{
    enum { COUNT = 4 };
    keyring_admit (&keyring, "a");
    keyring_make (&keyring, "other");
    scene_t scene = begin ();
    muster_plain_t *plain [COUNT];
    for (int i = 0; i < COUNT; i++) {
        plain [i] = begin_plain (scene_endpoint (&scene), "a", "other");
        AWAIT (muster_plain_check (plain [i]) == MUSTER_ACCESS);
    }
    uint64_t tries = scene_stats (&scene).disconnects;
    cr_expect_leq (tries, 4 * COUNT, "%llu", (unsigned long long) tries);
    for (int i = 0; i < COUNT; i++)
        close_plain (plain [i], MUSTER_ACCESS);
    scene_close (&scene);
}

Test (plain_keys, a_source_that_the_key_may_not_use_is_dropped_counted_and_told_of)
{
    keyring_admit (&keyring, "a");
    scene_t scene = begin ();
    muster_plain_t *plain = begin_plain (scene_endpoint (&scene), "a", "listener");
    send_numbers (plain, "b", 0, 1);
    send_numbers (plain, "a", 1, 2);
    close_plain (plain, 0);
    cr_assert (collector_wait (scene.messages, 1));
    cr_expect_eq (collector_number (scene.messages, 0), 1);
    collector_find (scene.events, 0, MUSTER_EVENT_REFUSED);
    muster_stats_t stats = scene_stats (&scene);
    cr_expect_eq (stats.refused [MUSTER_REFUSAL_ACCESS], 1);
    scene_close (&scene);
}

Test (plain_keys, who_is_revoked_is_not_let_in_again)
{
    keyring_admit (&keyring, "a");
    scene_t scene = begin ();
    muster_plain_t *plain = begin_plain (scene_endpoint (&scene), "a", "listener");
    send_numbers (plain, "a", 0, 1);
    cr_assert (collector_wait (scene.messages, 1));
    keyring_revoke (&keyring, "a");
    cr_assert_eq (muster_listener_stop (scene.listener, NULL), 0);
    scene_start (&scene);
    AWAIT (muster_plain_check (plain) == MUSTER_ACCESS);
    cr_expect (strstr (muster_plain_reason (plain), "does not admit"), "%s", muster_plain_reason (plain));
    close_plain (plain, MUSTER_ACCESS);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    Files */

static void
expect_no_start (muster_plain_t *plain, muster_error_t expected, const char *why)
{
    muster_error_t error = muster_plain_start (plain);
    cr_expect_eq (error, expected, "%s: %s", muster_error_name (error), muster_plain_reason (plain));
    cr_expect (strstr (muster_plain_reason (plain), why), "%s", muster_plain_reason (plain));
    muster_plain_destroy (&plain);
}

Test (plain_keys, start_says_what_is_wrong_with_the_files)
{
    static const char endpoint [] = "ipc://@muster-test-nobody";
    keyring_make (&keyring, "a");
    keyring_make (&keyring, "open");
    chmod (keyring_file (&keyring, "open", ".key"), 0644);
    expect_no_start (new_plain (endpoint, "a", NULL), MUSTER_INVAL, "give server");
    expect_no_start (new_plain (endpoint, NULL, "listener"), MUSTER_INVAL, "give key");
    expect_no_start (new_plain (endpoint, "nobody", "listener"), MUSTER_NOTFOUND, "nobody.key");
    expect_no_start (new_plain (endpoint, "a", "nobody"), MUSTER_NOTFOUND, "nobody.pub");
    expect_no_start (new_plain (endpoint, "open", "listener"), MUSTER_ACCESS, "chmod 600");
    muster_plain_t *plain = new_plain (endpoint, "a", "listener");
    muster_plain_set_server (plain, keyring_file (&keyring, "listener", ".key"));
    expect_no_start (plain, MUSTER_FORMAT, "is a secret key file");
}

Test (plain_keys, start_may_be_tried_again_with_other_files)
{
    keyring_make (&keyring, "a");
    muster_plain_t *plain = new_plain ("ipc://@muster-test-nobody", "nobody", "listener");
    cr_assert_eq (muster_plain_start (plain), MUSTER_NOTFOUND);
    muster_plain_set_key (plain, keyring_file (&keyring, "a", ".key"));
    cr_assert_eq (muster_plain_start (plain), 0);
    cr_assert_str_eq (muster_plain_reason (plain), "");
    muster_plain_destroy (&plain);
}
