/*  bar.h - how far a large message has come, on a terminal

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    A line on stderr that is written over. A terminal may stand still, the worker's
    thread may not: another thread draws.
*/
#ifndef CLI_BAR_H_INCLUDED
#define CLI_BAR_H_INCLUDED

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BAR_COLUMNS 80

typedef struct {
    pthread_mutex_t lock;       /* guards what follows */
    pthread_cond_t changed;
    uint64_t sent, size;
    bool fresh;                 /* not drawn yet */
    bool ended;
    bool open;                  /* the drawer's: the line has no end yet */
    bool begun;                 /* the caller's: there is a drawer */
    pthread_t drawer;
} bar_t;

/*  Nothing is begun, and nothing drawn, where stderr is no terminal or there is no thread. */
void bar_begin (bar_t *self);
bool bar_is_begun (const bar_t *self);

/*  So many bytes of size are sent. Any thread; waits for nobody who writes. */
void bar_set (bar_t *self, uint64_t sent, uint64_t size);

/*  End the line. */
void bar_end (bar_t *self);

/*  A bar of room characters and a NUL, of which this part (0 to 1) is full. */
void bar_fill (char *bar, size_t room, double part);

/*  The line: BAR_COLUMNS - 1 characters, so that no terminal of BAR_COLUMNS wraps it. */
void bar_line (char line [BAR_COLUMNS], uint64_t sent, uint64_t size);

#endif
