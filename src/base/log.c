/*  log.c - log lines: one line each, hostile text escaped, floods summed up

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

#define LINE_MOST 1000
#define DOTS "..."
#define LIMIT_MS 1000

/*  The sink of the process. The lock is held while the sink runs, so that
    muster_log_set returns when the old one does not. */
static pthread_mutex_t sink_lock = PTHREAD_MUTEX_INITIALIZER;
static muster_log_fn *sink;
static void *sink_arg;

/*  No line has this level. */
#define LEVEL_NONE (MUSTER_LOG_ERROR + 1)

#define XX(name, text) [LOG_##name] = MUSTER_LOG_WARNING,
_Atomic (int) log_least [LOG_COMPONENTS] = { LOG_COMPONENT_MAP (XX) };
#undef XX

/*  What MUSTER_LOG asks for. Constant once the library is loaded. */
#define XX(name, text) [LOG_##name] = LEVEL_NONE,
static int asked_level [LOG_COMPONENTS] = { LOG_COMPONENT_MAP (XX) };
#undef XX

static const char *const level_names [] = { "debug", "info", "warning", "error" };

#define XX(name, text) [LOG_##name] = text,
static const char *const component_names [] = { LOG_COMPONENT_MAP (XX) };
#undef XX

/*  --------------------------------------------------------------------------
    Levels */

/*  The index of the name that text has up to size, or count. */
static size_t
find_name (const char *const *names, size_t count, const char *text, size_t size)
{
    size_t found = 0;
    while (found < count && (strlen (names [found]) != size || memcmp (names [found], text, size) != 0))
        found++;
    return found;
}

/*  One item of MUSTER_LOG: LEVEL or COMPONENT=LEVEL. */
static void
configure_one (const char *item, size_t size)
{
    const char *equals = memchr (item, '=', size);
    const char *name = equals ? equals + 1 : item;
    size_t level = find_name (level_names, LEVEL_NONE, name, (size_t) (item + size - name));
    size_t only = equals ? find_name (component_names, LOG_COMPONENTS, item, (size_t) (equals - item)) : 0;
    if (level == LEVEL_NONE)
        return;
    for (size_t i = 0; i < LOG_COMPONENTS; i++)
        if (!equals || i == only)
            asked_level [i] = (int) level;
}

static void
set_levels (int level)
{
    bool fixed = level & MUSTER_LOG_FIXED;
    level &= ~MUSTER_LOG_FIXED;
    for (size_t i = 0; i < LOG_COMPONENTS; i++)
        atomic_store (&log_least [i], fixed || level < asked_level [i] ? level : asked_level [i]);
}

void
log_configure (const char *text)
{
    for (size_t i = 0; i < LOG_COMPONENTS; i++)
        asked_level [i] = LEVEL_NONE;
    while (text && *text) {
        size_t size = strcspn (text, ",");
        configure_one (text, size);
        text += size + (text [size] == ',');
    }
    set_levels (MUSTER_LOG_WARNING);
}

/*  --------------------------------------------------------------------------
    The sink */

static void
before_fork (void)
{
    pthread_mutex_lock (&sink_lock);
}

static void
after_fork (void)
{
    pthread_mutex_unlock (&sink_lock);
}

__attribute__ ((constructor)) static void
log_load (void)
{
    /*  Without memory a fork may find the lock taken: no more can be done. */
    (void) pthread_atfork (before_fork, after_fork, after_fork);
    log_configure (getenv ("MUSTER_LOG"));
}

void
muster_log_set (muster_log_fn *fn, void *arg, muster_log_level_t level)
{
    pthread_mutex_lock (&sink_lock);
    sink = fn;
    sink_arg = arg;
    set_levels (fn ? (int) level : MUSTER_LOG_WARNING);
    pthread_mutex_unlock (&sink_lock);
}

/*  The time is that of writing. */
static const char *
write_time (char *text, size_t room)
{
    struct timespec now;
    struct tm day;
    char seconds [24];
    clock_gettime (CLOCK_REALTIME, &now);
    if (!gmtime_r (&now.tv_sec, &day) || !strftime (seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &day))
        return "-";
    snprintf (text, room, "%s.%03dZ", seconds, (int) (now.tv_nsec / 1000000));
    return text;
}

