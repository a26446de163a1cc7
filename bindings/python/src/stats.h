/*  stats.h - what a listener counts, as a dict

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef STATS_H_INCLUDED
#define STATS_H_INCLUDED

#include "core.h"

PyObject *stats_dict (const muster_stats_t *stats, const muster_worker_stats_t *workers, size_t count);

#endif
