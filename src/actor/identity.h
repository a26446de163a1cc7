/*  identity.h - ids that nobody else has

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef ACTOR_IDENTITY_H_INCLUDED
#define ACTOR_IDENTITY_H_INCLUDED

#include <stdbool.h>

#include "model/protocol.h"

/*  A UUID as text: 36 characters and their terminator. */
#define UUID_ROOM 37

/*  A random UUID (version 4); false when the system gives no random bytes. The
    host's random () is left alone. */
bool identity_new (session_id_t *id);

/*  Write it as 8-4-4-4-12 digits, and as 32. Return text. */
const char *identity_uuid (const session_id_t *id, char text [UUID_ROOM]);
const char *identity_hex (const session_id_t *id, char *text);

#endif
