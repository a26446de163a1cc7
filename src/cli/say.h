/*  say.h - what the command says on stderr

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef CLI_SAY_H_INCLUDED
#define CLI_SAY_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

/*  What the process ends with. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/*  One line, "muster: " before it, clean, with options for settings. Any thread. */
void say (const char *format, ...) __attribute__ ((format (printf, 1, 2)));

/*  What a terminal would obey, or a reader of lines (utf8_is_obeyed), becomes "?". */
void say_clean (char *text);

/*  A sentence of the library's that says which settings are wanted names the command's options
    instead. What then does not fit into room is cut. */
void say_options (char *text, size_t room);

/*  What is wrong with how command was called, and where help is. Returns EXIT_USAGE. */
int say_usage (const char *command, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

/*  The same for who answers whether all is well. Returns false. */
bool say_wrong (const char *command, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

/*  Print help on stdout. Returns what say_flush does. */
int say_help (const char *text);

/*  What was printed on stdout is to be there. Returns EXIT_DONE, or EXIT_FAILED if some of it
    could not be written, which was said. */
int say_flush (void);

#endif
