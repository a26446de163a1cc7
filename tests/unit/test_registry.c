/*  test_registry.c - which handler gets the messages of which source

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "model/registry.h"

#define OWN "own-source"

static muster_error_t
wait_for_ever (pthread_cond_t *condition, pthread_mutex_t *lock)
{
    pthread_cond_wait (condition, lock);
    return 0;
}

static int
one (const muster_message_t *message, void *arg)
{
    (void) message, (void) arg;
    return 0;
}

static int
other (const muster_message_t *message, void *arg)
{
    (void) message, (void) arg;
    return 1;
}

static muster_handler_fn *
handler_of (registry_t *registry, const char *source)
{
    registry_entry_t entry = registry_enter (registry, source);
    registry_leave (registry, entry);
    return entry.handler;
}

Test (registry, finds_the_handler_of_a_source)
{
    int arg;
    registry_t *registry = registry_new (OWN, wait_for_ever);
    cr_assert_eq (registry_register (registry, "a", one, &arg, false), 0);
    cr_assert_eq (registry_register (registry, "b", other, NULL, false), 0);
    registry_entry_t entry = registry_enter (registry, "a");
    cr_assert_eq (entry.handler, one);
    cr_assert_eq (entry.arg, &arg);
    registry_leave (registry, entry);
    cr_assert_eq (handler_of (registry, "b"), other);
    registry_destroy (&registry);
    cr_assert_null (registry);
    registry_destroy (&registry);
}

Test (registry, falls_back_to_the_default_and_then_to_none)
{
    registry_t *registry = registry_new (OWN, wait_for_ever);
    cr_assert_null (handler_of (registry, "a"));
    cr_assert_eq (registry_set_default (registry, one, NULL), 0);
    cr_assert_eq (handler_of (registry, "a"), one);
    cr_assert_eq (registry_set_default (registry, other, NULL), 0);
    cr_assert_eq (handler_of (registry, "a"), other);
    registry_destroy (&registry);
}

Test (registry, has_a_system_handler_apart)
{
    registry_t *registry = registry_new (OWN, wait_for_ever);
    cr_assert_eq (registry_set_default (registry, one, NULL), 0);
    registry_entry_t entry = registry_enter_system (registry);
    cr_assert_null (entry.handler);
    registry_leave (registry, entry);
    cr_assert_eq (registry_set_system (registry, other, NULL), 0);
    entry = registry_enter_system (registry);
    cr_assert_eq (entry.handler, other);
    registry_leave (registry, entry);
    registry_destroy (&registry);
}

Test (registry, refuses_a_second_handler_unless_told_to_overwrite)
{
    registry_t *registry = registry_new (OWN, wait_for_ever);
    cr_assert_eq (registry_register (registry, "a", one, NULL, false), 0);
    cr_assert_eq (registry_register (registry, "a", other, NULL, false), MUSTER_EXISTS);
    cr_assert_eq (handler_of (registry, "a"), one);
    cr_assert_eq (registry_register (registry, "a", other, NULL, true), 0);
    cr_assert_eq (handler_of (registry, "a"), other);
    registry_destroy (&registry);
}

Test (registry, overwrites_where_there_is_none)
{
    registry_t *registry = registry_new (OWN, wait_for_ever);
    cr_assert_eq (registry_register (registry, "a", one, NULL, true), 0);
    cr_assert_eq (handler_of (registry, "a"), one);
    registry_destroy (&registry);
}

Test (registry, refuses_its_own_source)
{
    registry_t *registry = registry_new (OWN, wait_for_ever);
    cr_assert_eq (registry_register (registry, OWN, one, NULL, false), MUSTER_RESERVED);
    cr_assert_eq (registry_register (registry, OWN, one, NULL, true), MUSTER_RESERVED);
    cr_assert_null (handler_of (registry, OWN));
    registry_destroy (&registry);
}

Test (registry, refuses_null)
{
    registry_t *registry = registry_new (OWN, wait_for_ever);
    cr_assert_eq (registry_register (registry, NULL, one, NULL, false), MUSTER_INVAL);
    cr_assert_eq (registry_register (registry, "a", NULL, NULL, true), MUSTER_INVAL);
    cr_assert_eq (registry_register (registry, OWN, NULL, NULL, true), MUSTER_INVAL);
    cr_assert_eq (registry_unregister (registry, NULL), MUSTER_INVAL);
    cr_assert_eq (registry_set_default (registry, NULL, NULL), MUSTER_INVAL);
    cr_assert_eq (registry_set_system (registry, NULL, NULL), MUSTER_INVAL);
    registry_destroy (&registry);
}

Test (registry, refuses_a_source_that_no_message_can_have)
{
    static const char *const bad [] = {
        "", "a\n", "\x7f", "\xc2\x85", "\xff", "\xc0\x80", "\xed\xa0\x80", "a\xe2\x82" };
    registry_t *registry = registry_new (OWN, wait_for_ever);
    for (size_t i = 0; i < sizeof bad / sizeof bad [0]; i++)
        cr_assert_eq (registry_register (registry, bad [i], one, NULL, false), MUSTER_INVAL, "%zu", i);
    cr_assert_eq (registry_register (registry, "\xc3\xa9 \xf0\x9f\x8e\xb5", one, NULL, false), 0);
    registry_destroy (&registry);
}

Test (registry, takes_sources_of_up_to_255_bytes)
{
    registry_t *registry = registry_new (OWN, wait_for_ever);
    char source [257];
    memset (source, 's', sizeof source);
    source [255] = 0;
    cr_assert_eq (registry_register (registry, source, one, NULL, false), 0);
    cr_assert_eq (handler_of (registry, source), one);
    source [255] = 's';
    source [256] = 0;
    cr_assert_eq (registry_register (registry, source, one, NULL, false), MUSTER_INVAL);
    registry_destroy (&registry);
}

Test (registry, unregisters)
{
    registry_t *registry = registry_new (OWN, wait_for_ever);
    cr_assert_eq (registry_unregister (registry, "a"), MUSTER_NOTFOUND);
    cr_assert_eq (registry_register (registry, "a", one, NULL, false), 0);
    cr_assert_eq (registry_unregister (registry, "a"), 0);
    cr_assert_eq (registry_unregister (registry, "a"), MUSTER_NOTFOUND);
    cr_assert_null (handler_of (registry, "a"));
    registry_destroy (&registry);
}

Test (registry, holds_many_sources)
{
    registry_t *registry = registry_new (OWN, wait_for_ever);
    char source [32];
    for (int i = 0; i < 5000; i++) {
        snprintf (source, sizeof source, "worker-%d", i);
        cr_assert_eq (registry_register (registry, source, i % 2 ? one : other, NULL, false), 0);
    }
    for (int i = 0; i < 5000; i++) {
        snprintf (source, sizeof source, "worker-%d", i);
        cr_assert_eq (handler_of (registry, source), i % 2 ? one : other);
    }
    registry_destroy (&registry);
}

Test (registry, knows_who_is_inside)
{
    registry_t *registry = registry_new (OWN, wait_for_ever);
    registry_t *another = registry_new (OWN, wait_for_ever);
    cr_assert_not (registry_inside (registry));
    registry_entry_t outer = registry_enter (registry, "a");
    registry_entry_t inner = registry_enter_system (registry);
    cr_assert (registry_inside (registry));
    cr_assert_not (registry_inside (another));
    registry_leave (registry, inner);
    cr_assert (registry_inside (registry));
    registry_leave (registry, outer);
    cr_assert_not (registry_inside (registry));
    registry_destroy (&registry);
    registry_destroy (&another);
}

/*  A handler that runs in another thread until it may leave. */
typedef struct {
    registry_t *registry;
    sem_t entered;
    sem_t may_leave;
    atomic_bool left;
    pthread_t thread;
} runner_t;

