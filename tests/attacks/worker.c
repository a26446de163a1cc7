/*  worker.c - the honest worker beside the attackers

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    usage: attacks_worker ENDPOINT [--key KEY --server KEY] [--liveness S]

    stdin: send COUNT SIZE | close, answered by one line of JSON each. Sends
    {"n": number, "b": SIZE bytes}, numbers from 1 on, and says how many
    microseconds it took until all were handled.
*/
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <muster/muster.h>

typedef struct {
    muster_worker_t *worker;
    uint64_t sent;
} program_t;

static uint64_t
now_us (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

static void
say (const program_t *self, muster_error_t error, uint64_t number)
{
    printf ("{\"error\": \"%s\", \"reason\": \"%s\", \"number\": %" PRIu64 "}\n", muster_error_name (error),
        error ? muster_worker_reason (self->worker) : "", number);
    fflush (stdout);
}

static void
send_many (program_t *self, uint64_t count, size_t size)
{
    void *bytes = calloc (1, size + 1);
    uint64_t began = now_us ();
    muster_error_t error = 0;
    for (uint64_t i = 0; i < count && !error; i++)
        error = muster_worker_send (self->worker, "M", "{s:U, s:y}", "n", ++self->sent, "b", bytes, size);
    if (!error)
        error = muster_worker_flush (self->worker, -1);
    free (bytes);
    say (self, error, now_us () - began);
}

static void
obey (program_t *self)
{
    char line [256];
    uint64_t count;
    size_t size;
    while (fgets (line, sizeof line, stdin) && sscanf (line, "send %" SCNu64 " %zu", &count, &size) == 2)
        send_many (self, count, size);
}

enum { KEY = 1, SERVER, LIVENESS };

static const struct option OPTIONS [] = {
    { "key", 1, NULL, KEY }, { "server", 1, NULL, SERVER }, { "liveness", 1, NULL, LIVENESS }, { NULL, 0, NULL, 0 } };

static bool
take_option (program_t *self, int option)
{
    switch (option) {
        case KEY: muster_worker_set_key (self->worker, optarg); break;
        case SERVER: muster_worker_set_server (self->worker, optarg); break;
        case LIVENESS: muster_worker_set_liveness (self->worker, atof (optarg)); break;
        default: return false;
    }
    return true;
}

int
main (int argc, char **argv)
{
    if (argc < 2)
        return 2;
    program_t self = { .worker = muster_worker_new (argv [1], "honest") };
    int option;
    optind = 2;
    while ((option = getopt_long (argc, argv, "", OPTIONS, NULL)) != -1)
        if (!take_option (&self, option))
            return 2;
    uint64_t unconfirmed = 0;
    muster_error_t error = muster_worker_start (self.worker);
    say (&self, error, 0);
    if (!error) {
        obey (&self);
        error = muster_worker_close (self.worker, &unconfirmed);
        say (&self, error, unconfirmed);
    }
    muster_worker_destroy (&self.worker);
    return error || unconfirmed;
}
