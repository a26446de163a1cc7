/*  test_guest.c - the library is a guest: what the process of its host keeps, and what it gets back

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <czmq.h>
#include <muster/muster.h>

#include "collector.h"
#include "scene.h"

extern char **environ;

/*  The life of a listener and a worker from beginning to end. */
static void
live_once (const char *endpoint)
{
    scene_t scene = scene_open (endpoint);
    muster_listener_register_default_handler (scene.listener, collector_handler, scene.messages);
    scene_start (&scene);
    muster_worker_t *worker = scene_worker (&scene, "a");
    MUST (muster_worker_send (worker, "X", NULL) == 0);
    scene_dismiss (worker);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    Processes */

static bool is_child;

#ifdef __SANITIZE_ADDRESS__
/*  LeakSanitizer does not know which threads a fork has left behind. */
__attribute__ ((visibility ("default"))) int __lsan_is_turned_off (void);

int
__lsan_is_turned_off (void)
{
    return is_child;
}
#endif

typedef void (child_fn) (void *argument);

/*  A child that runs function and then exits with 0. One that hangs is ended. */
static pid_t
begin_child (child_fn *function, void *argument)
{
    fflush (NULL);
    pid_t child = fork ();
    MUST (child >= 0);
    if (child > 0)
        return child;
    is_child = true;
    alarm (2 * PATIENCE_MS / 1000);
    function (argument);
    exit (0);
}

static void
expect_success (pid_t child)
{
    int status;
    MUST (waitpid (child, &status, 0) == child);
    cr_assert_not (WIFSIGNALED (status), "ended by signal %d", WTERMSIG (status));
    cr_assert_eq (WEXITSTATUS (status), 0, "exit code %d", WEXITSTATUS (status));
}

static void
in_child (child_fn *function, void *argument)
{
    expect_success (begin_child (function, argument));
}

/*  What a child that runs function writes to stdout and stderr, until it exits with 0. */
static char *
output_of (child_fn *function)
{
    static char text [4096];
    int ends [2];
    MUST (pipe (ends) == 0);
    fflush (NULL);
    pid_t child = fork ();
    MUST (child >= 0);
    if (child == 0) {
        is_child = true;
        alarm (2 * PATIENCE_MS / 1000);
        dup2 (ends [1], STDOUT_FILENO);
        dup2 (ends [1], STDERR_FILENO);
        close (ends [0]);
        close (ends [1]);
        function (NULL);
        exit (0);
    }
    close (ends [1]);
    size_t size = 0;
    ssize_t got;
    while ((got = read (ends [0], text + size, sizeof text - 1 - size)) > 0)
        size += (size_t) got;
    text [size] = 0;
    close (ends [0]);
    expect_success (child);
    return text;
}

/*  --------------------------------------------------------------------------
    What the host keeps */

static volatile sig_atomic_t signals_seen;

static void
note_signal (int number)
{
    (void) number;
    signals_seen++;
}

Test (guest, signal_handlers_stay_the_hosts)
{
    static const int numbers [] = { SIGINT, SIGTERM, SIGPIPE, SIGCHLD, SIGALRM, SIGUSR1 };
    struct sigaction before [6], after;
    signal (SIGTERM, note_signal);
    for (int i = 0; i < 6; i++)
        sigaction (numbers [i], NULL, &before [i]);
    scene_t scene = scene_begin ();
    muster_worker_t *worker = scene_worker (&scene, "a");
    for (int i = 0; i < 6; i++) {
        sigaction (numbers [i], NULL, &after);
        cr_expect (after.sa_handler == before [i].sa_handler, "signal %d", numbers [i]);
    }
    raise (SIGTERM);
    cr_assert_eq (signals_seen, 1);
    scene_dismiss (worker);
    scene_close (&scene);
    for (int i = 0; i < 6; i++) {
        sigaction (numbers [i], NULL, &after);
        cr_expect (after.sa_handler == before [i].sa_handler, "signal %d", numbers [i]);
    }
}

Test (guest, its_threads_take_no_signal_of_the_hosts)
{
    scene_t scene = scene_begin ();
    muster_worker_t *worker = scene_worker (&scene, "a");
    cr_assert_eq (muster_listener_wait_for_workers (scene.listener, 1, PATIENCE_MS), 0);
    DIR *tasks = opendir ("/proc/self/task");
    struct dirent *task;
    while ((task = readdir (tasks))) {
        char path [300], line [200];
        snprintf (path, sizeof path, "/proc/self/task/%s/status", task->d_name);
        FILE *file = *task->d_name == '.' ? NULL : fopen (path, "r");
        unsigned long long mask = 0;
        bool named = false;
        while (file && fgets (line, sizeof line, file)) {
            named = named || strncmp (line, "Name:\tZMQbg", 11) == 0;
            sscanf (line, "SigBlk: %llx", &mask);
        }
        if (file)
            fclose (file);
        cr_expect (!named || (mask >> (SIGUSR1 - 1) & 1), "thread %s", task->d_name);
    }
    closedir (tasks);
    scene_dismiss (worker);
    scene_close (&scene);
}

static void
live_at_length (void *argument)
{
    (void) argument;
    live_once ("tcp://127.0.0.1:*");
    live_once ("ipc://*");
    live_once ("inproc://x");
}

Test (guest, nothing_is_written_to_stdout_or_stderr)
{
    cr_assert_str_eq (output_of (live_at_length), "");
}

Test (guest, the_hosts_random_numbers_stay_as_they_were)
{
    long expected [3];
    srandom (1);
    for (int i = 0; i < 3; i++)
        expected [i] = random ();
    srandom (1);
    cr_assert_eq (random (), expected [0]);
    live_once ("tcp://127.0.0.1:*");
    cr_assert_eq (random (), expected [1]);
    live_once ("tcp://127.0.0.1:*");
    cr_assert_eq (random (), expected [2]);
}

static char *
environment (void)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream (&text, &size);
    for (char **entry = environ; *entry; entry++)
        fprintf (stream, "%s\n", *entry);
    fclose (stream);
    return text;
}

