/*  say.c - what the command says on stderr

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/utf8.h"

#define LINE_ROOM 2048
#define HINT_ROOM 100   /* where help is comes to the end of a line of any length */

/*  What is no UTF-8, of a file's name say, stays: who reads UTF-8 obeys none of it. */
void
say_clean (char *text)
{
    char *to = text;
    size_t left = strlen (text), size;
    for (; left > 0; text += size, left -= size) {
        uint32_t character;
        size = utf8_take (text, left, &character);
        if (size > 0 && utf8_is_obeyed (character)) {
            *to++ = '?';
            continue;
        }
        size = size > 0 ? size : 1;
        memmove (to, text, size);
        to += size;
    }
    *to = 0;
}

/*  What the library says of its settings, and what it is here. */
static const struct {
    const char *setting;
    const char *option;
} words [] = {
    { "give keys (key and allow list), or allow it with insecure", "give --key and --allow, or allow it with --insecure" },
    { ": give key and server", ": give --key and --server" },
    { "another key than the one that server gives", "another key than the one that --server gives" },
};

void
say_options (char *text, size_t room)
{
    for (size_t i = 0; i < sizeof words / sizeof words [0]; i++) {
        char *at = strstr (text, words [i].setting);
        if (!at)
            continue;
        char rest [LINE_ROOM];
        snprintf (rest, sizeof rest, "%s", at + strlen (words [i].setting));
        snprintf (at, room - (size_t) (at - text), "%s%s", words [i].option, rest);
    }
}

void
say (const char *format, ...)
{
    char line [LINE_ROOM];
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (line, sizeof line, format, arguments);
    va_end (arguments);
    say_options (line, sizeof line);
    say_clean (line);
    fprintf (stderr, "muster: %s\n", line);
}

static void __attribute__ ((format (printf, 2, 0)))
say_hint (const char *command, const char *format, va_list arguments)
{
    char line [LINE_ROOM - HINT_ROOM];
    vsnprintf (line, sizeof line, format, arguments);
    say ("%s%s%s (try: muster %s%s--help)", command, *command ? ": " : "", line, command, *command ? " " : "");
}

int
say_usage (const char *command, const char *format, ...)
{
    va_list arguments;
    va_start (arguments, format);
    say_hint (command, format, arguments);
    va_end (arguments);
    return EXIT_USAGE;
}

bool
say_wrong (const char *command, const char *format, ...)
{
    va_list arguments;
    va_start (arguments, format);
    say_hint (command, format, arguments);
    va_end (arguments);
    return false;
}

int
say_help (const char *text)
{
    fputs (text, stdout);
    return say_flush ();
}

int
say_flush (void)
{
    if (fflush (stdout) == 0 && !ferror (stdout))
        return EXIT_DONE;
    say ("stdout: %m");
    return EXIT_FAILED;
}
