/*  listener_core.h - what a listener's facade, its actor and its dispatch thread share

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    source, id and the objects are constant while the listener runs; limits,
    counts, phase and the roster are guarded by the roster's lock; what is said
    to be the actor's is used by its thread only.
*/
#ifndef ACTOR_LISTENER_CORE_H_INCLUDED
#define ACTOR_LISTENER_CORE_H_INCLUDED

#include <stdint.h>

#include <muster/listener.h>

#include "actor/identity.h"
#include "actor/inbox.h"
#include "actor/roster.h"
#include "actor/seats.h"
#include "actor/trace.h"
#include "actor/transfer.h"
#include "base/log.h"
#include "model/allow.h"
#include "model/refusals.h"
#include "model/registry.h"
#include "net/binding.h"

typedef struct {
    char *endpoint;
    char *return_endpoint;
    char *advertise;
    char *key_file;             /* NULL: no keys are asked for */
    char *allow_file;
    bool lost;                  /* there was no memory for one of these: it must not be taken for unset */
    bool insecure;
    uint64_t message_limit;     /* 0: derived */
    uint64_t frame_limit;
    uint64_t receive_budget;
    uint64_t plain_share;       /* UINT64_MAX: derived */
    uint64_t credit_floor;
    uint64_t command_buffer;
    int64_t liveness_ms;
    int64_t drain_ms;
    int64_t no_progress_ms;
    int64_t retention_ms;
    size_t retained_sessions;
    muster_dispatch_hook_fn *hook;
    void *hook_arg;
    progress_hook_t progress;
} listener_options_t;

typedef enum {
    LISTENER_STOPPED,
    LISTENER_RUNNING,
    LISTENER_DRAINING,      /* STOP came: take and handle what is here */
    LISTENER_PARTING,       /* positions and END went out: wait for goodbyes */
    LISTENER_ENDED          /* sockets are closed: the actor waits for its end */
} listener_phase_t;

typedef struct {
    listener_options_t options; /* what the user has set, for the next start; drain holds at once */
    listener_options_t limits;  /* what this start made of them; guarded by the roster's lock */
    char source [UUID_ROOM];
    session_id_t id;
    registry_t *registry;
    inbox_t *inbox;
    wake_t *wake;
    roster_t roster;
    listener_phase_t phase;
    allow_t *allow;             /* who may speak for which source; NULL: no keys are asked for */
    bool revoke_due;            /* it is another: those who may not speak any more are to go */
    refusals_t refusals;
    uint64_t refused [MUSTER_REFUSAL_COUNT];
    uint64_t stale, gaps, duplicates, disconnects, unhandled;
    uint64_t dropped;           /* in all */
    uint64_t dropped_last;      /* by the last stop */

    /*  The actor's */
    void *context;
    binding_t *binding;
    muster_writer_t *writer;
    int64_t now;                /* read once for each burst */
    int64_t drain_since;        /* the limit may change meanwhile */
    int64_t part_until;
    int64_t take_until;         /* draining: the PULL is read until it is empty, or until then */
    int64_t probe_at;           /* stopping: when to find out who is gone */
    bool pull_is_empty;
    bool again;                 /* there is more to do at once */
    backlog_t plain;            /* the plain producers' */
    uint64_t plain_bytes;       /* what it takes of their share */
    log_limit_t refusal_log;
    trace_limit_t sent_log;     /* of control frames, for debugging */
    trace_limit_t received_log;
    observers_t observers;
} listener_core_t;

/*  Learn what has become of connections. The actor's; with the roster's lock. */
void listener_watch (listener_core_t *self);

/*  An event for the system handler. With the roster's lock. */
void listener_tell (listener_core_t *self, const char *cmd, peer_t *peer, const char *reason);

/*  Somebody was not let in: REFUSED, one a second at most for each address, will tell of
    it. address and source: NULL or "" if they are not known. */
void listener_note_refused (
    listener_core_t *self, const char *address, const char *source, const char *reason, uint64_t count);

/*  Tell what is to be told now of those that were refused, or all there is to tell, since
    the listener stops; and when to do so next. */
void listener_tell_refused (listener_core_t *self);
void listener_tell_all_refused (listener_core_t *self);
int64_t listener_refused_deadline (const listener_core_t *self);

/*  Count a refused frame, and log it at most once a second. */
void listener_refuse (listener_core_t *self, muster_refusal_t reason);

#endif
