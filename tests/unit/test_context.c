/*  test_context.c - the process's private ZeroMQ context

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zmq.h>

#include "net/context.h"

static int
count_entries (const char *directory)
{
    int count = 0;
    DIR *opened = opendir (directory);
    while (readdir (opened))
        count++;
    closedir (opened);
    return count;
}

Test (context, is_one_for_all_holders)
{
    void *first = context_acquire ();
    void *second = context_acquire ();
    cr_assert_not_null (first);
    cr_assert_eq (first, second);
    context_release (second);
    void *socket = zmq_socket (first, ZMQ_PAIR);
    cr_assert_not_null (socket);
    zmq_close (socket);
    context_release (first);
}

Test (context, is_made_anew_after_the_last_release)
{
    for (int i = 0; i < 3; i++) {
        void *context = context_acquire ();
        void *socket = zmq_socket (context, ZMQ_PAIR);
        cr_assert_eq (zmq_bind (socket, "inproc://name"), 0);
        zmq_close (socket);
        context_release (context);
    }
}

Test (context, leaves_nothing_behind)
{
    context_release (context_acquire ());
    int before = count_entries ("/proc/self/fd");
    for (int i = 0; i < 20; i++)
        context_release (context_acquire ());
    cr_assert_eq (count_entries ("/proc/self/fd"), before);
}

static unsigned long long
signals_blocked_in (const char *task)
{
    char path [300];
    char line [200];
    unsigned long long blocked = 0;
    snprintf (path, sizeof path, "/proc/self/task/%s/status", task);
    FILE *status = fopen (path, "r");
    while (status && fgets (line, sizeof line, status))
        sscanf (line, "SigBlk: %llx", &blocked);
    if (status)
        fclose (status);
    return blocked;
}

/*  Other threads of this process than the first that have the wanted signals blocked. */
static int
count_other_threads (unsigned long long wanted)
{
    int count = 0;
    DIR *tasks = opendir ("/proc/self/task");
    for (struct dirent *task; (task = readdir (tasks)); )
        if (atoi (task->d_name) > 0 && atoi (task->d_name) != getpid ())
            count += (signals_blocked_in (task->d_name) & wanted) == wanted;
    closedir (tasks);
    return count;
}

Test (context, has_threads_that_take_no_signal)
{
    int before = count_other_threads (0);
    void *context = context_acquire ();
    int threads = count_other_threads (0);
    cr_assert_geq (threads, before + 2);
    unsigned long long signals = 1ull << (SIGINT - 1) | 1ull << (SIGTERM - 1) | 1ull << (SIGUSR1 - 1);
    cr_assert_geq (count_other_threads (signals), threads - before);
    context_release (context);
}

Test (context, leaves_the_signals_of_the_caller_alone)
{
    sigset_t mine, after;
    sigemptyset (&mine);
    sigaddset (&mine, SIGUSR2);
    pthread_sigmask (SIG_SETMASK, &mine, NULL);
    context_release (context_acquire ());
    pthread_sigmask (SIG_SETMASK, NULL, &after);
    cr_assert (sigismember (&after, SIGUSR2));
    cr_assert_not (sigismember (&after, SIGINT));
    cr_assert_not (sigismember (&after, SIGTERM));
}

Test (context, is_null_when_descriptors_are_too_few)
{
    struct rlimit limit;
    getrlimit (RLIMIT_NOFILE, &limit);
    int next = dup (0);
    close (next);
    struct rlimit few = { (rlim_t) next + 6, limit.rlim_max };
    cr_assert_eq (setrlimit (RLIMIT_NOFILE, &few), 0);
    cr_assert_null (context_acquire ());
    setrlimit (RLIMIT_NOFILE, &limit);
    void *context = context_acquire ();
    cr_assert_not_null (context);
    context_release (context);
}

Test (context, is_nothing_to_release_when_null)
{
    context_release (NULL);
}

static int
use_own_context (void *inherited)
{
    void *context = context_acquire ();
    void *socket = context ? zmq_socket (context, ZMQ_PAIR) : NULL;
    bool own = context && context != inherited && socket;
    if (socket)
        zmq_close (socket);
    context_release (inherited);
    context_release (context);
    return own ? 0 : 1;
}

Test (context, is_another_in_a_forked_child)
{
    void *context = context_acquire ();
    int status;
    pid_t child = fork ();
    if (child == 0)
        _exit (use_own_context (context));
    cr_assert_eq (waitpid (child, &status, 0), child);
    cr_assert (WIFEXITED (status) && WEXITSTATUS (status) == 0);
    void *socket = zmq_socket (context, ZMQ_PAIR);
    cr_assert_not_null (socket);
    zmq_close (socket);
    context_release (context);
}
