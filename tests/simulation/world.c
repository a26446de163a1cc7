/*  world.c - a schedule from its seed to its end

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*  --------------------------------------------------------------------------
    Chance */

/*  splitmix64 */
static uint64_t
draw (world_t *self)
{
    uint64_t z = (self->random += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t
world_below (world_t *self, uint64_t most)
{
    return most ? draw (self) % most : 0;
}

int64_t
world_between (world_t *self, int64_t least, int64_t most)
{
    return most > least ? least + (int64_t) world_below (self, (uint64_t) (most - least + 1)) : least;
}

bool
world_chance (world_t *self, unsigned of_thousand)
{
    return world_below (self, 1000) < of_thousand;
}

uint64_t
world_us (const world_t *self)
{
    return (uint64_t) self->now * 1000;
}

/*  One of a range, each order of magnitude alike. */
static int64_t
spread (world_t *self, int64_t least, int64_t most)
{
    int64_t top = least;
    while (top * 4 < most && world_chance (self, 600))
        top *= 4;
    return world_between (self, least, top * 4 < most ? top * 4 : most);
}

/*  --------------------------------------------------------------------------
    Telling */

void
world_fail (world_t *self, const char *format, ...)
{
    if (self->failed)
        return;
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (self->why, sizeof self->why, format, arguments);
    va_end (arguments);
    self->failed = true;
    world_tell (self, "BROKEN: %s", self->why);
}

void
world_tell (const world_t *self, const char *format, ...)
{
    if (!self->trace)
        return;
    va_list arguments;
    va_start (arguments, format);
    fprintf (stderr, "%8ld  ", self->now);
    vfprintf (stderr, format, arguments);
    fprintf (stderr, "\n");
    va_end (arguments);
}

/*  --------------------------------------------------------------------------
    The plan of a schedule */

static uint64_t
room_for_all (const plan_t *self)
{
    return self->limits.message_limit + WORKERS_MOST * self->floor;
}

bool
plan_is_tight (const plan_t *self)
{
    return self->budget < room_for_all (self);
}

static void
plan_limits (world_t *self)
{
    plan_t *plan = &self->plan;
    plan->limits.liveness = spread (self, 60, 2000);
    plan->limits.no_progress = spread (self, 60, 4000);
    plan->size = (size_t) spread (self, 64, 12000);
    plan->limits.message_limit = 16384;
    if (world_chance (self, 200))
        plan->limits.message_limit = (uint64_t) spread (self, 200, 4000);
    plan->over_limit = world_chance (self, 300);
    plan->chunk = (size_t) spread (self, 64, 2000);
    plan->floor = (uint64_t) spread (self, 16, 4096);
    plan->budget = world_chance (self, 50) ? plan->limits.message_limit + plan->floor : room_for_all (plan);
    if (world_chance (self, 600))
        plan->budget += (uint64_t) spread (self, 1, 1 << 20);
    plan->send_buffer = (uint64_t) spread (self, 1, 100000);
    plan->command_buffer = (uint64_t) spread (self, 4096, 100000);
}

static void
plan_begin (world_t *self)
{
    plan_t *plan = &self->plan;
    *plan = (plan_t) { .workers = (int) world_between (self, 1, WORKERS_MOST) };
    plan_limits (self);
    plan->faults = world_chance (self, 100) ? 0 : (unsigned) spread (self, 1, 200);
    plan->drops = plan->faults == 0 || world_chance (self, 600) ? 0 : (unsigned) spread (self, 10, 1000);
    plan->latency = spread (self, 1, plan->limits.liveness / 16);
    plan->handler = world_chance (self, 500) ? 0 : spread (self, 1, 20);
    plan->handler_rare = world_chance (self, 700) ? plan->handler : spread (self, 10, 3 * plan->limits.liveness);
    plan->reader = world_chance (self, 700) ? 0 : spread (self, 10, 5000);
    plan->retention = world_chance (self, 800) ? 3600000 : spread (self, 100, 10000);
    plan->crashes = plan->faults > 0 && world_chance (self, 400);
    plan->stops = plan->faults > 0 && world_chance (self, 300);
    plan->takeovers = plan->faults > 0 && world_chance (self, 300);
    plan->holds = world_chance (self, 200);
    plan->poison = world_chance (self, 100);
}

/*  --------------------------------------------------------------------------
    Faults */

static void
fault (world_t *self)
{
    worker_t *worker = &self->workers [world_below (self, self->plan.workers)];
    uint64_t kind = world_below (self, 10);
    if (kind == 0 && self->plan.crashes && self->listener.state != LISTENER_DEAD)
        listener_crash (self);
    else
    if (kind == 1 && self->plan.stops)
        listener_stop (self);
    else
    if (kind == 2 && self->plan.takeovers && self->story_count < STORIES_MOST - WORKERS_MOST
        && listener_has_places (self)) {
        worker_die (self, worker);
        worker->born_at = self->now + world_below (self, 2 * self->plan.limits.liveness);
    }
    else
        network_fault (self, worker);
}

/*  Whoever was replaced while another has the source tries again, at times. */
static void
restart_the_ended (world_t *self, worker_t *worker)
{
    if (!worker_is_over (worker) || worker->leaving || worker->born_at != NEVER
        || self->story_count >= STORIES_MOST - WORKERS_MOST || !listener_has_places (self) || !world_chance (self, 500))
        return;
    worker_die (self, worker);
    worker->born_at = self->now + world_below (self, 1000);
}

static void
make_calm (world_t *self)
{
    world_tell (self, "calm from here on");
    self->calm = true;
    self->plan.drops = 0;
    self->listener.held_until = 0;
    for (int i = 0; i < self->plan.workers; i++)
        network_heal (self, &self->workers [i]);
}

static void
chance (world_t *self)
{
    if (!self->calm && self->now >= self->calm_at)
        make_calm (self);
    if (self->calm)
        return;
    for (int i = 0; i < self->plan.workers; i++) {
        worker_t *worker = &self->workers [i];
        if (worker->link_until <= self->now)
            network_heal (self, worker);
        restart_the_ended (self, worker);
    }
    if (world_chance (self, self->plan.faults))
        fault (self);
    if (self->plan.holds && world_chance (self, 20))
        listener_hold (self);
    if (world_chance (self, 100))
        listener_command (self, (int) world_below (self, self->plan.workers));
}

/*  --------------------------------------------------------------------------
    A schedule */

static void
begin (world_t *self, uint64_t seed, bool trace)
{
    self->seed = self->random = seed;
    self->trace = trace;
    self->now = 1000;
    self->calm = self->failed = false;
    self->story_count = 0;
    self->generations = 0;
    self->lost = self->resumed = self->replaced = self->gaps = self->doubled = 0;
    plan_begin (self);
    self->calm_at = self->now + spread (self, 500, 20000);
    self->give_up_at = self->calm_at + 200000;
    self->listener.state = LISTENER_DEAD;
    self->listener.held_until = 0;
    self->listener.until = self->now + (world_chance (self, 800) ? 0 : world_between (self, 0, 2000));
    bool fight = self->plan.takeovers && world_chance (self, 500);
    for (int i = 0; i < WORKERS_MOST; i++) {
        worker_t *worker = &self->workers [i];
        worker->index = i;
        worker->source = fight && i == 1 ? 0 : i;
        worker->alive = false;
        worker->connection = NULL;
        worker->link = LINK_UP;
        worker->link_until = NEVER;
        worker->born_at = i < self->plan.workers ? self->now + world_below (self, 100) : NEVER;
    }
    world_tell (self, "seed %lu: %d workers, budget %lu, floor %lu, limit %lu, chunk %zu, liveness %ld",
        seed, self->plan.workers, self->plan.budget, self->plan.floor, self->plan.limits.message_limit,
        self->plan.chunk, self->plan.limits.liveness);
}

static bool
is_over (const world_t *self)
{
    for (int i = 0; i < self->plan.workers; i++)
        if (self->workers [i].born_at != NEVER || (self->workers [i].alive && !worker_is_over (&self->workers [i])))
            return false;
    return self->calm && self->listener.count == 0;
}

static int64_t
next_moment (const world_t *self)
{
    int64_t next = network_deadline (self);
    int64_t listener = listener_deadline (self);
    if (listener < next)
        next = listener;
    for (int i = 0; i < self->plan.workers; i++) {
        int64_t at = worker_deadline (self, &self->workers [i]);
        if (at < next)
            next = at;
    }
    if (!self->calm && self->calm_at < next)
        next = self->calm_at;
    return next > self->now ? next : self->now + 1;
}

static void
turn (world_t *self)
{
    chance (self);
    network_deliver (self);
    listener_work (self);
    for (int i = 0; i < self->plan.workers; i++)
        worker_work (self, &self->workers [i]);
    listener_check (self);
    for (int i = 0; i < self->plan.workers; i++)
        worker_check (self, &self->workers [i]);
}

static void
clear (world_t *self)
{
    for (int i = 0; i < self->plan.workers; i++)
        if (self->workers [i].alive)
            session_clear (&self->workers [i].session);
    listener_clear (self);
    network_clear (self);
}

bool
world_run (world_t *self, uint64_t seed, bool trace)
{
    begin (self, seed, trace);
    for (turn (self); !self->failed && !is_over (self); turn (self)) {
        self->now = next_moment (self);
        HOLD (self, self->now < self->give_up_at, "it does not come to an end");
    }
    if (!self->failed)
        story_end (self);
    clear (self);
    return !self->failed;
}
