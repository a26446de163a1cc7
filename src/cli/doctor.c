/*  doctor.c - muster doctor

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <muster/data.h>
#include <muster/diagnose.h>
#include <muster/endpoint.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/contact.h"
#include "cli/say.h"

#define VERDICT_ROOM 1600
#define WELL "all is well"

static const char help [] =
    "usage: muster doctor ENDPOINT [--json] [--timeout S] [--return ENDPOINT]\n"
    "                              [--key K.key --server L.pub]\n"
    "\n"
    "From a worker's host: is the listener at ENDPOINT in reach, and if not, why? Looks at\n"
    "name, both ports, handshake and keys, protocol version, round trip, throughput and\n"
    "clocks, until something fails; the last line says what is wrong and what to do. No\n"
    "session is opened, and no handler sees anything of it.\n"
    "\n"
    "The throughput is that of the connection for control, to the listener and not back:\n"
    "4 MiB in frames of 16,000 bytes, or what a second takes. Messages have a connection of\n"
    "their own, and frames that are larger.\n"
    "\n"
    "  --json         print it as one JSON object\n"
    "  --timeout S    how many seconds each step may take (5 unless given); for a name it\n"
    "                 takes as long as its resolver, whose own limit holds\n"
    "  --return ENDPOINT\n"
    "                 the way back, for a listener that was given one of its own\n"
    "  --key K.key    the worker's key\n"
    "  --server L.pub the listener's public key\n"
    "\n"
    "Exit codes: 0 all is well, 1 something is not, 2 not understood.\n";

enum { OPTION_JSON = 1, OPTION_RETURN };

static const struct option options_known [] = {
    { "json", no_argument, NULL, OPTION_JSON },
    { "return", required_argument, NULL, OPTION_RETURN },
    CONTACT_OPTIONS,
    OPTIONS_END,
};

typedef struct {
    contact_t contact;
    const char *return_endpoint;
    bool json;
    muster_writer_t *steps;     /* with --json: maps, one behind the other */
    size_t count;
    char verdict [VERDICT_ROOM];
} doctor_t;

/*  --------------------------------------------------------------------------
    What it is told */

static bool
take_return (doctor_t *self)
{
    char reason [MUSTER_ENDPOINT_REASON_ROOM];
    self->return_endpoint = optarg;
    return !muster_endpoint_check (optarg, reason, sizeof reason)
        || say_wrong ("doctor", "--return needs an endpoint: %s", reason);
}

static bool
take_option (void *target, int option)
{
    doctor_t *self = target;
    switch (option) {
        case OPTION_JSON:
            self->json = true;
            return true;
        case OPTION_RETURN:
            return take_return (self);
        default:
            return contact_take (&self->contact, "doctor", option);
    }
}

/*  --------------------------------------------------------------------------
    What it finds */

static void
note_verdict (doctor_t *self, const muster_step_t *step)
{
    if (!step->ok)
        snprintf (self->verdict, sizeof self->verdict, "%s%s%s", step->text, *step->advice ? ": " : "", step->advice);
    else
    if (*step->advice)
        snprintf (self->verdict, sizeof self->verdict, WELL "; but %s: %s", step->text, step->advice);
}

static void
show_step (const muster_step_t *step, void *arg)
{
    char line [VERDICT_ROOM];
    note_verdict (arg, step);
    snprintf (line, sizeof line, "%-7s %-14s %s", !step->ok ? "failed" : *step->advice ? "remark" : "ok", step->name, step->text);
    say_options (line, sizeof line);
    say_clean (line);
    puts (line);
    fflush (stdout);
}

static void
pack_text (muster_writer_t *writer, const char *key, const char *text)
{
    muster_writer_str (writer, key, strlen (key));
    muster_writer_str (writer, text, strlen (text));
}

static void
pack_bool (muster_writer_t *writer, const char *key, bool value)
{
    muster_writer_str (writer, key, strlen (key));
    muster_writer_bool (writer, value);
}

static void
pack_step (const muster_step_t *step, void *arg)
{
    doctor_t *self = arg;
    note_verdict (self, step);
    self->count++;
    muster_writer_map (self->steps, 3 + (*step->advice != 0) + step->measured);
    pack_text (self->steps, "name", step->name);
    pack_bool (self->steps, "ok", step->ok);
    pack_text (self->steps, "text", step->text);
    if (*step->advice)
        pack_text (self->steps, "advice", step->advice);
    if (step->measured) {
        muster_writer_str (self->steps, "value", 5);
        muster_writer_double (self->steps, step->value);
    }
}

static muster_error_t
write_json (const doctor_t *self, bool well)
{
    const void *bytes;
    size_t size;
    muster_writer_t *whole = muster_writer_new ();
    muster_error_t error = whole ? muster_writer_bytes (self->steps, &bytes, &size) : MUSTER_NOMEM;
    if (!error) {
        muster_writer_map (whole, 3);
        pack_bool (whole, "ok", well);
        pack_text (whole, "verdict", self->verdict);
        muster_writer_str (whole, "steps", 5);
        muster_writer_seq (whole, self->count);
        muster_writer_raw (whole, bytes, size);
        error = muster_writer_bytes (whole, &bytes, &size);
    }
    if (!error)
        error = json_write_data (stdout, bytes, size);
    if (!error)
        putchar ('\n');
    muster_writer_destroy (&whole);
    return error;
}

static int
finish (const doctor_t *self, bool well)
{
    muster_error_t error = 0;
    if (self->steps)
        error = write_json (self, well);
    else
    if (well)
        puts (self->verdict);
    if (!well)
        say ("%s: %s", self->contact.endpoint, self->verdict);
    if (error == MUSTER_NOMEM || error == MUSTER_FORMAT) {
        say ("%s", muster_error_text (error));
        return EXIT_FAILED;
    }
    return say_flush () == EXIT_DONE && well ? EXIT_DONE : EXIT_FAILED;
}

/*  A million seconds, the most there can be, fit in ms. */
static int
look (doctor_t *self)
{
    self->steps = self->json ? muster_writer_new () : NULL;
    if (self->json && !self->steps) {
        say ("out of memory");
        return EXIT_FAILED;
    }
    snprintf (self->verdict, sizeof self->verdict, WELL);
    muster_error_t error = muster_diagnose (self->contact.endpoint, self->return_endpoint, self->contact.key, self->contact.server,
        (int) (self->contact.timeout * 1000), self->json ? pack_step : show_step, self);
    int code = finish (self, !error);
    muster_writer_destroy (&self->steps);
    return code;
}

int
doctor_command (int argc, char **argv)
{
    static const options_t options = {
        .command = "doctor", .help = help, .known = options_known, .take = take_option };
    doctor_t self = { .contact.timeout = 5 };
    int code;
    if (!options_read (&options, argc, argv, &self, &code))
        return code;
    return contact_take_last (&self.contact, "doctor", argc, argv) ? look (&self) : EXIT_USAGE;
}
