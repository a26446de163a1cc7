/*  diagnose.c - what stands between here and a listener

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/diagnose.h>

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "actor/monotonic.h"
#include "actor/questions.h"
#include "actor/visit.h"
#include "base/log.h"
#include "net/reach.h"

/*  Handshakes in a row that the listener ends; a probe is there from the third on (visit.c), and its answer
    may come after the end. */
#define SHUT_OUT_ENOUGH 5

/*  Clocks that are further apart are worth a remark. */
#define CLOCK_REMARK_MS 1000

/*  All other addresses of a name together get so long to answer. */
#define ELSEWHERE_MS 1000

#define TEXT_ROOM REASON_ROOM

enum { FRONT, BACK, SIDES };

typedef struct {
    visit_t visit;
    endpoint_t named [SIDES];   /* as they were given, */
    endpoint_t sides [SIDES];   /* and with an address in place of a name */
    reach_hosts_t hosts [SIDES]; /* all addresses of the name */
    int timeout_ms;
    int64_t ports_until;        /* monotonic ms */
    bool timed_out;             /* while the connections were made */
    muster_error_t refused;     /* so soon that the handshake need not be waited for */
    round_trips_t trips;
    muster_step_fn *fn;
    void *arg;
} diagnosis_t;

/*  --------------------------------------------------------------------------
    Telling */

static void __attribute__ ((format (printf, 3, 4)))
found (const diagnosis_t *self, const char *name, const char *format, ...)
{
    char text [TEXT_ROOM];
    va_list args;
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    self->fn (&(muster_step_t) { .name = name, .ok = true, .text = text, .advice = "" }, self->arg);
}

static void
measured (const diagnosis_t *self, const char *name, double value, const char *text, const char *advice)
{
    self->fn (&(muster_step_t) {
        .name = name, .ok = true, .text = text, .advice = advice, .measured = true, .value = value }, self->arg);
}

static muster_error_t __attribute__ ((format (printf, 5, 6)))
fail (const diagnosis_t *self, muster_error_t error, const char *name, const char *advice, const char *format, ...)
{
    char text [TEXT_ROOM];
    va_list args;
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    self->fn (&(muster_step_t) { .name = name, .text = text, .advice = advice }, self->arg);
    return error;
}

static const char *
problem_text (int problem)
{
    const char *text = strerrordesc_np (problem);
    return text ? text : "the operating system refused";
}

static bool
is_ipc (const diagnosis_t *self, int side)
{
    return self->named [side].transport == ENDPOINT_IPC;
}

#define WITHIN_ROOM 32

/*  The end of a sentence about something that took too long; who sets no limit hears of the
    system's. */
static const char *
within (const diagnosis_t *self, char text [WITHIN_ROOM])
{
    *text = 0;
    if (self->timeout_ms >= 0)
        snprintf (text, WITHIN_ROOM, " within %g s", self->timeout_ms / 1000.0);
    return text;
}

/*  --------------------------------------------------------------------------
    What was given */

static muster_error_t
check_side (const diagnosis_t *self, const endpoint_t *side)
{
    char text [ENDPOINT_ROOM], shown [ENDPOINT_ROOM];
    endpoint_text (side, text);
    log_escape (shown, sizeof shown, text, strlen (text));
    if (side->transport == ENDPOINT_INPROC)
        return fail (self, MUSTER_ENDPOINT, "endpoint", "ask in the process that has the listener",
            "%s leads nowhere from another process", shown);
    if (side->wildcard || endpoint_is_any (side))
        return fail (self, MUSTER_ENDPOINT, "endpoint", "name the listener's host and port",
            "%s is what a listener binds, not what a worker connects to", shown);
    return 0;
}

static muster_error_t
check_arguments (diagnosis_t *self, const char *endpoint, const char *return_endpoint, const char *key, const char *server)
{
    visit_t *visit = &self->visit;
    muster_error_t error = visit_begin (visit, endpoint, return_endpoint, key, server);
    if (error)
        return fail (self, error, *visit->endpoint ? "keys" : "endpoint", "", "%s", visit->reason);
    char reason [REASON_ROOM];
    error = endpoint_parse (&self->named [FRONT], visit->endpoint, reason);
    if (!error)
        error = endpoint_parse (&self->named [BACK], visit->return_endpoint, reason);
    if (error)
        return fail (self, error, "endpoint", "", "%s", reason);
    for (int i = 0; i < SIDES && !error; i++) {
        self->sides [i] = self->named [i];
        error = check_side (self, &self->named [i]);
    }
    return error;
}

