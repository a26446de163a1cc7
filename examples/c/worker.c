/*  worker.c - a worker that reports its progress

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/muster.h>
#include <stdio.h>

int
main (int argc, char **argv)
{
    muster_worker_t *worker = muster_worker_new (argc > 1 ? argv [1] : "tcp://127.0.0.1:5670", "worker-1");
    if (!worker)
        return 1;
    muster_error_t error = muster_worker_start (worker);
    for (int epoch = 1; epoch <= 3 && !error; epoch++)
        error = muster_worker_send (worker, "PROGRESS", "{s:i, s:f}", "epoch", epoch, "loss", 1.0 / epoch);
    if (!error)
        error = muster_worker_close (worker, NULL); /* returns once all of it is handled */
    if (error)
        fprintf (stderr, "%s %s\n", muster_error_text (error), muster_worker_reason (worker));
    muster_worker_destroy (&worker);
    return error ? 1 : 0;
}
