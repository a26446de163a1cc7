/*  admission.h - why a listener does not let a connection in

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Static sentences that say what to do, or NULL where there is reason to try again. keyed:
    the connection has a key.
*/
#ifndef NET_ADMISSION_H_INCLUDED
#define NET_ADMISSION_H_INCLUDED

#include <stdbool.h>

#include "net/probe.h"

/*  What an event of the connection's monitor tells. */
const char *admission_event (int event, int value, bool keyed);

/*  What a probe has found out about a listener that hung up before and after. */
const char *admission_answer (probe_answer_t answer, bool keyed);

#endif