static void
write_to_stderr (log_component_t component, muster_log_level_t level, const char *line)
{
    char moment [40], text [LINE_MOST + 120];
    int size = snprintf (text, sizeof text, "muster: %s level=%s component=%s %s\n",
        write_time (moment, sizeof moment), level_names [level], component_names [component], line);
    /*  Where nobody reads the log there is nobody to tell. */
    if (size > 0 && write (STDERR_FILENO, text, (size_t) size) < 0)
        return;
}

static void
hand_over (log_component_t component, muster_log_level_t level, const char *line)
{
    pthread_mutex_lock (&sink_lock);
    if (log_is_on (component, level)) {
        if (sink)
            sink (level, line, sink_arg);
        else
            write_to_stderr (component, level, line);
    }
    pthread_mutex_unlock (&sink_lock);
}

/*  --------------------------------------------------------------------------
    Lines */

/*  Cut between characters. */
static void
cut (char *line, size_t size)
{
    while (size > 0 && ((uint8_t) line [size] & 0xc0) == 0x80)
        size--;
    line [size] = 0;
}

static void
make_one_line (char *line)
{
    for (; *line; line++)
        if ((uint8_t) *line < 0x20)
            *line = ' ';
}

void
log_write (log_component_t component, muster_log_level_t level, const char *format, ...)
{
    if (!log_is_on (component, level))
        return;
    int saved = errno;
    char line [LINE_MOST + 2];
    va_list args;
    va_start (args, format);
    int size = vsnprintf (line, sizeof line, format, args);
    va_end (args);
    if (size >= 0) {
        if (size > LINE_MOST)
            cut (line, LINE_MOST);
        make_one_line (line);
        hand_over (component, level, line);
    }
    errno = saved;
}

/*  One character, or one byte that has to be escaped, as it is logged.
    Returns the bytes taken; piece is terminated. */
static size_t
escape_one (char piece [8], const uint8_t *bytes, size_t size, bool quoted)
{
    uint32_t character;
    size_t length = text_character (bytes, size, &character);
    if (length == 0 || character == '\\' || text_is_obeyed (character) || (quoted && character == '"')) {
        snprintf (piece, 8, "\\x%02x", bytes [0]);
        return 1;
    }
    memcpy (piece, bytes, length);
    piece [length] = 0;
    return length;
}

static void
escape (char *buffer, size_t room, const uint8_t *bytes, size_t size, bool quoted)
{
    size_t used = 0;
    size_t fits_dots = 0;
    size_t taken = 0;
    while (taken < size) {
        char piece [8];
        size_t step = escape_one (piece, bytes + taken, size - taken, quoted);
        if (used + sizeof DOTS <= room)
            fits_dots = used;
        if (used + strlen (piece) >= room)
            break;
        memcpy (buffer + used, piece, strlen (piece));
        used += strlen (piece);
        taken += step;
    }
    buffer [used] = 0;
    if (taken < size && room >= sizeof DOTS)
        memcpy (buffer + fits_dots, DOTS, sizeof DOTS);
}

const char *
log_escape (char *buffer, size_t room, const void *text, size_t size)
{
    if (room > 0)
        escape (buffer, room, text, size, false);
    return buffer;
}

const char *
log_value (char *buffer, size_t room, const char *text)
{
    size_t size = strlen (text);
    if (size > 0 && !text [strcspn (text, " \"=")])
        return log_escape (buffer, room, text, size);
    buffer [0] = '"';
    escape (buffer + 1, room - 2, (const uint8_t *) text, size, true);
    strcat (buffer, "\"");
    return buffer;
}

uint64_t
log_allow (log_limit_t *limit, int64_t now_ms)
{
    if (now_ms < limit->next_ms) {
        limit->suppressed++;
        return 0;
    }
    uint64_t lines = limit->suppressed + 1;
    limit->suppressed = 0;
    limit->next_ms = now_ms + LIMIT_MS;
    return lines;
}
