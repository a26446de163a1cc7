/*  test_refused.c - those who are not let in, told together

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <muster/muster.h>

#include "scene.h"

TestSuite (refused, .init = scene_hush, .timeout = 60);

/*  A greeting of ZMTP 3.0 for who has a key; this listener asks for none, and hangs up. */
static void
greet_with_key (const char *endpoint)
{
    static const char greeting [64] = "\xff\0\0\0\0\0\0\0\0\x7f\3\0CURVE";
    char host [64];
    unsigned port;
    struct sockaddr_in address = { .sin_family = AF_INET };
    MUST (sscanf (endpoint, "tcp://%63[0-9.]:%u", host, &port) == 2);
    address.sin_port = htons ((uint16_t) port);
    MUST (inet_pton (AF_INET, host, &address.sin_addr) == 1);
    int connection = socket (AF_INET, SOCK_STREAM, 0);
    MUST (connect (connection, (struct sockaddr *) &address, sizeof address) == 0);
    MUST (send (connection, greeting, sizeof greeting, MSG_NOSIGNAL) > 0);
    char answer [64];
    while (recv (connection, answer, sizeof answer, 0) > 0)
        continue;
    close (connection);
}

/*  A worker that takes the listener's own source. */
static void
claim_source_of (const muster_listener_t *listener)
{
    muster_worker_t *worker = muster_worker_new (muster_listener_endpoint (listener), muster_listener_source (listener));
    scene_start_worker (worker);
    MUST (muster_worker_wait_for_listener (worker, PATIENCE_MS) == MUSTER_RESERVED);
    muster_worker_destroy (&worker);
}

static void
knock (const muster_listener_t *listener)
{
    greet_with_key (muster_listener_endpoint (listener));
    claim_source_of (listener);
}

typedef struct {
    char source [100];
    atomic_bool heard;
} log_t;

static void
hear (muster_log_level_t level, const char *line, void *arg)
{
    log_t *self = arg;
    (void) level;
    if (strstr (line, "REFUSED") && strstr (line, self->source) && strstr (line, " others=true"))
        atomic_store (&self->heard, true);
}

Test (refused, the_log_names_the_one_with_a_source_and_says_that_there_were_others)
{
    muster_listener_t *listener = muster_listener_new (scene_tcp ());
    MUST (muster_listener_start (listener) == 0);
    log_t log = { .heard = false };
    snprintf (log.source, sizeof log.source, " source=%s ", muster_listener_source (listener));
    muster_log_set (hear, &log, MUSTER_LOG_INFO);
    AWAIT ((knock (listener), atomic_load (&log.heard)));
    muster_log_set (NULL, NULL, MUSTER_LOG_WARNING);
    muster_listener_destroy (&listener);
}

static int
note_others (const muster_message_t *event, void *arg)
{
    atomic_bool *others = arg;
    const char *source = "";
    int truth = 0;
    muster_message_unpack (event, "{s?s, s?b}", "source", &source, "others", &truth);
    if (strcmp (muster_message_cmd (event), MUSTER_EVENT_REFUSED) == 0 && *source && truth)
        atomic_store (others, true);
    return 0;
}

Test (refused, the_event_too)
{
    atomic_bool others = false;
    muster_listener_t *listener = muster_listener_new (scene_tcp ());
    MUST (muster_listener_register_system_handler (listener, note_others, &others) == 0);
    MUST (muster_listener_start (listener) == 0);
    AWAIT ((knock (listener), atomic_load (&others)));
    muster_listener_destroy (&listener);
}
