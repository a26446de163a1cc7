/*  coordinator.c - a round: a command to all workers, and their replies as they come

    usage: coordinator WORKERS [ENDPOINT]      (with as many times: trainer SOURCE ENDPOINT)

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/muster.h>
#include <stdio.h>
#include <stdlib.h>

#define SECONDS 30

/*  A round: a command to all, the mean of what they reply, and who was missed. Who leaves is not. */
static muster_error_t
ask_all (muster_listener_t *listener, const char *cmd, double *mean, size_t *replied)
{
    double sum = 0, loss;
    muster_message_t *reply;
    muster_ask_t *round = muster_ask_new (listener);
    if (!round)
        return MUSTER_NOMEM;
    muster_ask_set_timeout (round, SECONDS);
    muster_error_t error = muster_ask_send (round, cmd, "{s:f}", "mean", *mean);
    while (!error && (error = muster_ask_next (round, &reply)) == 0) {
        error = muster_message_unpack (reply, "{s:f}", "loss", &loss);
        sum += error ? 0 : loss;
        muster_message_done (&reply, error);
    }
    const char *source;
    muster_error_t why;
    for (size_t i = 0; muster_ask_missing (round, i, &source, &why) == 0; i++)
        if (why != MUSTER_LEFT)
            fprintf (stderr, "%s: %s\n", source, muster_error_text (why));
    *replied = muster_ask_replied (round);
    if (*replied > 0)
        *mean = sum / (double) *replied;
    muster_ask_destroy (&round);
    return error == MUSTER_END ? 0 : error;
}

int
main (int argc, char **argv)
{
    double mean = 1;
    size_t replied = 0;
    muster_listener_t *listener = muster_listener_new (argc > 2 ? argv [2] : "tcp://127.0.0.1:5670");
    if (!listener)
        return 1;
    muster_error_t error = muster_listener_start (listener);
    if (!error) {
        printf ("listening on %s\n", muster_listener_endpoint (listener));
        fflush (stdout);
        error = muster_listener_wait_for_workers (listener, argc > 1 ? (size_t) atoi (argv [1]) : 1, SECONDS * 1000);
    }
    for (int number = 1; number <= 3 && !error; number++) {
        error = ask_all (listener, "TRAIN", &mean, &replied);
        printf ("round %d: %zu replies, mean loss %.3f\n", number, replied, mean);
    }
    if (!error)
        error = ask_all (listener, "STOP", &mean, &replied);    /* nobody replies: it ends when all have left */
    if (error)
        fprintf (stderr, "%s %s\n", muster_error_text (error), muster_listener_reason (listener));
    muster_listener_destroy (&listener);
    return error ? 1 : 0;
}
