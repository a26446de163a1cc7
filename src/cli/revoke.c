/*  revoke.c - muster revoke

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <getopt.h>

#include <muster/keys.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/say.h"

static const char help [] =
    "usage: muster revoke ALLOWFILE KEY.pub\n"
    "\n"
    "Take the worker whose public key is in KEY.pub, and all that it may use, out of\n"
    "ALLOWFILE. A listener that runs heeds the change when it reads the file again\n"
    "(SIGHUP for muster listen).\n";

int
revoke_command (int argc, char **argv)
{
    static const struct option options_known [] = {
        OPTIONS_END,
    };
    static const options_t options = { .command = "revoke", .help = help, .known = options_known };
    const char *allow_file, *public_file;
    char reason [MUSTER_KEYS_REASON_ROOM];
    int code;
    if (!options_read (&options, argc, argv, NULL, &code))
        return code;
    if (argc - optind != 2)
        return say_usage ("revoke", "give the allow file and the public key file");
    if (!options_file ("revoke", "ALLOWFILE", argv [optind], &allow_file)
        || !options_file ("revoke", "KEY.pub", argv [optind + 1], &public_file))
        return EXIT_USAGE;
    if (muster_keys_revoke (allow_file, public_file, reason, sizeof reason)) {
        say ("%s", reason);
        return EXIT_FAILED;
    }
    say ("%s: %s may use nothing any more", allow_file, public_file);
    return EXIT_DONE;
}
