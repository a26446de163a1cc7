/*  context.h - the process's private ZeroMQ context

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    One context for all listeners and workers of the process, so that inproc
    endpoints are theirs alone. It is made for the first and terminated with
    the last; a forked child gets one of its own and leaves its parent's alone.
*/
#ifndef NET_CONTEXT_H_INCLUDED
#define NET_CONTEXT_H_INCLUDED

/*  The context, held until context_release; NULL when it cannot be made. Its
    threads have all signals blocked. */
void *context_acquire (void);
void context_release (void *context);

#endif
