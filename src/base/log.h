/*  log.h - log lines: one line each, hostile text escaped, floods summed up

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef BASE_LOG_H_INCLUDED
#define BASE_LOG_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include <muster/log.h>

/*  Write one line, printf's manner. Lines longer than 1,000 bytes are cut.
    Allocates nothing. Any thread. */
void log_write (muster_log_level_t level, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

/*  Copy text into buffer so that it may be logged: control bytes, backslash
    and bytes that are not UTF-8 as \xHH, cut with "..." to fit room. Returns buffer. */
const char *log_escape (char *buffer, size_t room, const void *text, size_t size);

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
