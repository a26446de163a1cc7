/*  round.h - a round under way: who was asked, and what came back

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    The part of an ask that the listener's actor works on. Guarded by the
    roster's lock, with which every function is called.
*/
#ifndef ACTOR_ROUND_H_INCLUDED
#define ACTOR_ROUND_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

#include "actor/inbox.h"
#include "actor/roster.h"

typedef struct round round_t;

struct round_target {
    UT_hash_handle by_position; /* in peer->asked, while peer is not NULL */
    round_t *round;
    peer_t *peer;               /* NULL: it cannot reply any more */
    uint64_t position;          /* of the command */
    bool replied;
    muster_error_t why;         /* not replied: the reason so far */
    char source [MUSTER_NAME_MAX + 1];
};

struct round {
    round_t *prev, *next;       /* the roster's */
    roster_t *roster;
    inbox_t *inbox;
    round_target_t *targets;
    size_t count;
    size_t replied;
    size_t hopeful;             /* targets that have not replied and still may */
    place_t *replies;           /* that came and are not taken yet */
    size_t enough;              /* replies that suffice */
    int64_t enough_at;          /* when so many had come; 0: they have not */
};

/*  A round for count targets, whose sources the caller fills in. MUSTER_NOMEM. */
muster_error_t round_init (round_t *self, roster_t *roster, inbox_t *inbox, size_t count);

/*  Replies to position count from now on; or the target is out, and why. */
bool round_expect (round_t *self, round_target_t *target, peer_t *peer, uint64_t position);
void round_give_up (round_target_t *target, muster_error_t why);

/*  End: replies not taken yet go to the inbox as late, as do those to come. */
void round_end (round_t *self);

/*  Take the oldest reply; false if there is none; *message is NULL when out of memory. */
bool round_take (round_t *self, muster_message_t **message);

/*  A message of peer answers position: if a round waits for it, it is that
    round's and does not go through the queue. */
bool round_divert (peer_t *peer, batch_t *batch, uint32_t index, size_t offset, uint64_t position);

/*  The peer is gone for now, or for good, and why; or back. */
void round_peer_absent (peer_t *peer);
void round_peer_back (peer_t *peer);
void round_peer_gone (peer_t *peer, muster_error_t why);

/*  Matching replies that nobody has taken are void, in all rounds: their workers are
    revoked. argument is the predicate's. Returns how many that were. */
uint64_t round_drop (roster_t *roster, inbox_t *inbox, inbox_match_fn *match, const void *argument);

#endif
