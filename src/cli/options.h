/*  options.h - reading options and their values

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef CLI_OPTIONS_H_INCLUDED
#define CLI_OPTIONS_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include <muster/data.h>

struct option;

/*  How every command's struct option ends. */
#define OPTIONS_END \
    { "help", no_argument, NULL, 'h' }, \
    { NULL, 0, NULL, 0 }

/*  What a command can be told. */
typedef struct {
    const char *command;
    const char *help;
    const struct option *known;                 /* getopt_long's, to OPTIONS_END */
    bool (*take) (void *target, int option);    /* with its value in optarg; false if it is wrong, which was said; NULL: only --help */
} options_t;

/*  Read the options of argv. False if that was all: *code is what the process is to end with. */
bool options_read (const options_t *self, int argc, char **argv, void *target, int *code);

/*  Say what getopt_long (which was given ":" first) found wrong. Returns EXIT_USAGE. */
int options_refuse (const char *command, int answer, char **argv);

/*  Take the next argument that is no option, an endpoint. False, and it was said, if it is missing
    or written as no endpoint is. */
bool options_endpoint (const char *command, int argc, char **argv, const char **endpoint);

/*  Is the endpoint the last argument? False, and it was said, if something stands behind it. */
bool options_end (const char *command, int argc, char **argv);

/*  Take the value of an option, or an argument, that names a file. False, and it was said, if it is empty. */
bool options_file (const char *command, const char *option, const char *text, const char **file);

/*  Read a number of seconds: more than 0, at most a million. */
bool options_seconds (const char *text, double *seconds);

/*  The same for the value of --timeout. False if it is none, which was said. */
bool options_timeout (const char *command, const char *text, double *seconds);

/*  Read a count: 1 or more. */
bool options_count (const char *text, uint64_t *count);

/*  Check the value of an option that names a source or a cmd. False, and it was
    said, if it can be none. */
bool options_name (const char *command, const char *option, const char *text);

/*  The JSON of an argument, packed; the caller destroys it. NULL, and it was said,
    if it is no data of a message. */
muster_writer_t *options_data (const char *command, const char *text) MUSTER_CHECK_RESULT;

#endif
