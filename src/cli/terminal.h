/*  terminal.h - a terminal that is drawn on, and left as it was

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    While it is open the signals that concern it come over a descriptor, so that whatever
    ends or stops the process first gives the terminal back. Threads that begin meanwhile
    leave these signals to it. One at a time.
*/
#ifndef CLI_TERMINAL_H_INCLUDED
#define CLI_TERMINAL_H_INCLUDED

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

typedef struct {
    int out;                /* a description of the terminal's own, which never waits; or stdout */
    int signals;
    bool has_keys;          /* stdin is a terminal */
    bool entered;           /* it is drawn on */
    struct termios before;
    sigset_t mask_before;
} terminal_t;

typedef enum {
    TERMINAL_NOTHING,
    TERMINAL_CHANGED,       /* another size, or what was drawn is gone */
    TERMINAL_OVER           /* a signal ends the process */
} terminal_news_t;

/*  Could stdout be drawn on? */
bool terminal_is_there (void);

/*  False, and errno says why, if it cannot. */
bool terminal_open (terminal_t *self);

/*  Give it back. */
void terminal_close (terminal_t *self);

/*  Take it, if it is not ours yet: it is not while another process is in its foreground. */
void terminal_enter (terminal_t *self);

/*  Columns and lines of stdout; what is not known stays as it is. */
void terminal_size (unsigned *columns, unsigned *lines);

/*  Draw text over what was drawn before, in one piece; text is that of view_draw. Nothing while it is not ours. What
    a signal interrupts is left. False if the terminal has gone. */
bool terminal_show (terminal_t *self, const char *text, size_t size);

/*  To call when signals is readable. Stops the process when that is asked for, and returns when it goes on. */
terminal_news_t terminal_heed (terminal_t *self);

#endif
