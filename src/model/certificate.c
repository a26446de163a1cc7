/*  certificate.c - CURVE keys in czmq's certificate files

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "model/certificate.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/lines.h"
#include "model/endpoint.h"

#define INDENT 4

void
certificate_wipe (certificate_t *self)
{
    explicit_bzero (self, sizeof *self);
}

/*  --------------------------------------------------------------------------
    Reading */

/*  Some of the text. */
typedef struct {
    const char *at;
    size_t size;
} piece_t;

typedef enum { ITEM_NONE, ITEM_FOUND, ITEM_BAD } item_found_t;

/*  What a line has: LEVEL times four blanks, name = value. */
typedef struct {
    size_t level;
    piece_t name;
    piece_t value;
    const char *problem;    /* a static string */
} item_t;

typedef struct {
    certificate_t *keys;
    size_t deepest;         /* the level that the next item has at most */
    bool seen_curve;
    bool in_curve;
} reader_t;

static bool
is_space (char character)
{
    return character == ' ' || (character >= '\t' && character <= '\r');
}

static bool
is_name_character (char character)
{
    static const char allowed [] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789$-_@.&+/";
    return character && strchr (allowed, character);
}

static void
skip (piece_t *self, size_t size)
{
    self->at += size;
    self->size -= size;
}

static void
skip_spaces (piece_t *self)
{
    while (self->size > 0 && is_space (*self->at))
        skip (self, 1);
}

static void
cut_spaces (piece_t *self)
{
    while (self->size > 0 && is_space (self->at [self->size - 1]))
        self->size--;
}

/*  Is there nothing more on the line but a comment? */
static bool
ends (piece_t rest)
{
    skip_spaces (&rest);
    return rest.size == 0 || *rest.at == '#';
}

static item_found_t
complain (item_t *self, const char *problem)
{
    self->problem = problem;
    return ITEM_BAD;
}

static item_found_t
take_quoted (item_t *self, piece_t rest)
{
    char quote = *rest.at;
    skip (&rest, 1);
    const char *end = memchr (rest.at, quote, rest.size);
    if (!end)
        return complain (self, "a quote is not closed");
    self->value = (piece_t) { rest.at, (size_t) (end - rest.at) };
    skip (&rest, self->value.size + 1);
    return ends (rest) ? ITEM_FOUND : complain (self, "there is more behind the closing quote");
}

static item_found_t
take_value (item_t *self, piece_t rest)
{
    if (ends (rest))
        return ITEM_FOUND;
    skip_spaces (&rest);
    if (*rest.at != '=')
        return complain (self, "it is neither a section nor NAME = \"VALUE\"");
    skip (&rest, 1);
    skip_spaces (&rest);
    if (rest.size > 0 && (*rest.at == '"' || *rest.at == '\''))
        return take_quoted (self, rest);
    const char *comment = memchr (rest.at, '#', rest.size);
    if (comment)
        rest.size = (size_t) (comment - rest.at);
    cut_spaces (&rest);
    self->value = rest;
    return ITEM_FOUND;
}

static item_found_t
take_item (item_t *self, piece_t rest)
{
    memset (self, 0, sizeof *self);
    if (rest.size > CERTIFICATE_LINE_MOST)
        return complain (self, "it is longer than 1024 bytes");
    if (memchr (rest.at, 0, rest.size))
        return complain (self, "there is a NUL byte in it");
    if (ends (rest))
        return ITEM_NONE;
    size_t blanks = 0;
    while (rest.at [blanks] == ' ')
        blanks++;
    if (blanks % INDENT != 0)
        return complain (self, "indent by four blanks");
    self->level = blanks / INDENT;
    skip (&rest, blanks);
    self->name.at = rest.at;
    while (rest.size > 0 && is_name_character (*rest.at))
        skip (&rest, 1);
    self->name.size = (size_t) (rest.at - self->name.at);
    return self->name.size > 0 ? take_value (self, rest) : complain (self, "there is no name in it");
}