static void *
run (void *arg)
{
    runner_t *runner = arg;
    registry_entry_t entry = registry_enter (runner->registry, "a");
    sem_post (&runner->entered);
    sem_wait (&runner->may_leave);
    atomic_store (&runner->left, true);
    registry_leave (runner->registry, entry);
    return NULL;
}

static void
start (runner_t *runner, registry_t *registry)
{
    runner->registry = registry;
    atomic_init (&runner->left, false);
    sem_init (&runner->entered, 0, 0);
    sem_init (&runner->may_leave, 0, 0);
    pthread_create (&runner->thread, NULL, run, runner);
    sem_wait (&runner->entered);
}

static void *
let_leave (void *arg)
{
    sem_post (&((runner_t *) arg)->may_leave);
    return NULL;
}

typedef muster_error_t (change_fn) (registry_t *registry);

static muster_error_t
overwrite (registry_t *registry)
{
    return registry_register (registry, "a", other, NULL, true);
}

static muster_error_t
unregister (registry_t *registry)
{
    return registry_unregister (registry, "a");
}

static muster_error_t
set_default (registry_t *registry)
{
    return registry_set_default (registry, other, NULL);
}

static void
assert_waits (change_fn *change, bool is_default)
{
    registry_t *registry = registry_new (OWN, wait_for_ever);
    runner_t runner;
    pthread_t opener;
    if (is_default)
        cr_assert_eq (registry_set_default (registry, one, NULL), 0);
    else
        cr_assert_eq (registry_register (registry, "a", one, NULL, false), 0);
    start (&runner, registry);
    cr_assert_not (registry_inside (registry));
    pthread_create (&opener, NULL, let_leave, &runner);
    cr_assert_eq (change (registry), 0);
    cr_assert (atomic_load (&runner.left));
    pthread_join (runner.thread, NULL);
    pthread_join (opener, NULL);
    registry_destroy (&registry);
}

