/*  progress.h - how far a large message has come

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef MUSTER_PROGRESS_H_INCLUDED
#define MUSTER_PROGRESS_H_INCLUDED

#include <stdint.h>

/*  A message of more than 1 MiB is on its way: source is the worker's that sends it, or
    that it is sent to, position the one that its receiver reads from it (message.h), size
    its bytes, and sent how many of them were handed to the connection. Called ten times a
    second at most for each worker, and once more, with sent equal to size, when the other
    side has reported the message received. sent goes back when the connection breaks and
    the message is sent again.

    On the actor's thread, with a lock of the library held: all traffic waits until it
    returns. It must not block, and call no function of the library. source belongs to the
    caller, and lasts for the call. */
typedef void (muster_progress_fn) (
    const char *source, uint64_t position, uint64_t sent, uint64_t size, void *arg);

#endif
