/*  many_workers.c - a listener with many workers, connected all at once

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    usage: many_workers [workers=1000] [messages=2000000] [burst=100] [idle=0]

    The workers are muster_worker_t, up to 400 in a process. Each process, when told:

    1. starts all of its workers. Until all are here the listener takes "join", s.
    2. leaves them idle. "memory": bytes that the listener grew by, for each;
       "idle": the part of a core that it uses, over so many s.
    3. lets each in its turn send a burst of ~100-byte messages, over and over. "rate":
       messages a second, from the first handled to the last; "work": s of processor
       time that the listener's process takes for each; "fairness": messages
       of the slowest worker over the mean, when half of all are handled.
    4. closes them, several at a time: each must say that all was handled.
*/
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <muster/muster.h>

#include "common.h"
#include "crews.h"

#define CLOSERS 16
#define SETTLE_S 1
#define PATIENCE_MS 120000

/*  --------------------------------------------------------------------------
    A process of workers */

typedef struct {
    muster_worker_t **workers;
    long count;
    atomic_long next;
} team_t;

static void
team_start (team_t *self, long first)
{
    self->workers = calloc ((size_t) self->count, sizeof *self->workers);
    for (long i = 0; i < self->count; i++) {
        self->workers [i] = muster_worker_new (bench_text ("endpoint", ""), bench_source (first + i));
        bench_must (self->workers [i], "muster_worker_new");
        muster_error_t error = muster_worker_start (self->workers [i]);
        bench_must (!error, muster_worker_reason (self->workers [i]));
    }
}

static void
team_send (team_t *self, long each, long burst)
{
    muster_writer_t *data = bench_data ();
    const void *bytes;
    size_t size;
    bench_must (!muster_writer_bytes (data, &bytes, &size), "muster_writer_bytes");
    for (long sent = 0; sent < each; sent += burst)
        for (long i = 0; i < self->count; i++)
            for (long n = 0; n < burst; n++)
                bench_must (!muster_worker_send_raw (self->workers [i], "PROGRESS", bytes, size), "send");
    muster_writer_destroy (&data);
}

static void *
close_some (void *arg)
{
    team_t *self = arg;
    for (long i; (i = atomic_fetch_add (&self->next, 1)) < self->count; ) {
        uint64_t unconfirmed = 0;
        bench_must (!muster_worker_close (self->workers [i], &unconfirmed) && !unconfirmed, "close");
        muster_worker_destroy (&self->workers [i]);
    }
    return NULL;
}

static void
team_close (team_t *self)
{
    pthread_t threads [CLOSERS];
    for (int i = 0; i < CLOSERS; i++)
        bench_must (pthread_create (&threads [i], NULL, close_some, self) == 0, "pthread_create");
    for (int i = 0; i < CLOSERS; i++)
        pthread_join (threads [i], NULL);
    free (self->workers);
}

static int
run_workers (long each, long burst)
{
    int channel = (int) bench_number ("channel", -1);
    team_t team = { .count = bench_number ("crew", 1) };
    crew_await (channel);
    team_start (&team, bench_number ("first", 0));
    crew_tell (channel);
    crew_await (channel);
    team_send (&team, each, burst);
    crew_tell (channel);
    crew_await (channel);
    team_close (&team);
    return 0;
}

/*  --------------------------------------------------------------------------
    The listener */

typedef struct {
    bench_meter_t meter;
    long workers;
    long *counts;
    double fairness;
} tally_t;

static void
judge_fairness (tally_t *self)
{
    long least = self->counts [0];
    for (long i = 1; i < self->workers; i++)
        if (self->counts [i] < least)
            least = self->counts [i];
    self->fairness = (double) least * (double) self->workers / (double) self->meter.count;
}

static int
handle (const muster_message_t *message, void *arg)
{
    tally_t *self = arg;
    /*  The number of the worker is the end of its source. */
    self->counts [atol (muster_message_source (message) + 24)]++;
    bench_note (&self->meter, 1);
    if (self->meter.count == self->meter.total / 2)
        judge_fairness (self);
    return 0;
}

static int
ignore_event (const muster_message_t *message, void *arg)
{
    (void) message;
    (void) arg;
    return 0;
}

static double
idle_share (long seconds)
{
    double before = bench_cpu ();
    int64_t begun = bench_now ();
    sleep ((unsigned) seconds);
    return (bench_cpu () - before) / ((double) (bench_now () - begun) / 1e9);
}

static muster_listener_t *
listener_started (tally_t *tally)
{
    muster_listener_t *self = muster_listener_new ("tcp://127.0.0.1:*");
    muster_listener_register_default_handler (self, handle, tally);
    muster_listener_register_system_handler (self, ignore_event, NULL);
    bench_must (!muster_listener_start (self), "muster_listener_start");
    return self;
}

static double
seconds_since (int64_t begun)
{
    return (double) (bench_now () - begun) / 1e9;
}

int
main (int argc, char **argv)
{
    bench_begin (argc, argv);
    bench_descriptors ();
    long workers = bench_number ("workers", 1000), burst = bench_number ("burst", 100), idle = bench_number ("idle", 0);
    long each = (bench_number ("messages", 2000000) / workers + burst - 1) / burst * burst;
    if (bench_has ("endpoint"))
        return run_workers (each, burst);

    tally_t tally = { .meter = bench_meter (1, workers * each), .workers = workers };
    tally.counts = calloc ((size_t) workers, sizeof *tally.counts);
    muster_listener_t *listener = listener_started (&tally);
    crews_t crews = crews_spawn (muster_listener_endpoint (listener), workers);

    size_t before = bench_resident ();
    int64_t begun = bench_now ();
    crews_begin (&crews);
    bench_must (!muster_listener_wait_for_workers (listener, (size_t) workers, PATIENCE_MS), "all joining");
    double join = seconds_since (begun);
    crews_wait (&crews);

    sleep (SETTLE_S);
    double memory = ((double) bench_resident () - (double) before) / (double) workers;
    double share = idle ? idle_share (idle) : 0;

    double work = bench_cpu ();
    crews_begin (&crews);
    bench_wait (&tally.meter);
    work = (bench_cpu () - work) / (double) tally.meter.total;
    crews_wait (&crews);

    begun = bench_now ();
    crews_begin (&crews);
    crews_join (&crews);
    bench_print ("join", join, "memory", memory, "idle", share, "rate", bench_rate (&tally.meter), "work", work,
        "fairness", tally.fairness, "leave", seconds_since (begun), NULL);
    muster_listener_destroy (&listener);
    free (tally.counts);
    return 0;
}