static bool
is_named (const item_t *self, const char *name)
{
    return self->name.size == strlen (name) && memcmp (self->name.at, name, self->name.size) == 0;
}

static bool
take_key (char *key, item_t *item, const char *again, const char *none)
{
    if (*key)
        item->problem = again;
    else
    if (!z85_is_key (item->value.at, item->value.size))
        item->problem = none;
    else
        memcpy (key, item->value.at, Z85_KEY);
    return !item->problem;
}

/*  False, and item's problem says why, if it cannot be where it is. */
static bool
place_item (reader_t *self, item_t *item)
{
    if (item->level > self->deepest)
        item->problem = "it is indented too far";
    self->deepest = item->level + 1;
    if (item->level == 0) {
        self->in_curve = is_named (item, "curve");
        if (self->in_curve && self->seen_curve)
            item->problem = "there is a second section curve";
        self->seen_curve = self->seen_curve || self->in_curve;
    }
    if (item->problem || item->level != 1 || !self->in_curve)
        return !item->problem;
    if (is_named (item, "public-key"))
        return take_key (self->keys->public_key, item, "there is a second public-key",
            "public-key is no key, 40 characters in quotes");
    if (is_named (item, "secret-key"))
        return take_key (self->keys->secret_key, item, "there is a second secret-key",
            "secret-key is no key, 40 characters in quotes");
    return true;
}

static bool
read_items (reader_t *self, const char *text, size_t size, char *reason)
{
    lines_t lines = lines_of (text, size);
    while (lines_next (&lines)) {
        item_t item;
        item_found_t found = take_item (&item, (piece_t) { lines.line, lines.size });
        if (found == ITEM_BAD || (found == ITEM_FOUND && !place_item (self, &item))) {
            snprintf (reason, REASON_ROOM, "line %zu: %s", lines.number, item.problem);
            return false;
        }
    }
    if (!*self->keys->public_key)
        snprintf (reason, REASON_ROOM, "there is no public-key in a section curve: it is no key file");
    return *self->keys->public_key;
}

muster_error_t
certificate_read (certificate_t *self, const char *text, size_t size, char *reason)
{
    reader_t reader = { .keys = self };
    memset (self, 0, sizeof *self);
    if (size > CERTIFICATE_MOST) {
        snprintf (reason, REASON_ROOM, "it is larger than %zu bytes: it is no key file", CERTIFICATE_MOST);
        return MUSTER_FORMAT;
    }
    if (read_items (&reader, text, size, reason))
        return 0;
    certificate_wipe (self);
    return MUSTER_FORMAT;
}

/*  --------------------------------------------------------------------------
    Writing. stdio might keep a copy of a secret. */

static const char public_head [] =
    "#   ZeroMQ CURVE Public Certificate, made by muster\n"
    "#   Give it to those who are to know you by it, in a way that nobody can change\n"
    "#   it on. It is no secret.\n"
    "\n";

static const char secret_head [] =
    "#   ZeroMQ CURVE **Secret** Certificate, made by muster\n"
    "#   DO NOT PROVIDE THIS FILE TO OTHER USERS nor change its permissions.\n"
    "\n";

static char *
put (char *at, const char *text)
{
    size_t size = strlen (text);
    memcpy (at, text, size);
    return at + size;
}

static char *
put_key (char *at, const char *name, const char *key)
{
    at = put (at, name);
    memcpy (at, key, Z85_KEY);
    return put (at + Z85_KEY, "\"\n");
}

size_t
certificate_write_public (const certificate_t *self, char *text)
{
    char *at = put (text, public_head);
    at = put (at, "metadata\ncurve\n");
    at = put_key (at, "    public-key = \"", self->public_key);
    return (size_t) (at - text);
}

size_t
certificate_write_secret (const certificate_t *self, char *text)
{
    char *at = put (text, secret_head);
    at = put (at, "metadata\ncurve\n");
    at = put_key (at, "    public-key = \"", self->public_key);
    at = put_key (at, "    secret-key = \"", self->secret_key);
    return (size_t) (at - text);
}
