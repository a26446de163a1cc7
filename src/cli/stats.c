/*  stats.c - muster stats

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <muster/listener.h>
#include <muster/observe.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/packed.h"
#include "cli/prometheus.h"
#include "cli/contact.h"
#include "cli/say.h"

static const char help [] =
    "usage: muster stats ENDPOINT [--prometheus] [--timeout S]\n"
    "                             [--key K.key --server L.pub]\n"
    "\n"
    "Print what the listener at ENDPOINT counts, as one JSON object. A listener without\n"
    "keys answers over loopback (127.0.0.1, ::1) and ipc; one with keys, those that are\n"
    "enrolled as observers.\n"
    "\n"
    "  --prometheus   print it in Prometheus' text format\n"
    "  --timeout S    how many seconds to wait for the answer (5 unless given)\n"
    "  --key K.key    the observer's key, made by muster keygen and enrolled with\n"
    "                 muster enrol ALLOWFILE K.pub --observer where the listener is\n"
    "  --server L.pub the listener's public key\n";

enum { OPTION_PROMETHEUS = 1 };

static const struct option options_known [] = {
    { "prometheus", no_argument, NULL, OPTION_PROMETHEUS },
    CONTACT_OPTIONS,
    OPTIONS_END,
};

typedef struct {
    contact_t contact;
    bool prometheus;
} stats_t;

static bool
take_option (void *target, int option)
{
    stats_t *self = target;
    if (option != OPTION_PROMETHEUS)
        return contact_take (&self->contact, "stats", option);
    self->prometheus = true;
    return true;
}

static muster_error_t
write_answer (const stats_t *self, FILE *out, const void *map, size_t size)
{
    if (self->prometheus)
        return prometheus_write (out, map, size);
    muster_error_t error = json_write_data (out, map, size);
    fputc ('\n', out);
    return error;
}

/*  The whole text, which the caller frees; NULL after an error. */
static muster_error_t
make_text (const stats_t *self, const void *map, size_t size, char **text, size_t *text_size)
{
    *text = NULL;
    FILE *out = open_memstream (text, text_size);
    if (!out)
        return MUSTER_NOMEM;
    muster_error_t error = write_answer (self, out, map, size);
    if (fclose (out) != 0 && !error)
        error = MUSTER_NOMEM;
    if (error) {
        free (*text);
        *text = NULL;
    }
    return error == MUSTER_SYSTEM ? MUSTER_NOMEM : error;
}

/*  Nothing on stdout of an answer that has a fault further on. */
static int
print (const stats_t *self, const void *map, size_t size)
{
    char *text;
    size_t text_size;
    muster_error_t error = make_text (self, map, size, &text, &text_size);
    if (error) {
        say ("%s: %s", self->contact.endpoint, packed_error_text (error));
        return EXIT_FAILED;
    }
    fwrite (text, 1, text_size, stdout);
    free (text);
    return say_flush ();
}

/*  A million seconds, the most there can be, fit in ms. */
static int
ask (const stats_t *self)
{
    char reason [MUSTER_OBSERVE_REASON_ROOM];
    void *map;
    size_t size;
    muster_error_t error = muster_observe (self->contact.endpoint, self->contact.key, self->contact.server,
        (int) (self->contact.timeout * 1000), &map, &size, reason, sizeof reason);
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
    static const options_t options = {
        .command = "stats", .help = help, .known = options_known, .take = take_option };
    stats_t self = { .contact.timeout = 5 };
    int code;
    if (!options_read (&options, argc, argv, &self, &code))
        return code;
    return contact_take_last (&self.contact, "stats", argc, argv) ? ask (&self) : EXIT_USAGE;
}
