/*  main.c - the command muster

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <muster/version.h>

#include "cli/commands.h"
#include "cli/say.h"

static const char help [] =
    "usage: muster COMMAND ...\n"
    "\n"
    "  muster listen ENDPOINT    print the messages that come in, as JSON lines\n"
    "  muster send ENDPOINT      send messages that are given as JSON\n"
    "  muster replay FILE ENDPOINT\n"
    "                            send what muster listen has recorded\n"
    "  muster keygen NAME        make a pair of keys\n"
    "  muster enrol ALLOWFILE KEY.pub --source S...\n"
    "                            allow a worker's key to use sources\n"
    "  muster revoke ALLOWFILE KEY.pub\n"
    "                            take a worker's key out again\n"
    "  muster stats ENDPOINT     print what a running listener counts\n"
    "  muster top ENDPOINT       show it live in a terminal, with rates\n"
    "  muster doctor ENDPOINT    look why a worker cannot reach a listener\n"
    "\n"
    "  muster COMMAND --help     say more\n"
    "  muster --version\n"
    "\n"
    "Exit codes: 0 done, 1 failed, 2 not understood.\n";

static const struct {
    const char *name;
    int (*run) (int argc, char **argv);
} commands [] = {
    { "listen", listen_command },
    { "send", send_command },
    { "replay", replay_command },
    { "keygen", keygen_command },
    { "enrol", enrol_command },
    { "revoke", revoke_command },
    { "stats", stats_command },
    { "top", top_command },
    { "doctor", doctor_command },
};

static int
say_version (void)
{
    char text [64];
    snprintf (text, sizeof text, "muster %s\n", muster_version ());
    return say_help (text);
}

/*  Where stdout was closed the next file or socket would be it, and get what is for stdout. What takes
    the place can be neither written nor, of stdin, read. */
static void
hold_places (void)
{
    for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++)
        if (fcntl (file, F_GETFD) < 0 && errno == EBADF)
            (void) open ("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int
main (int argc, char **argv)
{
    hold_places ();
    /*  A reader that goes away is an error of the write. */
    signal (SIGPIPE, SIG_IGN);
    if (argc < 2)
        return say_usage ("", "give a command: listen, send, replay, keygen, enrol, revoke, stats, top or doctor");
    for (size_t i = 0; i < sizeof commands / sizeof commands [0]; i++)
        if (strcmp (argv [1], commands [i].name) == 0)
            return commands [i].run (argc - 1, argv + 1);
    if (strcmp (argv [1], "--help") == 0 || strcmp (argv [1], "-h") == 0)
        return say_help (help);
    if (strcmp (argv [1], "--version") == 0)
        return say_version ();
    return say_usage ("", "there is no command %s", argv [1]);
}
