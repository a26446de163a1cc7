/*  send.c - muster send: the options

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/send.h"

#include <getopt.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/say.h"

static const char help [] =
    "usage: muster send ENDPOINT --source S --cmd C [JSON | -] [--timeout S] [--plain]\n"
    "                            [--key K.key --server L.pub]\n"
    "\n"
    "Send one message with JSON as its data ({} without JSON), or one for each JSON\n"
    "line on stdin (-), to the listener at ENDPOINT. Ends with 0 only when all are\n"
    "handled. Commands that the listener sends meanwhile go to stdout, as JSON lines.\n"
    "A message of more than 1 MiB shows how far it has come where stderr is a terminal.\n"
    "\n"
    "  --source S     who the messages are from\n"
    "  --cmd C        what they ask for\n"
    "  --timeout S    how many seconds to wait for them to be handled, and for a listener\n"
    "                 where nobody listens yet; unless given as long as it takes, but for\n"
    "                 30 seconds in which nothing moves once there was a listener\n"
    "  --key K.key    the sender's key, made by muster keygen and enrolled for S where\n"
    "                 the listener is (muster enrol)\n"
    "  --server L.pub the listener's public key\n"
    "  --plain        send as a plain producer: without a session, so that 0 only says\n"
    "                 that all were handed to the connection, not that the key may use\n"
    "                 S; 1 if no listener takes them within the timeout (30 seconds\n"
    "                 unless given)\n"
    "\n"
    "Binary is {\"$bin\": base64}, an ext value {\"$ext\": [type, base64]}, what is no\n"
    "finite number {\"$float\": \"nan\"}, a map with a key that starts with $ is\n"
    "{\"$map\": {...}}.\n";

enum { OPTION_SOURCE = 1, OPTION_CMD, OPTION_PLAIN };

static const struct option options_known [] = {
    { "source", required_argument, NULL, OPTION_SOURCE },
    { "cmd", required_argument, NULL, OPTION_CMD },
    { "plain", no_argument, NULL, OPTION_PLAIN },
    CONTACT_OPTIONS,
    OPTIONS_END,
};

/*  False if it is wrong, which was said. */
static bool
take_option (void *target, int option)
{
    send_options_t *self = target;
    switch (option) {
        case OPTION_SOURCE:
            self->source = optarg;
            return options_name ("send", "--source", optarg);
        case OPTION_CMD:
            self->cmd = optarg;
            return options_name ("send", "--cmd", optarg);
        case OPTION_PLAIN:
            self->plain = true;
            return true;
        default:
            return contact_take (&self->contact, "send", option);
    }
}

/*  What is no option: endpoint and JSON. */
static int
take_arguments (send_options_t *self, int argc, char **argv)
{
    if (!contact_take_endpoint (&self->contact, "send", argc, argv))
        return EXIT_USAGE;
    if (!self->source || !self->cmd)
        return say_usage ("send", "--%s is missing", self->source ? "cmd" : "source");
    const char *json = optind < argc ? argv [optind++] : "{}";
    if (optind < argc)
        return say_usage ("send", "one JSON at most (quote it), not also %s", argv [optind]);
    if (strcmp (json, "-") == 0)
        return EXIT_DONE;
    self->data = options_data ("send", json);
    return self->data ? EXIT_DONE : EXIT_USAGE;
}

int
send_command (int argc, char **argv)
{
    static const options_t options = {
        .command = "send", .help = help, .known = options_known, .take = take_option };
    send_options_t self = { 0 };
    int code;
    if (!options_read (&options, argc, argv, &self, &code))
        return code;
    code = take_arguments (&self, argc, argv);
    if (code == EXIT_DONE)
        code = self.plain ? send_plain (&self) : send_in_session (&self);
    muster_writer_destroy (&self.data);
    return code;
}
