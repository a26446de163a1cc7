/*  send.h - the two ways to send

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef CLI_SEND_H_INCLUDED
#define CLI_SEND_H_INCLUDED

#include <stdbool.h>

#include <muster/data.h>

#include "cli/contact.h"

/*  How not to wait for ever. */
#define SEND_LIMIT "--timeout S sets a limit"

typedef struct {
    contact_t contact;
    const char *source;
    const char *cmd;
    muster_writer_t *data;  /* NULL: from stdin */
    bool plain;
} send_options_t;

/*  Each returns what the process is to end with. */
int send_in_session (const send_options_t *options);
int send_plain (const send_options_t *options);

#endif
