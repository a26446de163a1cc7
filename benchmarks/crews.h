/*  crews.h - processes of many peers that begin each of their steps when they are told

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    A crew is this program with the options crew=, how many peers it has, first=, the number of
    the first, and channel=, on which it is told to begin a step and tells that it is done.
*/
#ifndef BENCHMARKS_CREWS_H_INCLUDED
#define BENCHMARKS_CREWS_H_INCLUDED

#include <sys/types.h>

/*  Each peer may have a thread and a dozen descriptors. */
#define CREW_MOST 400
#define CREWS_MOST 64

typedef struct {
    long count;
    int channels [CREWS_MOST];
    pid_t children [CREWS_MOST];
} crews_t;

/*  As many crews as it takes for so many peers; endpoint is an option of theirs. */
crews_t crews_spawn (const char *endpoint, long peers);

/*  Tell all to begin the next step; wait until all are done with it; until all have ended. */
void crews_begin (crews_t *self);
void crews_wait (crews_t *self);
void crews_join (crews_t *self);

/*  The other end of a channel: one byte each way. */
void crew_tell (int channel);
void crew_await (int channel);

#endif
