/*  identity.c - ids that nobody else has

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/identity.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

bool
identity_new (session_id_t *id)
{
    ssize_t size;
    do
        size = getrandom (id->bytes, sizeof id->bytes, 0);
    while (size < 0 && errno == EINTR);
    id->bytes [6] = (id->bytes [6] & 0x0f) | 0x40;
    id->bytes [8] = (id->bytes [8] & 0x3f) | 0x80;
    return size == (ssize_t) sizeof id->bytes;
}

const char *
identity_hex (const session_id_t *id, char *text)
{
    for (size_t i = 0; i < sizeof id->bytes; i++)
        snprintf (text + 2 * i, 3, "%02x", id->bytes [i]);
    return text;
}

const char *
identity_uuid (const session_id_t *id, char text [UUID_ROOM])
{
    char hex [2 * sizeof id->bytes + 1];
    identity_hex (id, hex);
    snprintf (text, UUID_ROOM, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
    return text;
}
