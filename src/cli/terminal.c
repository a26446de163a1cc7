/*  terminal.c - a terminal that is drawn on, and left as it was

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

/*  The alternate screen, without a cursor; and back again, with looks as they were. */
#define ENTER "\x1b[?1049h\x1b[?25l"
#define LEAVE "\x1b[0m\x1b[?25h\x1b[?1049l"

/*  A terminal that takes nothing is not waited for longer when it is left. */
#define LEAVE_MS 200

bool
terminal_is_there (void)
{
    const char *kind = getenv ("TERM");
    return isatty (STDOUT_FILENO) && kind && *kind && strcmp (kind, "dumb") != 0;
}

void
terminal_size (unsigned *columns, unsigned *lines)
{
    struct winsize size;
    if (ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        return;
    *columns = size.ws_col > 0 ? size.ws_col : *columns;
    *lines = size.ws_row > 0 ? size.ws_row : *lines;
}

/*  --------------------------------------------------------------------------
    Writing */

/*  Until it is written or a signal is there; with patience_ms (-1: for ever) for signals alone. False if the
    terminal has gone. */
static bool
write_all (const terminal_t *self, const char *bytes, size_t size, bool heed_signals, int patience_ms)
{
    while (size > 0) {
        ssize_t written = write (self->out, bytes, size);
        if (written < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (written >= 0) {
            bytes += written;
            size -= (size_t) written;
            continue;
        }
        struct pollfd items [] = {
            { .fd = self->out, .events = POLLOUT }, { .fd = self->signals, .events = POLLIN } };
        int ready = poll (items, heed_signals ? 2 : 1, patience_ms);
        if (ready == 0 || items [1].revents)
            return true;
    }
    return true;
}

/*  Each line is cleared before it is written: behind the last column there is nothing to be cleared from. */
static char *
place_lines (const char *text, size_t size, size_t *placed_size)
{
    char *placed = NULL;
    FILE *out = open_memstream (&placed, placed_size);
    if (!out)
        return NULL;
    fputs ("\x1b[H\x1b[K", out);
    for (size_t i = 0; i < size; i++)
        if (text [i] == '\n')
            fputs ("\r\n\x1b[K", out);
        else
            fputc (text [i], out);
    fputs ("\x1b[J", out);
    if (fclose (out) == 0)
        return placed;
    free (placed);
    return NULL;
}

bool
terminal_show (terminal_t *self, const char *text, size_t size)
{
    size_t placed_size;
    if (!self->entered)
        return true;
    char *placed = place_lines (text, size, &placed_size);
    bool there = placed && write_all (self, placed, placed_size, true, -1);
    free (placed);
    return there;
}

/*  --------------------------------------------------------------------------
    Taking it and giving it back. SIGTTOU is blocked, so that a process in the background can
    give it back too. */

/*  A terminal that controls no process, or not this one, has no foreground. */
static bool
is_ours (void)
{
    pid_t foreground = tcgetpgrp (STDOUT_FILENO);
    return foreground < 0 || foreground == getpgrp ();
}

/*  Keys come at once and are not shown; Ctrl-C and Ctrl-Z stay signals. */
static void
set_keys (const terminal_t *self)
{
    struct termios mode = self->before;
    mode.c_lflag &= ~(tcflag_t) (ICANON | ECHO);
    mode.c_cc [VMIN] = 1;
    mode.c_cc [VTIME] = 0;
    tcsetattr (STDIN_FILENO, TCSANOW, &mode);
}

void
terminal_enter (terminal_t *self)
{
    if (self->entered || !is_ours ())
        return;
    if (self->has_keys)
        set_keys (self);
    write_all (self, ENTER, sizeof ENTER - 1, true, -1);
    self->entered = true;
}

/*  Nobody can write while the terminal stands still by Ctrl-S, and TCOON starts only what TCOOFF has stopped. If another process is in
    the foreground the modes are that one's. */
static void
leave (terminal_t *self)
{
    if (!self->entered)
        return;
    self->entered = false;
    if (is_ours () && tcflow (STDOUT_FILENO, TCOOFF) == 0)
        tcflow (STDOUT_FILENO, TCOON);
    write_all (self, LEAVE, sizeof LEAVE - 1, false, LEAVE_MS);
    if (self->has_keys && is_ours ())
        tcsetattr (STDIN_FILENO, TCSADRAIN, &self->before);
}

/*  --------------------------------------------------------------------------
    Signals */

/*  It goes on with SIGCONT, which takes the terminal again. */
static void
stop (terminal_t *self)
{
    sigset_t set;
    leave (self);
    sigemptyset (&set);
    sigaddset (&set, SIGTSTP);
    raise (SIGTSTP);
    pthread_sigmask (SIG_UNBLOCK, &set, NULL);
    pthread_sigmask (SIG_BLOCK, &set, NULL);
}

/*  Who continues the process may have changed the terminal while it was stopped by SIGSTOP. */
static void
go_on (terminal_t *self)
{
    self->entered = false;
    terminal_enter (self);
}

terminal_news_t
terminal_heed (terminal_t *self)
{
    struct signalfd_siginfo info;
    terminal_news_t news = TERMINAL_NOTHING;
    while (news != TERMINAL_OVER && read (self->signals, &info, sizeof info) == (ssize_t) sizeof info) {
        news = TERMINAL_CHANGED;
        if (info.ssi_signo == SIGTSTP)
            stop (self);
        else
        if (info.ssi_signo == SIGCONT)
            go_on (self);
        else
        if (info.ssi_signo != SIGWINCH)
            news = TERMINAL_OVER;
    }
    return news;
}

static bool
take_signals (terminal_t *self)
{
    static const int heeded [] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH };
    sigset_t set;
    sigemptyset (&set);
    for (size_t i = 0; i < sizeof heeded / sizeof heeded [0]; i++)
        sigaddset (&set, heeded [i]);
    self->signals = signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (self->signals < 0)
        return false;
    sigaddset (&set, SIGTTOU);
    pthread_sigmask (SIG_BLOCK, &set, &self->mask_before);
    return true;
}

/*  --------------------------------------------------------------------------
    From outside */

bool
terminal_open (terminal_t *self)
{
    *self = (terminal_t) { .out = -1 };
    if (!take_signals (self))
        return false;
    /*  To wait for no write is a property of the description, which stdout shares with other processes. */
    self->out = open ("/proc/self/fd/1", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (self->out < 0)
        self->out = STDOUT_FILENO;
    self->has_keys = isatty (STDIN_FILENO) && tcgetattr (STDIN_FILENO, &self->before) == 0;
    terminal_enter (self);
    return true;
}

void
terminal_close (terminal_t *self)
{
    leave (self);
    if (self->out != STDOUT_FILENO)
        close (self->out);
    close (self->signals);
    pthread_sigmask (SIG_SETMASK, &self->mask_before, NULL);
}
