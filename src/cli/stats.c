/*  stats.c - muster stats

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <muster/listener.h>
#include <muster/observe.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/prometheus.h"
#include "cli/say.h"

static const char help [] =
    "usage: muster stats ENDPOINT [--prometheus] [--timeout S]\n"
    "                             [--key K.key --server L.pub]\n"
    "\n"
    "Print what the listener at ENDPOINT counts, as one JSON object. A listener without\n"
    "keys answers its own machine; one with keys, those that are enrolled as observers.\n"
    "\n"
    "  --prometheus   print it in Prometheus' text format\n"
    "  --timeout S    how many seconds to wait for the answer (5 unless given)\n"
    "  --key K.key    the observer's key, made by muster keygen and enrolled with\n"
    "                 muster enrol ALLOWFILE K.pub --observer where the listener is\n"
    "  --server L.pub the listener's public key\n";

enum { OPTION_PROMETHEUS = 1, OPTION_TIMEOUT, OPTION_KEY, OPTION_SERVER };

static const struct option options_known [] = {
    { "prometheus", no_argument, NULL, OPTION_PROMETHEUS },
    { "timeout", required_argument, NULL, OPTION_TIMEOUT },
    { "key", required_argument, NULL, OPTION_KEY },
    { "server", required_argument, NULL, OPTION_SERVER },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

typedef struct {
    const char *endpoint;
    const char *key, *server;
    double timeout;
    bool prometheus;
} stats_t;

/*  False if it is wrong, which was said. */
static bool
take_option (stats_t *self, int option)
{
    switch (option) {
        case OPTION_TIMEOUT:
            if (options_seconds (optarg, &self->timeout))
                return true;
            say_usage ("stats", "--timeout needs a number of seconds, more than 0");
            return false;
        case OPTION_KEY:
            return options_file ("stats", "--key", optarg, &self->key);
        case OPTION_SERVER:
            return options_file ("stats", "--server", optarg, &self->server);
        default:
            self->prometheus = true;
            return true;
    }
}

static int
take_arguments (stats_t *self, int argc, char **argv)
{
    if (!options_endpoint ("stats", argc, argv, &self->endpoint))
        return EXIT_USAGE;
    if (optind < argc)
        return say_usage ("stats", "one endpoint only, not also %s", argv [optind]);
    if (!self->key != !self->server)
        return say_usage ("stats", "--%s is missing: keys need both", self->key ? "server" : "key");
    return EXIT_DONE;
}

static int
print (const stats_t *self, const void *map, size_t size)
{
    muster_error_t error = self->prometheus ? prometheus_write (stdout, map, size) : json_write_data (stdout, map, size);
    if (!error && !self->prometheus && putchar ('\n') == EOF)
        error = MUSTER_SYSTEM;
    if (error == MUSTER_FORMAT) {
        say ("%s: the answer is none that this version understands", self->endpoint);
        return EXIT_FAILED;
    }
    if (!error && fflush (stdout) == 0)
        return EXIT_DONE;
    say ("stdout: %s", strerror (errno));
    return EXIT_FAILED;
}

/*  A million seconds, the most there can be, fit in ms. */
static int
ask (const stats_t *self)
{
    char reason [MUSTER_OBSERVE_REASON_ROOM];
    void *map;
    size_t size;
    muster_error_t error = muster_observe (self->endpoint, self->key, self->server,
        (int) (self->timeout * 1000), &map, &size, reason, sizeof reason);
    if (error) {
        say ("%s", reason);
        return EXIT_FAILED;
    }
    int code = print (self, map, size);
    muster_free (map);
    return code;
}

int
stats_command (int argc, char **argv)
{
    stats_t self = { .timeout = 5 };
    int option;
    while ((option = getopt_long (argc, argv, ":h", options_known, NULL)) != -1) {
        if (option == 'h')
            return say_help (help);
        if (option == '?' || option == ':')
            return options_refuse ("stats", option, argv);
        if (!take_option (&self, option))
            return EXIT_USAGE;
    }
    int code = take_arguments (&self, argc, argv);
    return code == EXIT_DONE ? ask (&self) : code;
}
