/*  listener_workers.c - a listener's workers: who is here, and commands to them

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/listener.h>

#include <stdarg.h>
#include <string.h>

#include <utlist.h>

#include "actor/command.h"
#include "actor/listener.h"
#include "actor/monotonic.h"
#include "actor/names.h"
#include "actor/patience.h"
#include "base/alloc.h"
#include "wire/writer.h"

/*  --------------------------------------------------------------------------
    Commands */

muster_error_t
muster_listener_send_raw (
    muster_listener_t *self, const char *source, const char *cmd, const void *bytes, size_t size)
{
    if (!self || !source || !cmd || !bytes)
        return MUSTER_INVAL;
    if (listener_is_foreign (self))
        return MUSTER_FORKED;
    return command_send (self, source, &(command_t) { .cmd = cmd, .data = { .bytes = bytes, .size = size } });
}

muster_error_t
muster_listener_send_writer (
    muster_listener_t *self, const char *source, const char *cmd, muster_writer_t *data)
{
    if (!self || !source || !cmd || !data)
        return MUSTER_INVAL;
    if (listener_is_foreign (self))
        return MUSTER_FORKED;
    command_t command = { .cmd = cmd };
    muster_error_t error = writer_packed (data, &command.data);
    return error ? error : command_send (self, source, &command);
}

muster_error_t
muster_listener_send (muster_listener_t *self, const char *source, const char *cmd, const char *picture, ...)
{
    if (!self || !source || !cmd)
        return MUSTER_INVAL;
    va_list arguments;
    va_start (arguments, picture);
    muster_writer_t *data = NULL;
    command_t command = { .cmd = cmd };
    muster_error_t error = listener_is_foreign (self) ? MUSTER_FORKED : command_pack (&command, &data, picture, arguments);
    if (!error)
        error = command_send (self, source, &command);
    muster_writer_destroy (&data);
    va_end (arguments);
    return error;
}

muster_error_t
muster_listener_broadcast_raw (
    muster_listener_t *self, size_t *sent, const char *cmd, const void *bytes, size_t size)
{
    if (!self || !cmd || !bytes)
        return MUSTER_INVAL;
    if (listener_is_foreign (self))
        return MUSTER_FORKED;
    return command_broadcast (self, NULL, sent, &(command_t) { .cmd = cmd, .data = { .bytes = bytes, .size = size } });
}

muster_error_t
muster_listener_broadcast_writer (
    muster_listener_t *self, char ***sources, size_t *sent, const char *cmd, muster_writer_t *data)
{
    if (sources)
        *sources = NULL;
    if (!self || !cmd || !data)
        return MUSTER_INVAL;
    if (listener_is_foreign (self))
        return MUSTER_FORKED;
    command_t command = { .cmd = cmd };
    muster_error_t error = writer_packed (data, &command.data);
    return error ? error : command_broadcast (self, sources, sent, &command);
}

muster_error_t
muster_listener_broadcast (muster_listener_t *self, size_t *sent, const char *cmd, const char *picture, ...)
{
    if (!self || !cmd)
        return MUSTER_INVAL;
    va_list arguments;
    va_start (arguments, picture);
    muster_writer_t *data = NULL;
    command_t command = { .cmd = cmd };
    muster_error_t error = listener_is_foreign (self) ? MUSTER_FORKED : command_pack (&command, &data, picture, arguments);
    if (!error)
        error = command_broadcast (self, NULL, sent, &command);
    muster_writer_destroy (&data);
    va_end (arguments);
    return error;
}

/*  --------------------------------------------------------------------------
    Who is here */

typedef bool (here_fn) (const roster_t *roster, const void *wanted, size_t count);

static bool
are_so_many_here (const roster_t *roster, const void *wanted, size_t count)
{
    (void) wanted;
    return roster->present >= count;
}

static bool
are_these_here (const roster_t *roster, const void *wanted, size_t count)
{
    const char *const *sources = wanted;
    for (size_t i = 0; i < count; i++)
        if (!roster_find_present (roster, sources [i]))
            return false;
    return true;
}

static muster_error_t
wait_until_here (muster_listener_t *self, here_fn *here, const void *wanted, size_t count, int timeout_ms)
{
    if (listener_is_foreign (self))
        return MUSTER_FORKED;
    roster_t *roster = &self->core.roster;
    int64_t deadline = monotonic_deadline (timeout_ms);
    bool inside = registry_inside (self->core.registry);
    muster_error_t error = 0;
    roster_lock (roster);
    while (!error && !here (roster, wanted, count)) {
        if (!roster->open)
            error = MUSTER_CLOSED;
        else
        if (inside)
            error = MUSTER_DEADLOCK;
        else
            error = patience_wait (&roster->changed, &roster->lock, deadline);
        if (error == MUSTER_TIMEOUT && here (roster, wanted, count))
            error = 0;
    }
    roster_unlock (roster);
    return error;
}

muster_error_t
muster_listener_wait_for_workers (muster_listener_t *self, size_t count, int timeout_ms)
{
    return self ? wait_until_here (self, are_so_many_here, NULL, count, timeout_ms) : MUSTER_INVAL;
}

muster_error_t
muster_listener_wait_for_sources (
    muster_listener_t *self, const char *const *sources, size_t count, int timeout_ms)
{
    if (!self || !sources)
        return MUSTER_INVAL;
    for (size_t i = 0; i < count; i++)
        if (!sources [i])
            return MUSTER_INVAL;
    return wait_until_here (self, are_these_here, sources, count, timeout_ms);
}

muster_error_t
muster_listener_workers (muster_listener_t *self, char ***sources, size_t *count)
{
    if (!self || !sources)
        return MUSTER_INVAL;
    if (listener_is_foreign (self))
        return MUSTER_FORKED;
    roster_lock (&self->core.roster);
    names_t names;
    bool enough = names_init (&names, &self->core.roster);
    const peer_t *peer;
    if (enough)
        DL_FOREACH2 (self->core.roster.heard, peer, heard_next)
            names_add (&names, peer);
    roster_unlock (&self->core.roster);
    *sources = names.list;
    if (count)
        *count = names.count;
    return enough ? 0 : MUSTER_NOMEM;
}

void
muster_free (void *memory)
{
    alloc_free (memory);
}
