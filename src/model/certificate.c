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

typedef struct {
    certificate_t *keys;
    bool seen_curve;
    bool in_curve;
    const char *problem;    /* a static string; NULL while there is none */
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

static void
complain (reader_t *self, const char *problem)
{
    self->problem = problem;
}

static piece_t
take_name (piece_t *rest)
{
    piece_t name = { .at = rest->at };
    while (rest->size > 0 && is_name_character (*rest->at))
        skip (rest, 1);
    name.size = (size_t) (rest->at - name.at);
    return name;
}

static bool
is_named (piece_t name, const char *text)
{
    return name.size == strlen (text) && memcmp (name.at, text, name.size) == 0;
}

static piece_t
take_quoted (reader_t *self, piece_t rest)
{
    char quote = *rest.at;
    skip (&rest, 1);
    const char *end = memchr (rest.at, quote, rest.size);
    piece_t value = { rest.at, end ? (size_t) (end - rest.at) : rest.size };
    skip (&rest, value.size + (end ? 1 : 0));
    if (!end)
        complain (self, "a quote is not closed");
    else
    if (!ends (rest))
        complain (self, "there is more behind the closing quote");
    return value;
}

static piece_t
take_value (reader_t *self, piece_t rest)
{
    skip_spaces (&rest);
    if (rest.size == 0 || *rest.at != '=') {
        complain (self, "there is no = behind the name of a key");
        return rest;
    }
    skip (&rest, 1);
    skip_spaces (&rest);
    if (rest.size > 0 && (*rest.at == '"' || *rest.at == '\''))
        return take_quoted (self, rest);
    const char *comment = memchr (rest.at, '#', rest.size);
    if (comment)
        rest.size = (size_t) (comment - rest.at);
    cut_spaces (&rest);
    return rest;
}

static void
take_key (reader_t *self, char *key, piece_t rest)
{
    piece_t value = take_value (self, rest);
    if (self->problem)
        return;
    if (*key)
        complain (self, "it has a second key of the same name");
    else
    if (!z85_is_key (value.at, value.size))
        complain (self, "its value is no key, 40 characters of Z85 in quotes");
    else
        memcpy (key, value.at, Z85_KEY);
}

static void
take_section (reader_t *self, piece_t rest)
{
    piece_t name = take_name (&rest);
    self->in_curve = is_named (name, "curve");
    if (name.size == 0)
        complain (self, "it is neither a section nor indented by four blanks in one");
    else
    if (self->in_curve && !ends (rest))
        complain (self, "there is more behind the section's name");
    else
    if (self->in_curve && self->seen_curve)
        complain (self, "it begins a second section curve");
    self->seen_curve = self->seen_curve || self->in_curve;
}

/*  A line of section curve, indented by so many blanks; what is not of the section itself
    is passed over. */
static void
take_item (reader_t *self, piece_t rest, size_t blanks)
{
    skip (&rest, blanks);
    piece_t name = take_name (&rest);
    if (blanks % INDENT != 0 || name.size == 0)
        complain (self, "it is not indented by four blanks");
    else
    if (blanks == INDENT && is_named (name, "public-key"))
        take_key (self, self->keys->public_key, rest);
    else
    if (blanks == INDENT && is_named (name, "secret-key"))
        take_key (self, self->keys->secret_key, rest);
}

static void
take_line (reader_t *self, piece_t line)
{
    if (line.size > CERTIFICATE_LINE_MOST)
        complain (self, "it is longer than 1024 bytes");
    else
    if (memchr (line.at, 0, line.size))
        complain (self, "there is a NUL byte in it");
    else
    if (!ends (line)) {
        size_t blanks = 0;
        while (line.at [blanks] == ' ')
            blanks++;
        if (blanks == 0)
            take_section (self, line);
        else
        if (self->in_curve)
            take_item (self, line, blanks);
    }
}

static bool
read_lines (reader_t *self, const char *text, size_t size, char *reason)
{
    lines_t lines = lines_of (text, size);
    while (!self->problem && lines_next (&lines))
        take_line (self, (piece_t) { lines.line, lines.size });
    if (self->problem)
        snprintf (reason, REASON_ROOM, "line %zu: %s", lines.number, self->problem);
    else
    if (!*self->keys->public_key)
        snprintf (reason, REASON_ROOM, "there is no public-key in a section curve: it is no key file");
    return !self->problem && *self->keys->public_key;
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
    if (read_lines (&reader, text, size, reason))
        return 0;
    certificate_wipe (self);
    return MUSTER_FORMAT;
}

/*  --------------------------------------------------------------------------
    Writing. stdio might keep a copy of a secret. */

static const char public_head [] =
    "#   ZeroMQ CURVE Public Certificate, made by muster\n"
    "#   It is no secret: give it to those who are to know you by it. See to it that\n"
    "#   nobody can give them another one in its place.\n"
    "\n";

static const char secret_head [] =
    "#   ZeroMQ CURVE **Secret** Certificate, made by muster\n"
    "#   DO NOT PROVIDE THIS FILE TO OTHER USERS nor change its permissions.\n"
    "\n";

static char *
put (char *at, const char *text)
{
    return mempcpy (at, text, strlen (text));
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
