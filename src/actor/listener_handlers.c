/*  listener_handlers.c - who handles a listener's messages: registered handlers, or whoever takes the next

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/listener.h>

#include "actor/dispatch.h"
#include "actor/listener.h"
#include "actor/monotonic.h"

/*  A handler is registered before it is decided that there are any: no message
    that waited may find none. */
muster_error_t
muster_listener_register_handler (
    muster_listener_t *self, const char *source, muster_handler_fn *handler, void *arg, bool overwrite)
{
    if (!self || !source || !handler)
        return MUSTER_INVAL;
    if (listener_is_foreign (self))
        return MUSTER_FORKED;
    muster_error_t error = inbox_may_decide (self->core.inbox, INBOX_HANDLERS);
    if (!error)
        error = registry_register (self->core.registry, source, handler, arg, overwrite);
    return error ? error : inbox_decide (self->core.inbox, INBOX_HANDLERS);
}

muster_error_t
muster_listener_unregister_handler (muster_listener_t *self, const char *source)
{
    if (!self || !source)
        return MUSTER_INVAL;
    return listener_is_foreign (self) ? MUSTER_FORKED : registry_unregister (self->core.registry, source);
}

muster_error_t
muster_listener_register_default_handler (muster_listener_t *self, muster_handler_fn *handler, void *arg)
{
    if (!self || !handler)
        return MUSTER_INVAL;
    if (listener_is_foreign (self))
        return MUSTER_FORKED;
    muster_error_t error = inbox_may_decide (self->core.inbox, INBOX_HANDLERS);
    if (!error)
        error = registry_set_default (self->core.registry, handler, arg);
    return error ? error : inbox_decide (self->core.inbox, INBOX_HANDLERS);
}

muster_error_t
muster_listener_register_system_handler (muster_listener_t *self, muster_handler_fn *handler, void *arg)
{
    if (!self || !handler)
        return MUSTER_INVAL;
    return listener_is_foreign (self) ? MUSTER_FORKED : registry_set_system (self->core.registry, handler, arg);
}

/*  --------------------------------------------------------------------------
    Taking messages instead */

muster_error_t
muster_listener_next (muster_listener_t *self, muster_message_t **message, int timeout_ms)
{
    if (!self || !message)
        return MUSTER_INVAL;
    *message = NULL;
    if (listener_is_foreign (self))
        return MUSTER_FORKED;
    if (timeout_ms != 0 && registry_inside (self->core.registry))
        return MUSTER_DEADLOCK;
    muster_error_t error = inbox_decide (self->core.inbox, INBOX_CALLERS);
    int64_t deadline = monotonic_deadline (timeout_ms);
    bool event = true;
    while (!error && event) {
        error = inbox_take (self->core.inbox, INBOX_CALLER, deadline, message, &event);
        if (!error && event)
            dispatch_event (&self->core, message);
    }
    return error;
}

muster_error_t
muster_listener_descriptor (muster_listener_t *self, int *descriptor)
{
    if (!self || !descriptor)
        return MUSTER_INVAL;
    if (listener_is_foreign (self))
        return MUSTER_FORKED;
    if (listener_phase (self) == LISTENER_STOPPED)
        return MUSTER_CLOSED;
    muster_error_t error = inbox_decide (self->core.inbox, INBOX_CALLERS);
    if (!error)
        *descriptor = inbox_descriptor (self->core.inbox);
    return error;
}
