/*  say.c - what the command says on stderr

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/say.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE_ROOM 2048
#define HINT_ROOM 100   /* where help is comes to the end of a line of any length */

/*  U+0080 to U+009F are control characters to some terminals, two bytes of UTF-8 each. */
static void
blank_controls (char *text)
{
    for (; *text; text++) {
        unsigned char byte = (unsigned char) text [0], next = (unsigned char) text [1];
        if (byte < 0x20 || byte == 0x7f)
            *text = '?';
        else
        if (byte == 0xc2 && next >= 0x80 && next < 0xa0)
            text [0] = text [1] = '?';
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
    blank_controls (line);
    fprintf (stderr, "muster: %s\n", line);
}

int
say_usage (const char *command, const char *format, ...)
{
    char line [LINE_ROOM - HINT_ROOM];
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (line, sizeof line, format, arguments);
    va_end (arguments);
    say ("%s%s%s (try: muster %s%s--help)", command, *command ? ": " : "", line, command, *command ? " " : "");
    return EXIT_USAGE;
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
