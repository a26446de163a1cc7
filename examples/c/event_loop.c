/*  event_loop.c - a listener in a poll loop of its host

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/muster.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

/*  Take what there is. Nothing more for now is MUSTER_TIMEOUT. */
static muster_error_t
take_messages (muster_listener_t *listener)
{
    muster_error_t error;
    muster_message_t *message;
    while ((error = muster_listener_next (listener, &message, 0)) == MUSTER_OK) {
        printf ("%s: %s\n", muster_message_source (message), muster_message_cmd (message));
        muster_message_done (&message, 0);
    }
    return error == MUSTER_TIMEOUT ? MUSTER_OK : error;
}

/*  Serve the listener until a key is pressed. */
static muster_error_t
loop (muster_listener_t *listener)
{
    struct pollfd polled [2] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .events = POLLIN } };
    muster_error_t error = muster_listener_descriptor (listener, &polled [1].fd);
    while (!error && poll (polled, 2, -1) >= 0 && !polled [0].revents)
        if (polled [1].revents)
            error = take_messages (listener);
    return error;
}

int
main (int argc, char **argv)
{
    muster_listener_t *listener = muster_listener_new (argc > 1 ? argv [1] : "tcp://127.0.0.1:5670");
    if (!listener)
        return 1;
    muster_error_t error = muster_listener_start (listener);
    if (!error) {
        printf ("listening on %s; Enter ends\n", muster_listener_endpoint (listener));
        fflush (stdout);
        error = loop (listener);
    }
    if (error)
        fprintf (stderr, "%s %s\n", muster_error_text (error), muster_listener_reason (listener));
    muster_listener_destroy (&listener);
    return error ? 1 : 0;
}
