/*  session_check.c - what must hold of sessions and their credit at any moment

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "session_check.h"

#include <string.h>

static bool
is_within (position_t inner, position_t outer)
{
    return inner.messages <= outer.messages && inner.bytes <= outer.bytes;
}

static const char *
fault_of_outbox (const outbox_t *box)
{
    if (!is_within (box->handled, box->sent) || !is_within (box->sent, box->accepted))
        return "more is handled than sent, or sent than accepted";
    if (box->sent.messages == box->accepted.messages && box->sent.bytes != box->accepted.bytes)
        return "all is sent, and bytes are left";
    if (box->handled.messages == box->accepted.messages && box->handled.bytes != box->accepted.bytes)
        return "all is handled, and bytes are left";
    if (box->run_first > box->run_next || box->run_next > box->run_end)
        return "runs out of order";
    return NULL;
}

const char *
session_fault (const session_t *session)
{
    const session_in_t *in = &session->in;
    const credit_account_t *account = &in->account;
    if (!is_within (in->handled, in->received))
        return "more is handled than received";
    if (in->refused > in->handled.messages)
        return "more is refused than handled";
    if (account->handled != in->handled.bytes)
        return "the account knows of other handled bytes";
    if (account->limit < in->received.bytes || account->limit - in->received.bytes < in->partial_size)
        return "more has come, or is coming, than there was credit for";
    if (!in->partial != (in->partial_size == 0) || in->partial_filled > in->partial_size)
        return "a message in pieces that fits no memory";
    return fault_of_outbox (&session->out.box);
}

/*  --------------------------------------------------------------------------
    Credit */

static size_t
count_in (const credit_account_t *list, const credit_account_t *account)
{
    size_t count = 0;
    for (; list; list = list->next)
        count += !account || list == account;
    return count;
}

static bool
is_waiting (const credit_t *credit, const credit_account_t *account)
{
    return count_in (account->deferred ? credit->deferred : credit->waiting, account) == 1;
}

const char *
credit_fault (const credit_t *credit, const session_t *const *sessions, size_t count)
{
    uint64_t committed = credit->carried, held = credit->carried, present = 0, in_line = 0;
    for (size_t i = 0; i < count; i++) {
        const credit_account_t *account = &sessions [i]->in.account;
        uint64_t open = account->limit - account->handled;
        committed += open > account->floor ? open : account->floor;
        held += sessions [i]->in.received.bytes - account->handled + sessions [i]->in.partial_size;
        present += account->present;
        in_line += account->in_line;
        if (account->in_line != is_waiting (credit, account) || (account->deferred && !credit->crowded))
            return "an account is in line and is not, or the reverse";
    }
    if (in_line != count_in (credit->waiting, NULL) + count_in (credit->deferred, NULL))
        return "someone is in line who has no account";
    if (committed != credit->committed)
        return "another sum is committed than the accounts have";
    if (credit->committed > credit->budget || held > credit->budget)
        return "over the budget";
    return present == credit->accounts ? NULL : "another number of accounts";
}

/*  --------------------------------------------------------------------------
    Time */

static void
begin_epoch (session_mark_t *mark, const session_t *session)
{
    mark->epoch = session->epoch;
    mark->reported_received = mark->reported_handled = 0;
}

const char *
session_moved_back (session_mark_t *mark, const session_t *session, bool given_up)
{
    const session_in_t *in = &session->in;
    bool another = memcmp (&mark->listener, &session->listener, sizeof mark->listener) != 0;
    bool back = !another && (!is_within (mark->handled, in->handled)
        || (!given_up && !is_within (mark->received, in->received)));
    if (another || mark->epoch != session->epoch)
        begin_epoch (mark, session);
    mark->listener = session->listener;
    mark->received = in->received;
    mark->handled = in->handled;
    return back ? "a position moved back" : NULL;
}

static const char *
fault_of_report (session_mark_t *mark, uint64_t received, uint64_t handled)
{
    if (handled > received)
        return "reports more handled than received";
    if (received < mark->reported_received || handled < mark->reported_handled)
        return "a reported position moved back within an epoch";
    mark->reported_received = received;
    mark->reported_handled = handled;
    return NULL;
}

const char *
session_frame_fault (session_mark_t *mark, const session_t *session, const frame_t *frame)
{
    if (memcmp (&frame->session, &session->id, sizeof frame->session) || frame->epoch != session->epoch)
        return "a frame of another session or epoch";
    if (mark->epoch != session->epoch)
        begin_epoch (mark, session);
    switch (frame->kind) {
        case FRAME_WELCOME:
            return session->role == SESSION_LISTENER
                ? fault_of_report (mark, frame->welcome.received.messages, frame->welcome.handled.messages)
                : "a worker that welcomes";
        case FRAME_POSITIONS:
            return frame->positions.refused <= frame->positions.handled
                ? fault_of_report (mark, frame->positions.received, frame->positions.handled)
                : "reports more refused than handled";
        case FRAME_WANT:
            return frame->want.need <= frame->want.want ? NULL : "needs more than it wants";
        case FRAME_HELLO:
            return session->role == SESSION_WORKER && frame->hello.handled_commands <= frame->hello.received_commands
                ? NULL : "a hello that makes no sense";
        case FRAME_END:
            return session->role == SESSION_LISTENER && frame->end.error < END_ERRORS
                ? NULL : "an end that makes no sense";
        default:
            return frame->kind == FRAME_GOODBYE ? NULL : "no control frame";
    }
}
