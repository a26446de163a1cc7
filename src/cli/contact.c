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
            if (options_seconds (optarg, &self->timeout))
                return true;
            say_usage (command, "--timeout needs a number of seconds, more than 0");
            return false;
    }
}

bool
contact_take_endpoint (contact_t *self, const char *command, int argc, char **argv)
{
    if (!options_endpoint (command, argc, argv, &self->endpoint))
        return false;
    if (!self->key == !self->server)
        return true;
    say_usage (command, "--%s is missing: keys need both", self->key ? "server" : "key");
    return false;
}

bool
contact_take_last (contact_t *self, const char *command, int argc, char **argv)
{
    if (!contact_take_endpoint (self, command, argc, argv))
        return false;
    if (optind == argc)
        return true;
    say_usage (command, "one endpoint only, not also %s", argv [optind]);
    return false;
}
