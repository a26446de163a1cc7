/*  common.c - what the benchmarks share: options, processes, the clock, a meter, a line of JSON

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "common.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OPTIONS_MOST 32

static const char *options [OPTIONS_MOST + 1];
static int option_count;
static char program [4096];

/*  --------------------------------------------------------------------------
    Options */

void
bench_begin (int argc, char **argv)
{
    /*  Looked up now: under valgrind /proc/self/exe cannot be executed, only read. */
    ssize_t size = readlink ("/proc/self/exe", program, sizeof program - 1);
    bench_must (size > 0, "readlink");
    bench_must (argc <= OPTIONS_MOST / 2, "few options");
    for (int i = 1; i < argc; i++) {
        bench_must (strchr (argv [i], '='), "an option NAME=VALUE");
        options [option_count++] = argv [i];
    }
}

const char *
bench_text (const char *name, const char *otherwise)
{
    size_t size = strlen (name);
    for (int i = option_count - 1; i >= 0; i--)
        if (strncmp (options [i], name, size) == 0 && options [i][size] == '=')
            return options [i] + size + 1;
    return otherwise;
}

bool
bench_has (const char *name)
{
    return bench_text (name, NULL) != NULL;
}

long
bench_number (const char *name, long otherwise)
{
    const char *text = bench_text (name, NULL);
    return text ? atol (text) : otherwise;
}

/*  --------------------------------------------------------------------------
    Time, memory, failure */

int64_t
bench_now (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C (1000000000) + now.tv_nsec;
}

static size_t
status (const char *name)
{
    FILE *file = fopen ("/proc/self/status", "r");
    bench_must (file, "fopen");
    char line [256];
    size_t size = strlen (name), kib = 0;
    while (fgets (line, sizeof line, file))
        if (strncmp (line, name, size) == 0)
            kib = strtoul (line + size, NULL, 10);
    fclose (file);
    return kib * 1024;
}

size_t
bench_resident (void)
{
    return status ("VmRSS:");
}

size_t
bench_peak (void)
{
    return status ("VmHWM:");
}

double
bench_cpu (void)
{
    struct rusage usage;
    getrusage (RUSAGE_SELF, &usage);
    return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void
bench_must (bool condition, const char *what)
{
    if (condition)
        return;
    fprintf (stderr, "%s: %s failed (%s)\n", program, what, strerror (errno));
    exit (1);
}

void
bench_descriptors (void)
{
    struct rlimit limit;
    bench_must (getrlimit (RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    limit.rlim_cur = limit.rlim_max;
    bench_must (setrlimit (RLIMIT_NOFILE, &limit) == 0, "setrlimit");
}

/*  --------------------------------------------------------------------------
    Senders */

pid_t
bench_spawn (const char *option, ...)
{
    const char *argv [OPTIONS_MOST + 2] = { program };
    int argc = 1;
    for (int i = 0; i < option_count; i++)
        argv [argc++] = options [i];
    va_list more;
    va_start (more, option);
    for (; option && argc <= OPTIONS_MOST; option = va_arg (more, const char *))
        argv [argc++] = option;
    va_end (more);
    argv [argc] = NULL;
    pid_t child = fork ();
    bench_must (child >= 0, "fork");
    if (child == 0) {
        execv (program, (char **) argv);
        _exit (127);
    }
    return child;
}

void
bench_join (pid_t child)
{
    int ended = 1;
    bench_must (waitpid (child, &ended, 0) == child && ended == 0, "the sender");
}

/*  --------------------------------------------------------------------------
    The meter */

bench_meter_t
bench_meter (int64_t warm, int64_t total)
{
    bench_meter_t self = { .warm = warm, .total = total, .done = eventfd (0, EFD_CLOEXEC) };
    bench_must (self.done >= 0 && warm > 0 && warm < total, "a meter");
    return self;
}

void
bench_note (bench_meter_t *self, int64_t messages)
{
    int64_t before = self->count;
    self->count += messages;
    if (before < self->warm && self->count >= self->warm) {
        self->warm = self->count;
        self->first = bench_now ();
    }
    if (before < self->total && self->count >= self->total) {
        self->last = bench_now ();
        eventfd_write (self->done, 1);
    }
}

void
bench_wait (bench_meter_t *self)
{
    eventfd_t value;
    while (eventfd_read (self->done, &value) != 0)
        bench_must (errno == EINTR, "eventfd_read");
    close (self->done);
    self->done = -1;
}

double
bench_rate (const bench_meter_t *self)
{
    return (double) (self->total - self->warm) / ((double) (self->last - self->first) / 1e9);
}

/*  --------------------------------------------------------------------------
    What is sent, and what is printed */

muster_writer_t *
bench_data (void)
{
    muster_writer_t *data = muster_writer_new ();
    muster_writer_map (data, 3);
    muster_writer_str (data, "epoch", 5);
    muster_writer_int (data, 12);
    muster_writer_str (data, "loss", 4);
    muster_writer_double (data, 0.5);
    muster_writer_str (data, "samples", 7);
    muster_writer_int (data, 1200);
    return data;
}

const char *
bench_source (long n)
{
    static char source [64];
    snprintf (source, sizeof source, "0f8fad5b-d9cb-469f-a165-%012ld", n);
    return source;
}

static char ipc_endpoint [64];

/*  Not every peer does. */
static void
remove_ipc_file (void)
{
    unlink (ipc_endpoint + strlen ("ipc://"));
}

const char *
bench_endpoint (const char *transport)
{
    if (strcmp (transport, "tcp") == 0)
        return "tcp://127.0.0.1:*";
    snprintf (ipc_endpoint, sizeof ipc_endpoint, "ipc:///tmp/muster-benchmark-%d", (int) getpid ());
    bench_must (atexit (remove_ipc_file) == 0, "atexit");
    return ipc_endpoint;
}

void
bench_print (const char *name, ...)
{
    va_list more;
    va_start (more, name);
    const char *before = "{";
    for (; name; name = va_arg (more, const char *)) {
        printf ("%s\"%s\": %.9g", before, name, va_arg (more, double));
        before = ", ";
    }
    va_end (more);
    puts ("}");
}
