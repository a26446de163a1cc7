/*  keyfile.c - the files of keys and of who is enrolled, read

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "net/keyfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "model/endpoint.h"
#include "net/curve.h"
#include "net/file.h"

#define OTHERS_READ 0044
#define OTHERS_WRITE 0022

/*  --------------------------------------------------------------------------
    Keys */

static muster_error_t
load (const char *path, certificate_t *certificate, mode_t *mode, char *reason)
{
    file_t file;
    char problem [REASON_ROOM];
    memset (certificate, 0, sizeof *certificate);
    muster_error_t error = file_read (&file, AT_FDCWD, path, CERTIFICATE_MOST, path, reason);
    if (error)
        return error;
    error = certificate_read (certificate, file.text, file.size, problem);
    *mode = file.status.st_mode;
    file_wipe (&file);
    return error ? file_complain (reason, error, path, "%s", problem) : 0;
}

static muster_error_t
check_secret (const char *path, const keypair_t *keys, mode_t mode, char *reason)
{
    char word [FILE_WORD_ROOM];
    if (!*keys->secret_key)
        return file_complain (reason, MUSTER_FORMAT, path, "has no secret key: give the .key file");
    if (mode & (S_IRWXG | S_IRWXO))
        return file_complain (reason, MUSTER_ACCESS, path, "others can %s it: chmod 600 %s",
            mode & OTHERS_READ ? "read" : mode & OTHERS_WRITE ? "write" : "use", file_word (word, path));
    switch (curve_check (keys)) {
        case 0: return 0;
        case MUSTER_FORMAT:
            return file_complain (reason, MUSTER_FORMAT, path, "its public key does not belong to its secret key");
        default: return file_complain (reason, MUSTER_SYSTEM, path, "ZeroMQ was built without CURVE");
    }
}

muster_error_t
keyfile_load_secret (const char *path, keypair_t *keys, char *reason)
{
    mode_t mode;
    muster_error_t error = load (path, keys, &mode, reason);
    if (!error)
        error = check_secret (path, keys, mode, reason);
    if (error)
        keyfile_wipe (keys);
    return error;
}

/*  Name the file that was meant, if the path tells. */
static muster_error_t
refuse_secret (const char *path, char *reason)
{
    static const char suffix [] = ".key";
    char meant [FILE_WORD_ROOM];
    char word [FILE_WORD_ROOM] = "its .pub file";
    size_t size = strlen (path);
    if (size > strlen (suffix) && size < sizeof meant && strcmp (path + size - strlen (suffix), suffix) == 0) {
        snprintf (meant, sizeof meant, "%.*s.pub", (int) (size - strlen (suffix)), path);
        file_word (word, meant);
    }
    return file_complain (reason, MUSTER_FORMAT, path,
        "is a secret key file: give %s, and do not pass the secret on", word);
}

muster_error_t
keyfile_load_public (const char *path, char public_key [Z85_KEY + 1], char *reason)
{
    certificate_t certificate;
    mode_t mode;
    muster_error_t error = load (path, &certificate, &mode, reason);
    if (!error && *certificate.secret_key)
        error = refuse_secret (path, reason);
    if (!error)
        memcpy (public_key, certificate.public_key, sizeof certificate.public_key);
    certificate_wipe (&certificate);
    return error;
}

muster_error_t
keyfile_load_client (const char *key_file, const char *server_file,
    bool *keyed, keypair_t *keys, char server [Z85_KEY + 1], char *reason)
{
    *keyed = key_file && server_file;
    if (!key_file != !server_file) {
        snprintf (reason, REASON_ROOM, "%s", key_file
            ? "a key needs the listener's public key: give server"
            : "the listener's public key is of use only with a key of one's own: give key");
        return MUSTER_INVAL;
    }
    if (!*keyed)
        return 0;
    muster_error_t error = keyfile_load_public (server_file, server, reason);
    return error ? error : keyfile_load_secret (key_file, keys, reason);
}

void
keyfile_wipe (keypair_t *keys)
{
    certificate_wipe (keys);
}

/*  --------------------------------------------------------------------------
    Who is enrolled */

muster_error_t
keyfile_check_allow (mode_t mode, const char *path, char *reason)
{
    char word [FILE_WORD_ROOM];
    if (!(mode & OTHERS_WRITE))
        return 0;
    return file_complain (reason, MUSTER_ACCESS, path, "others can write it: chmod go-w %s", file_word (word, path));
}

static muster_error_t
check_owner (uid_t owner, const char *path, char *reason)
{
    char word [FILE_WORD_ROOM];
    if (owner == 0 || owner == geteuid ())
        return 0;
    return file_complain (reason, MUSTER_ACCESS, path,
        "belongs to another user, who can write it: chown %ld %s", (long) geteuid (), file_word (word, path));
}

muster_error_t
keyfile_load_allow (const char *path, allow_t **allow, char *reason)
{
    file_t file;
    char problem [REASON_ROOM];
    *allow = NULL;
    muster_error_t error = file_read (&file, AT_FDCWD, path, ALLOW_TEXT_MOST, path, reason);
    if (error)
        return error;
    error = keyfile_check_allow (file.status.st_mode, path, reason);
    if (!error)
        error = check_owner (file.status.st_uid, path, reason);
    if (!error) {
        error = allow_parse (allow, file.text, file.size, problem);
        if (error)
            file_complain (reason, error, path, "%s", problem);
    }
    file_wipe (&file);
    return error;
}
