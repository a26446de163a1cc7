/*  reach.h - how a command reaches a listener

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    The endpoint and the options that are the same for all who go to one.
*/
#ifndef CLI_REACH_H_INCLUDED
#define CLI_REACH_H_INCLUDED

#include <stdbool.h>

typedef struct {
    const char *endpoint;
    const char *key;        /* both or neither */
    const char *server;
    double timeout;         /* seconds; 0: not given */
} reach_t;

/*  For a command's struct option. Its own options have smaller numbers. */
enum { REACH_KEY = 1000, REACH_SERVER, REACH_TIMEOUT };
#define REACH_KEYS_OPTIONS \
    { "key", required_argument, NULL, REACH_KEY }, \
    { "server", required_argument, NULL, REACH_SERVER }
#define REACH_OPTIONS \
    { "timeout", required_argument, NULL, REACH_TIMEOUT }, \
    REACH_KEYS_OPTIONS

/*  Take the value of one of these options. False if it is wrong, which was said. */
bool reach_take (reach_t *self, const char *command, int option);

/*  Once all options are read: take the endpoint. False if it is missing, or one of two keys
    is, which was said. */
bool reach_take_endpoint (reach_t *self, const char *command, int argc, char **argv);

/*  The same where nothing may stand behind the endpoint. */
bool reach_take_last (reach_t *self, const char *command, int argc, char **argv);

#endif
