/*  binding.c - the two sockets of a listener, bound

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "net/binding.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/process.h"
#include "net/ipcpath.h"
#include "net/zap.h"

/*  What binding_note_refused has. A worker of the same key is not to give up before it
    may come in again: that is its liveness. */
#define REFUSED_MOST ((uint64_t) 64 * 1024 * 1024)
#define KEPT_OUT_MS 5000

/*  Tries to find a free port with a free one after it. */
#define PAIR_TRIES 200
/*  Descriptors that two sockets, their monitors and a lock take, and some. */
#define DESCRIPTORS 16
/*  Longest path, with its terminator, that leaves room for ".return". */
#define WILDCARD_ROOM 101

struct binding {
    listening_t *pull;
    listening_t *router;
    zap_domain_t *zap;      /* NULL: no keys are asked for */
    char endpoint [ENDPOINT_ROOM];
    char bound [ENDPOINT_ROOM];
    char bound_return [ENDPOINT_ROOM];
};

/*  What is to be bound. */
typedef struct {
    endpoint_t front;
    endpoint_t back;        /* meaningless while derived from a wildcard */
    bool derived;
    const char *host;       /* to be shown instead of the one bound, or NULL */
} plan_t;

static const option_t pull_options [] = {
    { ZMQ_RCVHWM, 16 },
    { ZMQ_BACKLOG, 1024 },
};

/*  Who asks for a routing id that another has gets it, for ZeroMQ would neither read nor
    forget him. Nobody can know a worker's: it is random, and new with each connection. */
static const option_t router_options [] = {
    { ZMQ_ROUTER_MANDATORY, 1 },
    { ZMQ_ROUTER_HANDOVER, 1 },
    { ZMQ_RCVHWM, 100 },
    { ZMQ_SNDHWM, 1000 },
    { ZMQ_BACKLOG, 1024 },
};

#define COUNT(options) (sizeof (options) / sizeof (options) [0])

static const char *
shown (const endpoint_t *endpoint, char *buffer)
{
    char text [ENDPOINT_ROOM];
    endpoint_text (endpoint, text);
    return log_escape (buffer, REASON_ROOM / 3, text, strlen (text));
}

/*  Say why endpoint, or the way back of front, cannot be bound. */
static muster_error_t
refuse (char *reason, muster_error_t error, const endpoint_t *endpoint, const endpoint_t *front, const char *why)
{
    static const char *const nouns [] = {
        [ENDPOINT_TCP] = "port *", [ENDPOINT_IPC] = "the path", [ENDPOINT_INPROC] = "the name" };
    char text [REASON_ROOM / 3];
    char front_text [REASON_ROOM / 3];
    char noun [16];
    snprintf (noun, sizeof noun, "%s", nouns [endpoint->transport]);
    if (endpoint->transport == ENDPOINT_TCP && !endpoint->wildcard)
        snprintf (noun, sizeof noun, "port %u", endpoint->port);
    int used = snprintf (reason, REASON_ROOM, "%s: %s", shown (endpoint, text), noun);
    if (front)
        used += snprintf (reason + used, REASON_ROOM - (size_t) used,
            " (the way back of %s)", shown (front, front_text));
    if (error == MUSTER_INUSE)
        snprintf (reason + used, REASON_ROOM - (size_t) used, " is in use");
    else
        snprintf (reason + used, REASON_ROOM - (size_t) used, " cannot be bound: %s", why);
    return error;
}

/*  Only this host may reach what asks for no keys. given is what the user wrote. */
static muster_error_t
check_access (const endpoint_t *settled, const endpoint_t *given, const binding_options_t *options, char *reason)
{
    bool loopback;
    char text [REASON_ROOM / 3];
    if (settled->transport != ENDPOINT_TCP || options->insecure || options->keys)
        return 0;
    muster_error_t error = endpoint_is_loopback (settled, &loopback, reason);
    if (error || loopback)
        return error;
    snprintf (reason, REASON_ROOM,
        "%s: others than this host reach this address, and without keys anyone may send: "
        "give keys (key and allow list), or allow it with insecure", shown (given, text));
    return MUSTER_ACCESS;
}

/*  Make it such that ZeroMQ can bind it: a numeric address, a path. */
static muster_error_t
settle (endpoint_t *endpoint, char *reason)
{
    if (endpoint->transport != ENDPOINT_IPC || !endpoint->wildcard)
        return endpoint_resolve (endpoint, endpoint, reason);
    muster_error_t error = ipcpath_invent (endpoint->path, WILDCARD_ROOM);
    if (error) {
        snprintf (reason, REASON_ROOM, "ipc://*: no path for it: TMPDIR is too long");
        return error;
    }
    endpoint->wildcard = false;
    return 0;
}