/*  --------------------------------------------------------------------------
    Name, or path */

static const char *
name_of (int side)
{
    return side == FRONT ? "name" : "return name";
}

/*  All addresses of a name, the one that is taken first. */
static void
tell_addresses (const diagnosis_t *self, int side)
{
    const char *name = self->named [side].host, *taken = self->sides [side].host;
    const reach_hosts_t *hosts = &self->hosts [side];
    char others [TEXT_ROOM / 2] = "";
    size_t used = 0;
    for (size_t i = 0; i < hosts->count; i++)
        if (strcmp (hosts->hosts [i], taken) != 0 && used < sizeof others)
            used += (size_t) snprintf (others + used, sizeof others - used, "%s%s", used ? ", " : "", hosts->hosts [i]);
    if (strcmp (name, taken) == 0)
        found (self, name_of (side), "%s is an address", name);
    else
        found (self, name_of (side), "%s -> %s%s%s%s", name, taken, used ? " (also " : "", others, used ? ")" : "");
}

/*  What is wrong with an endpoint, without its name, which who asked has said. */
static const char *
without_name (const char *reason, const endpoint_t *endpoint)
{
    char name [ENDPOINT_ROOM];
    size_t size = strlen (endpoint_text (endpoint, name));
    return strncmp (reason, name, size) == 0 && strncmp (reason + size, ": ", 2) == 0 ? reason + size + 2 : reason;
}

static muster_error_t
resolve (diagnosis_t *self, int side)
{
    char reason [REASON_ROOM];
    muster_error_t error = endpoint_resolve (&self->named [side], &self->sides [side], reason);
    if (error)
        return fail (self, error, name_of (side), "look for a typing error, or give the listener's address", "%s",
            without_name (reason, &self->named [side]));
    reach_hosts (&self->named [side], &self->hosts [side]);
    tell_addresses (self, side);
    return 0;
}

/*  The way back has the same host, as a rule. Only here is a resolver waited for: all else goes by the address. */
static muster_error_t
check_name (diagnosis_t *self, int side)
{
    muster_error_t error = 0;
    if (side == BACK && strcmp (self->named [FRONT].host, self->named [BACK].host) == 0) {
        snprintf (self->sides [BACK].host, sizeof self->sides [BACK].host, "%s", self->sides [FRONT].host);
        self->hosts [BACK] = self->hosts [FRONT];
    }
    else
        error = resolve (self, side);
    if (!error)
        endpoint_text (&self->sides [side], side == FRONT ? self->visit.endpoint : self->visit.return_endpoint);
    return error;
}

static const char *
path_advice (int problem)
{
    switch (problem) {
        case ENOENT: return "start the listener, or look at the path: a relative one counts from where each is started";
        case EACCES: return "this user has to be able to search each directory of the path";
        case ENOTSOCK: return "another program's file has this path: look which path the listener was given";
        default: return "";
    }
}

static muster_error_t
check_path (diagnosis_t *self, int side)
{
    const char *name = side == FRONT ? "path" : "return path";
    char shown [ENDPOINT_ROOM];
    int problem = reach_look (&self->sides [side]);
    log_escape (shown, sizeof shown, self->sides [side].path, strlen (self->sides [side].path));
    if (problem == ENOTSOCK)
        return fail (self, MUSTER_ENDPOINT, name, path_advice (problem), "%s is no socket", shown);
    if (problem)
        return fail (self, problem == EACCES ? MUSTER_ACCESS : MUSTER_TIMEOUT, name, path_advice (problem),
            "%s: %s", shown, problem_text (problem));
    found (self, name, "%s is %s", shown, endpoint_is_abstract (&self->sides [side]) ? "an abstract name" : "a socket");
    return 0;
}

