/*  owner.h - what the listener's owner does while the liar lies

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Each function ends the process if something does not hold.
*/
#ifndef FUZZ_LISTENER_OWNER_H_INCLUDED
#define FUZZ_LISTENER_OWNER_H_INCLUDED

#include "listener/stage.h"

#define OWNER_HELD 4

typedef struct {
    stage_t *stage;
    muster_message_t *held [OWNER_HELD];    /* taken and not done */
    unsigned held_count;
    muster_ask_t *ask;          /* the round under way, NULL for none */
    char *allow, *less;         /* the allow file's text, and that in which the liar may do less */
} owner_t;

void owner_open (owner_t *self, stage_t *stage);
void owner_close (owner_t *self);

/*  Send a command of so many bytes to a source, or to all (SOURCES). */
void owner_send (owner_t *self, unsigned source, size_t size);

/*  Take a message if one waits, and hold it for a while; answer the one that was taken
    last; hold none. */
void owner_hold (owner_t *self);
void owner_reply (owner_t *self);
void owner_release (owner_t *self);

/*  Begin a round of the liar's sources, unless one is under way; take a reply if there is one. */
void owner_ask (owner_t *self);
void owner_take_reply (owner_t *self);

/*  From now on, until owner_yield, the liar may not speak as SOURCE_B, nor observe. */
void owner_revoke (owner_t *self);

/*  Stop and start the listener, whatever is under way. */
void owner_restart (owner_t *self);

/*  Hold nothing, forbid nothing; and, once all has come, end the round. */
void owner_yield (owner_t *self);
void owner_end_round (owner_t *self);

#endif
