/*  roster.h - the workers of a listener, here and absent

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    One lock guards the roster, its peers and their sessions; the actor holds
    it while it works through a burst, callers while they put a command in.
    Every function is called with the lock held unless it says otherwise. No
    search is linear in the number of peers.
*/
#ifndef ACTOR_ROSTER_H_INCLUDED
#define ACTOR_ROSTER_H_INCLUDED

#include <pthread.h>
#include <stdbool.h>

#include "actor/peer.h"
#include "model/ended.h"

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;     /* a presence, a position, a reply, the listener's state */
    bool open;                  /* commands are accepted */
    credit_t credit;
    session_limits_t limits;
    uint64_t command_buffer;
    peer_t *by_id;              /* all but the forgotten */
    peer_t *by_source;
    peer_t *heard, *report, *due, *absent;
    ended_t ended;
    struct round *rounds;       /* that have begun and not ended */
    peer_t *forgotten;          /* with a backlog (in the place of absent) */
    size_t present;
    size_t absent_count;
    uint64_t joined;            /* presences begun */
    wake_t *wake;
} roster_t;

void roster_init (roster_t *self, wake_t *wake);
void roster_clear (roster_t *self);

/*  Without the lock. */
void roster_lock (roster_t *self);
void roster_unlock (roster_t *self);

peer_t *roster_find (const roster_t *self, const session_id_t *id);
peer_t *roster_find_source (const roster_t *self, const char *source);
/*  The same, if the worker is here. */
peer_t *roster_find_present (const roster_t *self, const char *source);

/*  Put a new peer in the tables, whose source nobody holds. False when out of memory. */
bool roster_add (roster_t *self, peer_t *peer);

/*  Its presence begins, or ends: now is when. */
void roster_arrive (roster_t *self, peer_t *peer);
void roster_depart (roster_t *self, peer_t *peer, int64_t now);

/*  Take it out of the tables and lists; free it once its backlog is settled. */
void roster_forget (roster_t *self, peer_t *peer);

/*  Free a forgotten peer if its backlog is settled. */
void roster_bury (roster_t *self, peer_t *peer);
/*  Free all forgotten peers whatever their backlog. */
void roster_bury_all (roster_t *self);

/*  A frame came from it. */
void roster_heard (roster_t *self, peer_t *peer);

/*  It may have something to send now; or a report to make at its report_at. */
void roster_due (roster_t *self, peer_t *peer);
void roster_schedule (roster_t *self, peer_t *peer, int64_t now);
void roster_not_due (roster_t *self, peer_t *peer);
void roster_not_report (roster_t *self, peer_t *peer);

/*  Accept a command for a worker that is here, as outbox_append_part does.
    *position: the command's. Errors: MUSTER_AGAIN (its buffer is full),
    MUSTER_NOMEM, MUSTER_TOOBIG. */
muster_error_t roster_command (
    roster_t *self, peer_t *peer, const blob_part_t *message, bool shared, uint64_t *position);

#endif
