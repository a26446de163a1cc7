/*  trainer.c - a worker that answers each command until it is told to stop

    usage: trainer [SOURCE] [ENDPOINT]

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/muster.h>
#include <stdio.h>
#include <string.h>

#define SECONDS 30

/*  Where a model would be trained. */
static muster_error_t
train (const muster_message_t *command)
{
    double mean;
    muster_error_t error = muster_message_unpack (command, "{s:f}", "mean", &mean);
    return error ? error : muster_message_reply (command, "UPDATE", "{s:f}", "loss", mean / 2);
}

static muster_error_t
serve (muster_worker_t *worker)
{
    bool stopped = false;
    muster_error_t error = 0;
    while (!stopped && !error) {
        muster_message_t *command;
        error = muster_worker_recv (worker, &command, SECONDS * 1000);
        if (error)
            break;
        stopped = strcmp (muster_message_cmd (command), "STOP") == 0;
        if (strcmp (muster_message_cmd (command), "TRAIN") == 0)
            error = train (command);
        muster_message_done (&command, error);
    }
    return error;
}

int
main (int argc, char **argv)
{
    const char *source = argc > 1 ? argv [1] : "worker-1";
    muster_worker_t *worker = muster_worker_new (argc > 2 ? argv [2] : "tcp://127.0.0.1:5670", source);
    if (!worker)
        return 1;
    muster_error_t error = muster_worker_start (worker);
    if (!error)
        error = serve (worker);
    if (!error)
        error = muster_worker_close (worker, NULL); /* returns once its replies are handled */
    if (error)
        fprintf (stderr, "%s: %s %s\n", source, muster_error_text (error), muster_worker_reason (worker));
    muster_worker_destroy (&worker);
    return error ? 1 : 0;
}
