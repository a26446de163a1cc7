/*  owner.c - what the listener's owner does while the liar lies

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "listener/owner.h"

#include <stdio.h>
#include <string.h>

#include "require.h"
#include "scene.h"

#define ALLOW_ROOM 4096

/*  --------------------------------------------------------------------------
    Commands, and answers */

void
owner_send (owner_t *self, unsigned source, size_t size)
{
    static const uint8_t padding [4096];
    muster_listener_t *listener = self->stage->listener;
    muster_error_t error = source < SOURCES
        ? muster_listener_send (listener, ledger_sources [source], "GO", "{s:y}", "p", padding, size)
        : muster_listener_broadcast (listener, NULL, "GO", "{s:y}", "p", padding, size);
    if (error != MUSTER_NOTFOUND)
        require_no_error (error, "a command is not accepted");
}

void
owner_hold (owner_t *self)
{
    muster_message_t *message;
    if (self->held_count == OWNER_HELD || muster_listener_next (self->stage->listener, &message, 0) != 0)
        return;
    stage_take (self->stage, message);
    self->held [self->held_count++] = message;
}

void
owner_reply (owner_t *self)
{
    if (self->held_count == 0)
        return;
    muster_error_t error = muster_message_reply (self->held [self->held_count - 1], "RE", "{s:i}", "n", 1);
    if (error != MUSTER_NOTFOUND)
        require_no_error (error, "a reply is not accepted");
}

void
owner_release (owner_t *self)
{
    while (self->held_count > 0)
        MUST (muster_message_done (&self->held [--self->held_count], 0) == 0);
}

/*  --------------------------------------------------------------------------
    Rounds */

void
owner_ask (owner_t *self)
{
    if (self->ask)
        return;
    self->ask = muster_ask_new (self->stage->listener);
    MUST (self->ask);
    muster_ask_set_timeout (self->ask, -1);
    MUST (muster_ask_set_workers (self->ask, ledger_sources, SOURCE_SYNC) == 0);
    MUST (muster_ask_send (self->ask, "ASK", NULL) == 0);
}

static bool
take_reply (owner_t *self)
{
    muster_message_t *reply;
    if (!self->ask || muster_ask_next_within (self->ask, &reply, 0) != 0)
        return false;
    ledger_take_reply (&self->stage->ledger, reply);
    MUST (muster_message_done (&reply, 0) == 0);
    return true;
}

void
owner_take_reply (owner_t *self)
{
    (void) take_reply (self);
}

/*  Some are left in it, to be late, where the execution's number says so. */
void
owner_end_round (owner_t *self)
{
    if (self->stage->execution % 2 == 0)
        while (take_reply (self))
            ;
    muster_ask_destroy (&self->ask);
}

/*  --------------------------------------------------------------------------
    The allow list */

static void
set_allow (owner_t *self, const char *text)
{
    keyring_write (&self->stage->keyring, "allow", "", text);
    MUST (muster_listener_reload (self->stage->listener) == 0);
    self->stage->ledger.revoked = text == self->less;
}

/*  What the liar has said as that source, and nobody has taken, may be dropped. */
void
owner_revoke (owner_t *self)
{
    self->stage->ledger.lossy = true;
    if (!self->stage->ledger.revoked)
        set_allow (self, self->less);
}

static void
read_allow (owner_t *self)
{
    FILE *file = fopen (keyring_file (&self->stage->keyring, "allow", ""), "r");
    MUST (file);
    self->allow [fread (self->allow, 1, ALLOW_ROOM - 1, file)] = 0;
    fclose (file);
}

void
owner_open (owner_t *self, stage_t *stage)
{
    memset (self, 0, sizeof *self);
    self->stage = stage;
    self->allow = calloc (1, ALLOW_ROOM);
    MUST (self->allow);
    read_allow (self);
    self->less = strdup (self->allow);
    MUST (self->less);
    char *sources = strstr (self->less, " a b ");
    MUST (sources);
    sources [3] = ' ';
    char *observer = strstr (self->less, "-observer ");
    MUST (observer);
    memset (observer, ' ', strlen ("-observer"));
}

void
owner_close (owner_t *self)
{
    free (self->allow);
    free (self->less);
}

/*  -------------------------------------------------------------------------- */

void
owner_restart (owner_t *self)
{
    stage_stop (self->stage);
    owner_release (self);
    owner_end_round (self);
    stage_start (self->stage);
}

void
owner_yield (owner_t *self)
{
    owner_release (self);
    if (self->stage->ledger.revoked)
        set_allow (self, self->allow);
}
