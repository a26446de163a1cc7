/*  ask.c - a round: a command to several workers, and their replies

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/ask.h>

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "actor/command.h"
#include "actor/monotonic.h"
#include "actor/patience.h"
#include "actor/round.h"
#include "base/alloc.h"
#include "base/process.h"
#include "wire/scan.h"
#include "wire/writer.h"

#define SECONDS_MOST 1e9

/*  0.1 of 30 is 3, not the 4 that rounding up its nearest double would give. */
#define ROUNDING 1e-9

struct _muster_ask_t {
    muster_listener_t *listener;
    char **sources;             /* named workers; NULL: all that are here */
    size_t sources_count;
    size_t at_least;            /* 0: all */
    double fraction;            /* 0: at_least counts */
    int64_t grace_ms;
    int64_t timeout_ms;         /* -1: never */
    bool sent;
    bool ended;
    int64_t deadline;
    round_t round;              /* guarded by the roster's lock from send on */
};

static roster_t *
roster_of (const muster_ask_t *self)
{
    return (roster_t *) &self->listener->core.roster;
}

static bool
is_foreign (const muster_ask_t *self)
{
    return self->listener->generation != process_generation ();
}

muster_ask_t *
muster_ask_new (muster_listener_t *listener)
{
    if (!listener)
        return NULL;
    muster_ask_t *self = alloc_zero (sizeof *self);
    if (self) {
        self->listener = listener;
        self->timeout_ms = 60000;
    }
    return self;
}

static void
free_sources (muster_ask_t *self)
{
    for (size_t i = 0; i < self->sources_count; i++)
        alloc_free (self->sources [i]);
    alloc_free (self->sources);
    self->sources = NULL;
    self->sources_count = 0;
}

static void
end (muster_ask_t *self)
{
    if (self->sent && !self->ended)
        round_end (&self->round);
    self->ended = true;
}

void
muster_ask_destroy (muster_ask_t **self_p)
{
    if (!self_p || !*self_p)
        return;
    muster_ask_t *self = *self_p;
    *self_p = NULL;
    if (!is_foreign (self)) {
        roster_lock (roster_of (self));
        end (self);
        roster_unlock (roster_of (self));
        alloc_free (self->round.targets);
        free_sources (self);
    }
    alloc_free (self);
}

/*  --------------------------------------------------------------------------
    Options */

static int
compare_names (const void *one, const void *other)
{
    return strcmp (*(char *const *) one, *(char *const *) other);
}

/*  Whoever is named twice is asked once. */
static void
drop_doubles (muster_ask_t *self)
{
    size_t kept = 0;
    qsort (self->sources, self->sources_count, sizeof (char *), compare_names);
    for (size_t i = 0; i < self->sources_count; i++) {
        char *source = self->sources [i];
        if (kept > 0 && strcmp (source, self->sources [kept - 1]) == 0)
            alloc_free (source);
        else
            self->sources [kept++] = source;
    }
    self->sources_count = kept;
}

muster_error_t
muster_ask_set_workers (muster_ask_t *self, const char *const *sources, size_t count)
{
    if (!self || (!sources && count) || self->sent)
        return MUSTER_INVAL;
    free_sources (self);
    self->sources = alloc_zero ((count ? count : 1) * sizeof (char *));
    if (!self->sources)
        return MUSTER_NOMEM;
    for (; self->sources_count < count; self->sources_count++) {
        const char *source = sources [self->sources_count];
        if (!source || !scan_name (source, strlen (source)))
            return MUSTER_INVAL;
        char *copy = alloc_text (source);
        if (!copy)
            return MUSTER_NOMEM;
        self->sources [self->sources_count] = copy;
    }
    drop_doubles (self);
    return 0;
}

void
muster_ask_set_at_least (muster_ask_t *self, size_t replies)
{
    self->at_least = replies;
    self->fraction = 0;
}

