/*  main.c - run schedules for a time, or the one of a seed with its trace

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    usage: simulation [--seconds S | --schedules N] [--first SEED]
           simulation --seed SEED
*/
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "world.h"

static double
seconds (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

typedef struct {
    uint64_t schedules, lost, resumed, replaced, gaps, doubled;
} totals_t;

typedef struct {
    uint64_t seed;          /* 0: a new one */
    uint64_t first, schedules;
    double limit;           /* seconds */
} options_t;

static void
add (totals_t *self, const world_t *world)
{
    self->schedules++;
    self->lost += world->lost;
    self->resumed += world->resumed;
    self->replaced += world->replaced;
    self->gaps += world->gaps;
    self->doubled += world->doubled;
}

/*  So many schedules without a fault of some kind: there are none any more. */
#define ENOUGH 10000

static int
judge (const totals_t *self)
{
    printf ("%" PRIu64 " schedules kept all promises: %" PRIu64 " times lost, %" PRIu64 " resumed, %" PRIu64 " replaced, %"
        PRIu64 " gaps, %" PRIu64 " duplicates\n",
        self->schedules, self->lost, self->resumed, self->replaced, self->gaps, self->doubled);
    bool eventful = self->lost && self->resumed && self->replaced && self->gaps && self->doubled;
    if (self->schedules < ENOUGH || eventful)
        return 0;
    puts ("but nothing of one kind has happened: they show nothing");
    return 1;
}

static int
show (world_t *world, uint64_t seed)
{
    bool kept = world_run (world, seed, true);
    printf ("seed %" PRIu64 ": %s\n", seed, kept ? "all promises kept" : world->why);
    return kept ? 0 : 1;
}

/*  A schedule that takes so long goes round in circles. */
#define SCHEDULE_SECONDS 60

static int
run_many (world_t *world, const options_t *options, volatile uint64_t *seed)
{
    totals_t totals = { 0 };
    double end = seconds () + options->limit;
    printf ("first seed %" PRIu64 "\n", options->first);
    while (totals.schedules < options->schedules && seconds () < end) {
        *seed = options->first + totals.schedules;
        alarm (SCHEDULE_SECONDS);
        if (!world_run (world, *seed, false)) {
            printf ("after %" PRIu64 " schedules: seed %" PRIu64 ": %s\n", totals.schedules, *seed, world->why);
            show (world, *seed);
            return 1;
        }
        add (&totals, world);
    }
    return judge (&totals);
}

/*  In a process of its own: one that crashes or hangs leaves its seed behind. */
static int
run_watched (world_t *world, const options_t *options)
{
    uint64_t *seed = mmap (NULL, sizeof *seed, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (seed == MAP_FAILED)
        return 2;
    pid_t child = fork ();
    if (child == 0)
        exit (run_many (world, options, seed));
    int status = 2 << 8;
    if (child > 0)
        waitpid (child, &status, 0);
    int code = WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status);
    if (code)
        printf ("it ended with %d: simulation --seed %" PRIu64 "\n", code, *seed);
    munmap (seed, sizeof *seed);
    return code;
}

static bool
parse (options_t *self, int argc, char **argv)
{
    if (argc % 2 == 0)
        return false;
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *value = argv [i + 1];
        if (strcmp (argv [i], "--seconds") == 0)
            self->limit = atof (value);
        else
        if (strcmp (argv [i], "--schedules") == 0)
            self->schedules = strtoull (value, NULL, 10);
        else
        if (strcmp (argv [i], "--first") == 0)
            self->first = strtoull (value, NULL, 10);
        else
        if (strcmp (argv [i], "--seed") == 0)
            self->seed = strtoull (value, NULL, 10);
        else
            return false;
    }
    return true;
}

int
main (int argc, char **argv)
{
    options_t options = { .schedules = UINT64_MAX, .limit = 1e9 };
    setvbuf (stdout, NULL, _IOLBF, 0);
    if (getrandom (&options.first, sizeof options.first, 0) != sizeof options.first)
        return 2;
    options.first = (options.first >> 16) + 1;      /* short enough to type */
    if (!parse (&options, argc, argv)) {
        fputs ("usage: simulation [--seconds S | --schedules N] [--first SEED], or simulation --seed SEED\n", stderr);
        return 2;
    }
    world_t *world = calloc (1, sizeof *world);
    if (!world)
        return 2;
    int code = options.seed ? show (world, options.seed) : run_watched (world, &options);
    free (world);
    return code;
}
