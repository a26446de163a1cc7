/*  endpoint.h - where a listener listens, as text

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef MUSTER_ENDPOINT_H_INCLUDED
#define MUSTER_ENDPOINT_H_INCLUDED

#include <stddef.h>

#include "error.h"

/*  Room for any reason. */
#define MUSTER_ENDPOINT_REASON_ROOM 768

MUSTER_BEGIN_DECLS

/*  Is endpoint written as one is: tcp://HOST:PORT, ipc://PATH or inproc://NAME? Nothing
    is resolved or connected, so that what is wrong with it is wrong for good. Any thread.
    Errors: MUSTER_ENDPOINT, and reason (reason_size bytes; NULL for none) says what is wrong. */
MUSTER_EXPORT muster_error_t muster_endpoint_check (const char *endpoint, char *reason, size_t reason_size);

MUSTER_END_DECLS

#endif