void
muster_ask_set_at_least_fraction (muster_ask_t *self, double fraction)
{
    self->at_least = 0;
    self->fraction = fraction > 0 && fraction <= 1 ? fraction : 1;
}

static int64_t
to_ms (double seconds)
{
    return (int64_t) ((seconds < SECONDS_MOST ? seconds : SECONDS_MOST) * 1000);
}

void
muster_ask_set_grace (muster_ask_t *self, double seconds)
{
    self->grace_ms = seconds > 0 ? to_ms (seconds) : 0;
}

void
muster_ask_set_timeout (muster_ask_t *self, double seconds)
{
    self->timeout_ms = seconds >= 0 ? to_ms (seconds) : -1;
}

/*  --------------------------------------------------------------------------
    Sending. With the roster's lock. */

static muster_error_t
name_all_present (muster_ask_t *self)
{
    roster_t *roster = roster_of (self);
    if (round_init (&self->round, roster, self->listener->core.inbox, roster->present))
        return MUSTER_NOMEM;
    size_t index = 0;
    const peer_t *peer;
    DL_FOREACH2 (roster->heard, peer, heard_next)
        memcpy (self->round.targets [index++].source, peer->session.source, sizeof peer->session.source);
    return 0;
}

static muster_error_t
name_targets (muster_ask_t *self)
{
    if (!self->sources)
        return name_all_present (self);
    if (round_init (&self->round, roster_of (self), self->listener->core.inbox, self->sources_count))
        return MUSTER_NOMEM;
    for (size_t i = 0; i < self->sources_count; i++)
        strcpy (self->round.targets [i].source, self->sources [i]);     /* its length was checked */
    return 0;
}

static void
send_to (muster_ask_t *self, round_target_t *target, const blob_part_t *message)
{
    roster_t *roster = roster_of (self);
    uint64_t position;
    peer_t *peer = roster_find_present (roster, target->source);
    if (!peer) {
        target->why = MUSTER_NOTFOUND;
        return;
    }
    target->why = roster_command (roster, peer, message, true, &position);
    if (!target->why)
        round_expect (&self->round, target, peer, position);
}

static size_t
enough (const muster_ask_t *self)
{
    size_t asked = self->round.count;
    if (self->fraction > 0) {
        double exact = self->fraction * (double) asked - ROUNDING;
        size_t whole = exact > 0 ? (size_t) exact : 0;
        return (double) whole < exact ? whole + 1 : whole;
    }
    return self->at_least && self->at_least < asked ? self->at_least : asked;
}

static muster_error_t
send_all (muster_ask_t *self, const blob_part_t *message)
{
    if (!roster_of (self)->open)
        return MUSTER_CLOSED;
    muster_error_t error = name_targets (self);
    if (error)
        return error;
    self->sent = true;
    self->deadline = monotonic_deadline (self->timeout_ms);
    self->round.enough = enough (self);
    for (size_t i = 0; i < self->round.count; i++)
        send_to (self, &self->round.targets [i], message);
    return 0;
}

static muster_error_t
send_command (muster_ask_t *self, command_t *command)
{
    if (self->sent)
        return MUSTER_BUSY;
    command->kind = MESSAGE_KIND_ASKED;
    blob_part_t message;
    muster_error_t error = command_check (command, self->listener);
    if (!error)
        error = command_encode (command, &message);
    if (error)
        return error;
    roster_lock (roster_of (self));
    error = send_all (self, &message);
    roster_unlock (roster_of (self));
    blob_release (&message.blob);
    if (!error && command->data.writer)
        writer_sent (command->data.writer);
    return error;
}

muster_error_t
muster_ask_send_raw (muster_ask_t *self, const char *cmd, const void *bytes, size_t size)
{
    if (!self || !cmd || !bytes)
        return MUSTER_INVAL;
    if (is_foreign (self))
        return MUSTER_FORKED;
    return send_command (self, &(command_t) { .cmd = cmd, .data = { .bytes = bytes, .size = size } });
}

