/*  listener_options.c - a listener's options

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/listener.h>

#include <stdio.h>

#include "actor/listener.h"
#include "base/alloc.h"

#define KIB ((uint64_t) 1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/*  Longest option of time, in seconds: beyond it a sum of times may overflow. */
#define SECONDS_MOST 1e9

void
listener_options_init (listener_options_t *options)
{
    *options = (listener_options_t) { 0 };
    options->frame_limit = 64 * MIB;
    options->receive_budget = 2 * GIB;
    options->plain_share = UINT64_MAX;
    options->credit_floor = 64 * KIB;
    options->command_buffer = 64 * MIB;
    options->liveness_ms = 10000;
    options->drain_ms = 10000;
    options->no_progress_ms = 30000;
    options->retention_ms = 3600000;
    options->retained_sessions = 10000;
}

static void
set_text (muster_listener_t *self, char **option, const char *text)
{
    if (!alloc_option (option, text))
        self->core.options.lost = true;
}

static int64_t
to_ms (double seconds)
{
    return seconds >= 0 && seconds <= SECONDS_MOST ? (int64_t) (seconds * 1000) : -1;
}

void
muster_listener_set_return_endpoint (muster_listener_t *self, const char *endpoint)
{
    set_text (self, &self->core.options.return_endpoint, endpoint);
}

void
muster_listener_set_advertise (muster_listener_t *self, const char *host)
{
    set_text (self, &self->core.options.advertise, host);
}

void
muster_listener_set_key (muster_listener_t *self, const char *file)
{
    set_text (self, &self->core.options.key_file, file);
}

void
muster_listener_set_allow (muster_listener_t *self, const char *file)
{
    set_text (self, &self->core.options.allow_file, file);
}

void
muster_listener_set_insecure (muster_listener_t *self, bool insecure)
{
    self->core.options.insecure = insecure;
}

void
muster_listener_set_message_limit (muster_listener_t *self, uint64_t bytes)
{
    self->core.options.message_limit = bytes;
}

void
muster_listener_set_frame_limit (muster_listener_t *self, uint64_t bytes)
{
    self->core.options.frame_limit = bytes;
}

void
muster_listener_set_receive_budget (muster_listener_t *self, uint64_t bytes)
{
    self->core.options.receive_budget = bytes;
}

void
muster_listener_set_plain_share (muster_listener_t *self, uint64_t bytes)
{
    self->core.options.plain_share = bytes;
}

void
muster_listener_set_credit_floor (muster_listener_t *self, uint64_t bytes)
{
    self->core.options.credit_floor = bytes;
}

void
muster_listener_set_command_buffer (muster_listener_t *self, uint64_t bytes)
{
    self->core.options.command_buffer = bytes;
}

void
muster_listener_set_liveness (muster_listener_t *self, double seconds)
{
    self->core.options.liveness_ms = to_ms (seconds);
}

void
muster_listener_set_drain (muster_listener_t *self, double seconds)
{
    roster_lock (&self->core.roster);
    self->core.options.drain_ms = to_ms (seconds);
    roster_unlock (&self->core.roster);
    if (!listener_is_foreign (self))
        wake_call (self->core.wake);
}

void
muster_listener_set_no_progress (muster_listener_t *self, double seconds)
{
    self->core.options.no_progress_ms = to_ms (seconds);
}

void
muster_listener_set_retention (muster_listener_t *self, double seconds)
{
    self->core.options.retention_ms = to_ms (seconds);
}

void
muster_listener_set_retained_sessions (muster_listener_t *self, size_t sessions)
{
    self->core.options.retained_sessions = sessions;
}

void
muster_listener_set_dispatch_hook (muster_listener_t *self, muster_dispatch_hook_fn *hook, void *arg)
{
    self->core.options.hook = hook;
    self->core.options.hook_arg = arg;
}

void
muster_listener_set_progress (muster_listener_t *self, muster_progress_fn *fn, void *arg)
{
    self->core.options.progress = (progress_hook_t) { .fn = fn, .arg = arg };
}

static muster_error_t
refuse_option (char *reason, const char *text)
{
    snprintf (reason, REASON_ROOM, "%s", text);
    return MUSTER_INVAL;
}

/*  The limits in force: what was not set follows from the budget. */
muster_error_t
listener_options_settle (muster_listener_t *self, listener_options_t *limits)
{
    *limits = self->core.options;
    uint64_t budget = limits->receive_budget;
    if (limits->lost) {
        snprintf (self->reason, REASON_ROOM, "out of memory when an option was set");
        return MUSTER_NOMEM;
    }
    if (!limits->key_file != !limits->allow_file)
        return refuse_option (self->reason, limits->key_file
            ? "a key needs an allow list, of who may come in: give allow"
            : "an allow list needs the listener's own key: give key");
    if (limits->liveness_ms < 40)
        return refuse_option (self->reason, "liveness must be from 0.04 to 1e9 seconds");
    if (limits->drain_ms < 0 || limits->no_progress_ms < 0 || limits->retention_ms < 0)
        return refuse_option (self->reason, "drain, no_progress and retention must be from 0 to 1e9 seconds");
    if (budget == 0 || budget > INT64_MAX)
        return refuse_option (self->reason, "receive_budget must be from 1 to 2^63 - 1 bytes");
    if (limits->frame_limit == 0 || limits->frame_limit > INT64_MAX)
        return refuse_option (self->reason, "frame_limit must be from 1 to 2^63 - 1 bytes");
    if (limits->message_limit == 0)
        limits->message_limit = budget / 2 < GIB ? budget / 2 : GIB;
    if (limits->plain_share == UINT64_MAX)
        limits->plain_share = budget / 4;
    if (limits->message_limit > UINT32_MAX)
        return refuse_option (self->reason, "message_limit must be under 4 GiB");
    if (limits->credit_floor == 0 || limits->plain_share > budget
        || limits->credit_floor > budget - limits->plain_share
        || limits->message_limit > budget - limits->plain_share - limits->credit_floor)
        return refuse_option (self->reason,
            "message_limit, plain_share and one credit_floor together must fit into receive_budget");
    return 0;
}