Test (registry, waits_until_an_overwritten_handler_has_returned)
{
    assert_waits (overwrite, false);
}

Test (registry, waits_until_an_unregistered_handler_has_returned)
{
    assert_waits (unregister, false);
}

Test (registry, waits_until_the_old_default_handler_has_returned)
{
    assert_waits (set_default, true);
}

Test (registry, does_not_wait_for_the_same_function_of_another_source)
{
    registry_t *registry = registry_new (OWN, wait_for_ever);
    runner_t runner;
    cr_assert_eq (registry_register (registry, "a", one, NULL, false), 0);
    cr_assert_eq (registry_register (registry, "b", one, NULL, false), 0);
    start (&runner, registry);
    cr_assert_eq (registry_unregister (registry, "b"), 0);
    cr_assert_not (atomic_load (&runner.left));
    sem_post (&runner.may_leave);
    pthread_join (runner.thread, NULL);
    registry_destroy (&registry);
}

Test (registry, does_not_wait_inside_a_handler)
{
    registry_t *registry = registry_new (OWN, wait_for_ever);
    cr_assert_eq (registry_register (registry, "a", one, NULL, false), 0);
    registry_entry_t entry = registry_enter (registry, "a");
    cr_assert_eq (registry_register (registry, "a", other, NULL, true), 0);
    cr_assert_eq (registry_unregister (registry, "a"), 0);
    cr_assert_eq (registry_set_default (registry, one, NULL), 0);
    registry_leave (registry, entry);
    registry_destroy (&registry);
}

Test (registry, changes_hold_for_the_next_message_while_a_handler_runs)
{
    registry_t *registry = registry_new (OWN, wait_for_ever);
    cr_assert_eq (registry_register (registry, "a", one, NULL, false), 0);
    registry_entry_t outer = registry_enter (registry, "a");
    cr_assert_eq (registry_register (registry, "a", other, NULL, true), 0);
    cr_assert_eq (handler_of (registry, "a"), other);
    registry_leave (registry, outer);
    registry_destroy (&registry);
}

static void *
hammer (void *arg)
{
    registry_t *registry = arg;
    for (int i = 0; i < 2000; i++)
        (void) handler_of (registry, i % 2 ? "a" : "b");
    return NULL;
}

