/*  ledger.c - what may be handled, since it was sent

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "listener/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "raw.h"
#include "require.h"

const char *const ledger_sources [SOURCES] = { "a", "b", "sync", "witness" };

/*  Messages of a session are sealed with its id, plain ones with their source. */
static const session_id_t plain_ids [SOURCES] = {
    { { 'p', 'a' } }, { { 'p', 'b' } }, { { 'p', 's' } }, { { 'p', 'w' } } };

#define SECRET UINT64_C (0x9e3779b97f4a7c15)

void
ledger_open (ledger_t *self)
{
    memset (self, 0, sizeof *self);
    self->wild = malloc (LEDGER_WILD);
    require (self->wild, "no memory for the ledger");
}

void
ledger_close (ledger_t *self)
{
    free (self->wild);
}

static void
set_id (ledger_session_t *session, const session_id_t *id)
{
    memset (session, 0, sizeof *session);
    session->id = *id;
    for (size_t i = 0; i < sizeof id->bytes; i++)
        snprintf (session->text + 2 * i, 3, "%02x", id->bytes [i]);
}

void
ledger_name_session (ledger_t *self, unsigned index, const session_id_t *id, unsigned source)
{
    set_id (&self->sessions [index], id);
    self->sessions [index].sources = 1u << source;
}

void
ledger_begin (ledger_t *self, uint32_t execution)
{
    for (unsigned i = 0; i < LEDGER_SESSIONS; i++) {
        session_id_t id;
        raw_peer_t peer = raw_peer (1 + execution * LEDGER_SESSIONS + i);
        memcpy (id.bytes, peer.session, sizeof id.bytes);
        set_id (&self->sessions [i], &id);
    }
    self->first = self->end = 0;
    self->wild_size = 0;
    self->wild_id = self->lossy = false;
}

ledger_session_t *
ledger_find (ledger_t *self, const char *text)
{
    for (unsigned i = 0; i < LEDGER_SESSIONS + 2; i++)
        if (strcmp (self->sessions [i].text, text) == 0)
            return &self->sessions [i];
    return NULL;
}

/*  --------------------------------------------------------------------------
    What is sent */

static uint64_t
mix (uint64_t state, uint64_t number)
{
    state = (state ^ number) * UINT64_C (0xbf58476d1ce4e5b9);
    return state ^ state >> 29;
}

static uint64_t
seal (uint64_t number, const session_id_t *id, uint64_t position)
{
    uint64_t halves [2];
    memcpy (halves, id->bytes, sizeof halves);
    return mix (mix (mix (mix (SECRET, number), halves [0]), halves [1]), position);
}

static void
write_data (muster_writer_t *writer, uint64_t number, uint64_t the_seal, size_t pad)
{
    static const uint8_t padding [1 << 17];
    muster_writer_map (writer, 3);
    muster_writer_str (writer, "n", 1);
    muster_writer_uint (writer, number);
    muster_writer_str (writer, "h", 1);
    muster_writer_uint (writer, the_seal);
    muster_writer_str (writer, "p", 1);
    muster_writer_bin (writer, padding, pad < sizeof padding ? pad : sizeof padding);
}

uint64_t
ledger_write (ledger_t *self, muster_writer_t *writer, unsigned session, uint64_t position, size_t pad)
{
    uint64_t number = ++self->last;
    write_data (writer, number, seal (number, &self->sessions [session].id, position), pad);
    return number;
}

uint64_t
ledger_write_plain (ledger_t *self, muster_writer_t *writer, unsigned source, size_t pad)
{
    uint64_t number = ++self->last;
    write_data (writer, number, seal (number, &plain_ids [source], 0), pad);
    return number;
}

void
ledger_expect (ledger_t *self, uint64_t number)
{
    require (self->end < LEDGER_EXPECTED, "the ledger is full");
    self->expected [self->end++] = number;
}

uint64_t
ledger_seal_witness (ledger_t *self, uint64_t *the_seal)
{
    *the_seal = seal (++self->witness_sent, &plain_ids [SOURCE_WITNESS], 0);
    return self->witness_sent;
}

void
ledger_go_wild (ledger_t *self, unsigned session, const void *bytes, size_t size)
{
    require (self->wild_size + size <= LEDGER_WILD, "the ledger has no room");
    memcpy (self->wild + self->wild_size, bytes, size);
    self->wild_size += size;
    if (session < LEDGER_SESSIONS)
        self->sessions [session].wild = true;
}

/*  --------------------------------------------------------------------------
    What is handled */

static void
take_witness (ledger_t *self, const muster_message_t *message, uint64_t number, uint64_t the_seal)
{
    require (strcmp (muster_message_session (message), self->sessions [LEDGER_WITNESS].text) == 0,
        "a message in the witness's name is not of his session");
    require (the_seal == seal (number, &plain_ids [SOURCE_WITNESS], 0), "a message that the witness did not send");
    require (number == self->witness_handled + 1, "the witness's messages come twice, or not in order");
    self->witness_handled = number;
}

static bool
was_sent_wild (const ledger_t *self, const muster_message_t *message)
{
    size_t size;
    const void *data = muster_message_data (message, &size);
    return memmem (self->wild, self->wild_size, data, size);
}

/*  What is genuine comes as often as it was sent, in order, or as part of a frame that is wild. */
static bool
was_expected (ledger_t *self, uint64_t number)
{
    unsigned place = self->first;
    while (place < self->end && self->expected [place] != number)
        place++;
    if (place == self->end || (place > self->first && !self->lossy))
        return false;
    self->first = place + 1;
    return true;
}

