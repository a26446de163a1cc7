/*  main.c - federated averaging on handwritten digits: the command line

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "federated.h"

#ifndef FEDERATED_DATA
#define FEDERATED_DATA "examples/data/digits.csv.gz"
#endif

#define WORKERS_MAX 100
#define ROUNDS_MAX 10000
#define EXIT_USAGE 2

static const char usage [] = "federated: eight workers learn to read digits that none of them gives away\n"
                             "\n"
                             "  --rounds N     rounds of training (30)\n"
                             "  --workers N    worker processes, 1 to 100 (8)\n"
                             "  --seed N       decides who gets which digits, and every order (1)\n"
                             "  --endpoint E   where the coordinator listens (tcp://127.0.0.1:*)\n"
                             "  --data FILE    the digits (" FEDERATED_DATA ")\n"
                             "  --help         this text\n";

static bool
parse_number (const char *text, unsigned long long least, unsigned long long most, unsigned long long *number)
{
    char *rest;
    *number = strtoull (text, &rest, 10);
    return *text >= '0' && *text <= '9' && *rest == '\0' && *number >= least && *number <= most;
}

static bool
take_option (options_t *options, int option, const char *value)
{
    unsigned long long number = 0;
    bool good = true;
    switch (option) {
        case 'r':
            good = parse_number (value, 1, ROUNDS_MAX, &number);
            options->rounds = (int) number;
            break;
        case 'w':
            good = parse_number (value, 1, WORKERS_MAX, &number);
            options->workers = (size_t) number;
            break;
        case 's':
            good = parse_number (value, 0, INT64_MAX, &number);
            options->seed = number;
            break;
        case 'e': options->endpoint = value; break;
        case 'd': options->data = value; break;
        case 'k': options->keys = value; break;
        default: return false;
    }
    if (!good)
        fprintf (stderr, "federated: %s is no good number here\n", value);
    return good;
}

static bool
parse_options (options_t *options, int argc, char **argv)
{
    static const struct option known [] = {
        { "rounds", required_argument, NULL, 'r' },
        { "workers", required_argument, NULL, 'w' },
        { "seed", required_argument, NULL, 's' },
        { "endpoint", required_argument, NULL, 'e' },
        { "data", required_argument, NULL, 'd' },
        { "keys", required_argument, NULL, 'k' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int option;
    while ((option = getopt_long (argc, argv, "", known, NULL)) != -1) {
        if (option == 'h') {
            fputs (usage, stdout);
            exit (EXIT_SUCCESS);
        }
        if (!take_option (options, option, optarg))
            return false;
    }
    return optind == argc;
}

int
main (int argc, char **argv)
{
    options_t options = {
        .endpoint = "tcp://127.0.0.1:*",
        .data = FEDERATED_DATA,
        .seed = 1,
        .rounds = 30,
        .workers = 8,
    };
    /*  "federated worker NUMBER ..." is how the coordinator starts its workers. */
    unsigned long long number = 0;
    bool is_worker = argc > 2 && strcmp (argv [1], "worker") == 0;
    int words = is_worker ? 2 : 0;
    if (is_worker && !parse_number (argv [2], 0, WORKERS_MAX - 1, &number))
        return EXIT_USAGE;
    if (!parse_options (&options, argc - words, argv + words)) {
        fputs ("federated: try --help\n", stderr);
        return EXIT_USAGE;
    }
    return is_worker ? worker_main (&options, (size_t) number) : coordinator_main (&options);
}
