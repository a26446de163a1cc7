/*  interrupt.h - how a host ends calls that wait

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    For hosts that see to their signals between calls, as the interpreters of
    languages do: a call that waits would keep them from it.
*/
#ifndef MUSTER_INTERRUPT_H_INCLUDED
#define MUSTER_INTERRUPT_H_INCLUDED

#include <stdbool.h>

#include "export.h"

/*  Asked every 50 ms in each of the host's threads that waits in a call of the
    library; true ends the call with MUSTER_INTERRUPTED. No lock of the library is held
    but that of starting, stopping and closing the object of the call: to call these
    for it is MUSTER_DEADLOCK. */
typedef bool (muster_interrupt_fn) (void);

MUSTER_BEGIN_DECLS

/*  Set what is asked in this process; NULL, as it is at first: nothing. A call that
    was interrupted may be made again: what was accepted stays accepted, a listener that
    was told to stop goes on stopping, a worker whose close was interrupted is not
    closed, a handler that was replaced or removed may still be running. Any thread. */
MUSTER_EXPORT void muster_interrupt_set (muster_interrupt_fn *fn);

MUSTER_END_DECLS

#endif
