/*  zap.c - who may connect to the keyed sockets of the process's context

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "net/zap.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <utlist.h>
#include <zmq.h>

#include "base/alloc.h"
#include "base/process.h"
#include "net/keyfile.h"
#include "net/option.h"

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"
#define END_ENDPOINT "inproc://muster.zap.end"

/*  Refusals kept for their listener; what is beyond adds to the last. */
#define REFUSALS_MOST 64

/*  Keys kept out at a time: one more takes the place of the first. */
#define KEPT_OUT_MOST 16

typedef struct {
    char address [ADDRESS_ROOM];
    uint64_t count;
} note_t;

typedef struct {
    char key [Z85_KEY + 1];     /* "": none */
    int64_t until;
} kept_out_t;

struct zap_domain {
    zap_domain_t *prev, *next;
    uint32_t generation;
    char name [40];
    allow_t *allow;
    note_t notes [REFUSALS_MOST];   /* a ring */
    unsigned first, count;
    kept_out_t kept_out [KEPT_OUT_MOST];
    unsigned next_kept_out;
};

/*  The thread and its sockets: part of the process's context. */
typedef struct {
    pthread_t thread;
    void *responder;        /* the thread's, once it runs */
    void *end;              /* the thread's: readable when it is to end */
    void *ender;            /* whoever ends it */
} responder_t;

/*  life is held while the thread is started or ended; lock guards the domains, which
    the thread reads. Both are held across a fork, which leaves all to the parent. */
static pthread_mutex_t life = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static responder_t responder;
static zap_domain_t *domains;
static uint64_t domains_opened;

static void
before_fork (void)
{
    pthread_mutex_lock (&life);
    pthread_mutex_lock (&lock);
}

static void
after_fork_in_parent (void)
{
    pthread_mutex_unlock (&lock);
    pthread_mutex_unlock (&life);
}

static void
after_fork_in_child (void)
{
    domains = NULL;
    responder = (responder_t) { .responder = NULL };
    after_fork_in_parent ();
}

__attribute__ ((constructor)) static void
zap_load (void)
{
    /*  Without memory for this, process_close_in_child fails too and nothing is opened. */
    (void) pthread_atfork (before_fork, after_fork_in_parent, after_fork_in_child);
}

/*  --------------------------------------------------------------------------
    Answering. With the lock. */

static zap_domain_t *
find_domain (const char *name)
{
    zap_domain_t *domain;
    DL_FOREACH (domains, domain)
        if (strcmp (domain->name, name) == 0)
            break;
    return domain;
}

static bool
is_kept_out (const zap_domain_t *self, const char *key)
{
    for (int i = 0; i < KEPT_OUT_MOST; i++)
        if (strcmp (self->kept_out [i].key, key) == 0)
            return true;
    return false;
}

static void
note_refusal (zap_domain_t *self, const char *address)
{
    unsigned last = (self->first + self->count - 1) % REFUSALS_MOST;
    bool same = self->count > 0 && strcmp (self->notes [last].address, address) == 0;
    if (same || self->count == REFUSALS_MOST) {
        self->notes [last].count++;
        return;
    }
    note_t *note = &self->notes [(self->first + self->count++) % REFUSALS_MOST];
    snprintf (note->address, sizeof note->address, "%.*s", ADDRESS_ROOM - 1, address);
    note->count = 1;
}

/*  --------------------------------------------------------------------------
    The thread */

typedef enum {
    PART_VERSION, PART_REQUEST, PART_DOMAIN, PART_ADDRESS, PART_ROUTING_ID, PART_MECHANISM, PART_KEY, PART_COUNT
} part_t;

/*  A request's parts as text, the key as Z85. */
typedef struct {
    char parts [PART_COUNT][256];
    size_t sizes [PART_COUNT];
} request_t;