Test (guest, the_environment_and_the_directory_stay_as_they_were)
{
    char before [4096], after [4096];
    MUST (getcwd (before, sizeof before));
    char *environment_before = environment ();
    live_once ("tcp://127.0.0.1:*");
    char *environment_after = environment ();
    MUST (getcwd (after, sizeof after));
    cr_assert_str_eq (environment_after, environment_before);
    cr_assert_str_eq (after, before);
    free (environment_before);
    free (environment_after);
}

/*  --------------------------------------------------------------------------
    What the host gets back */

static int
count_entries (const char *path)
{
    int count = 0;
    DIR *directory = opendir (path);
    while (readdir (directory))
        count++;
    closedir (directory);
    return count;
}

/*  czmq keeps two threads and their descriptors for as long as the process lives. */
Test (guest, no_thread_and_no_descriptor_is_left_after_destroy)
{
    int before = count_entries ("/proc/self/task");
    live_once ("tcp://127.0.0.1:*");
    AWAIT (count_entries ("/proc/self/task") <= before + 2);
    int threads = count_entries ("/proc/self/task"), descriptors = count_entries ("/proc/self/fd");
    live_once ("tcp://127.0.0.1:*");
    live_once ("ipc://*");
    live_once ("inproc://x");
    AWAIT (count_entries ("/proc/self/task") <= threads);
    AWAIT (count_entries ("/proc/self/fd") <= descriptors);
}

Test (guest, two_hundred_lives_leave_nothing_behind)
{
    live_once ("tcp://127.0.0.1:*");
    int threads = count_entries ("/proc/self/task"), descriptors = count_entries ("/proc/self/fd");
    for (int i = 0; i < 200; i++)
        live_once (i % 2 ? "tcp://127.0.0.1:*" : "inproc://x");
    AWAIT (count_entries ("/proc/self/task") <= threads);
    AWAIT (count_entries ("/proc/self/fd") <= descriptors);
}

Test (guest, two_hundred_starts_and_stops_leave_nothing_behind)
{
    scene_t scene = scene_begin ();
    int threads = count_entries ("/proc/self/task"), descriptors = count_entries ("/proc/self/fd");
    for (int i = 0; i < 200; i++) {
        cr_assert_eq (muster_listener_stop (scene.listener, NULL), 0);
        scene_start (&scene);
    }
    AWAIT (count_entries ("/proc/self/task") <= threads);
    AWAIT (count_entries ("/proc/self/fd") <= descriptors);
    scene_close (&scene);
}

/*  --------------------------------------------------------------------------
    The process ends */

/*  Held here, they are no leak. */
static scene_t left;
static muster_worker_t *left_worker;

