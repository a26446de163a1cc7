/*  listener.c - a listener that prints what its workers report

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/muster.h>
#include <stdio.h>

static int
on_progress (const muster_message_t *message, void *arg)
{
    int epoch;
    double loss;
    (void) arg;
    if (muster_message_unpack (message, "{s:i, s:f}", "epoch", &epoch, "loss", &loss))
        return 1;
    printf ("%s: epoch %d, loss %.3f\n", muster_message_source (message), epoch, loss);
    return 0;
}

int
main (int argc, char **argv)
{
    muster_listener_t *listener = muster_listener_new (argc > 1 ? argv [1] : "tcp://127.0.0.1:5670");
    if (!listener)
        return 1;
    muster_error_t error = muster_listener_register_default_handler (listener, on_progress, NULL);
    if (!error)
        error = muster_listener_start (listener);
    if (!error) {
        printf ("listening on %s; Enter ends\n", muster_listener_endpoint (listener));
        fflush (stdout);
        getchar ();
        error = muster_listener_stop (listener, NULL);
    }
    if (error)
        fprintf (stderr, "%s %s\n", muster_error_text (error), muster_listener_reason (listener));
    muster_listener_destroy (&listener);
    return error ? 1 : 0;
}