/*  False if it is none that can be answered. */
static bool
take_request (void *socket, request_t *request)
{
    int index = 0, more = 1;
    size_t size = sizeof more;
    bool whole = true;
    memset (request->sizes, 0, sizeof request->sizes);
    while (more) {
        char part [256];
        int length = zmq_recv (socket, part, sizeof part - 1, index == 0 ? ZMQ_DONTWAIT : 0);
        if (length < 0)
            return false;
        whole = whole && index < PART_COUNT && length < (int) sizeof part;
        if (whole) {
            part [length] = 0;
            memcpy (request->parts [index], part, (size_t) length + 1);
            request->sizes [index] = (size_t) length;
        }
        index++;
        if (zmq_getsockopt (socket, ZMQ_RCVMORE, &more, &size))
            return false;
    }
    return whole && index == PART_COUNT;
}

/*  The status, and the key as text for the User-Id. */
static const char *
judge (const request_t *request, char key [Z85_KEY + 1])
{
    if (strcmp (request->parts [PART_MECHANISM], "CURVE") != 0 || request->sizes [PART_KEY] != 32
        || !zmq_z85_encode (key, (const uint8_t *) request->parts [PART_KEY], 32))
        return "400";
    pthread_mutex_lock (&lock);
    zap_domain_t *domain = find_domain (request->parts [PART_DOMAIN]);
    /*  A listener that is just gone is no reason to stay away for good. */
    const char *status = !domain || is_kept_out (domain, key) ? "300"
        : allow_find (domain->allow, key) ? "200" : "400";
    if (domain && *status == '4')
        note_refusal (domain, request->parts [PART_ADDRESS]);
    pthread_mutex_unlock (&lock);
    return status;
}

static void
send_part (void *socket, const char *text, bool more)
{
    /*  The one who asked may be gone, and nobody else can be told. */
    (void) zmq_send (socket, text, strlen (text), more ? ZMQ_SNDMORE : 0);
}

/*  Each request is answered, whatever it is: a REP takes none before. */
static void
answer (void *socket, const request_t *request, bool whole)
{
    char key [Z85_KEY + 1] = "";
    const char *status = whole ? judge (request, key) : "500";
    bool admitted = *status == '2';
    send_part (socket, "1.0", true);
    (void) zmq_send (socket, request->parts [PART_REQUEST], request->sizes [PART_REQUEST], ZMQ_SNDMORE);
    send_part (socket, status, true);
    send_part (socket, admitted ? "admitted" : "refused", true);
    send_part (socket, admitted ? key : "", true);
    send_part (socket, "", false);
}

static void *
respond (void *argument)
{
    const responder_t *self = argument;
    zmq_pollitem_t items [] = {
        { .socket = self->responder, .events = ZMQ_POLLIN }, { .socket = self->end, .events = ZMQ_POLLIN } };
    while (!(items [1].revents & ZMQ_POLLIN)) {
        request_t request;
        if (zmq_poll (items, 2, -1) < 0 && errno != EINTR)
            break;
        if (items [0].revents & ZMQ_POLLIN)
            answer (self->responder, &request, take_request (self->responder, &request));
    }
    return NULL;
}

/*  --------------------------------------------------------------------------
    Its life. With life held. */

/*  ZeroMQ closes a socket in its own time: the names are free for the next responder
    once they are unbound. */
static void
close_sockets (responder_t *self)
{
    void *sockets [] = { self->responder, self->end, self->ender };
    if (self->responder)
        zmq_unbind (self->responder, ZAP_ENDPOINT);
    if (self->end)
        zmq_unbind (self->end, END_ENDPOINT);
    for (int i = 0; i < 3; i++)
        if (sockets [i])
            zmq_close (sockets [i]);
    *self = (responder_t) { .responder = NULL };
}

static muster_error_t
open_socket (void **socket, void *context, int type, const char *bound, const char *connected)
{
    muster_error_t error = option_open (socket, context, type, NULL, 0, OPTION_SESSION_FRAME);
    if (!error && bound && zmq_bind (*socket, bound) != 0)
        error = option_error (errno);
    if (!error && connected && zmq_connect (*socket, connected) != 0)
        error = option_error (errno);
    return error;
}

