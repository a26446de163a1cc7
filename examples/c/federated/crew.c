/*  crew.c - the worker processes: start them, see them off

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "crew.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define LOOK_EVERY_MS 5
#define END_MS 5000

extern char **environ;

void
crew_source (size_t number, char source [16])
{
    snprintf (source, 16, "worker-%u", (unsigned) number + 1);
}

static bool
start_member (member_t *member, size_t number, const options_t *options, const char *endpoint, const char *keys)
{
    char number_text [24], workers [24], seed [24];
    snprintf (number_text, sizeof number_text, "%zu", number);
    snprintf (workers, sizeof workers, "%zu", options->workers);
    snprintf (seed, sizeof seed, "%llu", (unsigned long long) options->seed);
    const char *argv [] = { "federated", "worker", number_text, "--endpoint", endpoint, "--workers", workers, "--seed",
        seed, "--data", options->data, "--keys", keys, NULL };
    crew_source (number, member->source);
    int error = posix_spawn (&member->process, "/proc/self/exe", NULL, NULL, (char **) argv, environ);
    if (error)
        fprintf (stderr, "federated: cannot start %s: %s\n", member->source, strerror (error));
    return !error;
}

bool
crew_start (crew_t *self, const options_t *options, const char *endpoint, const char *keys)
{
    self->member = calloc (options->workers, sizeof *self->member);
    self->sources = calloc (options->workers, sizeof *self->sources);
    if (!self->member || !self->sources) {
        fprintf (stderr, "federated: out of memory\n");
        return false;
    }
    for (; self->count < options->workers; self->count++) {
        member_t *member = self->member + self->count;
        if (!start_member (member, self->count, options, endpoint, keys))
            return false;
        self->sources [self->count] = member->source;
    }
    return true;
}

size_t
crew_find (const crew_t *self, const char *source)
{
    size_t number = 0;
    while (number < self->count && strcmp (self->sources [number], source) != 0)
        number++;
    return number;
}

/*  True once the process has ended; *left_ms is how long it may still take. */
static bool
has_ended (pid_t process, int *status, int *left_ms)
{
    const struct timespec pause = { .tv_nsec = LOOK_EVERY_MS * 1000000L };
    pid_t ended;
    while ((ended = waitpid (process, status, WNOHANG)) == 0 && *left_ms > 0) {
        nanosleep (&pause, NULL);
        *left_ms -= LOOK_EVERY_MS;
    }
    return ended != 0;
}

static void
end_member (const member_t *member, int *left_ms)
{
    int status = 0;
    if (!has_ended (member->process, &status, left_ms)) {
        kill (member->process, SIGKILL);
        while (waitpid (member->process, &status, 0) < 0 && errno == EINTR)
            continue;
    }
    if (WIFSIGNALED (status))
        fprintf (stderr, "federated: %s was ended by signal %d\n", member->source, WTERMSIG (status));
    else
    if (WEXITSTATUS (status) != 0)
        fprintf (stderr, "federated: %s failed\n", member->source);
}

void
crew_end (crew_t *self)
{
    int left_ms = END_MS;
    for (size_t i = 0; i < self->count; i++)
        end_member (self->member + i, &left_ms);
    free (self->member);
    free (self->sources);
    *self = (crew_t) { 0 };
}
