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
#include <sys/random.h>
#include <time.h>

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

static int
show (world_t *world, uint64_t seed)
{
    bool kept = world_run (world, seed, true);
    printf ("seed %" PRIu64 ": %s\n", seed, kept ? "all promises kept" : world->why);
    return kept ? 0 : 1;
}

int
main (int argc, char **argv)
{
    uint64_t first = 0, seed = 0, schedules = UINT64_MAX;
    double limit = 1e9;
    if (getrandom (&first, sizeof first, 0) != sizeof first)
        return 2;
    first >>= 16;   /* short enough to type */
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp (argv [i], "--seconds") == 0)
            limit = atof (argv [i + 1]);
        else
        if (strcmp (argv [i], "--schedules") == 0)
            schedules = strtoull (argv [i + 1], NULL, 10);
        else
        if (strcmp (argv [i], "--first") == 0)
            first = strtoull (argv [i + 1], NULL, 10);
        else
        if (strcmp (argv [i], "--seed") == 0)
            seed = strtoull (argv [i + 1], NULL, 10);
    }
    world_t *world = calloc (1, sizeof *world);
    if (!world)
        return 2;
    if (seed)
        return show (world, seed);
    totals_t totals = { 0 };
    double end = seconds () + limit;
    printf ("first seed %" PRIu64 "\n", first);
    while (totals.schedules < schedules && seconds () < end) {
        seed = first + totals.schedules;
        if (!world_run (world, seed, false)) {
            printf ("after %" PRIu64 " schedules: ", totals.schedules);
            return show (world, seed);
        }
        add (&totals, world);
    }
    printf ("%" PRIu64 " schedules kept all promises: %" PRIu64 " times lost, %" PRIu64 " resumed, %" PRIu64 " replaced, %"
        PRIu64 " gaps, %" PRIu64 " duplicates\n",
        totals.schedules, totals.lost, totals.resumed, totals.replaced, totals.gaps, totals.doubled);
    free (world);
    return 0;
}