/*  The address that is judged is the one that is bound: a name may resolve to
    another the next time, and one to several, of which ZeroMQ binds the first. */
static muster_error_t
settle_safely (endpoint_t *endpoint, const binding_options_t *options, char *reason)
{
    endpoint_t given = *endpoint;
    muster_error_t error = settle (endpoint, reason);
    return error ? error : check_access (endpoint, &given, options, reason);
}

/*  The host to be shown for front, in room of the caller. */
static muster_error_t
plan_host (plan_t *self, const char *advertise, endpoint_t *room, char *reason)
{
    char text [ENDPOINT_ROOM];
    char name [256] = "";
    if (self->front.transport != ENDPOINT_TCP || (!advertise && !endpoint_is_any (&self->front)))
        return 0;
    if (!advertise && gethostname (name, sizeof name - 1) != 0)
        snprintf (name, sizeof name, "localhost");
    const char *host = advertise ? advertise : name;
    bool bare_ipv6 = host [0] != '[' && strchr (host, ':');
    snprintf (text, sizeof text, "tcp://%s%.300s%s:1", bare_ipv6 ? "[" : "", host, bare_ipv6 ? "]" : "");
    if (endpoint_parse (room, text, reason) != 0 || endpoint_is_any (room)) {
        char escaped [REASON_ROOM / 3];
        snprintf (reason, REASON_ROOM, "%s: not a host that workers can connect to: set advertise to one",
            log_escape (escaped, sizeof escaped, host, strlen (host)));
        return MUSTER_ENDPOINT;
    }
    self->host = room->host;
    return 0;
}

static muster_error_t
plan_back (plan_t *self, const binding_options_t *options, char *reason)
{
    if (self->derived)
        return endpoint_return (&self->front, &self->back, reason);
    muster_error_t error = endpoint_parse (&self->back, options->return_endpoint, reason);
    return error ? error : settle_safely (&self->back, options, reason);
}

static muster_error_t
plan_make (plan_t *self, const binding_options_t *options, char *reason)
{
    *self = (plan_t) { .derived = !options->return_endpoint };
    muster_error_t error = endpoint_parse (&self->front, options->endpoint, reason);
    if (!error)
        error = settle_safely (&self->front, options, reason);
    return error ? error : plan_back (self, options, reason);
}

static muster_error_t
bind_front (binding_t *self, const endpoint_t *front, char *reason)
{
    const char *why = NULL;
    muster_error_t error = listening_bind (self->pull, front, &why);
    return error ? refuse (reason, error, front, NULL, why) : 0;
}

static muster_error_t
bind_back (binding_t *self, const endpoint_t *back, char *reason)
{
    const char *why = NULL;
    muster_error_t error = listening_bind (self->router, back, &why);
    return error ? refuse (reason, error, back, listening_bound (self->pull), why) : 0;
}

static muster_error_t
bind_free_pair (binding_t *self, const endpoint_t *front, char *reason)
{
    for (int i = 0; i < PAIR_TRIES; i++) {
        endpoint_t back;
        muster_error_t error = bind_front (self, front, reason);
        if (error)
            return error;
        if (endpoint_return (listening_bound (self->pull), &back, reason) == 0) {
            error = bind_back (self, &back, reason);
            if (error != MUSTER_INUSE)
                return error;
        }
        listening_unbind (self->pull);
    }
    char text [REASON_ROOM / 3];
    snprintf (reason, REASON_ROOM,
        "%s: no free port with a free one after it in %d tries", shown (front, text), PAIR_TRIES);
    return MUSTER_INUSE;
}

static muster_error_t
bind_all (binding_t *self, const plan_t *plan, char *reason)
{
    bool pair = plan->derived && plan->front.transport == ENDPOINT_TCP && plan->front.wildcard;
    if (pair)
        return bind_free_pair (self, &plan->front, reason);
    muster_error_t error = bind_front (self, &plan->front, reason);
    return error ? error : bind_back (self, &plan->back, reason);
}

