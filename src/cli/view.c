/*  view.c - what muster top shows

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/view.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bar.h"
#include "cli/number.h"
#include "cli/sheet.h"

#define LINES_FOR_A_GAP 16      /* fewer have no blank line to spare */
#define TEXT_ROOM 1024

static void
put_format (sheet_t *sheet, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

static void
put_format (sheet_t *sheet, const char *format, ...)
{
    char text [TEXT_ROOM];
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (text, sizeof text, format, arguments);
    va_end (arguments);
    sheet_put (sheet, text, sheet_width (text), SHEET_LEFT);
}

/*  --------------------------------------------------------------------------
    The two lines above all */

static void
draw_title (const view_t *self, sheet_t *sheet)
{
    sheet_line (sheet, SHEET_BOLD);
    if (self->now)
        put_format (sheet, "%s  listener %s", self->endpoint, self->now->source);
    else
        put_format (sheet, "%s", self->endpoint);
}

/*  A reason begins with the endpoint, which is above it. */
static const char *
trouble_of (const view_t *self)
{
    size_t size = strlen (self->endpoint);
    bool named = strncmp (self->trouble, self->endpoint, size) == 0 && strncmp (self->trouble + size, ": ", 2) == 0;
    return named ? self->trouble + size + 2 : self->trouble;
}

static void
draw_trouble (const view_t *self, sheet_t *sheet)
{
    char age [NUMBER_ROOM];
    sheet_line (sheet, SHEET_LOUD);
    number_age (age, self->age_ms);
    if (self->now)
        put_format (sheet, "%s old: %s", age, trouble_of (self));
    else
        put_format (sheet, "%s", trouble_of (self));
}

static void
draw_rows_shown (const view_t *self, sheet_t *sheet)
{
    size_t count = self->now->count, behind = count - self->first;
    size_t shown = behind < self->page ? behind : self->page;
    if (shown < count)
        put_format (sheet, "workers %zu to %zu of %zu", self->first + (shown > 0), self->first + shown, count);
    else
        put_format (sheet, count == 1 ? "%zu worker" : "%zu workers", count);
    if (self->now->more > 0)
        put_format (sheet, " (and %" PRIu64 " that are not told)", self->now->more);
}

static void
draw_status (const view_t *self, sheet_t *sheet)
{
    if (self->trouble) {
        draw_trouble (self, sheet);
        return;
    }
    sheet_line (sheet, SHEET_PLAIN);
    if (!self->now) {
        put_format (sheet, "asking");
        return;
    }
    draw_rows_shown (self, sheet);
    put_format (sheet, ", by %s, %s %g s", rows_order_name (self->order), self->live ? "every" : "over", self->interval);
    if (self->live)
        put_format (sheet, "; s sorts, q ends");
}

/*  --------------------------------------------------------------------------
    The listener: items with a value each, in a grid. The first matter most. */

#define ITEM_COLUMNS 18
#define ITEM_GAP 2

typedef struct {
    const char *name;
    char value [NUMBER_ROOM];
} item_t;

enum { MESSAGES, BYTES, HANDLED, WAITING, WAITING_BYTES, BUDGET, HERE, ABSENT, FAILED, UNHANDLED, HALF, MOST, ITEMS };

static void
write_rate (char text [NUMBER_ROOM], void (*write) (char *text, double value), const rate_t *rate, double value)
{
    if (rate->known)
        write (text, value);
    else
        snprintf (text, NUMBER_ROOM, "-");
}

static void
write_time (char text [NUMBER_ROOM], const rates_times_t *times, unsigned place)
{
    if (times->known)
        number_time (text, place);
    else
        snprintf (text, NUMBER_ROOM, "-");
}

static void
write_budget (char text [NUMBER_ROOM], const muster_stats_t *stats)
{
    double part = stats->budget > 0 ? (double) stats->committed / (double) stats->budget : 0;
    snprintf (text, NUMBER_ROOM, "%.0f%%", part < 10 ? part * 100 : 999);
}

static void
fill_items (const view_t *self, item_t items [ITEMS])
{
    static const char *const names [ITEMS] = {
        [MESSAGES] = "messages/s", [BYTES] = "MB/s", [HANDLED] = "handled/s", [WAITING] = "queue",
        [WAITING_BYTES] = "queue bytes", [BUDGET] = "budget used", [HERE] = "here", [ABSENT] = "absent",
        [FAILED] = "failed", [UNHANDLED] = "no handler", [HALF] = "half take", [MOST] = "99% take" };
    const muster_stats_t *stats = &self->now->stats;
    rate_t rate = rates_of_listener (self->now, self->before);
    for (int i = 0; i < ITEMS; i++)
        items [i].name = names [i];
    write_rate (items [MESSAGES].value, number_rate, &rate, rate.messages);
    write_rate (items [BYTES].value, number_millions, &rate, rate.bytes);
    write_rate (items [HANDLED].value, number_rate, &rate, rate.handled);
    number_count (items [WAITING].value, (double) stats->queued);
    number_bytes (items [WAITING_BYTES].value, (double) stats->queued_bytes);
    write_budget (items [BUDGET].value, stats);
    number_count (items [HERE].value, (double) stats->workers);
    number_count (items [ABSENT].value, stats->sessions > stats->workers ? (double) (stats->sessions - stats->workers) : 0);
    number_count (items [FAILED].value, (double) stats->failed);
    number_count (items [UNHANDLED].value, (double) stats->unhandled);
    write_time (items [HALF].value, self->times, self->times->half);
    write_time (items [MOST].value, self->times, self->times->most);
}

static unsigned
items_in_a_line (const view_t *self)
{
    unsigned count = (self->columns + ITEM_GAP) / (ITEM_COLUMNS + ITEM_GAP);
    return count > 0 ? count : 1;
}

/*  The grid takes a third of a terminal at most. */
static unsigned
grid_lines (const view_t *self)
{
    unsigned all = (ITEMS + items_in_a_line (self) - 1) / items_in_a_line (self);
    return self->lines == 0 || all < self->lines / 3 ? all : self->lines / 3;
}

static void
draw_grid (const view_t *self, sheet_t *sheet, sheet_look_t look)
{
    item_t items [ITEMS];
    unsigned across = items_in_a_line (self), count = grid_lines (self) * across;
    fill_items (self, items);
    for (unsigned i = 0; i < count && i < ITEMS; i++) {
        if (i % across == 0)
            sheet_line (sheet, look);
        else
            sheet_skip (sheet, ITEM_GAP);
        unsigned name = (unsigned) strlen (items [i].name);
        sheet_put (sheet, items [i].name, name, SHEET_LEFT);
        sheet_put (sheet, items [i].value, ITEM_COLUMNS - name, SHEET_RIGHT);
    }
}

static void
draw_rejected (const view_t *self, sheet_t *sheet, sheet_look_t look)
{
    const muster_stats_t *stats = &self->now->stats;
    const char *comma = ":";
    sheet_line (sheet, look);
    put_format (sheet, "rejected %" PRIu64, stats->rejected);
    for (int reason = 1; reason < MUSTER_REFUSAL_COUNT; reason++)
        if (stats->refused [reason] > 0) {
            put_format (sheet, "%s %s %" PRIu64, comma, muster_refusal_name (reason), stats->refused [reason]);
            comma = ",";
        }
}

/*  --------------------------------------------------------------------------
    The workers: a table, with the columns that there is room for */

enum { SOURCE, ADDRESS, STATE, RATE, MEGABYTES, QUEUE, COMING, ROUND_TRIP, SEEN, FIELDS };

#define SOURCE_LEAST 10
#define SOURCE_FAIR 16          /* worth more than a bar, whose percent is beside it */
#define SOURCE_GOOD 32
#define SOURCE_MOST 64
#define ADDRESS_MOST 45         /* the longest of IPv6 */
#define PERCENT_COLUMNS 4
#define BYTES_COLUMNS 9         /* bytes, a blank, percent */
#define BAR_MOST 25
#define BAR_LESS 10             /* columns beside the bar: those, and a blank more */

typedef unsigned widths_t [FIELDS];

static unsigned
room_for_source (const widths_t widths, unsigned columns)
{
    unsigned others = 0;
    for (int i = SOURCE + 1; i < FIELDS; i++)
        others += widths [i] > 0 ? widths [i] + 1 : 0;
    return columns > others ? columns - others : 0;
}

/*  What gets more when there is plenty. */
static void
widen (widths_t widths, unsigned columns, int field, unsigned most)
{
    unsigned room = room_for_source (widths, columns);
    unsigned spare = room > SOURCE_GOOD ? room - SOURCE_GOOD : 0;
    widths [field] += spare < most - widths [field] ? spare : most - widths [field];
}

/*  What matters least goes first; 0 is to leave out. Until the source has so many columns. */
static void
choose_widths (widths_t widths, unsigned columns)
{
    static const widths_t all = { [ADDRESS] = 15, [STATE] = 6, [RATE] = NUMBER_COLUMNS, [MEGABYTES] = NUMBER_COLUMNS,
        [QUEUE] = NUMBER_COLUMNS, [COMING] = 15, [ROUND_TRIP] = NUMBER_COLUMNS, [SEEN] = NUMBER_COLUMNS };
    static const struct {
        int field;
        unsigned width, until;
    } cuts [] = {
        { COMING, BYTES_COLUMNS, SOURCE_FAIR }, { ADDRESS, 0, SOURCE_LEAST }, { COMING, PERCENT_COLUMNS, SOURCE_LEAST },
        { ROUND_TRIP, 0, SOURCE_LEAST }, { SEEN, 0, SOURCE_LEAST }, { STATE, 0, SOURCE_LEAST },
        { MEGABYTES, 0, SOURCE_LEAST }, { QUEUE, 0, SOURCE_LEAST }, { COMING, 0, SOURCE_LEAST }, { RATE, 0, SOURCE_LEAST } };
    memcpy (widths, all, sizeof all);
    for (size_t i = 0; i < sizeof cuts / sizeof cuts [0]; i++)
        if (room_for_source (widths, columns) < cuts [i].until)
            widths [cuts [i].field] = cuts [i].width;
    if (room_for_source (widths, columns) > SOURCE_GOOD) {
        widen (widths, columns, ADDRESS, ADDRESS_MOST);
        widen (widths, columns, COMING, BAR_MOST);
    }
    unsigned room = room_for_source (widths, columns);
    widths [SOURCE] = room < SOURCE_MOST ? room : SOURCE_MOST;
}

static void
put_field (sheet_t *sheet, const widths_t widths, int field, const char *text, sheet_side_t side)
{
    if (widths [field] == 0)
        return;
    if (field != SOURCE)
        sheet_skip (sheet, 1);
    sheet_put (sheet, text, widths [field], side);
}

static void
draw_heads (sheet_t *sheet, const widths_t widths)
{
    static const struct {
        const char *name;
        sheet_side_t side;
    } heads [FIELDS] = {
        [SOURCE] = { "SOURCE", SHEET_LEFT }, [ADDRESS] = { "ADDRESS", SHEET_LEFT }, [STATE] = { "STATE", SHEET_LEFT },
        [RATE] = { "MSG/S", SHEET_RIGHT }, [MEGABYTES] = { "MB/S", SHEET_RIGHT }, [QUEUE] = { "QUEUE", SHEET_RIGHT },
        [COMING] = { "UNDER WAY", SHEET_LEFT }, [ROUND_TRIP] = { "RTT", SHEET_RIGHT }, [SEEN] = { "SEEN", SHEET_RIGHT } };
    sheet_line (sheet, SHEET_BOLD);
    for (int i = 0; i < FIELDS; i++) {
        bool narrow = i == COMING && widths [i] == PERCENT_COLUMNS;
        put_field (sheet, widths, i, narrow ? "WAY" : heads [i].name, heads [i].side);
    }
}

/*  A peer that says more has come than there is has no more than all. */
static void
write_coming (char text [TEXT_ROOM], const muster_worker_stats_t *worker, unsigned columns)
{
    char bytes [NUMBER_ROOM], bar [BAR_MOST + 1];
    text [0] = 0;
    if (worker->coming_bytes == 0)
        return;
    double part = (double) worker->coming / (double) worker->coming_bytes;
    part = part < 1 ? part : 1;
    int percent = (int) (part * 100) < 99 ? (int) (part * 100) : 99;
    number_bytes (bytes, (double) worker->coming_bytes);
    bar_fill (bar, columns > BAR_LESS ? columns - BAR_LESS : 0, part);
    if (columns < BYTES_COLUMNS)
        snprintf (text, TEXT_ROOM, "%d%%", percent);
    else
        snprintf (text, TEXT_ROOM, "%5s %s%s%2d%%", bytes, bar, *bar ? " " : "", percent);
}

static void
draw_row (sheet_t *sheet, const widths_t widths, const row_t *row, sheet_look_t look)
{
    const muster_worker_stats_t *worker = row->worker;
    char text [TEXT_ROOM];
    sheet_line (sheet, worker->present ? look : SHEET_DIM);
    sheet_put_ends (sheet, worker->source, widths [SOURCE]);
    if (widths [ADDRESS] > 0) {
        sheet_skip (sheet, 1);
        sheet_put_ends (sheet, worker->address, widths [ADDRESS]);
    }
    put_field (sheet, widths, STATE, worker->present ? "here" : "absent", SHEET_LEFT);
    write_rate (text, number_rate, &row->rate, row->rate.messages);
    put_field (sheet, widths, RATE, text, SHEET_RIGHT);
    write_rate (text, number_millions, &row->rate, row->rate.bytes);
    put_field (sheet, widths, MEGABYTES, text, SHEET_RIGHT);
    number_count (text, (double) row->waiting);
    put_field (sheet, widths, QUEUE, text, SHEET_RIGHT);
    write_coming (text, worker, widths [COMING]);
    put_field (sheet, widths, COMING, text, SHEET_LEFT);
    number_span (text, worker->round_trip_us);
    put_field (sheet, widths, ROUND_TRIP, text, SHEET_RIGHT);
    number_age (text, worker->silent_ms);
    put_field (sheet, widths, SEEN, text, SHEET_RIGHT);
}

static void
draw_rows (const view_t *self, sheet_t *sheet, const row_t *rows, sheet_look_t look)
{
    widths_t widths;
    choose_widths (widths, self->columns);
    if (self->lines == 0 || self->page > 0)
        draw_heads (sheet, widths);
    for (size_t i = self->first; i < self->now->count && i < self->first + self->page; i++)
        draw_row (sheet, widths, &rows [i], look);
}

/*  --------------------------------------------------------------------------
    All of it */

static bool
has_gap (const view_t *self)
{
    return self->lines == 0 || self->lines >= LINES_FOR_A_GAP;
}

/*  How many rows fit, and which is the first of them. */
static void
plan (view_t *self)
{
    size_t count = self->now ? self->now->count : 0;
    self->page = count;
    if (self->lines > 0 && self->now) {
        unsigned taken = 3 + grid_lines (self) + (self->now->stats.rejected > 0) + has_gap (self);
        self->page = self->lines > taken ? self->lines - taken : 0;
    }
    size_t last = count > self->page ? count - self->page : 0;
    if (self->first > last)
        self->first = last;
}

static void
draw (const view_t *self, sheet_t *sheet, const row_t *rows)
{
    sheet_look_t look = self->trouble ? SHEET_DIM : SHEET_PLAIN;
    draw_title (self, sheet);
    if (self->lines != 1)
        draw_status (self, sheet);
    if (rows) {
        draw_grid (self, sheet, look);
        if (self->now->stats.rejected > 0 && (self->lines == 0 || self->lines > 3 + grid_lines (self)))
            draw_rejected (self, sheet, look);
        if (has_gap (self))
            sheet_line (sheet, SHEET_PLAIN);
        draw_rows (self, sheet, rows, look);
    }
    sheet_end (sheet);
}

char *
view_draw (view_t *self, size_t *size)
{
    char *text = NULL;
    row_t *rows = self->now ? rows_new (self->now, self->before, self->order) : NULL;
    FILE *out = rows || !self->now ? open_memstream (&text, size) : NULL;
    plan (self);
    if (out) {
        sheet_t sheet;
        sheet_init (&sheet, out, self->columns, self->live);
        draw (self, &sheet, rows);
        bool written = !ferror (out);
        if (fclose (out) != 0 || !written) {
            free (text);
            text = NULL;
        }
    }
    free (rows);
    return text;
}
