/*  place.c - a directory of a test's own

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "place.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOBODY 65534

static char directory [] = "/tmp/muster-test-XXXXXX";

static void
require (bool holds, const char *what)
{
    if (!holds) {
        perror (what);
        abort ();
    }
}

void
place_enter (void)
{
    require (mkdtemp (directory) && chdir (directory) == 0, directory);
}

static int
remove_one (const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void) status;
    (void) type;
    (void) walk;
    return remove (path);
}

void
place_leave (void)
{
    require (seteuid (getuid ()) == 0 && chmod (directory, 0700) == 0 && chdir ("/") == 0, directory);
    require (nftw (directory, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0, directory);
}

void
place_write (const char *name, const void *bytes, size_t size, mode_t mode)
{
    unlink (name);
    int descriptor = open (name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    require (descriptor >= 0 && write (descriptor, bytes, size) == (ssize_t) size, name);
    require (fchmod (descriptor, mode) == 0 && close (descriptor) == 0, name);
}

void
place_write_text (const char *name, const char *text, mode_t mode)
{
    place_write (name, text, strlen (text), mode);
}

char *
place_read (const char *name)
{
    struct stat status;
    int descriptor = open (name, O_RDONLY);
    require (descriptor >= 0 && fstat (descriptor, &status) == 0, name);
    char *text = calloc (1, (size_t) status.st_size + 1);
    require (text && read (descriptor, text, (size_t) status.st_size) == status.st_size, name);
    close (descriptor);
    return text;
}

bool
place_has (const char *name)
{
    struct stat status;
    return lstat (name, &status) == 0;
}

mode_t
place_mode (const char *name)
{
    struct stat status;
    require (lstat (name, &status) == 0, name);
    return status.st_mode & 07777;
}

size_t
place_count (void)
{
    size_t count = 0;
    DIR *names = opendir (".");
    require (names, ".");
    for (const struct dirent *each = readdir (names); each; each = readdir (names))
        count += strcmp (each->d_name, ".") != 0 && strcmp (each->d_name, "..") != 0;
    closedir (names);
    return count;
}

static int
give_one (const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void) status;
    (void) type;
    (void) walk;
    return lchown (path, NOBODY, NOBODY);
}

void
place_become_nobody (void)
{
    if (geteuid () != 0)
        return;
    require (nftw (directory, give_one, 8, FTW_PHYS) == 0, directory);
    require (setegid (NOBODY) == 0 && seteuid (NOBODY) == 0, "seteuid");
}
