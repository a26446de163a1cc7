/*  process.h - what muster keeps for the whole process: what a fork must undo

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    This is the only global mutable state beside the ZeroMQ context (net) and
    the log's sink (base/log): a count of forks, and the descriptors that a
    forked child closes so that it holds no port, no connection and no lock of
    its parent.
*/
#ifndef BASE_PROCESS_H_INCLUDED
#define BASE_PROCESS_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include <muster/error.h>

/*  How many forks lie between this process and the one that loaded the
    library. An object remembers the value at its making; another value later
    means that it is the parent's. One atomic read. */
uint32_t process_generation (void);

/*  Have descriptor closed in every forked child. It is remembered with its
    device and inode, so that a number that was closed and used again by the
    host is left alone. Errors: MUSTER_NOMEM, MUSTER_SYSTEM (no such descriptor). */
muster_error_t process_close_in_child (int descriptor);

/*  Forget a descriptor, before or after it was closed. Harmless if unknown. */
void process_forget (int descriptor);

/*  Errors: MUSTER_RESOURCE if the process could not at this moment open
    descriptors more and start threads more. Nothing stays open or running. */
muster_error_t process_reserve (int descriptors, int threads);

#endif