static void
leave_all_alive (void *argument)
{
    (void) argument;
    left = scene_begin ();
    left_worker = scene_worker (&left, "a");
    MUST (muster_worker_send (left_worker, "X", NULL) == 0);
    MUST (muster_worker_flush (left_worker, PATIENCE_MS) == 0);
}

Test (guest, a_process_may_exit_with_a_live_listener_and_worker)
{
    cr_assert_str_eq (output_of (leave_all_alive), "");
}

static void
leave_a_handler_running (void *argument)
{
    (void) argument;
    left = scene_begin ();
    collector_block (left.messages);
    left_worker = scene_worker (&left, "a");
    for (int i = 0; i < 10; i++)
        MUST (muster_worker_send (left_worker, "X", NULL) == 0);
    MUST (collector_wait (left.messages, 1));
}

Test (guest, a_process_may_exit_while_a_handler_runs)
{
    cr_assert_str_eq (output_of (leave_a_handler_running), "");
}

static void
leave_a_worker_alone (void *argument)
{
    (void) argument;
    left_worker = muster_worker_new ("ipc://@muster-test-nobody", "a");
    scene_start_worker (left_worker);
    for (int i = 0; i < 10; i++)
        MUST (muster_worker_send (left_worker, "X", NULL) == 0);
}

Test (guest, a_process_may_exit_with_a_worker_that_found_no_listener)
{
    cr_assert_str_eq (output_of (leave_a_worker_alone), "");
}

/*  --------------------------------------------------------------------------
    Fork */

static void
use_the_parents (void *argument)
{
    scene_t *scene = argument;
    muster_listener_t *listener = scene->listener;
    muster_worker_t *worker = left_worker;
    muster_message_t *message;
    muster_stats_t stats;
    char **sources;
    size_t count;
    int descriptor;
    uint64_t number;
    MUST (muster_listener_start (listener) == MUSTER_FORKED);
    MUST (muster_listener_stop (listener, &number) == MUSTER_FORKED);
    MUST (muster_listener_next (listener, &message, 0) == MUSTER_FORKED);
    MUST (muster_listener_descriptor (listener, &descriptor) == MUSTER_FORKED);
    MUST (muster_listener_send (listener, "a", "X", NULL) == MUSTER_FORKED);
    MUST (muster_listener_broadcast (listener, &count, "X", NULL) == MUSTER_FORKED);
    MUST (muster_listener_wait_for_workers (listener, 1, 0) == MUSTER_FORKED);
    MUST (muster_listener_workers (listener, &sources, &count) == MUSTER_FORKED);
    MUST (muster_listener_stats (listener, &stats) == MUSTER_FORKED);
    MUST (muster_listener_register_handler (listener, "b", collector_handler, NULL, false) == MUSTER_FORKED);
    MUST (muster_listener_unregister_handler (listener, "b") == MUSTER_FORKED);
    MUST (muster_worker_start (worker) == MUSTER_FORKED);
    MUST (muster_worker_send (worker, "X", NULL) == MUSTER_FORKED);
    MUST (muster_worker_recv (worker, &message, -1) == MUSTER_FORKED);
    MUST (muster_worker_flush (worker, -1) == MUSTER_FORKED);
    MUST (muster_worker_close (worker, &number) == MUSTER_FORKED);
    MUST (muster_worker_descriptor (worker, &descriptor) == MUSTER_FORKED);
    MUST (muster_worker_wait_for_listener (worker, -1) == MUSTER_FORKED);
    MUST (muster_worker_unhandled (worker, NULL, NULL) == MUSTER_FORKED);
    muster_ask_t *ask = muster_ask_new (listener);
    MUST (ask && muster_ask_send (ask, "X", NULL) == MUSTER_FORKED);
    muster_ask_destroy (&ask);
    MUST (muster_worker_destroy (&worker) == MUSTER_FORKED && !worker);
    MUST (muster_listener_destroy (&listener) == MUSTER_FORKED && !listener);
    /*  LeakSanitizer would call the parent's objects leaked: they are, and shall be. */
    _exit (0);
}

