/*  keyring.c - keys and an allow file in a directory of a test's own

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "keyring.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scene.h"

#define PATH_ROOM 600

keyring_t
keyring_open (void)
{
    keyring_t self;
    const char *base = getenv ("TMPDIR");
    snprintf (self.directory, sizeof self.directory, "%s/keyring-XXXXXX", base && *base ? base : "/tmp");
    MUST (mkdtemp (self.directory));
    keyring_make (&self, "listener");
    keyring_write (&self, "allow", "", "");
    return self;
}

void
keyring_close (keyring_t *self)
{
    char path [PATH_ROOM];
    DIR *directory = opendir (self->directory);
    MUST (directory);
    for (struct dirent *entry = readdir (directory); entry; entry = readdir (directory)) {
        snprintf (path, sizeof path, "%s/%s", self->directory, entry->d_name);
        unlink (path);
    }
    closedir (directory);
    MUST (rmdir (self->directory) == 0);
}

const char *
keyring_file (const keyring_t *self, const char *name, const char *ending)
{
    static _Thread_local char buffers [4][PATH_ROOM];
    static _Thread_local unsigned turn;
    char *path = buffers [turn++ % 4];
    snprintf (path, PATH_ROOM, "%s/%s%s", self->directory, name, ending);
    return path;
}

static void
must_succeed (muster_error_t error, const char *reason)
{
    if (error)
        fprintf (stderr, "%s: %s\n", muster_error_name (error), reason);
    MUST (error == 0);
}

void
keyring_make (const keyring_t *self, const char *name)
{
    char reason [PATH_ROOM] = "";
    must_succeed (muster_keys_generate (keyring_file (self, name, ""), reason, sizeof reason), reason);
}

void
keyring_enrol (const keyring_t *self, const char *name, const char *source)
{
    char reason [PATH_ROOM] = "";
    must_succeed (muster_keys_enrol (keyring_file (self, "allow", ""), keyring_file (self, name, ".pub"),
        &source, 1, reason, sizeof reason), reason);
}

void
keyring_enrol_observer (const keyring_t *self, const char *name)
{
    char reason [PATH_ROOM] = "";
    must_succeed (muster_keys_enrol_observer (keyring_file (self, "allow", ""), keyring_file (self, name, ".pub"),
        reason, sizeof reason), reason);
}

void
keyring_revoke (const keyring_t *self, const char *name)
{
    char reason [PATH_ROOM] = "";
    must_succeed (muster_keys_revoke (keyring_file (self, "allow", ""), keyring_file (self, name, ".pub"),
        reason, sizeof reason), reason);
}

void
keyring_admit (const keyring_t *self, const char *name)
{
    keyring_make (self, name);
    keyring_enrol (self, name, name);
}

void
keyring_arm_listener (const keyring_t *self, muster_listener_t *listener)
{
    muster_listener_set_key (listener, keyring_file (self, "listener", ".key"));
    muster_listener_set_allow (listener, keyring_file (self, "allow", ""));
}

void
keyring_arm_worker (const keyring_t *self, muster_worker_t *worker, const char *name)
{
    muster_worker_set_key (worker, keyring_file (self, name, ".key"));
    muster_worker_set_server (worker, keyring_file (self, "listener", ".pub"));
}

void
keyring_write (const keyring_t *self, const char *name, const char *ending, const char *text)
{
    FILE *file = fopen (keyring_file (self, name, ending), "w");
    MUST (file);
    MUST (fputs (text, file) >= 0);
    MUST (fclose (file) == 0);
}

void
keyring_read (const keyring_t *self, const char *name, const char *ending, const char *kind, char *key)
{
    char line [256];
    FILE *file = fopen (keyring_file (self, name, ending), "r");
    MUST (file);
    key [0] = 0;
    while (fgets (line, sizeof line, file)) {
        const char *quote = strstr (line, kind) ? strchr (line, '"') : NULL;
        if (quote && strlen (quote) > 41)
            snprintf (key, 41, "%s", quote + 1);
    }
    fclose (file);
    MUST (strlen (key) == 40);
}
