/*  dispatch.c - the thread that calls handlers

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/dispatch.h"

#include <stdio.h>

#include "actor/guest.h"
#include "actor/monotonic.h"
#include "actor/patience.h"
#include "base/alloc.h"

struct dispatch {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ended;                 /* guarded by lock */
    listener_core_t *core;
    muster_dispatch_hook_fn *hook;  /* NULL: nobody to tell */
    void *hook_arg;
    bool resumed;               /* told so last */
    bool entered;               /* the next two are those of the message before */
    registry_entry_t entry;
    char source [MUSTER_NAME_MAX + 1];
    log_limit_t unhandled_log;
    log_limit_t failed_log;
};

/*  --------------------------------------------------------------------------
    Handling one message */

static void
log_message (log_limit_t *limit, const char *what, const muster_message_t *message)
{
    char source [LOG_VALUE_ROOM], cmd [LOG_VALUE_ROOM];
    uint64_t lines = log_allow (limit, monotonic_ms ());
    if (!lines)
        return;
    log_write (LOG_LISTENER, MUSTER_LOG_WARNING, "%s: source=%s cmd=%s count=%llu", what,
        log_value (source, sizeof source, message->source), log_value (cmd, sizeof cmd, message->cmd),
        (unsigned long long) lines);
}

static void
count_unhandled (listener_core_t *core)
{
    roster_lock (&core->roster);
    core->unhandled++;
    roster_unlock (&core->roster);
}

static void
leave (dispatch_t *self)
{
    if (self->entered)
        registry_leave (self->core->registry, self->entry);
    self->entered = false;
}

/*  One entering serves all messages of a source that follow each other, until a handler
    changes: whoever changed it waits until the old one is left. */
static void
enter (dispatch_t *self, const muster_message_t *message)
{
    registry_t *registry = self->core->registry;
    if (self->entered && registry_is_current (registry, &self->entry)
        && (message->same_source || strcmp (self->source, message->source) == 0))
        return;
    leave (self);
    self->entry = registry_enter (registry, message->source);
    self->entered = true;
    strcpy (self->source, message->source);
}

/*  Returns whether it failed. */
static bool
handle_message (dispatch_t *self, const muster_message_t *message)
{
    enter (self, message);
    if (!self->entry.handler) {
        log_message (&self->unhandled_log, "no handler", message);
        count_unhandled (self->core);
        return false;
    }
    bool failed = self->entry.handler (message, self->entry.arg) != 0;
    if (failed)
        log_message (&self->failed_log, "handler failed", message);
    return failed;
}

static void
log_event (const muster_message_t *message)
{
    const char *source = "", *reason = "";
    int others = 0;
    char source_text [LOG_VALUE_ROOM], reason_text [LOG_VALUE_ROOM];
    muster_message_unpack (message, "{s?s}", "source", &source);
    muster_message_unpack (message, "{s?s}", "reason", &reason);
    muster_message_unpack (message, "{s?b}", "others", &others);
    log_write (LOG_LISTENER, MUSTER_LOG_INFO, "%s source=%s%s%s%s", message->cmd,
        log_value (source_text, sizeof source_text, source), *reason ? " reason=" : "",
        *reason ? log_value (reason_text, sizeof reason_text, reason) : "", others ? " others=true" : "");
}

static void
handle_event (listener_core_t *core, const muster_message_t *message)
{
    registry_entry_t entry = registry_enter_system (core->registry);
    if (entry.handler) {
        if (entry.handler (message, entry.arg))
            log_write (LOG_LISTENER, MUSTER_LOG_WARNING, "system handler failed: cmd=%s", message->cmd);
    }
    else
        log_event (message);
    registry_leave (core->registry, entry);
}

void
dispatch_event (listener_core_t *core, muster_message_t **message)
{
    handle_event (core, *message);
    inbox_done (message, false);
}

/*  --------------------------------------------------------------------------
    The thread */

static void
set_resumed (dispatch_t *self, bool resumed)
{
    if (resumed == self->resumed)
        return;
    self->resumed = resumed;
    if (self->hook)
        self->hook (resumed ? MUSTER_DISPATCH_RESUME : MUSTER_DISPATCH_PAUSE, self->hook_arg);
}

/*  Whoever wants to be told of pauses is told of those that are some, not between
    messages that wait already. */
static muster_error_t
take (dispatch_t *self, muster_message_t **message, bool failed, bool *event)
{
    inbox_t *inbox = self->core->inbox;
    muster_error_t error = inbox_exchange (inbox, message, failed, event);
    if (error || *event)
        leave (self);
    if (error)
        set_resumed (self, false);
    if (error == MUSTER_TIMEOUT)
        error = inbox_take (inbox, INBOX_DISPATCH, INT64_MAX, message, event);
    if (!error)
        set_resumed (self, true);
    return error;
}

static void
set_ended (dispatch_t *self)
{
    pthread_mutex_lock (&self->lock);
    self->ended = true;
    pthread_cond_broadcast (&self->changed);
    pthread_mutex_unlock (&self->lock);
}

static void *
run (void *argument)
{
    dispatch_t *self = argument;
    muster_message_t *message = NULL;
    bool event, failed = false;
    muster_error_t error;
    while ((error = take (self, &message, failed, &event)) != MUSTER_CLOSED) {
        failed = false;
        if (error)
            sched_yield ();     /* out of memory: others may free some */
        else
        if (event)
            handle_event (self->core, message);
        else
            failed = handle_message (self, message);
    }
    if (self->hook)
        self->hook (MUSTER_DISPATCH_END, self->hook_arg);
    set_ended (self);
    return NULL;
}

muster_error_t
dispatch_new (dispatch_t **self_p, listener_core_t *core)
{
    dispatch_t *self = alloc_zero (sizeof *self);
    if (!self)
        return MUSTER_NOMEM;
    self->core = core;
    self->hook = core->limits.hook;
    self->hook_arg = core->limits.hook_arg;
    pthread_mutex_init (&self->lock, NULL);
    monotonic_cond_init (&self->changed);
    sigset_t before;
    guest_block_signals (&before);
    int rc = pthread_create (&self->thread, NULL, run, self);
    guest_restore_signals (&before);
    if (rc) {
        pthread_cond_destroy (&self->changed);
        pthread_mutex_destroy (&self->lock);
        alloc_free (self);
        return MUSTER_RESOURCE;
    }
    *self_p = self;
    return 0;
}

muster_error_t
dispatch_wait (dispatch_t *self, int64_t deadline_ms)
{
    muster_error_t error = 0;
    pthread_mutex_lock (&self->lock);
    while (!self->ended && !error)
        error = patience_wait (&self->changed, &self->lock, deadline_ms);
    if (self->ended)
        error = 0;
    pthread_mutex_unlock (&self->lock);
    return error;
}

void
dispatch_destroy (dispatch_t **self_p)
{
    dispatch_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    pthread_join (self->thread, NULL);
    pthread_cond_destroy (&self->changed);
    pthread_mutex_destroy (&self->lock);
    alloc_free (self);
}
