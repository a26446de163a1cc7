/*  scan.h - what the bytes of a frame are, before anything believes them

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    The scan walks a message once, in place, and checks every rule of the
    protocol's sections "Messages" and "Data". It allocates nothing, uses stack
    in proportion to the depth limit only, and answers with the rule that is
    broken first. Keys that come twice in a map too large to remember as it
    goes come last.
*/
#ifndef WIRE_SCAN_H_INCLUDED
#define WIRE_SCAN_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <muster/stats.h>

/*  What holds though a limit is disabled: containers one inside the other, as
    the scan keeps no more, and bytes of a message, as offsets have 32 bits. */
#define SCAN_DEPTH_WALL 1024
#define SCAN_SIZE_WALL UINT32_MAX

/*  Limits; 0 disables one. */
typedef struct {
    uint32_t depth;         /* containers, the data's map being the first */
    uint64_t message_size;  /* bytes of one message */
} scan_limits_t;

/*  The kinds of message: [source, cmd, data] from a plain producer;
    [cmd, data], [cmd, data, kind] or [cmd, data, kind, stream, position]
    in a session, where the source is the session's. */
typedef enum { SCAN_PLAIN, SCAN_SESSION } scan_form_t;

/*  kind, as a bit set: asked: a command of an ask, or the answer to one;
    reply: stream and position follow and name what is answered. */
#define MESSAGE_KIND_ASKED 1
#define MESSAGE_KIND_REPLY 2
#define MESSAGE_KIND_MAX 3

/*  Where the parts of one message are; offsets from its first byte. */
typedef struct {
    size_t size;            /* of the whole message */
    const uint8_t *source;  /* plain: inside the bytes, not terminated; session: NULL */
    uint8_t source_size;
    const uint8_t *cmd;
    uint8_t cmd_size;
    const uint8_t *data;    /* the map */
    size_t data_size;
    uint8_t kind;
    uint32_t stream;        /* kind REPLY */
    uint64_t position;      /* kind REPLY */
    uint32_t most_keys;     /* not 0: scan_duplicates is still to do, with room for so many */
} scan_message_t;

/*  A map of up to so many keys is checked for duplicates by the scan itself;
    a larger one needs memory, which scan_duplicates is lent. */
#define SCAN_KEYS_CHECKED 16

/*  Scan the message at bytes, which may be followed by others. Returns
    MUSTER_REFUSAL_NONE and sets *message, or says what is wrong. */
muster_refusal_t scan_message (
    const uint8_t *bytes, size_t size, scan_form_t form, const scan_limits_t *limits, scan_message_t *message);

/*  Look for duplicate keys in the maps of a scanned message that have more
    than SCAN_KEYS_CHECKED keys. scratch: room for message->most_keys numbers,
    which at 64 levels is at most 10 MB and 1.6 times the message's bytes. The
    time is linear in the bytes of the keys, whatever they are. */
muster_refusal_t scan_duplicates (const scan_message_t *message, uint64_t *scratch);

/*  Both, the second with memory that it frees again. MUSTER_REFUSAL_MEMORY
    when there is none. */
muster_refusal_t scan_whole (
    const uint8_t *bytes, size_t size, scan_form_t form, const scan_limits_t *limits, scan_message_t *message);

/*  Take apart a message of size bytes that passed the scan before: the parts, unchecked,
    but for most_keys. */
void scan_split (const uint8_t *bytes, size_t size, scan_form_t form, scan_message_t *message);

/*  Is text what a source or a cmd may be: 1 to 255 bytes of UTF-8 without
    control characters (U+0000-1F, U+7F-9F)? */
bool scan_name (const void *text, size_t size);

/*  Scan a bare map, as send_raw is given it, by the same rules. */
muster_refusal_t scan_data (const uint8_t *bytes, size_t size, const scan_limits_t *limits);

#endif
