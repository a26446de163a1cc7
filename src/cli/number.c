/*  number.c - numbers that are as wide as their column

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/number.h"

#include <stdio.h>

#include <muster/stats.h>

/*  Three digits; a value that rounds up to a fourth is the caller's to avoid. */
static void
three_digits (char text [NUMBER_ROOM], double value, const char *unit)
{
    int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    snprintf (text, NUMBER_ROOM, "%.*f%s", decimals, value, unit);
}

static void
scaled (char text [NUMBER_ROOM], double value)
{
    static const char *const units [] = { "k", "M", "G", "T", "P", "E" };
    size_t unit = 0;
    value /= 1000;
    while (value >= 999.5 && unit + 1 < sizeof units / sizeof units [0]) {
        value /= 1000;
        unit++;
    }
    if (value < 999.5)
        three_digits (text, value, units [unit]);
    else
        snprintf (text, NUMBER_ROOM, "many");
}

static void
whole_below (char text [NUMBER_ROOM], double value, double limit)
{
    if (value < limit)
        snprintf (text, NUMBER_ROOM, "%.0f", value);
    else
        scaled (text, value);
}

void
number_count (char text [NUMBER_ROOM], double value)
{
    whole_below (text, value, 99999.5);
}

void
number_bytes (char text [NUMBER_ROOM], double value)
{
    whole_below (text, value, 999.5);
}

void
number_rate (char text [NUMBER_ROOM], double value)
{
    if (value < 9.95)
        snprintf (text, NUMBER_ROOM, "%.1f", value);
    else
        number_count (text, value);
}

void
number_millions (char text [NUMBER_ROOM], double value)
{
    if (value / 1e6 < 99.95)
        three_digits (text, value / 1e6, "");
    else
        number_count (text, value / 1e6);
}

void
number_age (char text [NUMBER_ROOM], uint64_t ms)
{
    uint64_t seconds = ms / 1000, tenths = ms / 100;
    if (ms < 10000)
        snprintf (text, NUMBER_ROOM, "%.1fs", (double) tenths / 10);
    else
    if (seconds < 100)
        snprintf (text, NUMBER_ROOM, "%us", (unsigned) seconds);
    else
    if (seconds < 6000)
        snprintf (text, NUMBER_ROOM, "%um", (unsigned) (seconds / 60));
    else
    if (seconds < 360000)
        snprintf (text, NUMBER_ROOM, "%uh", (unsigned) (seconds / 3600));
    else
    if (seconds < (uint64_t) 10000 * 86400)
        snprintf (text, NUMBER_ROOM, "%ud", (unsigned) (seconds / 86400));
    else
        snprintf (text, NUMBER_ROOM, "long");
}

void
number_span (char text [NUMBER_ROOM], uint64_t us)
{
    if (us == 0)
        snprintf (text, NUMBER_ROOM, "-");
    else
    if (us < 1000)
        snprintf (text, NUMBER_ROOM, "%uus", (unsigned) us);
    else
    if (us < 10000)
        snprintf (text, NUMBER_ROOM, "%u.%ums", (unsigned) (us / 1000), (unsigned) (us % 1000 / 100));
    else
    if (us < 1000000)
        snprintf (text, NUMBER_ROOM, "%ums", (unsigned) (us / 1000));
    else
        number_age (text, us / 1000);
}

void
number_time (char text [NUMBER_ROOM], unsigned place)
{
    const char *sign = "<";
    if (place >= MUSTER_TIMES_COUNT - 1) {
        place = MUSTER_TIMES_COUNT - 2;
        sign = ">";
    }
    double us = (double) (1ull << place);
    if (us < 1e3)
        snprintf (text, NUMBER_ROOM, "%s%.0fus", sign, us);
    else
    if (us < 1e6)
        snprintf (text, NUMBER_ROOM, "%s%.3gms", sign, us / 1e3);
    else
    if (us < 1e8)
        snprintf (text, NUMBER_ROOM, "%s%.3gs", sign, us / 1e6);
    else
        snprintf (text, NUMBER_ROOM, "%s%.0fs", sign, us / 1e6);
}
