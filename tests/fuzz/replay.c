/*  replay.c - runs a fuzz target on the files of a corpus

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    For compilers without libFuzzer. Each argument is a file or a directory of
    files; one without a file is a failure.
*/
#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fuzz.h"

/*  The bytes are at the very end of their memory, for the sanitizers. */
static uint8_t *
load (FILE *file, size_t *size)
{
    struct stat status;
    if (fstat (fileno (file), &status) != 0)
        return NULL;
    *size = (size_t) status.st_size;
    uint8_t *bytes = malloc (*size > 0 ? *size : 1);
    if (bytes && fread (bytes, 1, *size, file) == *size)
        return bytes;
    free (bytes);
    return NULL;
}

static bool
replay_file (const char *path)
{
    size_t size;
    FILE *file = fopen (path, "rb");
    uint8_t *bytes = file ? load (file, &size) : NULL;
    if (file)
        fclose (file);
    if (!bytes) {
        perror (path);
        return false;
    }
    LLVMFuzzerTestOneInput (bytes, size);
    free (bytes);
    return true;
}

static size_t
replay_directory (const char *path, DIR *directory)
{
    size_t replayed = 0;
    for (struct dirent *entry = readdir (directory); entry; entry = readdir (directory)) {
        char file [PATH_MAX];
        if (entry->d_name [0] == '.')
            continue;
        snprintf (file, sizeof file, "%s/%s", path, entry->d_name);
        if (!replay_file (file))
            return 0;
        replayed++;
    }
    return replayed;
}

static size_t
replay (const char *path)
{
    DIR *directory = opendir (path);
    if (!directory)
        return replay_file (path);
    size_t replayed = replay_directory (path, directory);
    closedir (directory);
    return replayed;
}

int
main (int argc, char **argv)
{
    for (int index = 1; index < argc; index++) {
        size_t replayed = replay (argv [index]);
        printf ("%s: %zu inputs\n", argv [index], replayed);
        if (replayed == 0)
            return EXIT_FAILURE;
    }
    return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
