/*  worker.h - muster._core.Worker, which muster.Worker builds on

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#ifndef WORKER_H_INCLUDED
#define WORKER_H_INCLUDED

#include "core.h"

int worker_init (PyObject *module);

#endif