Test (guest, a_forked_child_cannot_use_its_parents_objects_and_the_parent_can)
{
    scene_t scene = scene_begin ();
    left_worker = scene_worker (&scene, "a");
    cr_assert_eq (muster_worker_send (left_worker, "BEFORE", NULL), 0);
    cr_assert_eq (muster_worker_flush (left_worker, PATIENCE_MS), 0);
    for (int i = 0; i < 3; i++)
        in_child (use_the_parents, &scene);
    cr_assert_eq (muster_worker_send (left_worker, "AFTER", NULL), 0);
    cr_assert_eq (muster_worker_flush (left_worker, PATIENCE_MS), 0);
    cr_assert_eq (collector_count (scene.messages), 2);
    cr_assert_eq (muster_listener_send (scene.listener, "a", "X", NULL), 0);
    muster_message_t *command = scene_recv (left_worker);
    muster_message_done (&command, 0);
    scene_dismiss (left_worker);
    scene_close (&scene);
}

static void
live_in_child (void *argument)
{
    (void) argument;
    live_once ("tcp://127.0.0.1:*");
    live_once ("inproc://x");
    _exit (0);
}

Test (guest, a_forked_child_may_have_objects_of_its_own)
{
    scene_t scene = scene_begin ();
    muster_worker_t *worker = scene_worker (&scene, "a");
    for (int i = 0; i < 3; i++)
        in_child (live_in_child, NULL);
    scene_dismiss (worker);
    scene_close (&scene);
}

static void
do_nothing (void *argument)
{
    (void) argument;
}

Test (guest, a_forked_child_that_exits_does_nothing_to_its_parent)
{
    left = scene_begin ();
    left_worker = scene_worker (&left, "a");
    cr_assert_eq (muster_listener_wait_for_workers (left.listener, 1, PATIENCE_MS), 0);
    for (int i = 0; i < 3; i++)
        in_child (do_nothing, NULL);
    cr_assert_eq (muster_worker_send (left_worker, "X", NULL), 0);
    scene_dismiss (left_worker);
    scene_close (&left);
}

/*  Of the coordinator that dies: what it tells, and what keeps its child. */
typedef struct {
    const char *endpoint;
    int tell [2], keep [2];
} death_t;

static void
die_with_a_child_alive (void *argument)
{
    death_t *self = argument;
    scene_t scene = scene_open (self->endpoint);
    scene_start (&scene);
    char endpoint [300] = "";
    snprintf (endpoint, sizeof endpoint, "%s", scene_endpoint (&scene));
    pid_t child = fork ();
    if (child == 0) {
        char byte;
        close (self->keep [1]);
        ssize_t rc = read (self->keep [0], &byte, 1);
        (void) rc;
        _exit (0);
    }
    MUST (write (self->tell [1], endpoint, sizeof endpoint) == sizeof endpoint);
    kill (getpid (), SIGKILL);
}

static void
expect_that_another_binds (const char *endpoint)
{
    death_t death = { .endpoint = endpoint };
    char bound [300];
    MUST (pipe (death.tell) == 0 && pipe (death.keep) == 0);
    pid_t child = begin_child (die_with_a_child_alive, &death);
    MUST (read (death.tell [0], bound, sizeof bound) == sizeof bound);
    int status;
    MUST (waitpid (child, &status, 0) == child);
    cr_assert (WIFSIGNALED (status));
    live_once (bound);
    close (death.keep [1]);
    close (death.keep [0]);
    close (death.tell [0]);
    close (death.tell [1]);
}

Test (guest, when_the_parent_dies_another_binds_its_port_though_a_child_lives)
{
    expect_that_another_binds ("tcp://127.0.0.1:*");
}

Test (guest, when_the_parent_dies_another_binds_its_path_though_a_child_lives)
{
    expect_that_another_binds ("ipc://*");
}

Test (guest, when_the_parent_dies_another_binds_its_abstract_name_though_a_child_lives)
{
    char endpoint [100];
    expect_that_another_binds (scene_private_endpoint (endpoint, sizeof endpoint));
}

/*  --------------------------------------------------------------------------
    Descriptors run out */

static void
set_descriptors (int most)
{
    struct rlimit limit;
    getrlimit (RLIMIT_NOFILE, &limit);
    limit.rlim_cur = (rlim_t) most;
    MUST (setrlimit (RLIMIT_NOFILE, &limit) == 0);
}

static int
lowest_free_descriptor (void)
{
    int descriptor = dup (0);
    close (descriptor);
    return descriptor;
}

/*  With so few that nothing works up to enough, each start either works or says
    RESOURCE; with many it works. */
