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
#include <string.h>
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
static _Atomic (int) least_level = MUSTER_LOG_WARNING;

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
}

void
muster_log_set (muster_log_fn *fn, void *arg, muster_log_level_t level)
{
    pthread_mutex_lock (&sink_lock);
    sink = fn;
    sink_arg = arg;
    atomic_store (&least_level, fn ? (int) level : MUSTER_LOG_WARNING);
    pthread_mutex_unlock (&sink_lock);
}

static void
write_to_stderr (muster_log_level_t level, const char *line)
{
    static const char *const names [] = { "debug", "info", "warning", "error" };
    char text [LINE_MOST + 32];
    int size = snprintf (text, sizeof text, "muster: %s: %s\n", names [level], line);
    /*  Where nobody reads the log there is nobody to tell. */
    if (size > 0 && write (STDERR_FILENO, text, (size_t) size) < 0)
        return;
}

static void
hand_over (muster_log_level_t level, const char *line)
{
    pthread_mutex_lock (&sink_lock);
    if ((int) level >= atomic_load (&least_level)) {
        if (sink)
            sink (level, line, sink_arg);
        else
            write_to_stderr (level, line);
    }
    pthread_mutex_unlock (&sink_lock);
}

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
log_write (muster_log_level_t level, const char *format, ...)
{
    if ((int) level < atomic_load (&least_level))
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
        hand_over (level, line);
    }
    errno = saved;
}

/*  One character, or one byte that has to be escaped, as it is logged.
    Returns the bytes taken; piece is terminated. */
static size_t
escape_one (char piece [8], const uint8_t *bytes, size_t size)
{
    uint32_t character;
    size_t length = text_character (bytes, size, &character);
    if (length == 0 || character == '\\' || text_is_control (character)) {
        snprintf (piece, 8, "\\x%02x", bytes [0]);
        return 1;
    }
    memcpy (piece, bytes, length);
    piece [length] = 0;
    return length;
}

const char *
log_escape (char *buffer, size_t room, const void *text, size_t size)
{
    const uint8_t *bytes = text;
    size_t used = 0;
    size_t fits_dots = 0;
    size_t taken = 0;
    if (room == 0)
        return buffer;
    while (taken < size) {
        char piece [8];
        size_t step = escape_one (piece, bytes + taken, size - taken);
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
