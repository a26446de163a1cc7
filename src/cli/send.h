/*  send.h - the two ways to send

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef CLI_SEND_H_INCLUDED
#define CLI_SEND_H_INCLUDED

#include <stdbool.h>

#include <muster/data.h>

typedef struct {
    const char *endpoint;
    const char *source;
    const char *cmd;
    muster_writer_t *data;  /* NULL: from stdin */
    double timeout;         /* seconds; 0: not given */
    bool plain;
    const char *key;        /* both or neither */
    const char *server;
} send_options_t;

/*  Each returns what the process is to end with. */
int send_in_session (const send_options_t *options);
int send_plain (const send_options_t *options);

#endif
