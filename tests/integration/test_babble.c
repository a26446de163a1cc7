/*  test_babble.c - asking somebody who sends without end, and never an answer

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <muster/muster.h>
#include <zmq.h>

#include "raw.h"
#include "scene.h"

TestSuite (babble, .init = scene_hush, .timeout = 60);

/*  A REPORT whose map has a key twice, the last of so many: to look at it takes longer than to
    send it, so there is always another. */
#define PAIRS 5000
#define LETTERS 72
#define HEADER 25

typedef struct {
    uint8_t bytes [HEADER + 6 + 4 * PAIRS];
} report_t;

static report_t
wrong_report (void)
{
    static const uint8_t header [] = { 0xc7, 22, 0x4d, 1, RAW_REPORT };
    static const uint8_t map [] = { 0x91, 0xdf, 0, 0, PAIRS >> 8, PAIRS & 0xff };
    report_t self = { .bytes = { 0 } };
    uint8_t *at = self.bytes + HEADER;
    memcpy (self.bytes, header, sizeof header);
    memcpy (at, map, sizeof map);
    for (int i = 0; i < PAIRS; i++) {
        int key = i % (PAIRS - 1);
        const uint8_t pair [] = { 0xa2, (uint8_t) ('0' + key / LETTERS), (uint8_t) ('0' + key % LETTERS), 0xc0 };
        memcpy (at + sizeof map + sizeof pair * i, pair, sizeof pair);
    }
    return self;
}

typedef struct {
    raw_socket_t pull, router;
    char endpoint [64];
    atomic_bool over;
    pthread_t thread;
} babbler_t;

/*  Once it is asked. */
static void *
babble (void *arg)
{
    babbler_t *self = arg;
    report_t report = wrong_report ();
    raw_t route, question;
    MUST (raw_recv (&self->router, &route, &question, PATIENCE_MS));
    while (!atomic_load (&self->over))
        if (zmq_send (self->router.socket, route.bytes, route.size, ZMQ_SNDMORE) >= 0)
            zmq_send (self->router.socket, report.bytes, sizeof report.bytes, 0);
    return NULL;
}

static void
begin (babbler_t *self)
{
    char back [80];
    int yes = 1, soon = 20, none = 0;
    scene_private_endpoint (self->endpoint, sizeof self->endpoint);
    snprintf (back, sizeof back, "%s.return", self->endpoint);
    self->pull = raw_bind (ZMQ_PULL, self->endpoint);
    self->router = raw_bind (ZMQ_ROUTER, back);
    zmq_setsockopt (self->router.socket, ZMQ_ROUTER_MANDATORY, &yes, sizeof yes);
    zmq_setsockopt (self->router.socket, ZMQ_SNDTIMEO, &soon, sizeof soon);
    zmq_setsockopt (self->router.socket, ZMQ_LINGER, &none, sizeof none);
    atomic_init (&self->over, false);
    MUST (pthread_create (&self->thread, NULL, babble, self) == 0);
}

static void
end (babbler_t *self)
{
    atomic_store (&self->over, true);
    pthread_join (self->thread, NULL);
    raw_close (&self->pull);
    raw_close (&self->router);
}

Test (babble, an_observer_waits_no_longer_than_it_was_told_to)
{
    void *map;
    size_t size;
    babbler_t babbler;
    begin (&babbler);
    cr_assert_eq (muster_observe (babbler.endpoint, NULL, NULL, 500, &map, &size, NULL, 0), MUSTER_TIMEOUT);
    end (&babbler);
}

static void
pass (const muster_step_t *step, void *arg)
{
    (void) step, (void) arg;
}

Test (babble, a_diagnosis_waits_no_longer_than_it_was_told_to)
{
    babbler_t babbler;
    begin (&babbler);
    cr_assert_eq (muster_diagnose (babbler.endpoint, NULL, NULL, NULL, 500, pass, NULL), MUSTER_TIMEOUT);
    end (&babbler);
}
