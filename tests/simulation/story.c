/*  story.c - what is promised of each message of a session

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <string.h>

#include "world.h"

#define POISON 0x5a

void
message_write (uint8_t *bytes, size_t size, uint64_t number, bool poison)
{
    uint32_t length = (uint32_t) size;
    memset (bytes, (int) (number & 0x3f), size);
    memcpy (bytes, &length, sizeof length);
    memcpy (bytes + 4, &number, sizeof number);
    bytes [12] = poison ? POISON : 0;
}

bool
message_read (const uint8_t *bytes, size_t left, size_t *size, uint64_t *number, bool *poison)
{
    uint32_t length;
    if (left < MESSAGE_LEAST)
        return false;
    memcpy (&length, bytes, sizeof length);
    memcpy (number, bytes + 4, sizeof *number);
    if (length < MESSAGE_LEAST || length > left)
        return false;
    *size = length;
    *poison = bytes [12] == POISON;
    return length == MESSAGE_LEAST || bytes [length - 1] == (*number & 0x3f);
}

int
story_begin (world_t *self, int source)
{
    HOLD (self, self->story_count < STORIES_MOST, "the simulation has too many sessions");
    int number = self->story_count < STORIES_MOST ? self->story_count++ : 0;
    self->stories [number] = (story_t) { .source = source };
    return number;
}

/*  Promises 1 and 2: in order and exactly once at one listener that keeps the
    session. Promise 7: what a replaced worker sent comes first. */
void
story_handled (world_t *self, peer_t *peer, uint64_t position, bool refused)
{
    story_t *story = &self->stories [peer->story];
    unsigned *youngest = &self->listener.youngest [story->source];
    HOLD (self, position == peer->next, "story %d: %lu is handled, %lu is due", peer->story, position, peer->next);
    HOLD (self, position <= story->accepted, "story %d: %lu is handled, but was not accepted", peer->story, position);
    HOLD (self, peer->generation >= *youngest, "story %d is handled after the one that replaced it", peer->story);
    if (self->failed)
        return;
    *youngest = peer->generation;
    peer->next++;
    story->handled [position]++;
    story->refused [position] = refused;
    HOLD (self, story->handled [position] == 1 || story->repeats, "story %d: %lu is handled twice", peer->story, position);
    HOLD (self, story->handled [position] == 1 || position > story->confirmed,
        "story %d: %lu is handled again, though its worker was told of %lu", peer->story, position, story->confirmed);
    HOLD (self, position <= story->farthest + 1, "story %d: %lu is handled, before only %lu", peer->story, position, story->farthest);
    if (position > story->farthest)
        story->farthest = position;
}

void
story_reported (world_t *self, int number, uint64_t position)
{
    story_t *story = &self->stories [number];
    HOLD (self, position <= story->farthest, "story %d: %lu is reported, %lu is handled", number, position, story->farthest);
    if (position > story->confirmed)
        story->confirmed = position;
}

uint64_t
story_refused (const world_t *self, int number)
{
    const story_t *story = &self->stories [number];
    uint64_t count = 0;
    for (uint32_t position = 1; position <= story->accepted; position++)
        count += story->refused [position];
    return count;
}

void
story_over (world_t *self, int number)
{
    self->stories [number].over = true;
    self->stories [number].over_at = self->now;
}

void
story_returns (world_t *self, int number)
{
    story_t *story = &self->stories [number];
    HOLD (self, !story->over || story->repeats || self->now - story->over_at >= self->plan.retention,
        "story %d is back, which was over for good", number);
    story->repeats = story->repeats || story->over;
    story->over = false;
}

/*  All that a worker sent whom nobody replaced was handled. */
void
story_end (world_t *self)
{
    for (int number = 0; number < self->story_count && !self->failed; number++) {
        const story_t *story = &self->stories [number];
        HOLD (self, story->contested || story->farthest == story->accepted,
            "story %d: %u are accepted, %lu handled", number, story->accepted, story->farthest);
    }
}
