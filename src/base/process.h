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

/*  The same for the descriptors of one owner, apart from all others: when the
    news that one was closed comes late, after another owner's has its number,
    the other's stays. Destroying a set forgets them; NULL is harmless. Any
    thread, but one at a time for a set. */
typedef struct process_set process_set_t;

process_set_t *process_set_new (void);
void process_set_destroy (process_set_t **self_p);
muster_error_t process_set_add (process_set_t *self, int descriptor);
void process_set_remove (process_set_t *self, int descriptor);

/*  Errors: MUSTER_NOMEM; MUSTER_RESOURCE if the process could not at this moment open
    descriptors more and start threads more. Nothing stays open or running. */
muster_error_t process_reserve (int descriptors, int threads);

#endif
