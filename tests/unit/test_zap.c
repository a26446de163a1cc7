/*  test_zap.c - who may connect to the keyed sockets of the process's context

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zmq.h>

#include "model/endpoint.h"
#include "net/context.h"
#include "net/curve.h"
#include "net/monitor.h"
#include "net/option.h"
#include "net/secure.h"
#include "net/zap.h"

#define PATIENCE_MS 60000

static void *context;
static keypair_t server, client;

static void
set_up (void)
{
    context = context_acquire ();
    cr_assert_eq (curve_generate (&server), 0);
    cr_assert_eq (curve_generate (&client), 0);
}

static void
tear_down (void)
{
    context_release (context);
}

TestSuite (zap, .init = set_up, .fini = tear_down, .timeout = 300);

static allow_t *
list_of (const keypair_t *keys)
{
    char text [128], reason [REASON_ROOM];
    int size = keys ? snprintf (text, sizeof text, "curve %s worker\n", keys->public_key) : 0;
    allow_t *allow;
    cr_assert_eq (allow_parse (&allow, text, (size_t) size, reason), 0, "%s", reason);
    return allow;
}

/*  A socket of each side, the client's with its monitor. */
typedef struct {
    void *pull, *push;
    monitor_t *monitor;
} pair_t;

static pair_t
pair_of (const char *domain)
{
    pair_t self = { NULL, NULL, NULL };
    char endpoint [128];
    size_t size = sizeof endpoint;
    static const option_t once [] = { { ZMQ_RECONNECT_IVL, -1 } };
    cr_assert_eq (option_open (&self.pull, context, ZMQ_PULL, NULL, 0, OPTION_SESSION_FRAME), 0);
    cr_assert_eq (secure_serve (self.pull, &server, domain), 0);
    cr_assert_eq (zmq_bind (self.pull, "tcp://127.0.0.1:*"), 0);
    cr_assert_eq (zmq_getsockopt (self.pull, ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
    cr_assert_eq (option_open (&self.push, context, ZMQ_PUSH, once, 1, OPTION_SESSION_FRAME), 0);
    cr_assert_eq (secure_connect (self.push, &client, server.public_key), 0);
    cr_assert_eq (monitor_open (&self.monitor, context, self.push), 0);
    cr_assert_eq (zmq_connect (self.push, endpoint), 0);
    return self;
}

static void
pair_close (pair_t *self)
{
    monitor_close (&self->monitor);
    secure_forget (self->push);
    secure_forget (self->pull);
    zmq_close (self->push);
    zmq_close (self->pull);
}

/*  How the client's handshake ends. */
static int
outcome (pair_t *self)
{
    for (;;) {
        int value;
        int event = monitor_next (self->monitor, &value);
        if (event & (ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
            | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL))
            return event;
        zmq_pollitem_t item = { .socket = monitor_socket (self->monitor), .events = ZMQ_POLLIN };
        if (event == 0)
            cr_assert_gt (zmq_poll (&item, 1, PATIENCE_MS), 0);
    }
}

static int
outcome_in (const char *domain)
{
    pair_t pair = pair_of (domain);
    int event = outcome (&pair);
    pair_close (&pair);
    return event;
}

Test (zap, without_an_answer_nobody_enters)
{
    cr_assert_eq (outcome_in ("nobody answers"), ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL);
}

Test (zap, who_is_on_the_list_enters_and_each_message_says_who_sent_it)
{
    zap_domain_t *domain;
    allow_t *allow = list_of (&client);
    cr_assert_eq (zap_open (&domain, context, allow), 0);
    pair_t pair = pair_of (zap_name (domain));
    cr_assert_eq (outcome (&pair), ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    cr_assert_eq (zmq_send (pair.push, "x", 1, 0), 1);
    zmq_msg_t msg;
    zmq_msg_init (&msg);
    cr_assert_eq (zmq_msg_recv (&msg, pair.pull, 0), 1);
    cr_assert_str_eq (zmq_msg_gets (&msg, "User-Id"), client.public_key);
    cr_assert_str_eq (zmq_msg_gets (&msg, "Peer-Address"), "127.0.0.1");
    zmq_msg_close (&msg);
    pair_close (&pair);
    zap_close (&domain);
    cr_assert_null (domain);
    zap_close (&domain);
    allow_release (&allow);
}

Test (zap, who_is_not_on_the_list_is_refused_and_its_address_known)
{
    zap_domain_t *domain;
    char address [ADDRESS_ROOM];
    uint64_t count;
    allow_t *allow = list_of (NULL);
    cr_assert_eq (zap_open (&domain, context, allow), 0);
    cr_assert_not (zap_take_refusal (domain, address, &count));
    for (int i = 0; i < 3; i++)
        cr_assert_eq (outcome_in (zap_name (domain)), ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
    cr_assert (zap_take_refusal (domain, address, &count));
    cr_assert_str_eq (address, "127.0.0.1");
    cr_assert_eq (count, 3);
    cr_assert_not (zap_take_refusal (domain, address, &count));
    zap_close (&domain);
    allow_release (&allow);
}

Test (zap, another_list_holds_from_the_next_handshake_on)
{
    zap_domain_t *domain;
    allow_t *nobody = list_of (NULL), *somebody = list_of (&client);
    cr_assert_eq (zap_open (&domain, context, nobody), 0);
    cr_assert_eq (outcome_in (zap_name (domain)), ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
    zap_set_allow (domain, somebody);
    cr_assert_eq (outcome_in (zap_name (domain)), ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    zap_set_allow (domain, nobody);
    cr_assert_eq (outcome_in (zap_name (domain)), ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
    zap_close (&domain);
    allow_release (&nobody);
    allow_release (&somebody);
}

Test (zap, who_is_kept_out_does_not_enter_before_its_time_and_is_not_turned_away_for_good)
{
    zap_domain_t *domain;
    allow_t *allow = list_of (&client);
    cr_assert_eq (zap_open (&domain, context, allow), 0);
    zap_keep_out (domain, client.public_key, 1000);
    zap_let_in (domain, 999);
    cr_assert_eq (outcome_in (zap_name (domain)), ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL);
    zap_let_in (domain, 1000);
    cr_assert_eq (outcome_in (zap_name (domain)), ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    zap_close (&domain);
    allow_release (&allow);
}

Test (zap, of_many_that_are_kept_out_the_first_enters_first)
{
    zap_domain_t *domain;
    allow_t *allow = list_of (&client);
    cr_assert_eq (zap_open (&domain, context, allow), 0);
    zap_keep_out (domain, client.public_key, 1000);
    for (int i = 0; i < 16; i++)
        zap_keep_out (domain, server.public_key, 1000);
    cr_assert_eq (outcome_in (zap_name (domain)), ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    zap_close (&domain);
    allow_release (&allow);
}

/*  A listener that is gone is no reason to stay away for good: it may be back. */
Test (zap, a_domain_that_is_closed_lets_nobody_in_and_turns_nobody_away_for_good)
{
    zap_domain_t *domain, *other;
    char name [64];
    allow_t *allow = list_of (&client);
    cr_assert_eq (zap_open (&domain, context, allow), 0);
    cr_assert_eq (zap_open (&other, context, allow), 0);
    cr_assert_str_neq (zap_name (domain), zap_name (other));
    snprintf (name, sizeof name, "%s", zap_name (domain));
    zap_close (&domain);
    cr_assert_eq (outcome_in (name), ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL);
    cr_assert_eq (outcome_in (zap_name (other)), ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    zap_close (&other);
    allow_release (&allow);
}

Test (zap, domains_come_and_go_and_the_responder_with_them)
{
    zap_domain_t *domains [8];
    allow_t *allow = list_of (&client);
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 8; i++)
            cr_assert_eq (zap_open (&domains [i], context, allow), 0);
        for (int i = 0; i < 8; i++)
            zap_close (&domains [(i + round) % 8]);
    }
    allow_release (&allow);
}

Test (zap, a_forked_child_has_none_of_it_and_may_have_its_own)
{
    zap_domain_t *domain;
    allow_t *allow = list_of (&client);
    cr_assert_eq (zap_open (&domain, context, allow), 0);
    pid_t child = fork ();
    if (child == 0) {
        zap_close (&domain);
        context = context_acquire ();
        zap_domain_t *own;
        bool opened = zap_open (&own, context, allow) == 0;
        bool entered = opened && outcome_in (zap_name (own)) == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
        if (opened)
            zap_close (&own);
        context_release (context);
        _exit (entered ? 0 : 1);
    }
    int status;
    cr_assert_eq (waitpid (child, &status, 0), child);
    cr_assert_eq (status, 0);
    cr_assert_eq (outcome_in (zap_name (domain)), ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    zap_close (&domain);
    allow_release (&allow);
}

/*  A host has its own contexts, with ZAP handlers of its own. */
Test (zap, a_handler_of_the_hosts_in_its_own_context_is_left_alone)
{
    zap_domain_t *domain;
    allow_t *allow = list_of (&client);
    void *host = zmq_ctx_new ();
    void *handler = zmq_socket (host, ZMQ_REP);
    cr_assert_eq (zmq_bind (handler, "inproc://zeromq.zap.01"), 0);
    cr_assert_eq (zap_open (&domain, context, allow), 0);
    cr_assert_eq (outcome_in (zap_name (domain)), ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    zap_close (&domain);
    zmq_close (handler);
    zmq_ctx_term (host);
    allow_release (&allow);
}
