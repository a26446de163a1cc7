/*  worker_options.c - a worker's options

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/worker.h>

#include <stdio.h>

#include "actor/worker.h"
#include "base/alloc.h"

#define MIB ((uint64_t) 1024 * 1024)

/*  Longest option of time, in seconds: beyond it a sum of times may overflow. */
#define SECONDS_MOST 1e9

void
worker_options_init (worker_options_t *options)
{
    options->send_buffer = 64 * MIB;
    options->command_buffer = 64 * MIB;
    options->liveness_ms = 10000;
    options->drain_ms = 10000;
    options->no_progress_ms = 30000;
}

static int64_t
to_ms (double seconds)
{
    return seconds >= 0 && seconds <= SECONDS_MOST ? (int64_t) (seconds * 1000) : -1;
}

static void
set_text (muster_worker_t *self, char **option, const char *text)
{
    if (!alloc_option (option, text))
        self->core.options.lost = true;
}

void
muster_worker_set_return_endpoint (muster_worker_t *self, const char *endpoint)
{
    set_text (self, &self->core.options.return_endpoint, endpoint);
}

void
muster_worker_set_key (muster_worker_t *self, const char *file)
{
    set_text (self, &self->core.options.key_file, file);
}

void
muster_worker_set_server (muster_worker_t *self, const char *file)
{
    set_text (self, &self->core.options.server_file, file);
}

void
muster_worker_set_send_buffer (muster_worker_t *self, uint64_t bytes)
{
    self->core.options.send_buffer = bytes;
}

void
muster_worker_set_command_buffer (muster_worker_t *self, uint64_t bytes)
{
    self->core.options.command_buffer = bytes;
}

void
muster_worker_set_liveness (muster_worker_t *self, double seconds)
{
    self->core.options.liveness_ms = to_ms (seconds);
}

void
muster_worker_set_drain (muster_worker_t *self, double seconds)
{
    self->core.options.drain_ms = to_ms (seconds);
}

void
muster_worker_set_no_progress (muster_worker_t *self, double seconds)
{
    self->core.options.no_progress_ms = to_ms (seconds);
}

void
muster_worker_set_progress (muster_worker_t *self, muster_progress_fn *fn, void *arg)
{
    self->core.options.progress = (progress_hook_t) { .fn = fn, .arg = arg };
}

/*  Does it stand for any port, path or address, which only a listener can take? */
static bool
is_open (const endpoint_t *endpoint)
{
    return endpoint->wildcard || endpoint_is_any (endpoint);
}

static muster_error_t
set_endpoints (muster_worker_t *self)
{
    worker_core_t *core = &self->core;
    endpoint_t data, back;
    muster_error_t error = endpoint_parse (&data, core->options.endpoint, self->reason);
    if (!error)
        error = core->options.return_endpoint
            ? endpoint_parse (&back, core->options.return_endpoint, self->reason)
            : endpoint_return (&data, &back, self->reason);
    if (!error && (is_open (&data) || is_open (&back))) {
        snprintf (self->reason, sizeof self->reason, "%s: a worker needs the listener's address and port or path, not a wildcard",
            core->options.endpoint);
        error = MUSTER_ENDPOINT;
    }
    if (!error) {
        endpoint_text (&data, core->data_endpoint);
        endpoint_text (&back, core->back_endpoint);
    }
    return error;
}

muster_error_t
worker_options_check (muster_worker_t *self)
{
    const worker_options_t *options = &self->core.options;
    if (self->bad_source)
        return MUSTER_INVAL;
    if (options->lost) {
        snprintf (self->reason, sizeof self->reason, "out of memory when an option was set");
        return MUSTER_NOMEM;
    }
    self->reason [0] = 0;
    const char *text = NULL;
    if (options->liveness_ms < 40)
        text = "liveness must be from 0.04 to 1e9 seconds";
    else
    if (options->drain_ms < 0 || options->no_progress_ms < 0)
        text = "drain and no_progress must be from 0 to 1e9 seconds";
    else
    if (options->send_buffer == 0 || options->send_buffer > INT64_MAX
        || options->command_buffer == 0 || options->command_buffer > INT64_MAX - 2 * WORKER_MESSAGE_LIMIT)
        text = "send_buffer and command_buffer must be at least one byte and under 2^62";
    if (!text)
        return set_endpoints (self);
    snprintf (self->reason, sizeof self->reason, "%s", text);
    return MUSTER_INVAL;
}

muster_error_t
worker_options_load_keys (muster_worker_t *self)
{
    worker_core_t *core = &self->core;
    const worker_options_t *options = &core->options;
    return keyfile_load_client (options->key_file, options->server_file,
        &core->keyed, &core->keys, core->server, self->reason);
}
