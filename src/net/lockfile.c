/*  lockfile.c - a lock file beside an ipc path: who holds it, listens there

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "net/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/process.h"
#include "net/option.h"

#define SUFFIX ".lock"

struct lockfile {
    uint32_t generation;
    int descriptor;
    char path [];
};

static lockfile_t *
lockfile_new (const char *path)
{
    size_t size = strlen (path) + sizeof SUFFIX;
    lockfile_t *self = alloc_zero (sizeof *self + size);
    if (!self)
        return NULL;
    snprintf (self->path, size, "%s%s", path, SUFFIX);
    self->generation = process_generation ();
    self->descriptor = -1;
    return self;
}

static muster_error_t
open_file (lockfile_t *self)
{
    self->descriptor = open (self->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (self->descriptor < 0)
        return option_error (errno);
    struct stat found;
    if (fstat (self->descriptor, &found) != 0)
        return MUSTER_SYSTEM;
    if (S_ISREG (found.st_mode) && found.st_size == 0)
        return 0;
    /*  Not one of ours: releasing it would remove somebody's file. */
    errno = EEXIST;
    return MUSTER_ENDPOINT;
}

static muster_error_t
lock_file (lockfile_t *self)
{
    if (flock (self->descriptor, LOCK_EX | LOCK_NB) == 0)
        return 0;
    return errno == EWOULDBLOCK ? MUSTER_INUSE : MUSTER_SYSTEM;
}

/*  Is the file that was locked still the one by that name? Who held it before
    has removed it. */
static bool
is_by_its_name (const lockfile_t *self)
{
    struct stat held, named;
    return fstat (self->descriptor, &held) == 0 && lstat (self->path, &named) == 0
        && held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

static void
close_file (lockfile_t *self)
{
    int saved = errno;
    if (self->descriptor >= 0)
        close (self->descriptor);
    self->descriptor = -1;
    errno = saved;
}

static muster_error_t
open_and_lock (lockfile_t *self)
{
    for (;;) {
        muster_error_t error = open_file (self);
        if (!error)
            error = lock_file (self);
        if (!error && is_by_its_name (self))
            return 0;
        close_file (self);
        if (error)
            return error;
    }
}

muster_error_t
lockfile_take (lockfile_t **self_p, const char *path)
{
    lockfile_t *self = lockfile_new (path);
    *self_p = self;
    if (!self)
        return MUSTER_NOMEM;
    muster_error_t error = open_and_lock (self);
    if (!error)
        error = process_close_in_child (self->descriptor);
    if (error)
        lockfile_release (self_p);
    return error;
}

void
lockfile_release (lockfile_t **self_p)
{
    lockfile_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    int saved = errno;
    if (self->descriptor >= 0 && self->generation == process_generation ()) {
        if (is_by_its_name (self))
            unlink (self->path);
        process_forget (self->descriptor);
        close_file (self);
    }
    alloc_free (self);
    errno = saved;
}
