/*  main.c - a program that uses the installed library: a worker's message is handled

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/muster.h>
#include <stdio.h>

static int
on_message (const muster_message_t *message, void *arg)
{
    double *loss = arg;
    return muster_message_unpack (message, "{s:f}", "loss", loss) != MUSTER_OK;
}

static muster_error_t
send_one (const char *endpoint)
{
    muster_worker_t *worker = muster_worker_new (endpoint, "worker-1");
    muster_error_t error = muster_worker_start (worker);
    if (!error)
        error = muster_worker_send (worker, "PROGRESS", "{s:f}", "loss", 0.5);
    if (!error)
        error = muster_worker_close (worker, NULL);
    muster_worker_destroy (&worker);
    return error;
}

int
main (void)
{
    double loss = 0;
    muster_listener_t *listener = muster_listener_new ("tcp://127.0.0.1:*");
    muster_error_t error = muster_listener_register_default_handler (listener, on_message, &loss);
    if (!error)
        error = muster_listener_start (listener);
    if (!error)
        error = send_one (muster_listener_endpoint (listener));
    muster_listener_stop (listener, NULL);
    muster_listener_destroy (&listener);
    printf ("muster %s: %s, loss %.1f\n", muster_version (), muster_error_text (error), loss);
    return error || loss != 0.5;
}
