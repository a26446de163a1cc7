/*  enrol.c - muster enrol

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>

#include <muster/keys.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/say.h"

static const char help [] =
    "usage: muster enrol ALLOWFILE KEY.pub [--source S...] [--observer]\n"
    "\n"
    "Allow the worker whose public key is in KEY.pub to use the source S, or each of\n"
    "several, besides those that it may use already. ALLOWFILE has a line for each\n"
    "worker and is made if it is missing:\n"
    "\n"
    "  curve KEY SOURCE...   # a comment\n"
    "\n"
    "A listener that runs heeds the change when it reads the file again (SIGHUP for\n"
    "muster listen).\n"
    "\n"
    "  --source S...  one source or more; may be given again\n"
    "  --observer     the key may ask what the listener counts (muster stats); without\n"
    "                 --source it may do nothing else\n";

enum { OPTION_WORD = 1, OPTION_SOURCE, OPTION_OBSERVER };

static const struct option options_known [] = {
    { "source", required_argument, NULL, OPTION_SOURCE },
    { "observer", no_argument, NULL, OPTION_OBSERVER },
    OPTIONS_END,
};

typedef struct {
    const char *files [2];      /* allow file and public key file */
    size_t file_count;
    const char **sources;
    size_t source_count;
    bool observer;
} enrol_t;

static bool
take_source (enrol_t *self, const char *source)
{
    self->sources [self->source_count++] = source;
    return options_name ("enrol", "--source", source);
}

/*  A word without an option: a file before the first --source, a source behind it. */
static bool
take_word (enrol_t *self, const char *word)
{
    if (self->source_count > 0)
        return take_source (self, word);
    if (self->file_count < 2) {
        const char *name = self->file_count == 0 ? "ALLOWFILE" : "KEY.pub";
        return options_file ("enrol", name, word, &self->files [self->file_count++]);
    }
    return say_wrong ("enrol", "write --source before %s", word);
}

/*  EXIT_DONE to go on; -1 after help. */
static int
take_arguments (enrol_t *self, int argc, char **argv)
{
    int option;
    while ((option = getopt_long (argc, argv, "-:h", options_known, NULL)) != -1) {
        if (option == 'h')
            return -1;
        if (option == '?' || option == ':')
            return options_refuse ("enrol", option, argv);
        if (option == OPTION_OBSERVER)
            self->observer = true;
        else
        if (!(option == OPTION_SOURCE ? take_source (self, optarg) : take_word (self, optarg)))
            return EXIT_USAGE;
    }
    while (optind < argc)
        if (!take_word (self, argv [optind++]))
            return EXIT_USAGE;
    if (self->file_count < 2)
        return say_usage ("enrol", "give the allow file and the public key file first, then --source");
    if (self->source_count == 0 && !self->observer)
        return say_usage ("enrol", "--source or --observer is missing");
    return EXIT_DONE;
}

static int
enrol_observer (const enrol_t *self)
{
    char reason [MUSTER_KEYS_REASON_ROOM];
    if (muster_keys_enrol_observer (self->files [0], self->files [1], reason, sizeof reason)) {
        say ("%s", reason);
        return EXIT_FAILED;
    }
    say ("%s: %s may observe", self->files [0], self->files [1]);
    return EXIT_DONE;
}

static int
enrol_sources (const enrol_t *self)
{
    char reason [MUSTER_KEYS_REASON_ROOM];
    const char *allow_file = self->files [0];
    const char *public_file = self->files [1];
    if (muster_keys_enrol (allow_file, public_file, self->sources, self->source_count, reason, sizeof reason)) {
        say ("%s", reason);
        return EXIT_FAILED;
    }
    if (self->source_count == 1)
        say ("%s: %s may use %s", allow_file, public_file, self->sources [0]);
    else
        say ("%s: %s may use %s and %zu more", allow_file, public_file, self->sources [0], self->source_count - 1);
    return EXIT_DONE;
}

int
enrol_command (int argc, char **argv)
{
    enrol_t self = { .sources = calloc ((size_t) argc, sizeof (char *)) };
    if (!self.sources) {
        say ("out of memory");
        return EXIT_FAILED;
    }
    int code = take_arguments (&self, argc, argv);
    if (code == -1) {
        free (self.sources);
        return say_help (help);
    }
    if (code == EXIT_DONE)
        code = self.source_count > 0 ? enrol_sources (&self) : EXIT_DONE;
    if (code == EXIT_DONE && self.observer)
        code = enrol_observer (&self);
    free (self.sources);
    return code;
}
