/*  crews.c - processes of many peers that begin each of their steps when they are told

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "crews.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"

void
crew_tell (int channel)
{
    bench_must (write (channel, "", 1) == 1, "write");
}

void
crew_await (int channel)
{
    char byte;
    bench_must (read (channel, &byte, 1) == 1, "read: the other process");
}

static void
crews_spawn_one (crews_t *self, const char *endpoint, long first, long peers)
{
    int pair [2];
    char channel [32], first_number [32], size [32];
    bench_must (self->count < CREWS_MOST, "so many crews");
    bench_must (socketpair (AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
    fcntl (pair [0], F_SETFD, FD_CLOEXEC);      /* or the death of one crew would not show */
    snprintf (channel, sizeof channel, "channel=%d", pair [1]);
    snprintf (first_number, sizeof first_number, "first=%ld", first);
    snprintf (size, sizeof size, "crew=%ld", peers);
    self->children [self->count] = bench_spawn (endpoint, channel, first_number, size, NULL);
    self->channels [self->count++] = pair [0];
    close (pair [1]);
}

crews_t
crews_spawn (const char *listening, long peers)
{
    crews_t self = { .count = 0 };
    char endpoint [128];
    snprintf (endpoint, sizeof endpoint, "endpoint=%s", listening);
    for (long first = 0; first < peers; first += CREW_MOST)
        crews_spawn_one (&self, endpoint, first, peers - first < CREW_MOST ? peers - first : CREW_MOST);
    return self;
}

void
crews_begin (crews_t *self)
{
    for (long i = 0; i < self->count; i++)
        crew_tell (self->channels [i]);
}

void
crews_wait (crews_t *self)
{
    for (long i = 0; i < self->count; i++)
        crew_await (self->channels [i]);
}

void
crews_join (crews_t *self)
{
    for (long i = 0; i < self->count; i++) {
        bench_join (self->children [i]);
        close (self->channels [i]);
    }
}
