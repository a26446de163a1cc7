/*  common.h - what the benchmarks share: options, processes, the clock, a meter, a line of JSON

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    A benchmark is its own receiver and its own sender. It takes options
    NAME=VALUE in any order. The process that the user starts receives, starts
    the same program with the option "endpoint" added once for each sender, and
    prints one sample, a JSON object on one line. What cannot fail in a
    measurement that is worth something ends the program.
*/
#ifndef BENCHMARKS_COMMON_H_INCLUDED
#define BENCHMARKS_COMMON_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <muster/muster.h>
#include <sys/types.h>

/*  --------------------------------------------------------------------------
    Options; to be read after bench_begin. */

void bench_begin (int argc, char **argv);
bool bench_has (const char *name);
const char *bench_text (const char *name, const char *otherwise);
long bench_number (const char *name, long otherwise);

/*  --------------------------------------------------------------------------
    Time, memory, failure */

int64_t bench_now (void);           /* ns of the monotonic clock, the same in all processes */
size_t bench_resident (void);       /* bytes of this process that are in memory */
size_t bench_peak (void);           /* and the most there ever were */
double bench_cpu (void);            /* s that this process has worked, all threads, user and system */
void bench_must (bool condition, const char *what);
void bench_descriptors (void);      /* as many as the system allows */

/*  --------------------------------------------------------------------------
    Senders */

/*  Start this program with its options and these more, until NULL. */
pid_t bench_spawn (const char *option, ...);
/*  Wait for it; it must have ended well. */
void bench_join (pid_t child);

/*  --------------------------------------------------------------------------
    A meter is told of each message, by one thread, and notes when the last of
    the warm-up and the very last came; another waits for it. */

typedef struct {
    int64_t count, warm, total;     /* seen; before it counts; until it is done */
    int64_t first, last;            /* ns */
    int done;                       /* an eventfd */
} bench_meter_t;

bench_meter_t bench_meter (int64_t warm, int64_t total);
void bench_note (bench_meter_t *self, int64_t messages);
void bench_wait (bench_meter_t *self);
/*  Messages a second, between the two. */
double bench_rate (const bench_meter_t *self);

/*  --------------------------------------------------------------------------
    What is sent */

/*  The map of three of a ~100-byte message, packed. */
muster_writer_t *bench_data (void);
/*  Source of worker number n: 36 characters. In a static buffer. */
const char *bench_source (long n);
/*  "tcp" or "ipc": an endpoint to bind, of this process alone. In a static buffer. */
const char *bench_endpoint (const char *transport);

/*  --------------------------------------------------------------------------
    A sample: bench_print ("rate", 1e6, "peak", 2e7, NULL) */

void bench_print (const char *name, ...);

#endif
