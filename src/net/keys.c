/*  keys.c - making keys, and saying whose may do what

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/keys.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "model/allow.h"
#include "model/endpoint.h"
#include "net/allowfile.h"
#include "net/curve.h"
#include "net/file.h"
#include "net/keyfile.h"

_Static_assert (MUSTER_KEYS_REASON_ROOM == REASON_ROOM, "a reason may be cut");

#define SECRET_MODE 0600
#define PUBLIC_MODE 0644

/*  Give a reason out, cut between characters. */
static muster_error_t
answer (muster_error_t error, const char *what, char *reason, size_t room)
{
    if (!reason || room == 0)
        return error;
    size_t size = error ? strlen (what) : 0;
    if (size >= room) {
        size = room - 1;
        while (size > 0 && ((unsigned char) what [size] & 0xc0) == 0x80)
            size--;
    }
    memcpy (reason, what, size);
    reason [size] = 0;
    return error;
}

/*  --------------------------------------------------------------------------
    Making keys */

/*  The text of a file to be made. */
typedef struct {
    char *path;
    mode_t mode;
    char text [CERTIFICATE_ROOM];
    size_t size;
} draft_t;

static bool
write_draft (const draft_t *self, int descriptor)
{
    bool written = (self->mode != SECRET_MODE || fchmod (descriptor, SECRET_MODE) == 0)
        && file_write (descriptor, self->text, self->size);
    int code = errno;
    if (close (descriptor) != 0 && written)
        return false;
    errno = code;
    return written;
}

static muster_error_t
make_file (const draft_t *self, char *why)
{
    int descriptor = open (self->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, self->mode);
    if (descriptor < 0 && errno == EEXIST)
        return file_complain (why, MUSTER_EXISTS, self->path, "is there already: take another name, or move it away");
    if (descriptor < 0)
        return file_complain_errno (why, self->path);
    if (write_draft (self, descriptor))
        return 0;
    muster_error_t error = file_complain_errno (why, self->path);
    unlink (self->path);
    return error;
}

