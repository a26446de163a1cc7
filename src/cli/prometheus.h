/*  prometheus.h - what a listener counts, in Prometheus' text format

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef CLI_PROMETHEUS_H_INCLUDED
#define CLI_PROMETHEUS_H_INCLUDED

#include <stddef.h>
#include <stdio.h>

#include <muster/error.h>

/*  Write the packed map that muster_observe gave. Errors: MUSTER_FORMAT if it has something else
    where a number or name is expected (some may be written then), MUSTER_SYSTEM if the stream fails. */
muster_error_t prometheus_write (FILE *out, const void *map, size_t size);

#endif
