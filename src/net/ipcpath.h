/*  ipcpath.h - the path of an ipc endpoint, while it is ours

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    ZeroMQ binds to any path: it takes it from a live listener and deletes a
    file that is no socket. So a path is claimed before it is bound.
*/
#ifndef NET_IPCPATH_H_INCLUDED
#define NET_IPCPATH_H_INCLUDED

#include <stddef.h>

#include <muster/error.h>

typedef struct ipcpath ipcpath_t;

/*  A path that nobody has, for a wildcard: in a directory of its own, which
    comes and goes with the claim and is this user's alone. It has at most room bytes
    with its terminator. Errors: MUSTER_ENDPOINT if TMPDIR is too long for that, MUSTER_SYSTEM. */
muster_error_t ipcpath_invent (char *path, size_t room);

/*  Claim a path; abstract names need none. Errors: MUSTER_INUSE, MUSTER_ENDPOINT,
    MUSTER_RESOURCE, MUSTER_NOMEM, MUSTER_SYSTEM; *why is a static string. */
muster_error_t ipcpath_claim (ipcpath_t **self_p, const char *path, const char **why);

/*  The path was bound: release removes the socket that is there now. */
void ipcpath_bound (ipcpath_t *self);

/*  To be called when nobody listens there any more. Frees only the memory in a
    forked child. NULL is harmless. */
void ipcpath_release (ipcpath_t **self_p);

#endif
