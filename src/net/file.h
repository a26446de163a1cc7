/*  file.h - small files: read whole, and what is said about them

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef NET_FILE_H_INCLUDED
#define NET_FILE_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include <muster/error.h>

/*  What an errno after a system call on a file means. */
muster_error_t file_error (int code);

/*  Write "PATH: what is wrong with it" into reason (REASON_ROOM bytes). Returns error. */
muster_error_t file_complain (char *reason, muster_error_t error, const char *path, const char *format, ...)
    __attribute__ ((format (printf, 4, 5)));

/*  The same for the system call that has just failed. */
muster_error_t file_complain_errno (char *reason, const char *path);

/*  Room for a path as a word of a shell. */
#define FILE_WORD_ROOM 256

/*  Write path as it is typed into a shell, quoted where it has to be; "FILE" for one
    that is too long. Returns word (FILE_WORD_ROOM bytes). */
const char *file_word (char *word, const char *path);

typedef struct {
    char *text;             /* not terminated */
    size_t size;
    struct stat status;
} file_t;

/*  Read the file by that name in directory (AT_FDCWD for a path), a regular one of at
    most so many bytes; path is what reason calls it. Errors, with reason: MUSTER_NOTFOUND,
    MUSTER_ACCESS, MUSTER_FORMAT for a file of another kind or size, MUSTER_RESOURCE,
    MUSTER_NOMEM, MUSTER_SYSTEM. */
muster_error_t file_read (file_t *self, int directory, const char *name, size_t most, const char *path, char *reason);

/*  Overwrite what was read, and free it. Harmless after an error. */
void file_wipe (file_t *self);

/*  Write text, and wait until it is on the disk. False, and errno says why, if it is not. */
bool file_write (int descriptor, const char *text, size_t size);

/*  Wait until the names in a directory are on the disk, where its file system can do that.
    False, and errno says why, if they are not. */
bool file_sync_names (int directory);

#endif
