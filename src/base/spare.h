/*  spare.h - memory of large messages that waits to be used again

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    To get pages from the system takes several times as long as to fill them. A
    few mappings are kept for some seconds, while there is an actor that sees to
    their end. Any thread; nothing here locks.
*/
#ifndef BASE_SPARE_H_INCLUDED
#define BASE_SPARE_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*  Between these, counted, mappings are kept; after the last close there are none. */
void spare_open (void);
void spare_close (void);

/*  A mapping of at least *size bytes, and not of many more; *size is then what it has. NULL if
    there is none. What it holds is what was in it. */
void *spare_take (size_t *size);

/*  Keep a mapping. False if it is not wanted: it stays the caller's. */
bool spare_keep (void *memory, size_t size);

/*  Unmap what was kept for a second. Returns how long an actor may sleep before it
    calls again, in milliseconds: what comes while it sleeps waits so much longer. */
int spare_age (int64_t now_ms);

/*  In a forked child: the actors are the parent's. */
void spare_forget (void);

#endif