/*  --------------------------------------------------------------------------
    Entering once for many messages */

static registry_t *
registry_of_all (void)
{
    registry_t *registry = registry_new (OWN, wait_for_ever);
    cr_assert_eq (registry_register (registry, "a", one, NULL, false), 0);
    cr_assert_eq (registry_register (registry, "b", one, NULL, false), 0);
    cr_assert_eq (registry_set_default (registry, one, NULL), 0);
    cr_assert_eq (registry_set_system (registry, one, NULL), 0);
    return registry;
}

Test (registry, an_entry_is_current_while_nothing_changes)
{
    registry_t *registry = registry_of_all ();
    registry_entry_t entry = registry_enter (registry, "a");
    cr_assert (registry_is_current (registry, &entry));
    cr_assert_eq (registry_unregister (registry, "nobody"), MUSTER_NOTFOUND);
    cr_assert_eq (registry_unregister (registry, NULL), MUSTER_INVAL);
    cr_assert_eq (registry_register (registry, OWN, other, NULL, true), MUSTER_RESERVED);
    cr_assert_eq (registry_register (registry, "a", NULL, NULL, true), MUSTER_INVAL);
    cr_assert_eq (registry_set_default (registry, NULL, NULL), MUSTER_INVAL);
    registry_entry_t inner = registry_enter (registry, "b");
    registry_entry_t system = registry_enter_system (registry);
    registry_entry_t nobodys = registry_enter (registry, "nobody");
    cr_assert (registry_is_current (registry, &inner));
    cr_assert (registry_is_current (registry, &nobodys));
    registry_leave (registry, nobodys);
    registry_leave (registry, system);
    registry_leave (registry, inner);
    cr_assert (registry_is_current (registry, &entry));
    registry_leave (registry, entry);
    registry_destroy (&registry);
}

static muster_error_t
register_new (registry_t *registry)
{
    return registry_register (registry, "new", other, NULL, false);
}

static muster_error_t
overwrite_new (registry_t *registry)
{
    return registry_register (registry, "newer", other, NULL, true);
}

static muster_error_t
set_system (registry_t *registry)
{
    return registry_set_system (registry, other, NULL);
}

/*  The calls are made inside, so that none waits. */
Test (registry, an_entry_is_not_current_after_a_change_of_any_kind)
{
    change_fn *const changes [] = { overwrite, unregister, set_default, set_system, register_new, overwrite_new };
    static const char *const sources [] = { "a", "new", "nobody" };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        for (size_t j = 0; j < sizeof sources / sizeof *sources; j++) {
            registry_t *registry = registry_of_all ();
            registry_entry_t entry = registry_enter (registry, sources [j]);
            cr_assert_eq ((*changes [i]) (registry), 0);
            cr_assert_not (registry_is_current (registry, &entry), "change %zu, source %s", i, sources [j]);
            registry_leave (registry, entry);
            registry_entry_t again = registry_enter (registry, sources [j]);
            cr_assert (registry_is_current (registry, &again));
            cr_assert_not (registry_is_current (registry, &entry));
            registry_leave (registry, again);
            registry_destroy (&registry);
        }
}

Test (registry, a_change_that_nobody_waits_for_is_seen_before_the_old_handler_is_left)
{
    registry_t *registry = registry_of_all ();
    registry_entry_t entry = registry_enter (registry, "a");
    cr_assert_eq (registry_unregister (registry, "a"), 0);
    cr_assert_not (registry_is_current (registry, &entry));
    cr_assert_eq (entry.handler, one);
    registry_leave (registry, entry);
    cr_assert_eq (registry_set_default (registry, other, NULL), 0);
    cr_assert_eq (handler_of (registry, "a"), other);
    registry_destroy (&registry);
}

/*  As the dispatch thread goes through a run. */
typedef struct {
    registry_t *registry;
    atomic_bool finished;
    atomic_ulong handled;
} goer_t;

static atomic_int handlers_out, calls_of_those;

