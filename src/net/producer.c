/*  producer.c - the socket of a plain producer

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "net/producer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <zmq.h>

#include "base/alloc.h"
#include "base/process.h"
#include "net/admission.h"
#include "net/monitor.h"
#include "net/option.h"
#include "net/probe.h"
#include "net/secure.h"

/*  Handshakes in a row that the listener ends before a probe is to find out why. It has
    answered when the next one that begins has ended. */
#define SHUT_OUT_MOST 2

/*  ZeroMQ waits once to twice as long before each try that follows a handshake: a third
    one comes in time for a caller who is to learn why within two seconds. */
#define RECONNECT_MS 200

#define COUNT(options) (sizeof (options) / sizeof (options) [0])

/*  How a handshake ended that came to nothing. */
typedef enum { ENDING_BROKEN, ENDING_HUNG_UP, ENDING_TOO_SLOW } ending_t;

struct producer {
    void *context;
    void *push;             /* NULL once finished or refused */
    monitor_t *monitor;
    endpoint_t endpoint;
    bool keyed;
    int descriptor;         /* of the connection; -1: there is none */
    int kept;               /* another one of it, to keep it open; -1: none */
    bool up;                /* hands were shaken: messages may be on their way */
    ending_t ending;
    unsigned shut_out;      /* the peer hung up in the last so many handshakes */
    probe_t *probe;         /* NULL unless one was needed */
    bool probe_due;
    bool probed;            /* the handshake began after the probe did */
    muster_error_t refused; /* 0: it was not */
    const char *reason;
};

/*  --------------------------------------------------------------------------
    Opening and closing */

static muster_error_t
open_push (producer_t *self, const keypair_t *keys, const char *server)
{
    const option_t options [] = {
        { ZMQ_RECONNECT_IVL, RECONNECT_MS },
        { ZMQ_RECONNECT_IVL_MAX, 1000 },
        { ZMQ_IPV6, self->endpoint.transport == ENDPOINT_TCP && strchr (self->endpoint.host, ':') },
    };
    muster_error_t error = option_open (&self->push, self->context, ZMQ_PUSH,
        options, COUNT (options), OPTION_SESSION_FRAME);
    return !error && keys ? secure_connect (self->push, keys, server) : error;
}

muster_error_t
producer_open (producer_t **self_p, void *context, const endpoint_t *endpoint,
    const keypair_t *keys, const char *server)
{
    producer_t *self = *self_p = alloc_zero (sizeof *self);
    if (!self)
        return MUSTER_NOMEM;
    char text [ENDPOINT_ROOM];
    self->context = context;
    self->endpoint = *endpoint;
    self->keyed = keys != NULL;
    self->descriptor = -1;
    self->kept = -1;
    self->reason = "";
    muster_error_t error = open_push (self, keys, server);
    if (!error)
        error = monitor_open (&self->monitor, context, self->push);
    if (!error && zmq_connect (self->push, endpoint_text (endpoint, text)) != 0)
        error = option_error (errno);
    if (error)
        producer_destroy (self_p);
    return error;
}

void
producer_abandon (producer_t **self_p)
{
    producer_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    probe_abandon (&self->probe);
    monitor_abandon (&self->monitor);
    alloc_free (self);
}

static void
close_push (producer_t *self)
{
    monitor_close (&self->monitor);
    probe_close (&self->probe);
    if (!self->push)
        return;
    secure_forget (self->push);
    zmq_close (self->push);
    self->push = NULL;
}

static void
let_go (producer_t *self)
{
    if (self->kept < 0)
        return;
    process_forget (self->kept);
    close (self->kept);
    self->kept = -1;
}

void
producer_destroy (producer_t **self_p)
{
    producer_t *self = *self_p;
    if (!self)
        return;
    let_go (self);
    close_push (self);
    producer_abandon (self_p);
}

/*  --------------------------------------------------------------------------
    Being refused */

/*  One that lingers already cannot be stopped. */
static producer_news_t
refuse (producer_t *self, muster_error_t error, const char *reason)
{
    self->refused = error;
    self->reason = reason;
    if (self->push)
        close_push (self);
    return PRODUCER_REFUSED;
}

static void
end_probe (producer_t *self)
{
    probe_close (&self->probe);
    self->probe_due = false;
}

/*  What the probe says counts for handshakes that begin after it: that is known of those
    which nobody has told of yet. Without memory for one it stays due. */
static void
probe_if_due (producer_t *self)
{
    if (self->probe_due && probe_open (&self->probe, self->context, &self->endpoint) == 0)
        self->probe_due = false;
}

static producer_news_t
heed_hang_up (producer_t *self)
{
    const char *why = self->probed ? admission_answer (probe_watch (self->probe), self->keyed) : NULL;
    if (why)
        return refuse (self, MUSTER_ACCESS, why);
    if (self->probed)
        end_probe (self);
    self->probe_due = ++self->shut_out >= SHUT_OUT_MOST && !self->probe;
    return PRODUCER_SHAKING;
}