static muster_error_t
secure (binding_t *self, void *context, const binding_options_t *options)
{
    if (!options->keys)
        return 0;
    muster_error_t error = zap_open (&self->zap, context, options->allow);
    if (!error)
        error = listening_secure (self->pull, options->keys, zap_name (self->zap));
    return error ? error : listening_secure (self->router, options->keys, zap_name (self->zap));
}

static muster_error_t
open_all (binding_t *self, void *context, const binding_options_t *options)
{
    uint64_t frame_limit = options->frame_limit;
    if (frame_limit < OPTION_SESSION_FRAME)
        frame_limit = OPTION_SESSION_FRAME;
    muster_error_t error = process_reserve (DESCRIPTORS, 0);
    if (!error)
        error = listening_open (&self->pull, context, ZMQ_PULL, pull_options, COUNT (pull_options), frame_limit);
    if (!error)
        error = listening_open (&self->router, context, ZMQ_ROUTER,
            router_options, COUNT (router_options), OPTION_CONTROL_FRAME);
    return error ? error : secure (self, context, options);
}

static void
write_endpoints (binding_t *self, const char *host)
{
    endpoint_t front = *listening_bound (self->pull);
    endpoint_text (&front, self->bound);
    endpoint_text (listening_bound (self->router), self->bound_return);
    if (host)
        snprintf (front.host, sizeof front.host, "%s", host);
    endpoint_text (&front, self->endpoint);
}

muster_error_t
binding_open (binding_t **self_p, void *context, const binding_options_t *options, char *reason)
{
    plan_t plan;
    endpoint_t room;
    *self_p = NULL;
    reason [0] = 0;
    muster_error_t error = plan_make (&plan, options, reason);
    if (!error)
        error = plan_host (&plan, options->advertise, &room, reason);
    if (error)
        return error;
    binding_t *self = *self_p = alloc_zero (sizeof *self);
    error = self ? open_all (self, context, options) : MUSTER_NOMEM;
    if (error)
        refuse (reason, error, &plan.front, NULL, muster_error_text (error));
    else
        error = bind_all (self, &plan, reason);
    if (error)
        binding_destroy (self_p);
    else
        write_endpoints (self, plan.host);
    return error;
}

void
binding_destroy (binding_t **self_p)
{
    binding_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    listening_close (&self->pull);
    listening_close (&self->router);
    zap_close (&self->zap);
    alloc_free (self);
}

void *
binding_pull (binding_t *self)
{
    return listening_socket (self->pull);
}

void *
binding_router (binding_t *self)
{
    return listening_socket (self->router);
}

const char *
binding_endpoint (const binding_t *self)
{
    return self->endpoint;
}

const char *
binding_bound (const binding_t *self)
{
    return self->bound;
}

const char *
binding_bound_return (const binding_t *self)
{
    return self->bound_return;
}

void *
binding_monitor (binding_t *self, int index)
{
    return listening_monitor (index == 0 ? self->pull : self->router);
}

bool
binding_pull_is_secure (const binding_t *self)
{
    return listening_is_secure (self->pull);
}

bool
binding_router_is_secure (const binding_t *self)
{
    return listening_is_secure (self->router);
}

bool
binding_note_refused (binding_t *self, int descriptor, const char *key, uint64_t bytes, int64_t now)
{
    if (listening_note_refused (self->pull, descriptor, bytes) < REFUSED_MOST)
        return false;
    listening_note_refused (self->pull, descriptor, 0);
    listening_cut (self->pull, descriptor);
    zap_keep_out (self->zap, key, now + KEPT_OUT_MS);
    return true;
}

void
binding_set_allow (binding_t *self, allow_t *allow)
{
    zap_set_allow (self->zap, allow);
}

static void
tell_unknown_keys (binding_t *self, refused_fn *refused, void *argument)
{
    char address [ADDRESS_ROOM];
    uint64_t count;
    while (self->zap && zap_take_refusal (self->zap, address, &count))
        refused (argument, address, "its key is not in the allow list", count);
}

unsigned
binding_watch (binding_t *self, int64_t now, refused_fn *refused, void *argument)
{
    unsigned ended = listening_watch (self->pull, now, refused, argument);
    ended += listening_watch (self->router, now, refused, argument);
    tell_unknown_keys (self, refused, argument);
    if (self->zap)
        zap_let_in (self->zap, now);
    return ended;
}

uint64_t
binding_connection (const binding_t *self, int descriptor)
{
    return listening_connection (self->router, descriptor);
}

uint64_t
binding_data_connection (const binding_t *self, int descriptor)
{
    return listening_connection (self->pull, descriptor);
}