static void
start_with_few (void *argument)
{
    const char *endpoint = argument;
    scene_hush ();
    int refused = 0, started = 0;
    int least = lowest_free_descriptor ();
    for (int more = 4; more < 110; more += 2) {
        scene_t scene = scene_open (endpoint);
        set_descriptors (least + more);
        muster_error_t error = muster_listener_start (scene.listener);
        const char *reason = muster_listener_reason (scene.listener);
        set_descriptors (1024);
        if (error && error != MUSTER_RESOURCE)
            fprintf (stderr, "%d more: %s: %s\n", more, muster_error_name (error), reason);
        MUST (error == 0 || (error == MUSTER_RESOURCE && *reason));
        refused += error != 0;
        started += error == 0;
        if (error)
            scene_start (&scene);
        muster_worker_t *worker = scene_new_worker (&scene, "a");
        set_descriptors (least + more);
        error = muster_worker_start (worker);
        set_descriptors (1024);
        MUST (error == 0 || error == MUSTER_RESOURCE);
        if (error)
            scene_start_worker (worker);
        MUST (muster_worker_send (worker, "X", NULL) == 0);
        muster_message_t *message = scene_next (&scene);
        muster_message_done (&message, 0);
        scene_dismiss (worker);
        scene_close (&scene);
    }
    MUST (refused > 5 && started > 5);
}

Test (guest, where_descriptors_run_out_start_says_so_and_works_later)
{
    in_child (start_with_few, "tcp://127.0.0.1:*");
}

Test (guest, where_descriptors_run_out_start_says_so_and_works_later_over_inproc)
{
    in_child (start_with_few, "inproc://x");
}

static void
open_with_none (void *argument)
{
    (void) argument;
    set_descriptors (lowest_free_descriptor ());
    muster_listener_t *listener = muster_listener_new ("tcp://127.0.0.1:*");
    muster_worker_t *worker = muster_worker_new ("tcp://127.0.0.1:5000", "a");
    MUST (!listener || muster_listener_start (listener) == MUSTER_RESOURCE);
    MUST (!worker || muster_worker_start (worker) == MUSTER_RESOURCE);
    muster_listener_destroy (&listener);
    muster_worker_destroy (&worker);
    set_descriptors (1024);
    live_once ("tcp://127.0.0.1:*");
}

Test (guest, where_no_descriptor_is_left_nothing_is_made_and_nothing_aborts)
{
    in_child (open_with_none, NULL);
}

/*  --------------------------------------------------------------------------
    czmq's sockets */

#define WORKERS 30
#define SOCKETS "100"

typedef struct {
    muster_worker_t *workers [WORKERS];
    int started;
    muster_error_t error;       /* of the first that was not */
} crew_t;

static void
hire (crew_t *self)
{
    self->error = 0;
    while (self->started < WORKERS && !self->error) {
        muster_worker_t *worker = muster_worker_new ("inproc://nobody", NULL);
        MUST (worker);
        self->error = muster_worker_start (worker);
        if (self->error)
            muster_worker_destroy (&worker);
        else
            self->workers [self->started++] = worker;
    }
}

static void
dismiss_one (crew_t *self)
{
    muster_worker_t *worker = self->workers [--self->started];
    muster_worker_set_drain (worker, 0);
    muster_worker_destroy (&worker);
}

static void
dismiss (crew_t *self)
{
    while (self->started > 0)
        dismiss_one (self);
}

static void
hire_in_a_small_czmq (void *argument)
{
    (void) argument;
    crew_t crew = { .started = 0 };
    setenv ("ZSYS_MAX_SOCKETS", "20", 1);
    hire (&crew);
    cr_assert_eq (crew.error, 0);
    dismiss (&crew);
}

Test (guest, has_more_workers_than_czmq_has_sockets_unless_told)
{
    in_child (hire_in_a_small_czmq, NULL);
}

static void
hire_in_the_hosts_czmq (void *argument)
{
    (void) argument;
    crew_t crew = { .started = 0 };
    setenv ("ZSYS_MAX_SOCKETS", SOCKETS, 1);
    zsys_init ();
    hire (&crew);
    cr_assert_eq (crew.error, MUSTER_RESOURCE);
    cr_assert_gt (crew.started, 10);
    dismiss_one (&crew);
    dismiss_one (&crew);
    int before = crew.started;
    hire (&crew);
    cr_assert_eq (crew.started, before + 2);
    cr_assert_eq (crew.error, MUSTER_RESOURCE);
    dismiss (&crew);
}

Test (guest, where_the_hosts_czmq_has_no_sockets_left_start_says_so)
{
    in_child (hire_in_the_hosts_czmq, NULL);
}