/*  ZeroMQ tries no more where what listens breaks the protocol. */
static producer_news_t
heed_end_of_handshake (producer_t *self)
{
    if (self->ending == ENDING_HUNG_UP)
        return heed_hang_up (self);
    if (self->ending == ENDING_BROKEN)
        return refuse (self, MUSTER_ENDPOINT, "what listens there does not speak ZeroMQ's protocol as it should");
    end_probe (self);
    self->shut_out = 0;
    return PRODUCER_SHAKING;
}

muster_error_t
producer_refusal (const producer_t *self, const char **reason)
{
    *reason = self->reason;
    return self->refused;
}

/*  --------------------------------------------------------------------------
    News */

static producer_news_t
heed_connected (producer_t *self, int descriptor)
{
    self->descriptor = descriptor;
    self->ending = ENDING_BROKEN;
    self->probed = self->probe != NULL;
    return PRODUCER_SHAKING;
}

static producer_news_t
heed_up (producer_t *self)
{
    self->up = true;
    self->shut_out = 0;
    end_probe (self);
    return PRODUCER_UP;
}

static producer_news_t
heed_disconnected (producer_t *self)
{
    bool was_up = self->up;
    self->descriptor = -1;
    self->up = false;
    return was_up ? PRODUCER_DOWN : heed_end_of_handshake (self);
}

/*  A handshake that takes too long fails like one in which the peer hangs up, but for the
    code: that of whatever failed last, which is hardly one of these. */
static producer_news_t
heed_failure (producer_t *self, int event, int value)
{
    const char *why = admission_event (event, value, self->keyed);
    if (why)
        return refuse (self, MUSTER_ACCESS, why);
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL)
        self->ending = value == EPIPE || value == ECONNRESET ? ENDING_HUNG_UP : ENDING_TOO_SLOW;
    return PRODUCER_SHAKING;
}

static producer_news_t
news_of (producer_t *self, int event, int value)
{
    switch (event) {
        case 0: return PRODUCER_NOTHING;
        case ZMQ_EVENT_CONNECTED: return heed_connected (self, value);
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: return heed_up (self);
        case ZMQ_EVENT_DISCONNECTED: return heed_disconnected (self);
        case ZMQ_EVENT_MONITOR_STOPPED: return PRODUCER_GONE;
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
            return heed_failure (self, event, value);
        default: return PRODUCER_SHAKING;
    }
}

producer_news_t
producer_next (producer_t *self)
{
    if (!self->monitor)
        return PRODUCER_NOTHING;
    int value;
    int event = monitor_next (self->monitor, &value);
    if (event == 0)
        probe_if_due (self);
    return news_of (self, event, value);
}

/*  --------------------------------------------------------------------------
    In use */

muster_error_t
producer_send (producer_t *self, const void *bytes, size_t size)
{
    if (self->refused)
        return self->refused;
    while (zmq_send (self->push, bytes, size, ZMQ_DONTWAIT) < 0) {
        if (errno == EAGAIN)
            return MUSTER_AGAIN;
        if (errno != EINTR)
            return option_error (errno);
    }
    return 0;
}

void
producer_wait (producer_t *self, bool for_room, int timeout_ms)
{
    if (!self->monitor)
        return;
    zmq_pollitem_t items [] = {
        { .socket = monitor_socket (self->monitor), .events = ZMQ_POLLIN },
        { .socket = self->push, .events = ZMQ_POLLOUT },
    };
    (void) zmq_poll (items, for_room ? 2 : 1, timeout_ms);
}

/*  A lingering socket takes what is left from its queue, writes once and closes,
    whether or not the kernel took all of that. The kernel does if its buffer
    has room, as it has when the descriptor is writable. */
static void
wait_for_room (const producer_t *self, int timeout_ms)
{
    struct pollfd item = { .fd = self->descriptor, .events = POLLOUT };
    if (self->descriptor >= 0)
        poll (&item, 1, timeout_ms);
}

/*  Of a connection by ipc that the other side has closed ZeroMQ reads no more once it has
    had to pause. So the connection outlives its socket until all is read. A child that
    could not be told to close it would only keep it open. */
static void
keep_connection (producer_t *self)
{
    if (self->endpoint.transport != ENDPOINT_IPC || self->descriptor < 0)
        return;
    self->kept = fcntl (self->descriptor, F_DUPFD_CLOEXEC, 0);
    if (self->kept >= 0)
        (void) process_close_in_child (self->kept);
}

/*  A connection that is made while it lingers has options of its own. */
void
producer_finish (producer_t *self, int linger_ms)
{
    wait_for_room (self, linger_ms);
    keep_connection (self);
    monitor_outlive (self->monitor);
    secure_forget (self->push);
    zmq_setsockopt (self->push, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    zmq_close (self->push);
    self->push = NULL;
}

bool
producer_is_read (producer_t *self)
{
    int unread = 0;
    struct pollfd item = { .fd = self->kept };
    bool open = self->kept >= 0 && poll (&item, 1, 0) == 0;
    if (open && ioctl (self->kept, SIOCOUTQ, &unread) == 0 && unread > 0)
        return false;
    let_go (self);
    return true;
}
