/*  top.c - muster top

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/clock.h"
#include "cli/commands.h"
#include "cli/keypad.h"
#include "cli/options.h"
#include "cli/contact.h"
#include "cli/say.h"
#include "cli/terminal.h"
#include "cli/view.h"
#include "cli/watch.h"

static const char help [] =
    "usage: muster top ENDPOINT [--sort KEY] [--interval S] [--once] [--timeout S]\n"
    "                           [--key K.key --server L.pub]\n"
    "\n"
    "Show what the listener at ENDPOINT counts, with rates and a line for each worker,\n"
    "live in a terminal. Where stdout is no terminal, or TERM is dumb or not set, it does\n"
    "as with --once. Who may ask is the same as for muster stats.\n"
    "\n"
    "  --sort KEY     which workers come first: rate (most messages a second, unless\n"
    "                 given), queue (most not handled), source (by name) or seen (silent\n"
    "                 longest)\n"
    "  --interval S   how many seconds there are between two answers, 0.1 at least (1\n"
    "                 unless given)\n"
    "  --once         print one picture without control sequences and end: two answers,\n"
    "                 an interval apart, give its rates. It has all workers, and as many\n"
    "                 columns as the terminal, COLUMNS or 80\n"
    "  --timeout S    how many seconds to wait for an answer (5 unless given)\n"
    "  --key K.key    the observer's key, made by muster keygen and enrolled with\n"
    "                 muster enrol ALLOWFILE K.pub --observer where the listener is\n"
    "  --server L.pub the listener's public key\n"
    "\n"
    "Keys: s sorts by the next key; arrows, page up and down, home and end go through\n"
    "the workers; q and Ctrl-C end it.\n";

#define INTERVAL_LEAST 0.1
#define PATIENCE_MS 2000        /* an answer that takes longer than the interval and this leaves the last one old */
#define TICK_MS 1000            /* how often an age is drawn anew */
#define COLUMNS_MOST 1000

enum { OPTION_SORT = 1, OPTION_INTERVAL, OPTION_ONCE };

static const struct option options_known [] = {
    { "sort", required_argument, NULL, OPTION_SORT },
    { "interval", required_argument, NULL, OPTION_INTERVAL },
    { "once", no_argument, NULL, OPTION_ONCE },
    CONTACT_OPTIONS,
    OPTIONS_END,
};

typedef struct {
    contact_t contact;
    double interval;
    rows_order_t order;
    bool once;
    snapshot_t *now, *before;
    rates_times_t times;
    char trouble [MUSTER_OBSERVE_REASON_ROOM];      /* "": none */
    size_t first, page;         /* the row that is drawn first, and how many are */
    terminal_t terminal;
    keypad_t keypad;
    watch_t *watch;
    bool over;
    int code;
} top_t;

/*  --------------------------------------------------------------------------
    What is known */

static void
take_snapshot (top_t *self, snapshot_t *snapshot)
{
    snapshot_destroy (&self->before);
    self->before = self->now;
    self->now = snapshot;
    rates_time (&self->times, self->now, self->before);
}

static view_t
view_of (const top_t *self)
{
    return (view_t) { .endpoint = self->contact.endpoint, .interval = self->interval,
        .now = self->now, .before = self->before, .times = &self->times,
        .order = self->order, .columns = 80, .first = self->first };
}

static void
forget (top_t *self)
{
    snapshot_destroy (&self->now);
    snapshot_destroy (&self->before);
}

static int
fail (const char *reason)
{
    say ("%s", reason);
    return EXIT_FAILED;
}

/*  --------------------------------------------------------------------------
    Once */

static unsigned
columns_of_page (void)
{
    unsigned columns = 80, lines = 0;
    uint64_t given;
    const char *text = getenv ("COLUMNS");
    if (text && options_count (text, &given) && given <= COLUMNS_MOST)
        columns = (unsigned) given;
    terminal_size (&columns, &lines);
    return columns;
}

static int
print (const top_t *self)
{
    view_t view = view_of (self);
    size_t size;
    view.columns = columns_of_page ();
    char *text = view_draw (&view, &size);
    if (!text)
        return fail ("out of memory");
    fwrite (text, 1, size, stdout);
    putchar ('\n');
    free (text);
    return say_flush ();
}

static void
wait_an_interval (const top_t *self)
{
    struct timespec time = { .tv_sec = (time_t) self->interval };
    time.tv_nsec = (long) ((self->interval - (double) time.tv_sec) * 1e9);
    nanosleep (&time, NULL);
}

static int
show_once (top_t *self)
{
    for (int i = 0; i < 2; i++) {
        watch_news_t news;
        if (i > 0)
            wait_an_interval (self);
        watch_ask (&self->contact, &news);
        if (news.error)
            return fail (news.reason);
        take_snapshot (self, news.snapshot);
    }
    return print (self);
}

/*  --------------------------------------------------------------------------
    Live */

static void
end (top_t *self, int code)
{
    self->over = true;
    self->code = code;
}

/*  What stands still without an error is old as well. */
static void
describe_trouble (const top_t *self, view_t *view)
{
    if (self->now)
        view->age_ms = (uint64_t) (clock_ms () - self->now->taken_at);
    if (*self->trouble)
        view->trouble = self->trouble;
    else
    if (self->now && view->age_ms > (uint64_t) (self->interval * 1000) + PATIENCE_MS)
        view->trouble = "no answer yet";
}

