/*  lockfile.h - a lock file beside an ipc path: who holds it, listens there

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef NET_LOCKFILE_H_INCLUDED
#define NET_LOCKFILE_H_INCLUDED

#include <muster/error.h>

typedef struct lockfile lockfile_t;

/*  Take the lock of path, PATH.lock. Errors: MUSTER_INUSE if it is held, by
    this process too; MUSTER_ENDPOINT if there is something else by that name
    or none can be made; MUSTER_RESOURCE, MUSTER_NOMEM, MUSTER_SYSTEM. errno
    says why. A forked child does not have it. */
muster_error_t lockfile_take (lockfile_t **self_p, const char *path);

/*  Remove the file and let go; in a forked child, only free the memory. NULL is harmless. */
void lockfile_release (lockfile_t **self_p);

#endif
