/*  view.h - what muster top shows

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef CLI_VIEW_H_INCLUDED
#define CLI_VIEW_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

#include "cli/rates.h"
#include "cli/rows.h"
#include "cli/snapshot.h"

typedef struct {
    const char *endpoint;
    double interval;            /* seconds from one snapshot to the next */
    const snapshot_t *now;      /* NULL: none has come yet */
    const snapshot_t *before;   /* the one before it; NULL: none */
    const rates_times_t *times;
    const char *trouble;        /* why there is no newer one; NULL: there is no trouble */
    uint64_t age_ms;            /* of now, with trouble */
    rows_order_t order;
    unsigned columns;
    unsigned lines;             /* 0: as many as it takes */
    bool live;                  /* with control sequences for looks, and what the keys do */
    size_t first;               /* the row to begin with; brought into bounds */
    size_t page;                /* out: rows that there is room for */
} view_t;

/*  Lines with a newline between them, none behind the last, none wider than columns. The caller frees
    them; NULL when out of memory. */
char *view_draw (view_t *self, size_t *size) MUSTER_CHECK_RESULT;

#endif