static void
draw (top_t *self)
{
    view_t view = view_of (self);
    size_t size;
    view.lines = 24;
    view.live = true;
    terminal_size (&view.columns, &view.lines);
    describe_trouble (self, &view);
    char *text = view_draw (&view, &size);
    if (!text)
        snprintf (self->trouble, sizeof self->trouble, "out of memory");
    if (!text || !terminal_show (&self->terminal, text, size))
        end (self, EXIT_FAILED);
    free (text);
    self->first = view.first;
    self->page = view.page;
}

static void
scroll (top_t *self, bool down, size_t rows)
{
    self->first = down ? self->first + rows : self->first > rows ? self->first - rows : 0;
}

static void
heed_key (top_t *self, keypad_key_t key)
{
    switch (key) {
        case KEYPAD_QUIT:
            end (self, EXIT_DONE);
            break;
        case KEYPAD_SORT:
            self->order = (rows_order_t) ((self->order + 1) % ROWS_ORDERS);
            break;
        case KEYPAD_UP:
        case KEYPAD_DOWN:
            scroll (self, key == KEYPAD_DOWN, 1);
            break;
        case KEYPAD_PAGE_UP:
        case KEYPAD_PAGE_DOWN:
            scroll (self, key == KEYPAD_PAGE_DOWN, self->page);
            break;
        case KEYPAD_HOME:
        case KEYPAD_END:
            self->first = key == KEYPAD_END && self->now ? self->now->count : 0;
            break;
        default:
            break;
    }
}

/*  A terminal that has gone has an end. */
static void
heed_keys (top_t *self)
{
    unsigned char bytes [64];
    ssize_t size = read (STDIN_FILENO, bytes, sizeof bytes);
    if (size == 0 || (size < 0 && errno != EINTR && errno != EAGAIN))
        end (self, EXIT_FAILED);
    for (ssize_t i = 0; i < size; i++)
        heed_key (self, keypad_take (&self->keypad, bytes [i]));
}

/*  Nobody there may come. What else is wrong before there was a first answer stays wrong. */
static void
heed_news (top_t *self)
{
    watch_news_t news;
    if (!watch_take (self->watch, &news))
        return;
    snprintf (self->trouble, sizeof self->trouble, "%s", news.error ? news.reason : "");
    if (!news.error)
        take_snapshot (self, news.snapshot);
    else
    if (!self->now && news.error != MUSTER_TIMEOUT)
        end (self, EXIT_FAILED);
}

static void
heed_signals (top_t *self)
{
    if (terminal_heed (&self->terminal) == TERMINAL_OVER)
        end (self, EXIT_DONE);
}

static void
heed_all (top_t *self)
{
    struct pollfd items [] = {
        { .fd = self->terminal.signals, .events = POLLIN },
        { .fd = watch_descriptor (self->watch), .events = POLLIN },
        { .fd = self->terminal.has_keys && self->terminal.entered ? STDIN_FILENO : -1, .events = POLLIN },
    };
    poll (items, sizeof items / sizeof items [0], TICK_MS);
    /*  Keys first: a signal may stop the process, and they would be gone, or another's, when it goes on. */
    if (items [2].revents)
        heed_keys (self);
    if (items [0].revents)
        heed_signals (self);
    if (items [1].revents)
        heed_news (self);
    terminal_enter (&self->terminal);
}

static int
show_live (top_t *self)
{
    if (!terminal_open (&self->terminal))
        return fail (strerror (errno));
    self->watch = watch_new (&self->contact, self->interval);
    if (!self->watch)
        snprintf (self->trouble, sizeof self->trouble, "%s", strerror (errno));
    self->over = !self->watch;
    self->code = self->watch ? EXIT_DONE : EXIT_FAILED;
    while (!self->over) {
        draw (self);
        if (!self->over)
            heed_all (self);
    }
    watch_destroy (&self->watch);
    terminal_close (&self->terminal);
    return self->code == EXIT_FAILED && *self->trouble ? fail (self->trouble) : self->code;
}

/*  --------------------------------------------------------------------------
    Options */

static bool
take_interval (top_t *self)
{
    return (options_seconds (optarg, &self->interval) && self->interval >= INTERVAL_LEAST)
        || say_wrong ("top", "--interval needs a number of seconds, 0.1 or more");
}

static bool
take_option (void *target, int option)
{
    top_t *self = target;
    switch (option) {
        case OPTION_SORT:
            return rows_order_parse (optarg, &self->order)
                || say_wrong ("top", "--sort needs rate, queue, source or seen");
        case OPTION_INTERVAL:
            return take_interval (self);
        case OPTION_ONCE:
            self->once = true;
            return true;
        default:
            return contact_take (&self->contact, "top", option);
    }
}

int
top_command (int argc, char **argv)
{
    static const options_t options = {
        .command = "top", .help = help, .known = options_known, .take = take_option };
    top_t self = { .contact.timeout = 5, .interval = 1 };
    int code;
    if (!options_read (&options, argc, argv, &self, &code))
        return code;
    if (!contact_take_last (&self.contact, "top", argc, argv))
        return EXIT_USAGE;
    /*  Names are UTF-8, whatever the user's locale: this one says how wide they are. */
    setlocale (LC_CTYPE, "C.UTF-8");
    code = self.once || !terminal_is_there () ? show_once (&self) : show_live (&self);
    forget (&self);
    return code;
}
