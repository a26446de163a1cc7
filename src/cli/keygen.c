/*  keygen.c - muster keygen

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <getopt.h>
#include <string.h>

#include <muster/keys.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/say.h"

static const char help [] =
    "usage: muster keygen NAME\n"
    "\n"
    "Make a pair of keys. NAME.key is secret: it stays where it is made, readable by its\n"
    "owner only. NAME.pub is for those who are to know you by it: a worker's is enrolled\n"
    "where the listener is (muster enrol), a listener's is given to its workers.\n"
    "Files that are there already are left alone.\n";

int
keygen_command (int argc, char **argv)
{
    static const struct option options_known [] = {
        OPTIONS_END,
    };
    static const options_t options = { .command = "keygen", .help = help, .known = options_known };
    char reason [MUSTER_KEYS_REASON_ROOM];
    int code;
    if (!options_read (&options, argc, argv, NULL, &code))
        return code;
    if (argc - optind != 1)
        return say_usage ("keygen", "give one name: the files are NAME.key and NAME.pub");
    const char *name = argv [optind];
    if (!*name || name [strlen (name) - 1] == '/')
        return say_usage ("keygen", "NAME is empty: give one, the files are NAME.key and NAME.pub");
    if (muster_keys_generate (name, reason, sizeof reason)) {
        say ("%s", reason);
        return EXIT_FAILED;
    }
    say ("wrote %s.key (secret, keep it here) and %s.pub", name, name);
    return EXIT_DONE;
}
