/*  test_gate.c - who may observe a listener

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <stdio.h>

#include "actor/gate.h"
#include "actor/listener.h"
#include "scene.h"

TestSuite (gate, .init = scene_hush);

static scene_t
begin (const char *endpoint)
{
    scene_t scene = scene_open (endpoint);
    muster_listener_set_insecure (scene.listener, true);
    scene_start (&scene);
    return scene;
}

static bool
admits (const scene_t *scene, const char *address)
{
    caller_t caller = { .secure = false };
    snprintf (caller.address, sizeof caller.address, "%s", address);
    return gate_admits_observer (&scene->listener->core, &caller);
}

Test (gate, a_listener_without_keys_admits_observers_of_its_machine_alone)
{
    static const char *const near [] = { "127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1" };
    static const char *const far [] = {
        "", "192.0.2.7", "10.127.0.1", "12.7.0.1", "::ffff:192.0.2.7", "::1:2", "2001:db8::1", "0.0.0.0" };
    scene_t scene = begin ("tcp://0.0.0.0:*");
    for (size_t i = 0; i < sizeof near / sizeof *near; i++)
        cr_assert (admits (&scene, near [i]), "%s", near [i]);
    for (size_t i = 0; i < sizeof far / sizeof *far; i++)
        cr_assert_not (admits (&scene, far [i]), "%s", far [i]);
    scene_close (&scene);
}

Test (gate, whoever_reaches_an_ipc_socket_is_on_the_machine)
{
    char endpoint [100];
    scene_t scene = begin (scene_private_endpoint (endpoint, sizeof endpoint));
    cr_assert (admits (&scene, ""));
    scene_close (&scene);
}

Test (gate, a_key_that_nobody_enrolled_observes_nothing_from_anywhere)
{
    scene_t scene = begin ("tcp://127.0.0.1:*");
    caller_t caller = { .secure = true, .key = "nobody", .address = "127.0.0.1" };
    cr_assert_not (gate_admits_observer (&scene.listener->core, &caller));
    scene_close (&scene);
}
