/*  message.c - what a message is asked by whoever holds it

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "model/message.h"

#include <stdalign.h>
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"

struct message_loan {
    message_loan_t *next;
    alignas (max_align_t) uint8_t memory [];
};

const char *
muster_message_source (const muster_message_t *self)
{
    return self ? self->source : "";
}

const char *
muster_message_cmd (const muster_message_t *self)
{
    return self ? self->cmd : "";
}

const void *
muster_message_data (const muster_message_t *self, size_t *size)
{
    if (size)
        *size = self ? self->size : 0;
    return self ? self->data : NULL;
}

const char *
muster_message_session (const muster_message_t *self)
{
    return self ? self->session : "";
}

uint64_t
muster_message_position (const muster_message_t *self)
{
    return self ? self->position : 0;
}

uint64_t
muster_message_answers (const muster_message_t *self)
{
    return self ? self->answers : 0;
}

bool
muster_message_late (const muster_message_t *self)
{
    return self && self->late;
}

/*  The list is a cache: a const message may lend. */
void *
message_lend (const muster_message_t *self, size_t size)
{
    muster_message_t *message = (muster_message_t *) self;
    if (size > SIZE_MAX - sizeof (message_loan_t))
        return NULL;
    message_loan_t *loan = alloc_new (sizeof (message_loan_t) + size);
    if (!loan)
        return NULL;
    loan->next = message->loans;
    message->loans = loan;
    return loan->memory;
}

void
message_return_loans (muster_message_t *self)
{
    while (self->loans) {
        message_loan_t *loan = self->loans;
        self->loans = loan->next;
        alloc_free (loan);
    }
}

/*  --------------------------------------------------------------------------
    Copies */

static muster_message_t *
copy_with (const muster_message_t *self, void *ticket, size_t room)
{
    muster_message_t *copy = alloc_new (sizeof *copy + room);
    if (!copy)
        return NULL;
    *copy = *self;
    copy->owned = true;
    copy->loans = NULL;
    copy->ticket = ticket;
    return copy;
}

static muster_message_t *
copy_with_share (const muster_message_t *self, void *ticket)
{
    muster_message_t *copy = copy_with (self, ticket, 0);
    if (!copy)
        self->origin->release (ticket);
    return copy;
}

static muster_message_t *
copy_with_bytes (const muster_message_t *self)
{
    muster_message_t *copy = copy_with (self, NULL, self->size);
    if (!copy)
        return NULL;
    copy->data = (uint8_t *) (copy + 1);
    memcpy (copy + 1, self->data, self->size);
    return copy;
}

muster_message_t *
muster_message_dup (const muster_message_t *self)
{
    if (!self)
        return NULL;
    void *ticket = self->ticket ? self->origin->share (self) : NULL;
    return ticket ? copy_with_share (self, ticket) : copy_with_bytes (self);
}

void
muster_message_destroy (muster_message_t **self_p)
{
    if (!self_p || !*self_p || !(*self_p)->owned)
        return;
    muster_message_t *self = *self_p;
    *self_p = NULL;
    message_return_loans (self);
    if (self->ticket)
        self->origin->release (self->ticket);
    alloc_free (self);
}

/*  --------------------------------------------------------------------------
    What its origin does */

muster_error_t
muster_message_done (muster_message_t **self_p, int failed)
{
    if (!self_p || !*self_p || (*self_p)->owned || !(*self_p)->origin || !(*self_p)->origin->done)
        return MUSTER_INVAL;
    muster_error_t error = (*self_p)->origin->done (*self_p, failed);
    if (!error)
        *self_p = NULL;
    return error;
}

muster_error_t
message_reply (const muster_message_t *self, const char *cmd, const packed_t *data)
{
    if (!self || !cmd)
        return MUSTER_INVAL;
    if (!self->origin || !self->origin->reply || self->position == 0)
        return MUSTER_NOTFOUND;
    return self->origin->reply (self, cmd, data);
}

muster_error_t
muster_message_reply_raw (const muster_message_t *self, const char *cmd, const void *bytes, size_t size)
{
    return message_reply (self, cmd, &(packed_t) { .bytes = bytes, .size = size });
}