static int
numbered (const muster_message_t *message, void *arg)
{
    (void) message;
    if ((intptr_t) arg <= atomic_load (&handlers_out))
        atomic_fetch_add (&calls_of_those, 1);
    return 0;
}

static void *
go_through (void *arg)
{
    goer_t *self = arg;
    registry_entry_t entry = registry_enter (self->registry, "a");
    while (!atomic_load (&self->finished)) {
        if (!registry_is_current (self->registry, &entry)) {
            registry_leave (self->registry, entry);
            entry = registry_enter (self->registry, "a");
        }
        entry.handler (NULL, entry.arg);
        atomic_fetch_add (&self->handled, 1);
    }
    registry_leave (self->registry, entry);
    return NULL;
}

Test (registry, after_a_change_who_entered_once_for_many_messages_calls_the_new_handler_alone)
{
    goer_t goer = { .registry = registry_new (OWN, wait_for_ever) };
    pthread_t thread;
    cr_assert_eq (registry_register (goer.registry, "a", numbered, (void *) 1, false), 0);
    pthread_create (&thread, NULL, go_through, &goer);
    for (intptr_t number = 2; number < 5000; number++) {
        cr_assert_eq (registry_register (goer.registry, "a", numbered, (void *) number, true), 0);
        atomic_store (&handlers_out, (int) number - 1);
        unsigned long before = atomic_load (&goer.handled);
        while (number % 8 == 0 && atomic_load (&goer.handled) < before + 3)
            sched_yield ();
    }
    atomic_store (&goer.finished, true);
    pthread_join (thread, NULL);
    cr_assert_eq (atomic_load (&calls_of_those), 0);
    registry_destroy (&goer.registry);
}

Test (registry, is_safe_from_many_threads)
{
    registry_t *registry = registry_new (OWN, wait_for_ever);
    pthread_t threads [4];
    for (int i = 0; i < 4; i++)
        pthread_create (&threads [i], NULL, hammer, registry);
    for (int i = 0; i < 500; i++) {
        cr_assert_eq (registry_register (registry, "a", one, NULL, true), 0);
        cr_assert_eq (registry_set_default (registry, other, NULL), 0);
        cr_assert_eq (registry_unregister (registry, "a"), 0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join (threads [i], NULL);
    cr_assert_null (registry_enter_system (registry).handler);
    registry_leave (registry, (registry_entry_t) { .handler = NULL });
    registry_destroy (&registry);
}

/*  Register enough sources for the hash to grow; the count that were taken. */
static int
fill (registry_t *registry)
{
    char source [32];
    for (int i = 0; i < 400; i++) {
        snprintf (source, sizeof source, "worker-%d", i);
        if (registry_register (registry, source, one, NULL, false) != 0)
            return i;
    }
    return 400;
}

Test (registry, lives_when_memory_runs_out)
{
    int taken = 0;
    for (size_t nth = 1; taken < 400; nth++) {
        alloc_fail_from (nth);
        registry_t *registry = registry_new (OWN, wait_for_ever);
        taken = registry ? fill (registry) : 0;
        alloc_fail_from (0);
        cr_assert (registry || nth == 1);
        if (registry) {
            cr_assert (taken == 0 || handler_of (registry, "worker-0") == one);
            cr_assert (taken == 400 || fill (registry) == (taken ? 0 : 400));
        }
        registry_destroy (&registry);
    }
}

Test (registry, keeps_the_old_handler_when_memory_runs_out)
{
    registry_t *registry = registry_new (OWN, wait_for_ever);
    cr_assert_eq (registry_register (registry, "a", one, NULL, false), 0);
    cr_assert_eq (registry_set_default (registry, one, NULL), 0);
    alloc_fail_from (1);
    cr_assert_eq (registry_register (registry, "a", other, NULL, true), MUSTER_NOMEM);
    cr_assert_eq (registry_set_default (registry, other, NULL), MUSTER_NOMEM);
    alloc_fail_from (0);
    cr_assert_eq (handler_of (registry, "a"), one);
    cr_assert_eq (handler_of (registry, "b"), one);
    registry_destroy (&registry);
}
