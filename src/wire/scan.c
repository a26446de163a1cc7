/*  scan.c - what the bytes of a frame are, before anything believes them

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Of each value the head is looked at first: it must be whole, then not the
    reserved byte, then of a kind that may stand there. So the verdict on bytes
    that break several rules is the one broken first.
*/
#include "wire/scan.h"

#include <string.h>

#include <muster/message.h>

#include "base/alloc.h"
#include "wire/duplicates.h"
#include "wire/head.h"
#include "wire/skim.h"
#include "wire/utf8.h"

/*  Levels of the usual limit, and of the wall. */
#define LEVELS_USUAL 64

/*  UTF-8 has 1 + 128 + (128 * 128 + 1920) texts of up to two bytes; every key
    beyond those has three. */
#define SHORT_KEYS 18433
#define SHORT_PAIR 2
#define LONG_PAIR 5

/*  scan_whole and scan_data keep so many keys on the stack. */
#define KEYS_ON_STACK 256

typedef struct {
    const uint8_t *start;               /* after the head */
    uint32_t left;                      /* elements or pairs to come */
    uint32_t pairs;
    bool map;
    uint8_t noted;                      /* keys in the arrays below */
    uint16_t tags [SCAN_KEYS_CHECKED];  /* differ: so do the keys */
    uint32_t keys [SCAN_KEYS_CHECKED];  /* from the first byte of data */
} level_t;

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
    const uint8_t *data;
    level_t *levels;
    uint32_t depth;         /* levels in use */
    uint32_t limit;
    uint32_t pending;       /* keys of the large maps that are open */
    uint32_t most_pending;
    bool crowded;           /* a map is too small for so many different keys */
    bool clipped;           /* by the size limit */
} scan_t;

/*  --------------------------------------------------------------------------
    Heads and payloads */

static size_t
left (const scan_t *self)
{
    return (size_t) (self->end - self->at);
}

static inline muster_refusal_t
take_head (scan_t *self, head_t *head)
{
    if (!head_read (self->at, self->end, head))
        return MUSTER_REFUSAL_TRUNCATED;
    if (head->kind == HEAD_RESERVED)
        return MUSTER_REFUSAL_RESERVED;
    self->at += head->size;
    return MUSTER_REFUSAL_NONE;
}

/*  What follows a head that is no container's. */
static inline muster_refusal_t
take_payload (scan_t *self, const head_t *head)
{
    if (head->length > left (self))
        return MUSTER_REFUSAL_TRUNCATED;
    if (head->kind == MUSTER_VALUE_STR && !utf8_valid (self->at, head->length))
        return MUSTER_REFUSAL_UTF8;
    self->at += head->length;
    return MUSTER_REFUSAL_NONE;
}

static muster_refusal_t
take_name (scan_t *self, muster_refusal_t wrong, const uint8_t **name, uint8_t *size)
{
    head_t head;
    muster_refusal_t refusal = take_head (self, &head);
    if (refusal)
        return refusal;
    if (head.kind != MUSTER_VALUE_STR || head.length == 0 || head.length > MUSTER_NAME_MAX)
        return wrong;
    if (head.length > left (self))
        return MUSTER_REFUSAL_TRUNCATED;
    if (!utf8_printable (self->at, head.length))
        return wrong;
    *name = self->at;
    *size = (uint8_t) head.length;
    self->at += head.length;
    return MUSTER_REFUSAL_NONE;
}

/*  --------------------------------------------------------------------------
    Keys */

static inline uint16_t
tag_of (const uint8_t *text, uint32_t size)
{
    if (size == 0)
        return 0;
    uint32_t middle = text [size / 2] * 7u;
    return (uint16_t) (size << 8 ^ text [0] * 31u ^ middle << 3 ^ text [size - 1]);
}

static inline bool
noted_before (const scan_t *self, const level_t *level, uint16_t tag, const uint8_t *text, uint32_t size)
{
    for (uint8_t index = 0; index < level->noted; index++) {
        if (level->tags [index] != tag)
            continue;
        const uint8_t *key = self->data + level->keys [index];
        head_t head = head_known (key);
        if (head.length == size && memcmp (key + head.size, text, size) == 0)
            return true;
    }
    return false;
}

static inline muster_refusal_t
note_key (scan_t *self, level_t *level, const uint8_t *key, const uint8_t *text, uint32_t size)
{
    uint16_t tag = tag_of (text, size);
    if (noted_before (self, level, tag, text, size))
        return MUSTER_REFUSAL_DUPLICATE;
    level->tags [level->noted] = tag;
    level->keys [level->noted] = (uint32_t) (key - self->data);
    level->noted++;
    return MUSTER_REFUSAL_NONE;
}

