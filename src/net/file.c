/*  file.c - small files: read whole, and what is said about them

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "net/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "model/endpoint.h"

/*  --------------------------------------------------------------------------
    What is said */

muster_error_t
file_error (int code)
{
    switch (code) {
        case ENOENT:
        case ENOTDIR:
            return MUSTER_NOTFOUND;
        case EACCES:
        case EPERM:
            return MUSTER_ACCESS;
        case ENOMEM:
            return MUSTER_NOMEM;
        case EMFILE:
        case ENFILE:
            return MUSTER_RESOURCE;
        default:
            return MUSTER_SYSTEM;
    }
}

muster_error_t
file_complain (char *reason, muster_error_t error, const char *path, const char *format, ...)
{
    char shown [256];
    log_escape (shown, sizeof shown, path, strlen (path));
    int used = snprintf (reason, REASON_ROOM, "%s: ", shown);
    va_list args;
    va_start (args, format);
    vsnprintf (reason + used, REASON_ROOM - (size_t) used, format, args);
    va_end (args);
    return error;
}

muster_error_t
file_complain_errno (char *reason, const char *path)
{
    const char *why = strerrordesc_np (errno);
    return file_complain (reason, file_error (errno), path, "%s", why ? why : "the operating system refused");
}

/*  What begins and ends a path as a word of a shell. $'...' can hold what log_escape
    writes as \xHH, and a quote. */
static const char *
quotes_of (const char *path)
{
    static const char plain [] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:,@%";
    char shown [FILE_WORD_ROOM];
    log_escape (shown, sizeof shown, path, strlen (path));
    if (strcmp (shown, path) != 0 || strchr (path, '\''))
        return "$'";
    return *path && path [strspn (path, plain)] == 0 ? "" : "'";
}

static bool
is_to_be_escaped (unsigned char byte)
{
    return byte < 0x20 || byte >= 0x7f || byte == '\'' || byte == '\\';
}

const char *
file_word (char *word, const char *path)
{
    const char *quotes = quotes_of (path);
    bool escapes = *quotes == '$';
    size_t used = (size_t) snprintf (word, FILE_WORD_ROOM, "%s%s", quotes, *path == '-' ? "./" : "");
    for (const char *at = path; *at && used < FILE_WORD_ROOM; at++) {
        unsigned char byte = (unsigned char) *at;
        const char *format = escapes && is_to_be_escaped (byte) ? "\\x%02x" : "%c";
        used += (size_t) snprintf (word + used, FILE_WORD_ROOM - used, format, byte);
    }
    if (used < FILE_WORD_ROOM)
        used += (size_t) snprintf (word + used, FILE_WORD_ROOM - used, "%s", *quotes ? "'" : "");
    if (used >= FILE_WORD_ROOM)
        snprintf (word, FILE_WORD_ROOM, "FILE");
    return word;
}

/*  --------------------------------------------------------------------------
    Reading. Past stdio, whose buffers nobody could wipe. */

static muster_error_t
check_status (const file_t *self, size_t most, const char *path, char *reason)
{
    if (S_ISDIR (self->status.st_mode))
        return file_complain (reason, MUSTER_FORMAT, path, "is a directory, not a file");
    if (!S_ISREG (self->status.st_mode))
        return file_complain (reason, MUSTER_FORMAT, path, "is no regular file");
    if ((uint64_t) self->status.st_size > most)
        return file_complain (reason, MUSTER_FORMAT, path, "is larger than %zu bytes", most);
    return 0;
}

/*  Room is for a byte more than the file has, which tells its end. */
static muster_error_t
read_all (file_t *self, int descriptor, const char *path, char *reason)
{
    size_t room = (size_t) self->status.st_size + 1;
    self->text = alloc_new (room);
    if (!self->text)
        return file_complain (reason, MUSTER_NOMEM, path, "out of memory");
    while (self->size < room) {
        ssize_t taken = read (descriptor, self->text + self->size, room - self->size);
        if (taken < 0 && errno == EINTR)
            continue;
        if (taken < 0)
            return file_complain_errno (reason, path);
        if (taken == 0)
            return 0;
        self->size += (size_t) taken;
    }
    return file_complain (reason, MUSTER_SYSTEM, path, "it grew while it was read: try again");
}

muster_error_t
file_read (file_t *self, int directory, const char *name, size_t most, const char *path, char *reason)
{
    memset (self, 0, sizeof *self);
    /*  Whatever it is, opening it waits for nothing and does nothing to it. */
    int descriptor = openat (directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0)
        return file_complain_errno (reason, path);
    muster_error_t error = 0;
    if (fstat (descriptor, &self->status) != 0)
        error = file_complain_errno (reason, path);
    if (!error)
        error = check_status (self, most, path, reason);
    if (!error)
        error = read_all (self, descriptor, path, reason);
    close (descriptor);
    if (error)
        file_wipe (self);
    return error;
}

void
file_wipe (file_t *self)
{
    if (self->text)
        explicit_bzero (self->text, self->size);
    alloc_free (self->text);
    self->text = NULL;
    self->size = 0;
}

/*  --------------------------------------------------------------------------
    Writing */

bool
file_write (int descriptor, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t written = write (descriptor, text, size);
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            text += written;
            size -= (size_t) written;
        }
    }
    return fsync (descriptor) == 0;
}

bool
file_sync_names (int directory)
{
    return fsync (directory) == 0 || errno == EINVAL;
}