static muster_error_t
start_thread (responder_t *self)
{
    sigset_t all, before;
    sigfillset (&all);
    pthread_sigmask (SIG_SETMASK, &all, &before);
    int code = pthread_create (&self->thread, NULL, respond, self);
    pthread_sigmask (SIG_SETMASK, &before, NULL);
    return code ? MUSTER_RESOURCE : 0;
}

static muster_error_t
start_responder (void *context)
{
    muster_error_t error = open_socket (&responder.responder, context, ZMQ_REP, ZAP_ENDPOINT, NULL);
    if (!error)
        error = open_socket (&responder.end, context, ZMQ_PAIR, END_ENDPOINT, NULL);
    if (!error)
        error = open_socket (&responder.ender, context, ZMQ_PAIR, NULL, END_ENDPOINT);
    if (!error)
        error = start_thread (&responder);
    if (error)
        close_sockets (&responder);
    return error;
}

static void
end_responder (void)
{
    while (zmq_send (responder.ender, "", 0, 0) < 0 && errno == EINTR)
        continue;
    pthread_join (responder.thread, NULL);
    close_sockets (&responder);
}

/*  --------------------------------------------------------------------------
    Domains */

static void
free_domain (zap_domain_t *self)
{
    allow_release (&self->allow);
    alloc_free (self);
}

muster_error_t
zap_open (zap_domain_t **self_p, void *context, allow_t *allow)
{
    zap_domain_t *self = *self_p = alloc_zero (sizeof *self);
    if (!self)
        return MUSTER_NOMEM;
    self->generation = process_generation ();
    self->allow = allow_share (allow);
    pthread_mutex_lock (&life);
    muster_error_t error = responder.responder ? 0 : start_responder (context);
    if (!error) {
        pthread_mutex_lock (&lock);
        snprintf (self->name, sizeof self->name, "muster-%llu", (unsigned long long) ++domains_opened);
        DL_APPEND (domains, self);
        pthread_mutex_unlock (&lock);
    }
    pthread_mutex_unlock (&life);
    if (error) {
        free_domain (self);
        *self_p = NULL;
    }
    return error;
}

void
zap_close (zap_domain_t **self_p)
{
    zap_domain_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    if (self->generation == process_generation ()) {
        pthread_mutex_lock (&life);
        pthread_mutex_lock (&lock);
        DL_DELETE (domains, self);
        bool last = !domains;
        pthread_mutex_unlock (&lock);
        if (last)
            end_responder ();
        pthread_mutex_unlock (&life);
    }
    free_domain (self);
}

void
zap_set_allow (zap_domain_t *self, allow_t *allow)
{
    pthread_mutex_lock (&lock);
    allow_t *before = self->allow;
    self->allow = allow_share (allow);
    pthread_mutex_unlock (&lock);
    allow_release (&before);
}

void
zap_keep_out (zap_domain_t *self, const char *key, int64_t until)
{
    pthread_mutex_lock (&lock);
    kept_out_t *kept_out = &self->kept_out [self->next_kept_out++ % KEPT_OUT_MOST];
    snprintf (kept_out->key, sizeof kept_out->key, "%s", key);
    kept_out->until = until;
    pthread_mutex_unlock (&lock);
}

void
zap_let_in (zap_domain_t *self, int64_t now)
{
    pthread_mutex_lock (&lock);
    for (int i = 0; i < KEPT_OUT_MOST; i++)
        if (self->kept_out [i].until <= now)
            self->kept_out [i].key [0] = 0;
    pthread_mutex_unlock (&lock);
}

const char *
zap_name (const zap_domain_t *self)
{
    return self->name;
}

bool
zap_take_refusal (zap_domain_t *self, char *address, uint64_t *count)
{
    pthread_mutex_lock (&lock);
    bool taken = self->count > 0;
    if (taken) {
        const note_t *note = &self->notes [self->first];
        memcpy (address, note->address, sizeof note->address);
        *count = note->count;
        self->first = (self->first + 1) % REFUSALS_MOST;
        self->count--;
    }
    pthread_mutex_unlock (&lock);
    return taken;
}