static muster_error_t
check_places (diagnosis_t *self)
{
    muster_error_t error = 0;
    for (int side = FRONT; side < SIDES && !error; side++)
        error = is_ipc (self, side) ? check_path (self, side) : check_name (self, side);
    return error;
}

/*  --------------------------------------------------------------------------
    Ports, or sockets */

/*  Until both are there, or it is known that one is not. */
static muster_error_t
await_ports (diagnosis_t *self)
{
    visit_t *visit = &self->visit;
    self->ports_until = monotonic_deadline (self->timeout_ms);
    muster_error_t error = visit_connect (visit);
    if (error)
        return error;
    while (!self->refused && visit->again_at == INT64_MAX && !self->timed_out) {
        visit_wait (visit, self->ports_until);
        self->refused = visit_heed (visit);
        if (connection_reached (visit->connection, FRONT) && connection_reached (visit->connection, BACK))
            return 0;
        self->timed_out = visit->now >= self->ports_until;
    }
    return 0;
}

/*  What both ports have left of their time; less than 0 for no limit. */
static int
ports_left_ms (const diagnosis_t *self)
{
    int64_t left = self->ports_until - monotonic_ms ();
    return self->timeout_ms < 0 ? -1 : left > 0 ? (int) left : 0;
}

static const char *
side_name (const diagnosis_t *self, int side)
{
    static const char *const names [2][SIDES] = { { "port", "return port" }, { "socket", "return socket" } };
    return names [is_ipc (self, side)][side];
}

/*  What the side is called in a sentence. */
static const char *
side_text (const diagnosis_t *self, int side, char text [ENDPOINT_ROOM])
{
    const endpoint_t *endpoint = &self->sides [side];
    if (is_ipc (self, side))
        log_escape (text, ENDPOINT_ROOM, endpoint->path, strlen (endpoint->path));
    else
        snprintf (text, ENDPOINT_ROOM, "port %u of %s", endpoint->port, endpoint->host);
    return text;
}

/*  The name may have another address, at which somebody listens. */
static bool
is_open_elsewhere (const diagnosis_t *self, int side, char *host, size_t room)
{
    const reach_hosts_t *hosts = &self->hosts [side];
    if (is_ipc (self, side))
        return false;
    for (size_t i = 0; i < hosts->count; i++) {
        endpoint_t other = self->sides [side];
        snprintf (other.host, sizeof other.host, "%s", hosts->hosts [i]);
        snprintf (host, room, "%s", hosts->hosts [i]);
        if (strcmp (other.host, self->sides [side].host) != 0
            && reach_try (&other, ELSEWHERE_MS / (int) hosts->count) == 0)
            return true;
    }
    return false;
}

static const char *
port_advice (const diagnosis_t *self, int side, int problem)
{
    switch (problem) {
        case ECONNREFUSED:
            if (side == BACK)
                return is_ipc (self, side) ? "is it a muster listener? A worker needs both sockets"
                    : "open this port, too: a worker needs both; or is it no muster listener that has the first?";
            return is_ipc (self, side) ? "start the listener: one that was killed leaves its file behind"
                : "start the listener, or look which address it has bound: one on 127.0.0.1 is for its own host alone";
        case ETIMEDOUT:
            return is_ipc (self, side) ? "the listener hangs, or is very busy"
                : "a firewall? Both ports have to be let through; or the address leads nowhere";
        case EACCES:
        case EPERM:
            return is_ipc (self, side) ? "this user has to be able to write the socket's file: chmod, or run both as one user"
                : "a firewall of this host forbids it";
        default:
            return "look at the way to the listener's host, and whether this is its address";
    }
}

static muster_error_t
complain_port (diagnosis_t *self, int side, int problem)
{
    char where [ENDPOINT_ROOM], host [64], advice [TEXT_ROOM], limit [WITHIN_ROOM];
    const char *name = side_name (self, side);
    const char *usual = port_advice (self, side, problem);
    snprintf (advice, sizeof advice, "%s", usual);
    if (is_open_elsewhere (self, side, host, sizeof host))
        snprintf (advice, sizeof advice,
            "it is open at %s, another address of this name: give that one, since muster takes the first IPv4 one", host);
    side_text (self, side, where);
    if (problem == ETIMEDOUT)
        return fail (self, MUSTER_TIMEOUT, name, advice, "%.400s does not answer%s", where, within (self, limit));
    if (problem == ECONNREFUSED)
        return fail (self, MUSTER_TIMEOUT, name, advice, "nobody listens on %.400s", where);
    return fail (self, problem == EACCES ? MUSTER_ACCESS : MUSTER_TIMEOUT, name, advice,
        "%.400s: %s", where, problem_text (problem));
}