static inline muster_refusal_t
take_key (scan_t *self, level_t *level)
{
    head_t head;
    const uint8_t *key = self->at;
    muster_refusal_t refusal = take_head (self, &head);
    if (refusal)
        return refusal;
    if (head.kind != MUSTER_VALUE_STR)
        return MUSTER_REFUSAL_KEY;
    const uint8_t *text = self->at;
    refusal = take_payload (self, &head);
    if (refusal || level->pairs > SCAN_KEYS_CHECKED)
        return refusal;
    return note_key (self, level, key, text, head.length);
}

/*  --------------------------------------------------------------------------
    Containers */

static inline muster_refusal_t
open_container (scan_t *self, const head_t *head)
{
    if (self->depth == self->limit)
        return MUSTER_REFUSAL_DEPTH;
    if (head_values (head) > left (self))
        return MUSTER_REFUSAL_TRUNCATED;
    level_t *level = &self->levels [self->depth++];
    level->start = self->at;
    level->left = head->length;
    level->map = head->kind == MUSTER_VALUE_MAP;
    level->pairs = level->map ? head->length : 0;
    level->noted = 0;
    if (level->pairs > SCAN_KEYS_CHECKED) {
        self->pending += level->pairs;
        if (self->pending > self->most_pending)
            self->most_pending = self->pending;
    }
    return MUSTER_REFUSAL_NONE;
}

/*  So many different keys cannot be in so few bytes. It bounds the memory that
    looking for duplicates takes by the bytes received. */
static bool
is_crowded (const level_t *level, const uint8_t *end)
{
    if (level->pairs <= SHORT_KEYS)
        return false;
    uint64_t least = (uint64_t) SHORT_KEYS * SHORT_PAIR + (uint64_t) (level->pairs - SHORT_KEYS) * LONG_PAIR;
    return (uint64_t) (end - level->start) < least;
}

static inline void
close_container (scan_t *self)
{
    const level_t *level = &self->levels [--self->depth];
    if (level->pairs > SCAN_KEYS_CHECKED) {
        self->pending -= level->pairs;
        self->crowded = self->crowded || is_crowded (level, self->at);
    }
}

static inline muster_refusal_t
take_value (scan_t *self)
{
    head_t head;
    muster_refusal_t refusal = take_head (self, &head);
    if (refusal)
        return refusal;
    return head_is_container (&head) ? open_container (self, &head) : take_payload (self, &head);
}

static muster_refusal_t
walk (scan_t *self)
{
    while (self->depth > 0) {
        level_t *level = &self->levels [self->depth - 1];
        if (level->left == 0) {
            close_container (self);
            continue;
        }
        level->left--;
        muster_refusal_t refusal = level->map ? take_key (self, level) : MUSTER_REFUSAL_NONE;
        if (!refusal)
            refusal = take_value (self);
        if (refusal)
            return refusal;
    }
    return MUSTER_REFUSAL_NONE;
}

static muster_refusal_t
walk_map (scan_t *self, level_t *levels)
{
    head_t head;
    self->levels = levels;
    self->data = self->at;
    muster_refusal_t refusal = take_head (self, &head);
    if (!refusal && head.kind != MUSTER_VALUE_MAP)
        refusal = MUSTER_REFUSAL_DATA;
    if (!refusal)
        refusal = open_container (self, &head);
    return refusal ? refusal : walk (self);
}

/*  Apart from each other, so that the usual walk needs the usual stack. */
static __attribute__ ((noinline)) muster_refusal_t
walk_deep (scan_t *self)
{
    level_t levels [SCAN_DEPTH_WALL];
    return walk_map (self, levels);
}

static __attribute__ ((noinline)) muster_refusal_t
walk_usual (scan_t *self)
{
    level_t levels [LEVELS_USUAL];
    return walk_map (self, levels);
}

static muster_refusal_t
take_data (scan_t *self, const uint8_t **data, size_t *size)
{
    *data = self->at;
    muster_refusal_t refusal = self->limit <= LEVELS_USUAL ? walk_usual (self) : walk_deep (self);
    *size = (size_t) (self->at - *data);
    return refusal;
}

/*  --------------------------------------------------------------------------
    Messages */

