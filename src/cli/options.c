/*  options.c - reading options and their values

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <muster/endpoint.h>

#include "cli/json.h"
#include "cli/say.h"
#include "cli/utf8.h"

#define SECONDS_MOST 1e6

int
options_refuse (const char *command, int answer, char **argv)
{
    const char *option = argv [optind - 1];
    if (answer == ':')
        return say_usage (command, "%s needs a value", option);
    /*  optopt is what a long option stands for, a small number or the h of help, or the letter
        that is none; with a letter argv [optind - 1] may be the word before it. */
    if ((unsigned) optopt > ' ' && optopt != 'h')
        return say_usage (command, "there is no option -%c", optopt);
    if (optopt)
        return say_usage (command, "%s takes no value", option);
    return say_usage (command, "there is no option %s", option);
}

static bool
is_endpoint (const char *command, const char *text)
{
    char reason [MUSTER_ENDPOINT_REASON_ROOM];
    if (!*text)
        return say_wrong (command, "the endpoint is empty: give tcp://HOST:PORT or ipc://PATH");
    if (strncmp (text, "inproc://", 9) == 0)
        return say_wrong (command, "%.200s: inproc reaches no other process: give tcp://HOST:PORT or ipc://PATH", text);
    return !muster_endpoint_check (text, reason, sizeof reason) || say_wrong (command, "%s", reason);
}

bool
options_read (const options_t *self, int argc, char **argv, void *target, int *code)
{
    int option;
    *code = EXIT_DONE;
    while (*code == EXIT_DONE && (option = getopt_long (argc, argv, ":h", self->known, NULL)) != -1) {
        if (option == 'h') {
            *code = say_help (self->help);
            return false;
        }
        if (option == '?' || option == ':')
            *code = options_refuse (self->command, option, argv);
        else
        if (!self->take (target, option))
            *code = EXIT_USAGE;
    }
    return *code == EXIT_DONE;
}

bool
options_endpoint (const char *command, int argc, char **argv, const char **endpoint)
{
    if (optind == argc)
        return say_wrong (command, "give an endpoint: tcp://HOST:PORT or ipc://PATH");
    *endpoint = argv [optind++];
    return is_endpoint (command, *endpoint);
}

bool
options_end (const char *command, int argc, char **argv)
{
    return optind == argc || say_wrong (command, "one endpoint only, not also %s", argv [optind]);
}

bool
options_file (const char *command, const char *option, const char *text, const char **file)
{
    *file = text;
    return *text || say_wrong (command, "%s needs the name of a file", option);
}

bool
options_seconds (const char *text, double *seconds)
{
    char *end;
    if (!isdigit ((unsigned char) *text) && *text != '.')
        return false;
    *seconds = strtod (text, &end);
    return !*end && *seconds > 0 && *seconds <= SECONDS_MOST;
}

bool
options_timeout (const char *command, const char *text, double *seconds)
{
    return options_seconds (text, seconds) || say_wrong (command, "--timeout needs a number of seconds, more than 0");
}

bool
options_count (const char *text, uint64_t *count)
{
    char *end;
    if (!isdigit ((unsigned char) *text))
        return false;
    errno = 0;
    *count = strtoull (text, &end, 10);
    return !*end && *count > 0 && errno == 0;
}

bool
options_name (const char *command, const char *option, const char *text)
{
    return utf8_is_name (text, strlen (text))
        || say_wrong (command, "%s needs 1 to %d bytes of UTF-8 without control characters", option, MUSTER_NAME_MAX);
}

muster_writer_t *
options_data (const char *command, const char *text)
{
    char problem [JSON_PROBLEM_ROOM];
    muster_writer_t *data = muster_writer_new ();
    if (!data)
        say ("out of memory");
    else
    if (!json_read (data, text, strlen (text), problem)) {
        say_usage (command, "JSON: %s", problem);
        muster_writer_destroy (&data);
    }
    return data;
}
