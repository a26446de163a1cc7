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

/*  One round; returns the mean of what was replied in *mean, and says who did not reply. */
static muster_error_t
ask_all (muster_ask_t *round, double *mean)
{
    double sum = 0, loss;
    muster_message_t *reply;
    muster_error_t error = muster_ask_send (round, "TRAIN", "{s:f}", "mean", *mean);
    while (!error && (error = muster_ask_next (round, &reply)) == 0) {
        error = muster_message_unpack (reply, "{s:f}", "loss", &loss);
        if (!error)
            sum += loss;
        muster_message_done (&reply, error);
    }
    const char *source;
    muster_error_t why;
    for (size_t i = 0; muster_ask_missing (round, i, &source, &why) == 0; i++)
        fprintf (stderr, "%s: %s\n", source, muster_error_text (why));
    if (muster_ask_replied (round) > 0)
        *mean = sum / (double) muster_ask_replied (round);
    return error == MUSTER_END ? 0 : error;
}

/*  A round of which nobody says anything ends when all have left. */
static muster_error_t
dismiss (muster_listener_t *listener)
{
    muster_message_t *reply;
    muster_ask_t *round = muster_ask_new (listener);
    muster_error_t error = round ? muster_ask_send (round, "STOP", NULL) : MUSTER_NOMEM;
    if (!error)
        error = muster_ask_next (round, &reply);
    muster_ask_destroy (&round);
    return error == MUSTER_END ? 0 : error;
}

static muster_error_t
coordinate (muster_listener_t *listener, size_t workers)
{
    double mean = 1;
    muster_error_t error = muster_listener_wait_for_workers (listener, workers, SECONDS * 1000);
    for (int number = 1; number <= 3 && !error; number++) {
        muster_ask_t *round = muster_ask_new (listener);
        if (!round)
            return MUSTER_NOMEM;
        muster_ask_set_timeout (round, SECONDS);
        error = ask_all (round, &mean);
        printf ("round %d: %zu replies, mean loss %.3f\n", number, muster_ask_replied (round), mean);
        muster_ask_destroy (&round);
    }
    return error ? error : dismiss (listener);
}

int
main (int argc, char **argv)
{
    muster_listener_t *listener = muster_listener_new (argc > 2 ? argv [2] : "tcp://127.0.0.1:5670");
    if (!listener)
        return 1;
    muster_error_t error = muster_listener_start (listener);
    if (!error) {
        printf ("listening on %s\n", muster_listener_endpoint (listener));
        fflush (stdout);
        error = coordinate (listener, argc > 1 ? (size_t) atoi (argv [1]) : 1);
    }
    if (error)
        fprintf (stderr, "%s %s\n", muster_error_text (error), muster_listener_reason (listener));
    muster_listener_destroy (&listener);
    return error ? 1 : 0;
}
