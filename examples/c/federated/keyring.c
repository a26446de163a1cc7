/*  keyring.c - keys for the coordinator and each worker, in a directory of their own

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "keyring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <muster/muster.h>

#include "crew.h"

const char *
keyring_path (char path [KEYRING_ROOM], const char *directory, const char *name, const char *ending)
{
    snprintf (path, KEYRING_ROOM, "%.200s/%.32s%.8s", directory, name, ending);
    return path;
}

static bool
make (const char *directory, const char *name)
{
    char path [KEYRING_ROOM], reason [MUSTER_KEYS_REASON_ROOM];
    muster_error_t error = muster_keys_generate (keyring_path (path, directory, name, ""), reason, sizeof reason);
    if (error)
        fprintf (stderr, "federated: %s\n", reason);
    return !error;
}

static bool
admit (const char *directory, const char *source)
{
    char allow [KEYRING_ROOM], key [KEYRING_ROOM], reason [MUSTER_KEYS_REASON_ROOM];
    if (!make (directory, source))
        return false;
    muster_error_t error = muster_keys_enrol (keyring_path (allow, directory, KEYRING_ALLOW, ""),
        keyring_path (key, directory, source, ".pub"), &source, 1, reason, sizeof reason);
    if (error)
        fprintf (stderr, "federated: %s\n", reason);
    return !error;
}

bool
keyring_make (char *directory, size_t workers)
{
    const char *temporary = getenv ("TMPDIR");
    snprintf (directory, KEYRING_ROOM, "%.150s/federated-XXXXXX", temporary && *temporary ? temporary : "/tmp");
    if (!mkdtemp (directory)) {
        perror (directory);
        directory [0] = '\0';
        return false;
    }
    bool made = make (directory, KEYRING_COORDINATOR);
    for (size_t number = 0; number < workers && made; number++) {
        char source [16];
        crew_source (number, source);
        made = admit (directory, source);
    }
    return made;
}

static void
remove_pair (const char *directory, const char *name)
{
    char path [KEYRING_ROOM];
    unlink (keyring_path (path, directory, name, ".key"));
    unlink (keyring_path (path, directory, name, ".pub"));
}

void
keyring_remove (const char *directory, size_t workers)
{
    char path [KEYRING_ROOM], source [16];
    if (!*directory)
        return;
    for (size_t number = 0; number < workers; number++) {
        crew_source (number, source);
        remove_pair (directory, source);
    }
    remove_pair (directory, KEYRING_COORDINATOR);
    unlink (keyring_path (path, directory, KEYRING_ALLOW, ""));
    rmdir (directory);
}
