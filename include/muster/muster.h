/*  muster.h - all of muster: #include <muster/muster.h>

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef MUSTER_H_INCLUDED
#define MUSTER_H_INCLUDED

#include "ask.h"
#include "data.h"
#include "diagnose.h"
#include "endpoint.h"
#include "error.h"
#include "interrupt.h"
#include "keys.h"
#include "listener.h"
#include "log.h"
#include "message.h"
#include "observe.h"
#include "plain.h"
#include "progress.h"
#include "stats.h"
#include "version.h"
#include "worker.h"

#endif