static void
take_plain (ledger_t *self, const muster_message_t *message, uint64_t number, uint64_t the_seal)
{
    unsigned source = 0;
    while (source < SOURCE_WITNESS && strcmp (muster_message_source (message), ledger_sources [source]) != 0)
        source++;
    require (source < SOURCE_WITNESS, "a plain message in another's name");
    bool genuine = number && the_seal == seal (number, &plain_ids [source], 0);
    require ((genuine && was_expected (self, number)) || was_sent_wild (self, message),
        "a plain message that nobody has sent");
}

/*  Replies to rounds overtake the others, or come late, after their presence. */
static void
take_position (ledger_session_t *session, const muster_message_t *message, bool reply)
{
    uint64_t position = muster_message_position (message);
    uint64_t bit = position < 64 ? UINT64_C (1) << position : 0;
    require (!(session->seen & bit), "a session's message comes twice");
    session->seen |= bit;
    if (reply || muster_message_late (message))
        return;
    require (session->present, "a message outside of its session's presence");
    require (position > session->position, "a session's messages come twice, or not in order");
    session->position = position;
}

static bool
has_said (const ledger_session_t *session, const char *source)
{
    for (unsigned i = 0; i < SOURCE_WITNESS; i++)
        if (session->sources & 1u << i && strcmp (source, ledger_sources [i]) == 0)
            return true;
    return false;
}

static void
take_session (ledger_t *self, const muster_message_t *message, uint64_t number, uint64_t the_seal, bool reply)
{
    ledger_session_t *session = ledger_find (self, muster_message_session (message));
    require (session || self->wild_id, "a message of a session that is over, or never was");
    if (!session)
        return;
    require (has_said (session, muster_message_source (message)),
        "a session's message in the name of a source that it never said");
    take_position (session, message, reply);
    if (number && the_seal == seal (number, &session->id, muster_message_position (message)))
        return;
    require (session->wild, "a session's message that nobody has sent");
    require (session->wild_pieces || was_sent_wild (self, message), "a session's message that nobody has sent so");
}

static void
take (ledger_t *self, const muster_message_t *message, bool reply)
{
    uint64_t number = 0, the_seal = 0;
    (void) muster_message_unpack (message, "{s:U, s:U}", "n", &number, "h", &the_seal);
    require (!self->revoked || strcmp (muster_message_source (message), ledger_sources [SOURCE_B]) != 0,
        "a message of a source that is revoked");
    if (strcmp (muster_message_source (message), ledger_sources [SOURCE_WITNESS]) == 0)
        take_witness (self, message, number, the_seal);
    else
    if (*muster_message_session (message))
        take_session (self, message, number, the_seal, reply);
    else
        take_plain (self, message, number, the_seal);
}

void
ledger_take (ledger_t *self, const muster_message_t *message)
{
    take (self, message, false);
}

void
ledger_take_reply (ledger_t *self, const muster_message_t *message)
{
    require (muster_message_answers (message) > 0, "a reply that answers nothing");
    take (self, message, true);
}

int
ledger_take_event (const muster_message_t *message, void *arg)
{
    ledger_t *self = arg;
    const char *cmd = muster_message_cmd (message), *text = NULL;
    if (strcmp (cmd, MUSTER_EVENT_REFUSED) == 0)
        return 0;
    require (muster_message_unpack (message, "{s:s}", "session", &text) == 0, "an event of no session");
    ledger_session_t *session = ledger_find (self, text);
    require (session || self->wild_id, "an event of a session that is over, or never was");
    if (!session)
        return 0;
    bool joined = strcmp (cmd, MUSTER_EVENT_JOINED) == 0;
    bool begins = joined || strcmp (cmd, MUSTER_EVENT_RETURNED) == 0;
    require (begins || strcmp (cmd, MUSTER_EVENT_LEFT) == 0 || strcmp (cmd, MUSTER_EVENT_LOST) == 0
        || strcmp (cmd, MUSTER_EVENT_REPLACED) == 0 || strcmp (cmd, MUSTER_EVENT_REVOKED) == 0,
        "an event of an unknown kind");
    require (session->present != begins, begins ? "a presence begins twice" : "a presence ends twice");
    session->present = begins;
    if (joined)
        session->position = session->seen = 0;
    return 0;
}

void
ledger_stopped (ledger_t *self)
{
    for (unsigned i = 0; i < LEDGER_SESSIONS + 2; i++)
        self->sessions [i].present = false;
    self->lossy = true;
}

void
ledger_settle (ledger_t *self)
{
    require (self->first == self->end || self->lossy, "a plain message was lost");
    require (self->witness_handled == self->witness_sent, "a message of the witness was lost");
    for (unsigned i = 0; i < LEDGER_SESSIONS; i++)
        require (!self->sessions [i].present, "a session of the execution is still here");
    require (self->sessions [LEDGER_WITNESS].present, "the witness is not here");
}

/*  --------------------------------------------------------------------------
    What is counted */

void
ledger_compare (ledger_t *self, const muster_stats_t *stats)
{
    const muster_stats_t *before = &self->stats;
    uint64_t rejected = 0;
    for (int i = 0; i < MUSTER_REFUSAL_COUNT; i++) {
        require (stats->refused [i] >= before->refused [i], "a reason counts backwards");
        rejected += stats->refused [i];
    }
    require (rejected == stats->rejected, "rejected is not the sum of its reasons");
    require (stats->received >= before->received && stats->received_bytes >= before->received_bytes
        && stats->handled >= before->handled && stats->failed >= before->failed
        && stats->unhandled >= before->unhandled && stats->stale >= before->stale && stats->gaps >= before->gaps
        && stats->duplicates >= before->duplicates && stats->dropped >= before->dropped
        && stats->joined >= before->joined && stats->disconnects >= before->disconnects, "a counter counts backwards");
    require (stats->handled + stats->queued <= stats->received, "more is handled and queued than received");
    self->stats = *stats;
}
