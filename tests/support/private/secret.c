/*  secret.c - is a secret anywhere in this process's memory?

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "secret.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zmq.h>

#define MASK 0xa5
#define CHUNK ((size_t) 1 << 20)
/*  A sanitizer's shadow memory is larger than anything else. */
#define MAPPING_MOST ((uint64_t) 1 << 32)

static void
require (bool holds, const char *what)
{
    if (!holds) {
        perror (what);
        abort ();
    }
}

static void
mask (uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes [i] ^= MASK;
}

/*  Runs in the child. */
static void
tell (const char *path, int descriptor)
{
    static const char name [] = "secret-key = \"";
    char text [2048] = "";
    char key [41] = "";
    secret_t secret;
    FILE *file = fopen (path, "r");
    require (file && fread (text, 1, sizeof text - 1, file) > 0, path);
    char *at = strstr (text, name);
    require (at, "no secret key");
    memcpy (key, at + strlen (name), sizeof secret.text);
    memcpy (secret.text, key, sizeof secret.text);
    require (zmq_z85_decode (secret.bytes, key), "no Z85");
    mask (secret.text, sizeof secret.text);
    mask (secret.bytes, sizeof secret.bytes);
    require (write (descriptor, &secret, sizeof secret) == sizeof secret, "write");
}

secret_t
secret_of (const char *path)
{
    int ends [2];
    secret_t secret;
    require (pipe (ends) == 0, "pipe");
    pid_t child = fork ();
    if (child == 0) {
        tell (path, ends [1]);
        _exit (0);
    }
    int status;
    require (waitpid (child, &status, 0) == child && status == 0, "child");
    require (read (ends [0], &secret, sizeof secret) == sizeof secret, "read");
    close (ends [0]);
    close (ends [1]);
    return secret;
}

/*  memchr, which is quick under sanitizers too, finds the first byte: one byte is no secret. */
static bool
is_in_chunk (const uint8_t *chunk, size_t size, const uint8_t *masked, size_t masked_size)
{
    const uint8_t *end = chunk + size - masked_size + 1;
    for (const uint8_t *at = chunk; (at = memchr (at, masked [0] ^ MASK, (size_t) (end - at))); at++) {
        size_t same = 1;
        while (same < masked_size && (at [same] ^ MASK) == masked [same])
            same++;
        if (same == masked_size)
            return true;
    }
    return false;
}

/*  Chunks overlap, so that none of it lies across two. The one that was read is no find of
    the next search. */
static bool
is_in_mapping (int memory, uint64_t from, uint64_t to, const uint8_t *masked, size_t masked_size)
{
    static uint8_t chunk [CHUNK];
    bool found = false;
    while (!found && from + masked_size <= to) {
        size_t size = to - from < CHUNK ? (size_t) (to - from) : CHUNK;
        ssize_t taken = pread (memory, chunk, size, (off_t) from);
        if (taken < (ssize_t) masked_size)
            break;
        found = is_in_chunk (chunk, (size_t) taken, masked, masked_size);
        from += (uint64_t) taken - masked_size + 1;
    }
    explicit_bzero (chunk, sizeof chunk);
    return found;
}

static bool
is_in_memory (const uint8_t *masked, size_t masked_size)
{
    FILE *maps = fopen ("/proc/self/maps", "r");
    int memory = open ("/proc/self/mem", O_RDONLY);
    require (maps && memory >= 0, "/proc/self");
    char line [1024];
    bool found = false;
    while (!found && fgets (line, sizeof line, maps)) {
        char *end;
        uint64_t from = strtoull (line, &end, 16);
        uint64_t to = strtoull (end + 1, &end, 16);
        if (strncmp (end, " rw", 3) == 0 && to - from <= MAPPING_MOST)
            found = is_in_mapping (memory, from, to, masked, masked_size);
    }
    fclose (maps);
    close (memory);
    return found;
}

bool
secret_text_is_in_memory (const secret_t *self)
{
    return is_in_memory (self->text, sizeof self->text);
}

bool
secret_bytes_are_in_memory (const secret_t *self)
{
    return is_in_memory (self->bytes, sizeof self->bytes);
}
