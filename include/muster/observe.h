/*  observe.h - asking a running listener what it counts

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef MUSTER_OBSERVE_H_INCLUDED
#define MUSTER_OBSERVE_H_INCLUDED

#include <stddef.h>

#include "error.h"

/*  Room for any reason. */
#define MUSTER_OBSERVE_REASON_ROOM 768

MUSTER_BEGIN_DECLS

/*  Ask the listener at endpoint what it counts. key and server are the caller's secret key file
    and the listener's public one; both NULL where the listener has no keys. *map is
    a packed map of stats.h's names, checked as the data of a message is: the caller reads it with
    a muster_reader_t and frees it with muster_free; NULL after an error. timeout_ms: less than 0
    for no limit. Errors: MUSTER_TIMEOUT, MUSTER_ACCESS if the listener does not answer
    the caller, MUSTER_ENDPOINT, MUSTER_INVAL, MUSTER_NOTFOUND or MUSTER_FORMAT for the key files,
    MUSTER_RESOURCE, MUSTER_NOMEM, MUSTER_SYSTEM; reason (reason_size bytes; NULL for none) has a sentence. Any
    thread; muster_interrupt_set does not end the wait. */
MUSTER_EXPORT muster_error_t muster_observe (const char *endpoint, const char *key, const char *server,
    int timeout_ms, void **map, size_t *size, char *reason, size_t reason_size);

MUSTER_END_DECLS

#endif
