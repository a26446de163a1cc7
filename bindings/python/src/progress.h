/*  progress.h - how far large messages have come, as records in a pipe

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    muster._progress reads them. No thread of the library waits, for the GIL or for room.
*/
#ifndef PROGRESS_H_INCLUDED
#define PROGRESS_H_INCLUDED

#include "core.h"

/*  Zeroed: nobody is told. */
typedef struct {
    int place;              /* a descriptor of its own, one above it; 0: none */
} progress_t;

/*  Duplicate the pipe's descriptor; -1 with an exception. */
int progress_begin (progress_t *self, int descriptor);

/*  source: NULL if the reader knows it. Any thread, between begin and end. */
void progress_tell (const progress_t *self, const char *source, uint64_t position, uint64_t sent, uint64_t size);

/*  Nobody tells any more. error: what the end of the teller came to; after MUSTER_FORKED the
    pipe is a parent's too, and is told nothing. */
void progress_end (progress_t *self, muster_error_t error);

#endif
