/*  contact.c - whom a command turns to, and how

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/contact.h"

#include <getopt.h>
#include <stddef.h>

#include "cli/options.h"
#include "cli/say.h"

bool
contact_take (contact_t *self, const char *command, int option)
{
    switch (option) {
        case CONTACT_KEY:
            return options_file (command, "--key", optarg, &self->key);
        case CONTACT_SERVER:
            return options_file (command, "--server", optarg, &self->server);
        default:
            return options_timeout (command, optarg, &self->timeout);
    }
}

bool
contact_take_endpoint (contact_t *self, const char *command, int argc, char **argv)
{
    if (!options_endpoint (command, argc, argv, &self->endpoint))
        return false;
    return !self->key == !self->server
        || say_wrong (command, "--%s is missing: keys need both", self->key ? "server" : "key");
}

bool
contact_take_last (contact_t *self, const char *command, int argc, char **argv)
{
    return contact_take_endpoint (self, command, argc, argv) && options_end (command, argc, argv);
}
