/*  rows.h - workers with their rates, in an order

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef CLI_ROWS_H_INCLUDED
#define CLI_ROWS_H_INCLUDED

#include <stdbool.h>

#include "cli/rates.h"
#include "cli/snapshot.h"

typedef struct {
    const muster_worker_stats_t *worker;    /* the snapshot's */
    rate_t rate;
    uint64_t waiting;       /* messages received and not handled */
} row_t;

/*  What comes first: the most messages a second, the most not handled, the source that is first in
    the alphabet, who was silent longest. */
typedef enum { ROWS_RATE, ROWS_QUEUE, ROWS_SOURCE, ROWS_SEEN, ROWS_ORDERS } rows_order_t;

const char *rows_order_name (rows_order_t order);
bool rows_order_parse (const char *text, rows_order_t *order);

/*  A row for each worker of now; before may be NULL. The caller frees them; NULL when out of memory. */
row_t *rows_new (const snapshot_t *now, const snapshot_t *before, rows_order_t order) MUSTER_CHECK_RESULT;

#endif