/*  The names of new files are on the disk when their directory is. */
static muster_error_t
sync_names (const draft_t *self, char *why)
{
    char *slash = strrchr (self->path, '/');
    char first = slash ? slash [1] : 0;
    if (slash)
        slash [1] = 0;
    int directory = open (slash ? self->path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (slash)
        slash [1] = first;
    bool synced = directory >= 0 && file_sync_names (directory);
    muster_error_t error = synced ? 0 : file_complain_errno (why, self->path);
    if (directory >= 0)
        close (directory);
    return error;
}

static muster_error_t
make_files (draft_t *secret, draft_t *public, char *why)
{
    muster_error_t error = make_file (secret, why);
    if (error)
        return error;
    error = make_file (public, why);
    if (!error) {
        error = sync_names (secret, why);
        if (error)
            unlink (public->path);
    }
    if (error)
        unlink (secret->path);
    return error;
}

static char *
with_suffix (const char *name, const char *suffix)
{
    size_t size = strlen (name) + strlen (suffix) + 1;
    char *path = alloc_new (size);
    if (path)
        snprintf (path, size, "%s%s", name, suffix);
    return path;
}

static muster_error_t
generate (draft_t *secret, draft_t *public, const char *name, char *why)
{
    certificate_t keys;
    secret->path = with_suffix (name, ".key");
    public->path = with_suffix (name, ".pub");
    if (!secret->path || !public->path)
        return file_complain (why, MUSTER_NOMEM, name, "out of memory");
    muster_error_t error = curve_generate (&keys);
    if (error)
        return file_complain (why, error, name, "no keys can be made: ZeroMQ was built without CURVE");
    secret->size = certificate_write_secret (&keys, secret->text);
    public->size = certificate_write_public (&keys, public->text);
    certificate_wipe (&keys);
    return make_files (secret, public, why);
}

muster_error_t
muster_keys_generate (const char *name, char *reason, size_t reason_size)
{
    char why [REASON_ROOM];
    draft_t secret = { .mode = SECRET_MODE };
    draft_t public = { .mode = PUBLIC_MODE };
    if (!name || !*name || name [strlen (name) - 1] == '/')
        return answer (MUSTER_INVAL, "keys need a name: the files are NAME.key and NAME.pub", reason, reason_size);
    muster_error_t error = generate (&secret, &public, name, why);
    explicit_bzero (secret.text, sizeof secret.text);
    alloc_free (secret.path);
    alloc_free (public.path);
    return answer (error, why, reason, reason_size);
}

/*  --------------------------------------------------------------------------
    Who is enrolled */

/*  A change of an allow file. */
typedef struct {
    allowfile_t *file;
    const char *path;
    const char *public_path;
    char key [Z85_KEY + 1];
    char *why;
} change_t;

static muster_error_t
begin (change_t *self, const char *allow_file, const char *public_file, char *why)
{
    memset (self, 0, sizeof *self);
    self->path = allow_file;
    self->public_path = public_file;
    self->why = why;
    muster_error_t error = keyfile_load_public (public_file, self->key, why);
    return error ? error : allowfile_open (&self->file, allow_file, why);
}

/*  Put the edited text, which is freed, in place, or explain an error of the editing. */
static muster_error_t
end (change_t *self, muster_error_t error, const char *problem, char *edited, size_t edited_size)
{
    size_t size;
    const char *text = allowfile_text (self->file, &size);
    bool same = !error && edited_size == size && memcmp (edited, text, size) == 0;
    if (error)
        file_complain (self->why, error, self->path, "%s", problem);
    else
    if (!same)
        error = allowfile_replace (self->file, edited, edited_size, self->why);
    alloc_free (edited);
    return error;
}

static muster_error_t
enrol_key (change_t *self, const char *const *sources, size_t count)
{
    char problem [REASON_ROOM];
    char *edited;
    size_t size, edited_size = 0;
    const char *text = allowfile_text (self->file, &size);
    muster_error_t error = allow_with (text, size, self->key, sources, count, &edited, &edited_size, problem);
    return end (self, error, problem, edited, edited_size);
}

static muster_error_t
enrol_observer (change_t *self)
{
    char problem [REASON_ROOM];
    char *edited;
    size_t size, edited_size = 0;
    const char *text = allowfile_text (self->file, &size);
    muster_error_t error = allow_with_observer (text, size, self->key, &edited, &edited_size, problem);
    return end (self, error, problem, edited, edited_size);
}

static muster_error_t
revoke_key (change_t *self)
{
    char problem [REASON_ROOM];
    char *edited;
    size_t size, edited_size = 0;
    const char *text = allowfile_text (self->file, &size);
    errno = ENOENT;
    if (!allowfile_exists (self->file))
        return file_complain_errno (self->why, self->path);
    muster_error_t error = allow_without (text, size, self->key, &edited, &edited_size, problem);
    if (error == MUSTER_NOTFOUND)
        file_complain (problem, error, self->public_path, "its key is not enrolled");
    return end (self, error, problem, edited, edited_size);
}

muster_error_t
muster_keys_enrol (const char *allow_file, const char *public_file, const char *const *sources, size_t count,
    char *reason, size_t reason_size)
{
    char why [REASON_ROOM];
    change_t change;
    if (!allow_file || !public_file || !sources)
        return answer (MUSTER_INVAL, "give an allow file, a public key file and sources", reason, reason_size);
    muster_error_t error = begin (&change, allow_file, public_file, why);
    if (!error)
        error = enrol_key (&change, sources, count);
    allowfile_close (&change.file);
    return answer (error, why, reason, reason_size);
}

muster_error_t
muster_keys_enrol_observer (const char *allow_file, const char *public_file, char *reason, size_t reason_size)
{
    char why [REASON_ROOM];
    change_t change;
    if (!allow_file || !public_file)
        return answer (MUSTER_INVAL, "give an allow file and a public key file", reason, reason_size);
    muster_error_t error = begin (&change, allow_file, public_file, why);
    if (!error)
        error = enrol_observer (&change);
    allowfile_close (&change.file);
    return answer (error, why, reason, reason_size);
}

muster_error_t
muster_keys_revoke (const char *allow_file, const char *public_file, char *reason, size_t reason_size)
{
    char why [REASON_ROOM];
    change_t change;
    if (!allow_file || !public_file)
        return answer (MUSTER_INVAL, "give an allow file and a public key file", reason, reason_size);
    muster_error_t error = begin (&change, allow_file, public_file, why);
    if (!error)
        error = revoke_key (&change);
    allowfile_close (&change.file);
    return answer (error, why, reason, reason_size);
}
