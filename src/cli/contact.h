/*  contact.h - whom a command turns to, and how

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    The endpoint and the options that are the same for all who go to one.
*/
#ifndef CLI_CONTACT_H_INCLUDED
#define CLI_CONTACT_H_INCLUDED

#include <stdbool.h>

typedef struct {
    const char *endpoint;
    const char *key;        /* both or neither */
    const char *server;
    double timeout;         /* seconds; 0: not given */
} contact_t;

/*  For a command's struct option. Its own options have smaller numbers. */
enum { CONTACT_KEY = 1000, CONTACT_SERVER, CONTACT_TIMEOUT };
#define CONTACT_KEYS_OPTIONS \
    { "key", required_argument, NULL, CONTACT_KEY }, \
    { "server", required_argument, NULL, CONTACT_SERVER }
#define CONTACT_OPTIONS \
    { "timeout", required_argument, NULL, CONTACT_TIMEOUT }, \
    CONTACT_KEYS_OPTIONS

/*  Take the value of one of these options. False if it is wrong, which was said. */
bool contact_take (contact_t *self, const char *command, int option);

/*  Once all options are read: take the endpoint. False if it is missing, or one of two keys
    is, which was said. */
bool contact_take_endpoint (contact_t *self, const char *command, int argc, char **argv);

/*  The same where nothing may stand behind the endpoint. */
bool contact_take_last (contact_t *self, const char *command, int argc, char **argv);

#endif