static muster_error_t
check_port (diagnosis_t *self, int side)
{
    char where [ENDPOINT_ROOM];
    bool reached = connection_reached (self->visit.connection, side);
    int problem = reached ? 0 : self->timed_out ? ETIMEDOUT : reach_try (&self->sides [side], ports_left_ms (self));
    if (problem == EAGAIN)
        problem = ETIMEDOUT;
    if (problem)
        return complain_port (self, side, problem);
    found (self, side_name (self, side), "%.400s is open", side_text (self, side, where));
    return 0;
}

static muster_error_t
check_ports (diagnosis_t *self)
{
    muster_error_t error = await_ports (self);
    if (error)
        return fail (self, error, side_name (self, FRONT), "", "%s", self->visit.reason);
    error = check_port (self, FRONT);
    return error ? error : check_port (self, BACK);
}

/*  --------------------------------------------------------------------------
    Handshake */

/*  Another attempt each time one fails: the listener may be busy, and a probe is to come. */
static muster_error_t
shake_hands (diagnosis_t *self)
{
    visit_t *visit = &self->visit;
    int64_t deadline = monotonic_deadline (self->timeout_ms);
    muster_error_t error = self->refused;
    while (!error && !visit->up && visit->now < deadline && visit->shut_out < SHUT_OUT_ENOUGH) {
        if (visit->now >= visit->again_at)
            error = visit_connect (visit);
        else
            visit_wait (visit, visit->again_at < deadline ? visit->again_at : deadline);
        if (!error)
            error = visit_heed (visit);
    }
    return error;
}

/*  A reason of the connection says what to do behind its colon. */
static muster_error_t
complain_refusal (const diagnosis_t *self, const char *name)
{
    char text [TEXT_ROOM];
    snprintf (text, sizeof text, "%s", connection_reason (self->visit.connection));
    char *colon = strstr (text, ": ");
    if (colon)
        *colon = 0;
    return fail (self, MUSTER_ACCESS, name, colon ? colon + 2 : "", "%s", text);
}

static muster_error_t
check_handshake (diagnosis_t *self)
{
    static const char name [] = "handshake";
    char limit [WITHIN_ROOM];
    visit_t *visit = &self->visit;
    muster_error_t error = shake_hands (self);
    if (error == MUSTER_ACCESS)
        return complain_refusal (self, name);
    if (error)
        return fail (self, error, name, "", "%s", visit->reason);
    if (!visit->up && visit->shut_out >= SHUT_OUT_ENOUGH)
        return fail (self, MUSTER_TIMEOUT, name,
            "is that a muster listener? Another program may have the port; one that is about to stop does this, too",
            "who listens there hangs up in the handshake");
    if (!visit->up)
        return fail (self, MUSTER_TIMEOUT, name,
            "is that a muster listener? Another program may have the port, or the listener hangs",
            "who listens there says nothing that is ZeroMQ's%s", within (self, limit));
    found (self, name, "%s", visit->keyed ? "CURVE, the key is enrolled" : "without keys");
    return 0;
}

/*  --------------------------------------------------------------------------
    Questions */

static muster_error_t
complain_answer (const diagnosis_t *self, muster_error_t error, const char *name)
{
    char limit [WITHIN_ROOM];
    switch (error) {
        case MUSTER_TIMEOUT:
            return fail (self, error, name, "is that a muster listener? One that hangs does this, too",
                "who listens there shakes hands and does not answer%s", within (self, limit));
        case MUSTER_LOST:
            return fail (self, error, name, "try again: the listener may have stopped", "the connection broke");
        default:
            return fail (self, error, name, "", "%s", muster_error_text (error));
    }
}