static void
start (scan_t *self, const uint8_t *bytes, size_t size, const scan_limits_t *limits)
{
    uint64_t size_limit = SCAN_SIZE_WALL;
    if (limits->message_size > 0 && limits->message_size < size_limit)
        size_limit = limits->message_size;
    self->clipped = size > size_limit;
    self->at = bytes;
    self->end = bytes + (self->clipped ? size_limit : size);
    self->limit = SCAN_DEPTH_WALL;
    if (limits->depth > 0 && limits->depth < SCAN_DEPTH_WALL)
        self->limit = limits->depth;
    self->depth = 0;
    self->pending = 0;
    self->most_pending = 0;
    self->crowded = false;
}

static bool
fits (size_t size, const scan_limits_t *limits)
{
    return size <= SCAN_SIZE_WALL && (limits->message_size == 0 || size <= limits->message_size);
}

static muster_refusal_t
finish (const scan_t *self, muster_refusal_t refusal)
{
    if (refusal == MUSTER_REFUSAL_TRUNCATED && self->clipped)
        return MUSTER_REFUSAL_SIZE;
    if (!refusal && self->crowded)
        return MUSTER_REFUSAL_DUPLICATE;
    return refusal;
}

static muster_refusal_t
take_array (scan_t *self, uint32_t *count)
{
    head_t head;
    muster_refusal_t refusal = take_head (self, &head);
    if (refusal)
        return refusal;
    *count = head.length;
    return head.kind == MUSTER_VALUE_ARRAY ? MUSTER_REFUSAL_NONE : MUSTER_REFUSAL_SHAPE;
}

static muster_refusal_t
take_plain (scan_t *self, scan_message_t *message)
{
    uint32_t count;
    muster_refusal_t refusal = take_array (self, &count);
    if (!refusal && count != 3)
        refusal = MUSTER_REFUSAL_SHAPE;
    if (!refusal)
        refusal = take_name (self, MUSTER_REFUSAL_SOURCE, &message->source, &message->source_size);
    if (!refusal)
        refusal = take_name (self, MUSTER_REFUSAL_CMD, &message->cmd, &message->cmd_size);
    return refusal ? refusal : take_data (self, &message->data, &message->data_size);
}

static muster_refusal_t
take_number (scan_t *self, uint64_t most, uint64_t *number)
{
    head_t head;
    const uint8_t *at = self->at;
    muster_refusal_t refusal = take_head (self, &head);
    if (refusal)
        return refusal;
    if (head.kind != MUSTER_VALUE_UINT && head.kind != MUSTER_VALUE_INT)
        return MUSTER_REFUSAL_SHAPE;
    refusal = take_payload (self, &head);
    if (refusal)
        return refusal;
    return head_unsigned (at, &head, number) && *number <= most ? MUSTER_REFUSAL_NONE : MUSTER_REFUSAL_SHAPE;
}

/*  The elements after [cmd, data. */
static muster_refusal_t
take_tail (scan_t *self, uint32_t count, scan_message_t *message)
{
    uint64_t kind;
    muster_refusal_t refusal = take_number (self, MESSAGE_KIND_MAX, &kind);
    if (refusal)
        return refusal;
    message->kind = (uint8_t) kind;
    if (count != (kind & MESSAGE_KIND_REPLY ? 5 : 3))
        return MUSTER_REFUSAL_SHAPE;
    if (count == 3)
        return MUSTER_REFUSAL_NONE;
    uint64_t stream;
    refusal = take_number (self, UINT32_MAX, &stream);
    if (refusal)
        return refusal;
    message->stream = (uint32_t) stream;
    return take_number (self, UINT64_MAX, &message->position);
}

static muster_refusal_t
take_session (scan_t *self, scan_message_t *message)
{
    uint32_t count;
    muster_refusal_t refusal = take_array (self, &count);
    if (!refusal && count != 2 && count != 3 && count != 5)
        refusal = MUSTER_REFUSAL_SHAPE;
    if (!refusal)
        refusal = take_name (self, MUSTER_REFUSAL_CMD, &message->cmd, &message->cmd_size);
    if (!refusal)
        refusal = take_data (self, &message->data, &message->data_size);
    if (refusal || count == 2)
        return refusal;
    return take_tail (self, count, message);
}

static void
clear (scan_message_t *message)
{
    message->source = NULL;
    message->source_size = 0;
    message->kind = 0;
    message->stream = 0;
    message->position = 0;
    message->most_keys = 0;
}

muster_refusal_t
scan_message (
    const uint8_t *bytes, size_t size, scan_form_t form, const scan_limits_t *limits, scan_message_t *message)
{
    if (size == 0)
        return MUSTER_REFUSAL_EMPTY;
    if (form == SCAN_SESSION && skim_message (bytes, bytes + size, message) && fits (message->size, limits))
        return MUSTER_REFUSAL_NONE;
    scan_t scan;
    start (&scan, bytes, size, limits);
    clear (message);
    muster_refusal_t refusal = form == SCAN_PLAIN ? take_plain (&scan, message) : take_session (&scan, message);
    message->size = (size_t) (scan.at - bytes);
    message->most_keys = scan.most_pending;
    return finish (&scan, refusal);
}

