/*  ipcpath.c - the path of an ipc endpoint, while it is ours

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "net/ipcpath.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/process.h"
#include "net/lockfile.h"
#include "net/option.h"

/*  What an invented path looks like: DIRECTORY/muster-0123456789abcdef/socket */
#define OWN_PREFIX "muster-"
#define OWN_DIGITS 16
#define OWN_SOCKET "socket"

struct ipcpath {
    uint32_t generation;
    lockfile_t *lock;
    char *directory;        /* of an invented path; NULL for another */
    bool bound;             /* device and inode are those of the socket */
    dev_t device;
    ino_t inode;
    char path [];
};

muster_error_t
ipcpath_invent (char *path, size_t room)
{
    uint64_t number;
    if (getrandom (&number, sizeof number, 0) != sizeof number)
        return MUSTER_SYSTEM;
    const char *directory = getenv ("TMPDIR");
    if (!directory || !*directory)
        directory = "/tmp";
    int size = snprintf (path, room, "%s/%s%0*" PRIx64 "/%s", directory, OWN_PREFIX, OWN_DIGITS, number, OWN_SOCKET);
    return size > 0 && (size_t) size < room ? 0 : MUSTER_ENDPOINT;
}

/*  Bytes of the directory's name in an invented path, or one derived from it; else 0. */
static size_t
own_directory_size (const char *path)
{
    const char *last = strrchr (path, '/');
    size_t size = strlen (OWN_PREFIX) + OWN_DIGITS;
    if (!last || (size_t) (last - path) <= size || strncmp (last + 1, OWN_SOCKET, strlen (OWN_SOCKET)) != 0)
        return 0;
    const char *name = last - size;
    bool own = name [-1] == '/' && strncmp (name, OWN_PREFIX, strlen (OWN_PREFIX)) == 0
        && strspn (name + strlen (OWN_PREFIX), "0123456789abcdef") == OWN_DIGITS;
    return own ? (size_t) (last - path) : 0;
}

static ipcpath_t *
ipcpath_new (const char *path)
{
    size_t size = strlen (path) + 1;
    size_t directory_size = own_directory_size (path);
    ipcpath_t *self = alloc_zero (sizeof *self + size);
    if (!self)
        return NULL;
    memcpy (self->path, path, size);
    self->generation = process_generation ();
    if (directory_size == 0)
        return self;
    self->directory = alloc_zero (directory_size + 1);
    if (self->directory) {
        memcpy (self->directory, path, directory_size);
        return self;
    }
    alloc_free (self);
    return NULL;
}

static muster_error_t
explain (muster_error_t error, const char **why)
{
    *why = error == MUSTER_NOMEM ? "out of memory" : strerrordesc_np (errno);
    return error;
}

/*  An invented path is bound again by the next start: its directory may be gone. */
static muster_error_t
make_own_directory (const ipcpath_t *self, const char **why)
{
    if (!self->directory || mkdir (self->directory, 0700) == 0)
        return 0;
    if (errno != EEXIST)
        return explain (option_error (errno), why);
    struct stat found;
    if (lstat (self->directory, &found) == 0 && S_ISDIR (found.st_mode) && found.st_uid == geteuid ()
        && (found.st_mode & 077) == 0)
        return 0;
    *why = "its directory is open to others";
    return MUSTER_ENDPOINT;
}

static muster_error_t
lock (ipcpath_t *self, const char **why)
{
    muster_error_t error = lockfile_take (&self->lock, self->path);
    if (error == MUSTER_ENDPOINT && errno == EEXIST) {
        *why = "there is a file by the name of its lock, PATH.lock";
        return error;
    }
    return error ? explain (error, why) : 0;
}

/*  Does somebody listen there, one that knows nothing of our locks? */
static bool
is_live (const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen (path) >= sizeof address.sun_path)
        return false;
    memcpy (address.sun_path, path, strlen (path) + 1);
    int probe = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return false;
    int rc = connect (probe, (const struct sockaddr *) &address, sizeof address);
    bool live = rc == 0 || errno == EAGAIN || errno == EINPROGRESS;
    close (probe);
    return live;
}

static muster_error_t
look (const ipcpath_t *self, const char **why)
{
    struct stat found;
    if (lstat (self->path, &found) != 0)
        return errno == ENOENT ? 0 : explain (option_error (errno), why);
    if (!S_ISSOCK (found.st_mode)) {
        *why = "there is something by that name that is no socket";
        return MUSTER_ENDPOINT;
    }
    *why = "somebody listens there";
    return is_live (self->path) ? MUSTER_INUSE : 0;
}

muster_error_t
ipcpath_claim (ipcpath_t **self_p, const char *path, const char **why)
{
    ipcpath_t *self = *self_p = ipcpath_new (path);
    if (!self)
        return explain (MUSTER_NOMEM, why);
    muster_error_t error = make_own_directory (self, why);
    if (!error)
        error = lock (self, why);
    if (!error)
        error = look (self, why);
    if (error)
        ipcpath_release (self_p);
    return error;
}

void
ipcpath_bound (ipcpath_t *self)
{
    struct stat found;
    self->bound = lstat (self->path, &found) == 0 && S_ISSOCK (found.st_mode);
    if (self->bound) {
        self->device = found.st_dev;
        self->inode = found.st_ino;
    }
}

static void
remove_socket (const ipcpath_t *self)
{
    struct stat found;
    if (self->bound && lstat (self->path, &found) == 0 && found.st_dev == self->device && found.st_ino == self->inode)
        unlink (self->path);
}

void
ipcpath_release (ipcpath_t **self_p)
{
    ipcpath_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    bool here = self->generation == process_generation ();
    if (here)
        remove_socket (self);
    lockfile_release (&self->lock);
    /*  Fails while the other path of the pair is in there: the last one removes it. */
    if (here && self->directory)
        rmdir (self->directory);
    alloc_free (self->directory);
    alloc_free (self);
}