static muster_error_t
check_protocol (diagnosis_t *self)
{
    static const char name [] = "protocol";
    char text [40];
    answer_t answer;
    muster_error_t error = questions_ask (&self->visit, self->timeout_ms, &answer);
    if (error)
        return complain_answer (self, error, name);
    if (answer.version != PROTOCOL_VERSION)
        return fail (self, MUSTER_VERSION, name, "install the same muster on both sides",
            "the listener speaks version %u, this is version %u", answer.version, PROTOCOL_VERSION);
    if (answer.error == MUSTER_CLOSED)
        return fail (self, MUSTER_CLOSED, name, "start it again, or wait until it is back", "the listener is about to stop");
    if (answer.error != MUSTER_VERSION)
        return fail (self, answer.error ? answer.error : MUSTER_ACCESS, name, "", "the listener says: %s", answer.text);
    snprintf (text, sizeof text, "version %u", answer.version);
    measured (self, name, answer.version, text, "");
    return 0;
}

static const char *
duration (double ms, char text [24])
{
    if (ms < 10000)
        snprintf (text, 24, "%.*f ms", ms < 1 ? 2 : ms < 100 ? 1 : 0, ms);
    else
        snprintf (text, 24, "%.1f s", ms / 1000);
    return text;
}

static muster_error_t
check_round_trip (diagnosis_t *self)
{
    static const char name [] = "round trip";
    char text [64], time [24];
    muster_error_t error = questions_round_trips (&self->visit, self->timeout_ms, &self->trips);
    if (error)
        return complain_answer (self, error, name);
    snprintf (text, sizeof text, "%s (median of %d)", duration (self->trips.median_ms, time), QUESTIONS_ROUND_TRIPS);
    measured (self, name, self->trips.median_ms / 1000, text, "");
    return 0;
}

static muster_error_t
check_throughput (diagnosis_t *self)
{
    static const char name [] = "throughput";
    char text [80];
    double rate;
    muster_error_t error = questions_flood (&self->visit, self->timeout_ms, &rate);
    if (error)
        return complain_answer (self, error, name);
    snprintf (text, sizeof text, "%.*f MB/s to the listener, by the connection for control", rate < 1e7 ? 2 : 0, rate / 1e6);
    measured (self, name, rate, text, "");
    return 0;
}

static muster_error_t
check_clock (diagnosis_t *self)
{
    static const char name [] = "clock";
    char text [120], apart [24], about [24];
    const round_trips_t *trips = &self->trips;
    double by = fabs (trips->ahead_ms), unsure = trips->best_ms / 2 + 1;
    if (!trips->has_clock) {
        found (self, name, "unknown: the listener is an older one and does not tell");
        return 0;
    }
    if (by <= unsure)
        snprintf (text, sizeof text, "the listener's clock shows the same, within %s", duration (unsure, about));
    else
        snprintf (text, sizeof text, "the listener's clock is %s %s (give or take %s)",
            duration (by, apart), trips->ahead_ms > 0 ? "ahead" : "behind", duration (unsure, about));
    measured (self, name, trips->ahead_ms / 1000, text,
        by > CLOCK_REMARK_MS ? "set both hosts' clocks (NTP): muster does not mind, times in logs do not match" : "");
    return 0;
}

/*  --------------------------------------------------------------------------
    All of it */

static muster_error_t
diagnose (diagnosis_t *self)
{
    static muster_error_t (*const steps []) (diagnosis_t *) = {
        check_places, check_ports, check_handshake, check_protocol, check_round_trip, check_throughput, check_clock };
    muster_error_t error = 0;
    for (size_t i = 0; i < sizeof steps / sizeof steps [0] && !error; i++)
        error = (*steps [i]) (self);
    return error;
}

muster_error_t
muster_diagnose (const char *endpoint, const char *return_endpoint,
    const char *key, const char *server, int timeout_ms, muster_step_fn *fn, void *arg)
{
    if (!endpoint || !fn)
        return MUSTER_INVAL;
    diagnosis_t self = { .timeout_ms = timeout_ms, .fn = fn, .arg = arg };
    muster_error_t error = check_arguments (&self, endpoint, return_endpoint, key, server);
    if (!error)
        error = diagnose (&self);
    visit_end (&self.visit);
    return error;
}
