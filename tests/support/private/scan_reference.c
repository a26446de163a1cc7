/*  scan_reference.c - the rules of the scan once more, slow and plain

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Written from the protocol, to be compared with src/wire/scan.c; it shares
    no code with it, recurses, and compares every key with every other.
*/
#include "scan_reference.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const uint8_t *bytes;
    size_t size;            /* up to the size limit */
    size_t at;
    unsigned depth_limit;
    bool large_map_repeats;
} input_t;

typedef enum { NUMBER, TEXT, LIST, MAP, OTHER } type_t;

typedef struct {
    type_t type;
    uint64_t length;        /* bytes, elements or pairs that follow */
    bool negative;
    uint64_t number;
} token_t;

static uint64_t
big_endian (const uint8_t *bytes, unsigned width)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < width; i++)
        number = number * 256 + bytes [i];
    return number;
}

static muster_refusal_t
sized (input_t *in, type_t type, unsigned width, unsigned extra, token_t *token)
{
    if (in->size - in->at < 1 + width + extra)
        return MUSTER_REFUSAL_TRUNCATED;
    token->type = type;
    token->length = big_endian (in->bytes + in->at + 1, width);
    in->at += 1 + width + extra;
    return MUSTER_REFUSAL_NONE;
}

static muster_refusal_t
fixed (input_t *in, type_t type, uint64_t length, token_t *token)
{
    token->type = type;
    token->length = length;
    in->at += 1;
    return MUSTER_REFUSAL_NONE;
}

/*  One lead byte and its length. A number's bytes are still to come. */
static muster_refusal_t
token_next (input_t *in, token_t *token)
{
    memset (token, 0, sizeof *token);
    if (in->at >= in->size)
        return MUSTER_REFUSAL_TRUNCATED;
    uint8_t lead = in->bytes [in->at];
    if (lead <= 0x7f || lead >= 0xe0) {
        token->number = lead;
        token->negative = lead >= 0xe0;
        return fixed (in, NUMBER, 0, token);
    }
    if (lead <= 0x8f)
        return fixed (in, MAP, lead - 0x80u, token);
    if (lead <= 0x9f)
        return fixed (in, LIST, lead - 0x90u, token);
    if (lead <= 0xbf)
        return fixed (in, TEXT, lead - 0xa0u, token);
    switch (lead) {
        case 0xc1: return MUSTER_REFUSAL_RESERVED;
        case 0xc4: return sized (in, OTHER, 1, 0, token);
        case 0xc5: return sized (in, OTHER, 2, 0, token);
        case 0xc6: return sized (in, OTHER, 4, 0, token);
        case 0xc7: return sized (in, OTHER, 1, 1, token);
        case 0xc8: return sized (in, OTHER, 2, 1, token);
        case 0xc9: return sized (in, OTHER, 4, 1, token);
        case 0xca: return fixed (in, OTHER, 4, token);
        case 0xcb: return fixed (in, OTHER, 8, token);
        case 0xcc:
        case 0xcd:
        case 0xce:
        case 0xcf:
            return fixed (in, NUMBER, 1u << (lead - 0xcc), token);
        case 0xd0:
        case 0xd1:
        case 0xd2:
        case 0xd3:
            token->negative = true;
            return fixed (in, NUMBER, 1u << (lead - 0xd0), token);
        case 0xd4:
        case 0xd5:
        case 0xd6:
        case 0xd7:
        case 0xd8: {
            unsigned payload = 1u << (lead - 0xd4);
            muster_refusal_t refusal = sized (in, OTHER, 0, 1, token);
            token->length = payload;
            return refusal;
        }
        case 0xd9: return sized (in, TEXT, 1, 0, token);
        case 0xda: return sized (in, TEXT, 2, 0, token);
        case 0xdb: return sized (in, TEXT, 4, 0, token);
        case 0xdc: return sized (in, LIST, 2, 0, token);
        case 0xdd: return sized (in, LIST, 4, 0, token);
        case 0xde: return sized (in, MAP, 2, 0, token);
        case 0xdf: return sized (in, MAP, 4, 0, token);
        default: return fixed (in, OTHER, 0, token);
    }
}

/*  Decode every character and judge its number; control says whether control
    characters are allowed. */
