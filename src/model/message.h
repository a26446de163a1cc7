/*  message.h - the inside of a message

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    A message is a view of bytes that its origin keeps alive. One that was made
    by muster_message_dup has bytes of its own, or a share in its origin's.
*/
#ifndef MODEL_MESSAGE_H_INCLUDED
#define MODEL_MESSAGE_H_INCLUDED

#include <muster/data.h>
#include <muster/message.h>

/*  32 hexadecimal digits and their terminator. */
#define SESSION_TEXT_ROOM 33

typedef struct message_loan message_loan_t;

/*  Data that is packed already. */
typedef struct {
    const void *bytes;
    size_t size;
    muster_writer_t *writer;        /* whose bytes they are, if its memory may be taken; or NULL */
} packed_t;

/*  What a message can ask of the listener or worker it came from. Each is
    called without a lock; share and release also when that is gone. */
typedef struct {
    muster_error_t (*done) (muster_message_t *message, int failed);
    muster_error_t (*reply) (const muster_message_t *message, const char *cmd, const packed_t *data);

    /*  A ticket for a dup, which keeps the message's bytes; NULL if they are better copied. */
    void *(*share) (const muster_message_t *message);
    void (*release) (void *ticket);
} message_origin_t;

struct _muster_message_t {
    const uint8_t *data;            /* the map; owned by the batch or this message */
    size_t size;
    uint64_t position;              /* 0: no session */
    uint32_t stream;                /* tag of the stream it came in */
    uint64_t answers;               /* 0: no reply */
    uint32_t answers_stream;        /* tag of the stream whose position it answers */
    bool asked;                     /* a command of an ask, or the reply to one */
    bool late;
    bool same_source;               /* as the message that was in this memory before */
    bool owned;                     /* made by dup: destroy frees all of it */
    char source [MUSTER_NAME_MAX + 1];
    char cmd [MUSTER_NAME_MAX + 1];
    char session [SESSION_TEXT_ROOM];
    message_loan_t *loans;          /* memory lent to the message's reader */
    const message_origin_t *origin; /* NULL: nothing can be asked */
    void *context;                  /* the origin's: listener or worker */
    void *ticket;                   /* the origin's: what done gives back; owned: what keeps data, or NULL */
    uint32_t index;                 /* the origin's: place in the ticket's batch */
};

/*  Memory that lives as long as the message; aligned for any type.
    NULL when out of memory. */
void *message_lend (const muster_message_t *self, size_t size);

/*  As muster_message_reply_raw. */
muster_error_t message_reply (const muster_message_t *self, const char *cmd, const packed_t *data);

/*  Free what was lent; for origins that use a message again. */
void message_return_loans (muster_message_t *self);

#endif
