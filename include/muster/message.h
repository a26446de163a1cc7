/*  message.h - one message: who it is from, what it asks for, its data

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    A message belongs to the library and is valid until its handler returns
    or muster_message_done is called; muster_message_dup keeps one. A message
    may be used by one thread at a time.

    Pictures say how data is packed and unpacked, in the manner of Jansson's
    json_pack and json_unpack. Spaces, commas and colons may be put anywhere.

    | picture | pack takes             | unpack takes              | value          |
    |---------|------------------------|---------------------------|----------------|
    | s       | const char *           | const char **             | str            |
    | s%      | const char *, size_t   | const char **, size_t *   | str, may hold NUL |
    | n       |                        |                           | nil            |
    | b       | int                    | int *                     | boolean        |
    | i       | int                    | int *                     | integer        |
    | I       | int64_t                | int64_t *                 | integer        |
    | U       | uint64_t               | uint64_t *                | integer of 0 or more |
    | f       | double                 | double *                  | float; unpack takes integers too |
    | y       | const void *, size_t   | const void **, size_t *   | bin            |
    | A       | const muster_array_t * | muster_array_t *          | n-dimensional array |
    | O       | const void *, size_t   | const void **, size_t *   | any value, as msgpack bytes |
    | {}      | keys are const char *  | the same                  | map            |
    | []      |                        |                           | array          |

    In an unpack picture a map may hold keys that the picture does not name,
    and an array more elements; "!" before the closing bracket forbids them.
    "s?" before a value makes its key optional: the variables of a missing one
    stay as they are.
*/
#ifndef MUSTER_MESSAGE_H_INCLUDED
#define MUSTER_MESSAGE_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data.h"
#include "error.h"

/*  Bytes of a source or a cmd, at most. */
#define MUSTER_NAME_MAX 255

/*  A message. */
typedef struct _muster_message_t muster_message_t;

/*  A handler: returns 0, or anything else for "failed". It runs on the
    listener's dispatch thread, one at a time. The message is valid until it
    returns. */
typedef int (muster_handler_fn) (const muster_message_t *message, void *arg);

MUSTER_BEGIN_DECLS

/*  Who the message is from: the worker's source, or the listener's own for
    its events and its commands. Terminated; belongs to the message. */
MUSTER_EXPORT const char *muster_message_source (const muster_message_t *self);

/*  What the message asks for. Terminated; belongs to the message. */
MUSTER_EXPORT const char *muster_message_cmd (const muster_message_t *self);

/*  The data's map, packed; for muster_reader_init or msgpack-c. The bytes
    belong to the message. size may be NULL. */
MUSTER_EXPORT const void *muster_message_data (const muster_message_t *self, size_t *size);

/*  The session the message came in, as 32 hexadecimal digits; "" for a plain
    producer's message and for the listener's events. Belongs to the message. */
MUSTER_EXPORT const char *muster_message_session (const muster_message_t *self);

/*  The message's position in its session, from 1; 0 without a session. A
    message that is handled a second time after a listener's restart has the
    session and the position it had the first time. */
MUSTER_EXPORT uint64_t muster_message_position (const muster_message_t *self);

/*  The position of the command or message that this one answers; 0 if it
    is no reply. */
MUSTER_EXPORT uint64_t muster_message_answers (const muster_message_t *self);

/*  True for a reply that came after its ask had ended. */
MUSTER_EXPORT bool muster_message_late (const muster_message_t *self);

/*  Take data apart by a picture. Text and bytes given out belong to the
    message; an array's bytes are aligned for its dtype.
    Errors: MUSTER_TYPE if data does not fit the picture (variables met before
    the misfit are set), MUSTER_NOTFOUND for a missing key, MUSTER_INVAL for a
    bad picture, MUSTER_NOMEM. An integer that does not fit its variable is
    MUSTER_TYPE. */
MUSTER_EXPORT muster_error_t muster_message_unpack (const muster_message_t *self, const char *picture, ...);

/*  Send an answer to where the message came from: to the worker from a
    handler, to the listener from a worker. picture as above, a map, or NULL
    for {}. Errors: as muster_listener_send or muster_worker_send;
    MUSTER_NOTFOUND if a plain producer sent the message. */
MUSTER_EXPORT muster_error_t muster_message_reply (const muster_message_t *self, const char *cmd, const char *picture, ...);

/*  The same with a map that is packed already; bytes are copied. */
MUSTER_EXPORT muster_error_t muster_message_reply_raw (const muster_message_t *self, const char *cmd, const void *bytes, size_t size);

/*  The same with the map that data holds, whose own error is returned too. Once
    it is accepted data is empty, and what was large was not copied. After an
    error data is as it was and may be sent again. */
MUSTER_EXPORT muster_error_t muster_message_reply_writer (const muster_message_t *self, const char *cmd, muster_writer_t *data);

/*  A copy that lives until muster_message_destroy, whatever becomes of self, its
    listener or its worker; it can reply as long as these exist. Large data is
    not copied: both have the same bytes, so muster_message_data of the copy may
    be that of self. Any thread. NULL when out of memory. The caller owns it. */
MUSTER_EXPORT muster_message_t *muster_message_dup (const muster_message_t *self) MUSTER_CHECK_RESULT;

/*  Destroy a copy made by muster_message_dup. Any thread. */
MUSTER_EXPORT void muster_message_destroy (muster_message_t **self_p);

/*  Say that a message taken by muster_listener_next, muster_worker_recv or
    muster_ask_next is handled (failed: not 0 if handling it failed, which is
    counted); it is gone afterwards. Its peer may then forget it. Any thread.
    Errors: MUSTER_INVAL for a message that was not taken by one of these,
    MUSTER_FORKED. */
MUSTER_EXPORT muster_error_t muster_message_done (muster_message_t **self_p, int failed);

MUSTER_END_DECLS

#endif
