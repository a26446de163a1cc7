/*  allowfile.c - an allow file, while it is changed

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "net/allowfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "model/allow.h"
#include "model/endpoint.h"
#include "net/keyfile.h"

/*  As many as the kernel follows. */
#define LINKS_MOST 40

/*  How often, and after how long each time, a lock is asked for. */
#define TRIES_MOST 1000
#define TRY_NANOSECONDS 10000000

#define TEMPORARY_ROOM 32

struct allowfile {
    const char *path;           /* as the caller calls it, and the caller's */
    int directory;              /* open and locked; -1: not yet */
    bool exists;
    file_t file;                /* as it was */
    char *name;                 /* in the directory; part of place */
    char place [PATH_MAX];      /* the path with its links followed */
    char target [PATH_MAX];     /* of a link */
};

/*  --------------------------------------------------------------------------
    Finding and locking. The lock is the directory's: there is one also where there is no
    file yet, the file that is put in its place need not hand it on, and it leaves nothing
    behind, whatever happens to its holder. */

/*  Where the name begins in a path. */
static char *
name_in (char *path)
{
    char *slash = strrchr (path, '/');
    return slash ? slash + 1 : path;
}

/*  Put what the link at place stands for there. */
static bool
follow_link (allowfile_t *self, size_t size)
{
    char *from = self->target [0] == '/' ? self->place : name_in (self->place);
    if ((size_t) (from - self->place) + size >= sizeof self->place) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy (from, self->target, size);
    from [size] = 0;
    return true;
}

/*  False, and errno says why, if there is no end to the links or one cannot be read. */
static bool
follow_links (allowfile_t *self)
{
    for (int links = 0; links < LINKS_MOST; links++) {
        ssize_t size = readlink (self->place, self->target, sizeof self->target);
        if (size < 0)
            return errno == EINVAL || errno == ENOENT;
        if (!follow_link (self, (size_t) size))
            return false;
    }
    errno = ELOOP;
    return false;
}

static muster_error_t
find (allowfile_t *self, char *reason)
{
    size_t size = strlen (self->path);
    if (size >= sizeof self->place) {
        errno = ENAMETOOLONG;
        return file_complain_errno (reason, self->path);
    }
    memcpy (self->place, self->path, size + 1);
    if (!follow_links (self))
        return file_complain_errno (reason, self->path);
    self->name = name_in (self->place);
    return *self->name ? 0 : file_complain (reason, MUSTER_FORMAT, self->path, "is no name of a file");
}

static muster_error_t
open_directory (allowfile_t *self, char *reason)
{
    const char *directory = self->name == self->place ? "." : self->place;
    char first = *self->name;
    /*  The slash stays: it is all that "/" has. */
    if (self->name != self->place)
        *self->name = 0;
    self->directory = open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *self->name = first;
    return self->directory < 0 ? file_complain_errno (reason, self->path) : 0;
}

static muster_error_t
lock (allowfile_t *self, char *reason)
{
    const struct timespec pause = { .tv_nsec = TRY_NANOSECONDS };
    for (int tries = 0; tries < TRIES_MOST; tries++) {
        if (flock (self->directory, LOCK_EX | LOCK_NB) == 0)
            return 0;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return file_complain_errno (reason, self->path);
        nanosleep (&pause, NULL);
    }
    return file_complain (reason, MUSTER_BUSY, self->path, "another process has its directory locked");
}

/*  --------------------------------------------------------------------------
    Opening and closing */

static muster_error_t
read_file (allowfile_t *self, char *reason)
{
    muster_error_t error = file_read (&self->file, self->directory, self->name, ALLOW_TEXT_MOST, self->path, reason);
    if (error == MUSTER_NOTFOUND)
        return 0;
    self->exists = !error;
    return error ? error : keyfile_check_allow (self->file.status.st_mode, self->path, reason);
}

muster_error_t
allowfile_open (allowfile_t **self_p, const char *path, char *reason)
{
    allowfile_t *self = alloc_zero (sizeof *self);
    *self_p = self;
    if (!self)
        return file_complain (reason, MUSTER_NOMEM, path, "out of memory");
    self->path = path;
    self->directory = -1;
    muster_error_t error = find (self, reason);
    if (!error)
        error = open_directory (self, reason);
    if (!error)
        error = lock (self, reason);
    if (!error)
        error = read_file (self, reason);
    if (error)
        allowfile_close (self_p);
    return error;
}

const char *
allowfile_text (const allowfile_t *self, size_t *size)
{
    *size = self->file.size;
    return self->exists ? self->file.text : "";
}

bool
allowfile_exists (const allowfile_t *self)
{
    return self->exists;
}

void
allowfile_close (allowfile_t **self_p)
{
    allowfile_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    if (self->directory >= 0) {
        /*  A child that was forked meanwhile has the descriptor too, and with it the lock. */
        flock (self->directory, LOCK_UN);
        close (self->directory);
    }
    file_wipe (&self->file);
    alloc_free (self);
}

/*  --------------------------------------------------------------------------
    Replacing */

/*  Open a new file under a name that is written into name. -1, and errno says why, if there
    is none. */
static int
make_temporary (const allowfile_t *self, char name [TEMPORARY_ROOM])
{
    uint64_t number;
    if (getrandom (&number, sizeof number, 0) != sizeof number)
        return -1;
    snprintf (name, TEMPORARY_ROOM, ".muster-%016" PRIx64, number);
    mode_t mode = self->exists ? 0600 : 0644;
    return openat (self->directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
}

/*  Only root may give files away. */
static bool
keep_rights (const allowfile_t *self, int descriptor)
{
    const struct stat *old = &self->file.status;
    if (!self->exists)
        return true;
    bool kept = fchown (descriptor, geteuid () == 0 ? old->st_uid : (uid_t) -1, old->st_gid) == 0;
    return (kept || geteuid () != 0) && fchmod (descriptor, old->st_mode & 07777) == 0;
}

/*  False, and errno says why, if the file was not put in its place. */
static bool
put_in_place (const allowfile_t *self, const char *text, size_t size)
{
    char name [TEMPORARY_ROOM];
    int descriptor = make_temporary (self, name);
    if (descriptor < 0)
        return false;
    bool put = keep_rights (self, descriptor) && file_write (descriptor, text, size);
    int code = errno;
    if (close (descriptor) != 0 && put) {
        code = errno;
        put = false;
    }
    if (put) {
        put = renameat (self->directory, name, self->directory, self->name) == 0;
        code = errno;
    }
    if (!put)
        unlinkat (self->directory, name, 0);
    errno = code;
    return put;
}

muster_error_t
allowfile_replace (allowfile_t *self, const char *text, size_t size, char *reason)
{
    if (!put_in_place (self, text, size))
        return file_complain_errno (reason, self->path);
    if (!file_sync_names (self->directory))
        return file_complain (reason, MUSTER_SYSTEM, self->path,
            "was written, but may be as it was after a power failure: %s", strerrordesc_np (errno));
    return 0;
}