/*  --------------------------------------------------------------------------
    With memory for large maps */

static muster_refusal_t
find_duplicates (const scan_message_t *message)
{
    if (message->most_keys <= KEYS_ON_STACK) {
        uint64_t few [KEYS_ON_STACK];
        return scan_duplicates (message, few);
    }
    uint64_t *scratch = alloc_new (message->most_keys * sizeof *scratch);
    if (!scratch)
        return MUSTER_REFUSAL_MEMORY;
    muster_refusal_t refusal = scan_duplicates (message, scratch);
    alloc_free (scratch);
    return refusal;
}

muster_refusal_t
scan_whole (
    const uint8_t *bytes, size_t size, scan_form_t form, const scan_limits_t *limits, scan_message_t *message)
{
    muster_refusal_t refusal = scan_message (bytes, size, form, limits, message);
    if (refusal || message->most_keys <= SCAN_KEYS_CHECKED)
        return refusal;
    return find_duplicates (message);
}

muster_refusal_t
scan_duplicates (const scan_message_t *message, uint64_t *scratch)
{
    return duplicates_in (message->data, scratch)
        ? MUSTER_REFUSAL_DUPLICATE : MUSTER_REFUSAL_NONE;
}

muster_refusal_t
scan_data (const uint8_t *bytes, size_t size, const scan_limits_t *limits)
{
    if (size == 0)
        return MUSTER_REFUSAL_DATA;
    if (fits (size, limits) && skim_map (bytes, bytes + size) == bytes + size)
        return MUSTER_REFUSAL_NONE;
    scan_t scan;
    scan_message_t message = { 0 };
    start (&scan, bytes, size, limits);
    muster_refusal_t refusal = take_data (&scan, &message.data, &message.data_size);
    refusal = finish (&scan, refusal);
    if (refusal)
        return refusal;
    if (message.data_size < size)
        return scan.clipped ? MUSTER_REFUSAL_SIZE : MUSTER_REFUSAL_DATA;
    message.most_keys = scan.most_pending;
    return message.most_keys > SCAN_KEYS_CHECKED ? find_duplicates (&message) : MUSTER_REFUSAL_NONE;
}

bool
scan_name (const void *text, size_t size)
{
    return text && size > 0 && size <= MUSTER_NAME_MAX && utf8_printable (text, size);
}

/*  --------------------------------------------------------------------------
    Bytes that passed before: heads are whole and of the right kind */

static head_t
known_head (const uint8_t **at)
{
    head_t head = head_known (*at);
    *at += head.size;
    return head;
}

static const uint8_t *
known_name (const uint8_t **at, uint8_t *size)
{
    head_t head = known_head (at);
    const uint8_t *name = *at;
    *size = (uint8_t) head.length;
    *at += head.length;
    return name;
}

static uint64_t
known_number (const uint8_t **at)
{
    const uint8_t *lead = *at;
    head_t head = known_head (at);
    *at += head.length;
    uint64_t number = 0;
    head_unsigned (lead, &head, &number);
    return number;
}

static const uint8_t *
after_value (const uint8_t *at)
{
    uint64_t values = 1;
    while (values > 0) {
        head_t head = known_head (&at);
        values--;
        if (head_is_container (&head))
            values += head_values (&head);
        else
            at += head.length;
    }
    return at;
}

static void
split_tail (const uint8_t *at, scan_message_t *message)
{
    message->kind = (uint8_t) known_number (&at);
    if (message->kind & MESSAGE_KIND_REPLY) {
        message->stream = (uint32_t) known_number (&at);
        message->position = known_number (&at);
    }
}

void
scan_split (const uint8_t *bytes, size_t size, scan_form_t form, scan_message_t *message)
{
    if (form == SCAN_SESSION && skim_split (bytes, bytes + size, message))
        return;
    clear (message);
    const uint8_t *at = bytes;
    head_t head = known_head (&at);
    if (form == SCAN_PLAIN)
        message->source = known_name (&at, &message->source_size);
    message->cmd = known_name (&at, &message->cmd_size);
    message->data = at;
    message->size = size;
    message->data_size = (size_t) (bytes + size - at);
    if (form == SCAN_PLAIN || head.length == 2)
        return;
    at = after_value (at);
    message->data_size = (size_t) (at - message->data);
    split_tail (at, message);
}