muster_error_t
muster_ask_send_writer (muster_ask_t *self, const char *cmd, muster_writer_t *data)
{
    if (!self || !cmd || !data)
        return MUSTER_INVAL;
    if (is_foreign (self))
        return MUSTER_FORKED;
    command_t command = { .cmd = cmd };
    muster_error_t error = writer_packed (data, &command.data);
    return error ? error : send_command (self, &command);
}

muster_error_t
muster_ask_send (muster_ask_t *self, const char *cmd, const char *picture, ...)
{
    if (!self || !cmd)
        return MUSTER_INVAL;
    va_list arguments;
    va_start (arguments, picture);
    muster_writer_t *data = NULL;
    command_t command = { .cmd = cmd };
    muster_error_t error = is_foreign (self) ? MUSTER_FORKED : command_pack (&command, &data, picture, arguments);
    if (!error)
        error = send_command (self, &command);
    muster_writer_destroy (&data);
    va_end (arguments);
    return error;
}

/*  --------------------------------------------------------------------------
    Replies */

/*  When the round ends, whatever comes: now, at the timeout, or with the grace. */
static int64_t
end_of (muster_ask_t *self)
{
    if (self->round.hopeful == 0)
        return 0;
    if (self->round.replied < self->round.enough)
        return self->deadline;
    int64_t graceful = self->round.enough_at + self->grace_ms;
    return graceful < self->deadline ? graceful : self->deadline;
}

static muster_error_t
wait_for_reply (muster_ask_t *self, muster_message_t **reply, int64_t deadline)
{
    roster_t *roster = roster_of (self);
    while (!round_take (&self->round, reply)) {
        if (self->ended)
            return MUSTER_END;
        if (!roster->open && self->listener->core.phase != LISTENER_DRAINING)
            return MUSTER_CLOSED;
        int64_t until = end_of (self);
        if (until <= monotonic_ms ()) {
            end (self);
            return MUSTER_END;
        }
        if (deadline <= monotonic_ms ())
            return MUSTER_TIMEOUT;
        muster_error_t error = patience_wait (&roster->changed, &roster->lock, until < deadline ? until : deadline);
        if (error == MUSTER_INTERRUPTED)
            return error;
    }
    return *reply ? 0 : MUSTER_NOMEM;
}

muster_error_t
muster_ask_next_within (muster_ask_t *self, muster_message_t **reply, int timeout_ms)
{
    if (!self || !reply || !self->sent)
        return MUSTER_INVAL;
    *reply = NULL;
    if (is_foreign (self))
        return MUSTER_FORKED;
    roster_lock (roster_of (self));
    muster_error_t error = wait_for_reply (self, reply, monotonic_deadline (timeout_ms));
    roster_unlock (roster_of (self));
    return error;
}

muster_error_t
muster_ask_next (muster_ask_t *self, muster_message_t **reply)
{
    return muster_ask_next_within (self, reply, -1);
}

size_t
muster_ask_asked (const muster_ask_t *self)
{
    return self ? self->round.count : 0;
}

size_t
muster_ask_replied (const muster_ask_t *self)
{
    if (!self || is_foreign (self))
        return 0;
    roster_lock (roster_of (self));
    size_t replied = self->round.replied;
    roster_unlock (roster_of (self));
    return replied;
}

muster_error_t
muster_ask_missing (const muster_ask_t *self, size_t index, const char **source, muster_error_t *why)
{
    if (!self)
        return MUSTER_INVAL;
    if (is_foreign (self))
        return MUSTER_FORKED;
    muster_error_t error = MUSTER_END;
    roster_lock (roster_of (self));
    for (size_t i = 0; i < self->round.count && error; i++) {
        const round_target_t *target = &self->round.targets [i];
        if (target->replied || index-- > 0)
            continue;
        if (source)
            *source = target->source;
        if (why)
            *why = target->why;
        error = 0;
    }
    roster_unlock (roster_of (self));
    return error;
}
