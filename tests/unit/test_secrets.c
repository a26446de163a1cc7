/*  test_secrets.c - what is left of a secret key once all that used it is closed

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    muster has secrets as text, and ZeroMQ as bytes, of which it leaves copies in what it
    frees (docs/security.md). What muster does with bytes is in test_keyfile.c.
*/
#include <criterion/criterion.h>

#include <muster/muster.h>

#include "collector.h"
#include "keyring.h"
#include "scene.h"
#include "secret.h"

static keyring_t keyring;
static secret_t listeners, workers;

static void
set_up (void)
{
    keyring = keyring_open ();
    keyring_admit (&keyring, "a");
    listeners = secret_of (keyring_file (&keyring, "listener", ".key"));
    workers = secret_of (keyring_file (&keyring, "a", ".key"));
}

static void
tear_down (void)
{
    keyring_close (&keyring);
}

TestSuite (secrets, .init = set_up, .fini = tear_down, .timeout = 300);

static void
carry_messages (void)
{
    scene_t scene = scene_open (scene_tcp ());
    keyring_arm_listener (&keyring, scene.listener);
    MUST (muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages) == 0);
    scene_start (&scene);
    cr_expect_not (secret_text_is_in_memory (&listeners), "the listener needs it no more");
    muster_worker_t *worker = scene_new_worker (&scene, "a");
    keyring_arm_worker (&keyring, worker, "a");
    scene_start_worker (worker);
    for (int i = 0; i < 100; i++)
        cr_assert_eq (muster_worker_send (worker, "X", NULL), 0);
    cr_assert_eq (muster_worker_flush (worker, PATIENCE_MS), 0);
    scene_dismiss (worker);
    scene_close (&scene);
}

Test (secrets, none_that_muster_had_is_left)
{
    carry_messages ();
    cr_expect_not (secret_text_is_in_memory (&listeners));
    cr_expect_not (secret_text_is_in_memory (&workers));
}