static bool
is_text (const uint8_t *text, uint64_t size, bool control)
{
    static const uint32_t least [] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint64_t i = 0;
    while (i < size) {
        uint8_t lead = text [i];
        unsigned length = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
        if (length == 0 || size - i < length)
            return false;
        uint32_t point = length == 1 ? lead : lead & (0xffu >> (length + 1));
        for (unsigned k = 1; k < length; k++) {
            if (text [i + k] >> 6 != 2)
                return false;
            point = point * 64 + text [i + k] % 64;
        }
        if (point < least [length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
            return false;
        if (!control && (point < 0x20 || (point >= 0x7f && point <= 0x9f)))
            return false;
        i += length;
    }
    return true;
}

static muster_refusal_t
payload (input_t *in, const token_t *token)
{
    if (token->length > in->size - in->at)
        return MUSTER_REFUSAL_TRUNCATED;
    if (token->type == TEXT && !is_text (in->bytes + in->at, token->length, true))
        return MUSTER_REFUSAL_UTF8;
    in->at += token->length;
    return MUSTER_REFUSAL_NONE;
}

/*  The text of the key at offset, as it was accepted before. */
static const uint8_t *
key_text (const input_t *in, size_t offset, uint64_t *size)
{
    input_t again = *in;
    token_t token;
    again.at = offset;
    token_next (&again, &token);
    *size = token.length;
    return again.bytes + again.at;
}

static bool
same_key (const input_t *in, size_t one, size_t other)
{
    uint64_t one_size;
    uint64_t other_size;
    const uint8_t *one_text = key_text (in, one, &one_size);
    const uint8_t *other_text = key_text (in, other, &other_size);
    return one_size == other_size && memcmp (one_text, other_text, one_size) == 0;
}

/*  Take a key and put its place at keys [count]. */
static muster_refusal_t
key (input_t *in, size_t *keys, uint64_t count, uint64_t pairs)
{
    keys [count] = in->at;
    token_t token;
    muster_refusal_t refusal = token_next (in, &token);
    if (refusal)
        return refusal;
    if (token.type != TEXT)
        return MUSTER_REFUSAL_KEY;
    refusal = payload (in, &token);
    if (refusal)
        return refusal;
    for (uint64_t i = 0; i < count; i++) {
        if (!same_key (in, keys [i], keys [count]))
            continue;
        if (pairs <= SCAN_KEYS_CHECKED)
            return MUSTER_REFUSAL_DUPLICATE;
        in->large_map_repeats = true;
    }
    return MUSTER_REFUSAL_NONE;
}

static muster_refusal_t value (input_t *in, unsigned depth);

/*  depth: containers around the content, this one among them. */
static muster_refusal_t
content (input_t *in, const token_t *token, unsigned depth, size_t *keys)
{
    for (uint64_t i = 0; i < token->length; i++) {
        muster_refusal_t refusal = token->type == MAP ? key (in, keys, i, token->length) : MUSTER_REFUSAL_NONE;
        if (!refusal)
            refusal = value (in, depth);
        if (refusal)
            return refusal;
    }
    return MUSTER_REFUSAL_NONE;
}

/*  depth: containers around the value. */
static muster_refusal_t
container (input_t *in, const token_t *token, unsigned depth)
{
    if (depth == in->depth_limit)
        return MUSTER_REFUSAL_DEPTH;
    if (token->length * (token->type == MAP ? 2 : 1) > in->size - in->at)
        return MUSTER_REFUSAL_TRUNCATED;
    size_t *keys = malloc ((token->length + 1) * sizeof *keys);
    if (!keys)
        return MUSTER_REFUSAL_MEMORY;
    muster_refusal_t refusal = content (in, token, depth + 1, keys);
    free (keys);
    return refusal;
}

static muster_refusal_t
value (input_t *in, unsigned depth)
{
    token_t token;
    muster_refusal_t refusal = token_next (in, &token);
    if (refusal)
        return refusal;
    if (token.type == LIST || token.type == MAP)
        return container (in, &token, depth);
    return payload (in, &token);
}

static muster_refusal_t
name (input_t *in, muster_refusal_t wrong)
{
    token_t token;
    muster_refusal_t refusal = token_next (in, &token);
    if (refusal)
        return refusal;
    if (token.type != TEXT || token.length < 1 || token.length > 255)
        return wrong;
    if (token.length > in->size - in->at)
        return MUSTER_REFUSAL_TRUNCATED;
    if (!is_text (in->bytes + in->at, token.length, false))
        return wrong;
    in->at += token.length;
    return MUSTER_REFUSAL_NONE;
}

static muster_refusal_t
data (input_t *in)
{
    token_t token;
    muster_refusal_t refusal = token_next (in, &token);
    if (refusal)
        return refusal;
    return token.type == MAP ? container (in, &token, 0) : MUSTER_REFUSAL_DATA;
}

static muster_refusal_t
number (input_t *in, uint64_t most, uint64_t *result)
{
    token_t token;
    muster_refusal_t refusal = token_next (in, &token);
    if (refusal)
        return refusal;
    if (token.type != NUMBER)
        return MUSTER_REFUSAL_SHAPE;
    if (token.length > in->size - in->at)
        return MUSTER_REFUSAL_TRUNCATED;
    *result = token.number;
    if (token.length > 0) {
        *result = big_endian (in->bytes + in->at, (unsigned) token.length);
        token.negative = token.negative && in->bytes [in->at] >= 0x80;
    }
    in->at += token.length;
    return token.negative || *result > most ? MUSTER_REFUSAL_SHAPE : MUSTER_REFUSAL_NONE;
}

static muster_refusal_t
plain (input_t *in)
{
    token_t token;
    muster_refusal_t refusal = token_next (in, &token);
    if (!refusal && (token.type != LIST || token.length != 3))
        refusal = MUSTER_REFUSAL_SHAPE;
    if (!refusal)
        refusal = name (in, MUSTER_REFUSAL_SOURCE);
    if (!refusal)
        refusal = name (in, MUSTER_REFUSAL_CMD);
    return refusal ? refusal : data (in);
}

static muster_refusal_t
session (input_t *in)
{
    token_t token;
    uint64_t kind = 0;
    uint64_t ignored;
    muster_refusal_t refusal = token_next (in, &token);
    if (!refusal && (token.type != LIST || (token.length != 2 && token.length != 3 && token.length != 5)))
        refusal = MUSTER_REFUSAL_SHAPE;
    if (!refusal)
        refusal = name (in, MUSTER_REFUSAL_CMD);
    if (!refusal)
        refusal = data (in);
    if (refusal || token.length == 2)
        return refusal;
    refusal = number (in, 3, &kind);
    if (!refusal && (kind >= 2) != (token.length == 5))
        refusal = MUSTER_REFUSAL_SHAPE;
    if (refusal || token.length == 3)
        return refusal;
    refusal = number (in, UINT32_MAX, &ignored);
    return refusal ? refusal : number (in, UINT64_MAX, &ignored);
}

static input_t
input (const uint8_t *bytes, size_t size, const scan_limits_t *limits)
{
    input_t in = { .bytes = bytes, .size = size, .depth_limit = limits->depth };
    if (limits->message_size > 0 && limits->message_size < size)
        in.size = limits->message_size;
    if (limits->depth == 0 || limits->depth > SCAN_DEPTH_WALL)
        in.depth_limit = SCAN_DEPTH_WALL;
    return in;
}

static muster_refusal_t
verdict (const input_t *in, size_t size, muster_refusal_t refusal)
{
    if (refusal == MUSTER_REFUSAL_TRUNCATED && in->size < size)
        return MUSTER_REFUSAL_SIZE;
    return !refusal && in->large_map_repeats ? MUSTER_REFUSAL_DUPLICATE : refusal;
}

muster_refusal_t
scan_reference (
    const uint8_t *bytes, size_t size, scan_form_t form, const scan_limits_t *limits, size_t *message_size)
{
    if (size == 0)
        return MUSTER_REFUSAL_EMPTY;
    input_t in = input (bytes, size, limits);
    muster_refusal_t refusal = verdict (&in, size, form == SCAN_PLAIN ? plain (&in) : session (&in));
    *message_size = in.at;
    return refusal;
}

muster_refusal_t
scan_reference_data (const uint8_t *bytes, size_t size, const scan_limits_t *limits)
{
    if (size == 0)
        return MUSTER_REFUSAL_DATA;
    input_t in = input (bytes, size, limits);
    muster_refusal_t refusal = data (&in);
    if (!refusal && in.at < size)
        return in.size < size ? MUSTER_REFUSAL_SIZE : MUSTER_REFUSAL_DATA;
    return verdict (&in, size, refusal);
}
