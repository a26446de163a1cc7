/*  round.c - a round under way: who was asked, and what came back

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "actor/round.h"

#include <string.h>

#include <utlist.h>

#include "base/alloc.h"

muster_error_t
round_init (round_t *self, roster_t *roster, inbox_t *inbox, size_t count)
{
    *self = (round_t) { .roster = roster, .inbox = inbox, .count = count };
    self->targets = alloc_zero ((count ? count : 1) * sizeof (round_target_t));
    if (!self->targets)
        return MUSTER_NOMEM;
    for (size_t i = 0; i < count; i++)
        self->targets [i].round = self;
    DL_APPEND (roster->rounds, self);
    return 0;
}

bool
round_expect (round_t *self, round_target_t *target, peer_t *peer, uint64_t position)
{
    target->position = position;
    HASH_ADD (by_position, peer->asked, position, sizeof target->position, target);
    if (!target->by_position.tbl) {
        target->why = MUSTER_NOMEM;
        return false;
    }
    target->peer = peer;
    target->why = MUSTER_LATE;
    self->hopeful++;
    return true;
}

static void
detach (round_target_t *target)
{
    HASH_DELETE (by_position, target->peer->asked, target);
    target->peer = NULL;
    target->round->hopeful--;
}

void
round_give_up (round_target_t *target, muster_error_t why)
{
    if (target->peer)
        detach (target);
    target->why = why;
}

void
round_end (round_t *self)
{
    DL_DELETE (self->roster->rounds, self);
    for (size_t i = 0; i < self->count; i++)
        if (self->targets [i].peer)
            detach (&self->targets [i]);
    while (self->replies) {
        place_t *reply = self->replies;
        DL_DELETE (self->replies, reply);
        inbox_put_late (self->inbox, reply);
    }
}

bool
round_take (round_t *self, muster_message_t **message)
{
    place_t *reply = self->replies;
    if (!reply)
        return false;
    *message = inbox_take_diverted (self->inbox, reply);
    if (*message) {
        DL_DELETE (self->replies, reply);
        place_destroy (&reply);
    }
    return true;
}

bool
round_divert (peer_t *peer, batch_t *batch, uint32_t index, size_t offset, uint64_t position)
{
    round_target_t *target = NULL;
    HASH_FIND (by_position, peer->asked, &position, sizeof position, target);
    if (!target)
        return false;
    place_t *reply = place_new (batch, index, offset);
    if (!reply || !batch_mark (batch, index, BATCH_DIVERTED)) {
        place_destroy (&reply);
        return false;
    }
    round_t *round = target->round;
    DL_APPEND (round->replies, reply);
    detach (target);
    target->replied = true;
    if (++round->replied == round->enough)
        round->enough_at = peer->session.heard_at;
    pthread_cond_broadcast (&round->roster->changed);
    return true;
}

static void
void_reply (round_t *self, const char *source)
{
    for (size_t i = 0; i < self->count; i++) {
        round_target_t *target = &self->targets [i];
        if (!target->replied || strcmp (target->source, source) != 0)
            continue;
        target->replied = false;
        target->why = MUSTER_REVOKED;
        self->replied--;
    }
    if (self->replied < self->enough)
        self->enough_at = 0;
}

static uint64_t
drop (round_t *self, inbox_t *inbox, inbox_match_fn *match, const void *argument)
{
    uint64_t count = 0;
    place_t *reply, *next;
    DL_FOREACH_SAFE (self->replies, reply, next) {
        if (!match (reply->batch, argument))
            continue;
        DL_DELETE (self->replies, reply);
        void_reply (self, reply->batch->source);
        inbox_drop_place (inbox, reply);
        count++;
    }
    return count;
}

uint64_t
round_drop (roster_t *roster, inbox_t *inbox, inbox_match_fn *match, const void *argument)
{
    uint64_t count = 0;
    round_t *round;
    DL_FOREACH (roster->rounds, round)
        count += drop (round, inbox, match, argument);
    if (count > 0)
        pthread_cond_broadcast (&roster->changed);
    return count;
}

static void
set_why (peer_t *peer, muster_error_t why)
{
    round_target_t *target, *next;
    HASH_ITER (by_position, peer->asked, target, next)
        target->why = why;
}

void
round_peer_absent (peer_t *peer)
{
    set_why (peer, MUSTER_LOST);
}

void
round_peer_back (peer_t *peer)
{
    set_why (peer, MUSTER_LATE);
}

void
round_peer_gone (peer_t *peer, muster_error_t why)
{
    round_target_t *target, *next;
    HASH_ITER (by_position, peer->asked, target, next)
        round_give_up (target, why);
}
