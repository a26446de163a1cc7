/*  log.h - where the library's log lines go

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef MUSTER_LOG_H_INCLUDED
#define MUSTER_LOG_H_INCLUDED

#include "export.h"

/*  How grave a line is. */
typedef enum {
    MUSTER_LOG_DEBUG,       /* what happens within */
    MUSTER_LOG_INFO,        /* who comes and goes */
    MUSTER_LOG_WARNING,     /* something was refused or failed; the library goes on */
    MUSTER_LOG_ERROR,       /* something does not work any more */
    MUSTER_LOG_FIXED = 0x100    /* added to a level: MUSTER_LOG in the environment does not lower it */
} muster_log_level_t;

/*  Takes one line, "no handler: source=worker-1 cmd=PROGRESS count=1" say, without its newline; text from peers is escaped in it.
    Called from any thread of the library: it must not call muster and must
    not wait. */
typedef void (muster_log_fn) (muster_log_level_t level, const char *line, void *arg);

MUSTER_BEGIN_DECLS

/*  Set what takes the log lines of this process from level on. NULL brings
    back the default: stderr, from MUSTER_LOG_WARNING on, each line with the time and its
    level before it. Any thread; returns once no thread is in the function that was set before.

    MUSTER_LOG in the environment, as it is when the library is loaded, turns on more,
    for the default and for fn: "debug", or "info,session=debug" for a component. Whoever
    runs a program may want to see what its author did not. MUSTER_LOG_WARNING | MUSTER_LOG_FIXED
    is for programs that cannot have that. */
MUSTER_EXPORT void muster_log_set (muster_log_fn *fn, void *arg, muster_log_level_t level);

MUSTER_END_DECLS

#endif
