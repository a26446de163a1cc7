/*  log.h - log lines: one line each, hostile text escaped, floods summed up

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef BASE_LOG_H_INCLUDED
#define BASE_LOG_H_INCLUDED

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <muster/log.h>

/*  Who speaks, and the name by which MUSTER_LOG calls it. */
#define LOG_COMPONENT_MAP(XX) \
    XX (LISTENER, "listener") \
    XX (WORKER, "worker") \
    XX (SESSION, "session") \
    XX (NET, "net")

typedef enum {
#define XX(name, text) LOG_##name,
    LOG_COMPONENT_MAP (XX)
#undef XX
    LOG_COMPONENTS
} log_component_t;

/*  The least level that is written, of each component. log.c alone writes it. */
extern _Atomic (int) log_least [LOG_COMPONENTS];

/*  Is a line worth making? */
static inline bool
log_is_on (log_component_t component, muster_log_level_t level)
{
    return (int) level >= atomic_load_explicit (&log_least [component], memory_order_relaxed);
}

/*  Write one line, printf's manner: what happened, then key=value for what it happened to.
    Lines longer than 1,000 bytes are cut. Allocates nothing. Any thread. */
void log_write (log_component_t component, muster_log_level_t level, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

/*  Lower the levels as MUSTER_LOG has it: "debug", or "info,session=debug". What it does
    not know it passes over; NULL lowers none. Before there are other threads. */
void log_configure (const char *text);

/*  Copy text into buffer so that it may be logged: control bytes, backslash
    and bytes that are not UTF-8 as \xHH, cut with "..." to fit room. Returns buffer. */
const char *log_escape (char *buffer, size_t room, const void *text, size_t size);

/*  Room for any source, cmd or reason of a peer, as a value. */
#define LOG_VALUE_ROOM 1024

/*  The same for the value of a field: in quotes if it is empty or holds a blank, a quote or
    an equals sign; a quote is \x22 then. room: 8 bytes or more. */
const char *log_value (char *buffer, size_t room, const char *text);

/*  At most one line a second of a kind. The owner keeps one zeroed log_limit_t
    for each kind and locks it. */
typedef struct {
    int64_t next_ms;        /* when the next line may go out */
    uint64_t suppressed;    /* lines kept back since the last */
} log_limit_t;

/*  Returns the number of lines this one stands for (1 or more), or 0 if it is
    to be kept back. now_ms is a monotonic time. */
uint64_t log_allow (log_limit_t *limit, int64_t now_ms);

#endif
