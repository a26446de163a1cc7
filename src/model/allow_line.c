/*  allow_line.c - one line of an allow file

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "model/allow_line.h"

#include <string.h>

#include "base/text.h"

static bool
is_blank (char character)
{
    return character == ' ' || character == '\t';
}

static const char *
skip_blanks (const char *at, const char *end)
{
    while (at < end && is_blank (*at))
        at++;
    return at;
}

static const char *
skip_word (const char *at, const char *end)
{
    while (at < end && !is_blank (*at))
        at++;
    return at;
}

static allow_line_found_t
complain (allow_line_t *self, const char *problem)
{
    self->problem = problem;
    return ALLOW_LINE_BAD;
}

/*  --------------------------------------------------------------------------
    Reading */

/*  The first two words, whatever they are. */
typedef struct {
    const char *kind, *kind_end;
    const char *key, *key_end;
} words_t;

static words_t
take_words (const char *line, size_t size)
{
    const char *end = line + size;
    words_t words;
    words.kind = skip_blanks (line, end);
    words.kind_end = skip_word (words.kind, end);
    words.key = skip_blanks (words.kind_end, end);
    words.key_end = skip_word (words.key, end);
    return words;
}

static bool
is_word (const words_t *words, const char *kind)
{
    size_t size = (size_t) (words->kind_end - words->kind);
    return size == strlen (kind) && memcmp (words->kind, kind, size) == 0;
}

static bool
is_kind (const words_t *words)
{
    return is_word (words, ALLOW_LINE_KIND) || is_word (words, ALLOW_LINE_OBSERVER);
}

allow_line_found_t
allow_line_begin (allow_line_t *self, const char *line, size_t size)
{
    memset (self, 0, sizeof *self);
    if (size > ALLOW_LINE_MOST)
        return complain (self, "it is longer than 65536 bytes");
    if (memchr (line, 0, size))
        return complain (self, "there is a NUL byte in it");
    words_t words = take_words (line, size);
    if (words.kind == line + size || *words.kind == '#')
        return ALLOW_LINE_NONE;
    if (!is_kind (&words))
        return complain (self,
            "it does not begin with \"" ALLOW_LINE_KIND "\": write " ALLOW_LINE_KIND " KEY SOURCE...");
    if (!z85_is_key (words.key, (size_t) (words.key_end - words.key)))
        return complain (self, "the second word is no public key, 40 characters without quotes");
    self->key = words.key;
    self->at = words.key_end;
    self->observer = is_word (&words, ALLOW_LINE_OBSERVER);
    self->end = line + size;
    return ALLOW_LINE_FOUND;
}

static allow_line_found_t
check_source (allow_line_t *self, const char *source, size_t size)
{
    if (size == 0)
        return complain (self, "a source is empty");
    if (size > MUSTER_NAME_MAX)
        return complain (self, "a source is longer than 255 bytes");
    if (!text_is_name (source, size))
        return complain (self, "a source is not UTF-8 or has a control character in it");
    return ALLOW_LINE_FOUND;
}

static allow_line_found_t
take_bare (allow_line_t *self, char *source, size_t *size)
{
    const char *word = self->at;
    self->at = skip_word (word, self->end);
    *size = (size_t) (self->at - word);
    allow_line_found_t found = check_source (self, word, *size);
    if (found == ALLOW_LINE_FOUND)
        memcpy (source, word, *size);
    return found;
}

/*  Take one character from between quotes. False at the end of the line, and for a
    backslash that stands for nothing. */
static bool
take_quoted_character (allow_line_t *self, char *character)
{
    if (self->at == self->end)
        return false;
    *character = *self->at++;
    if (*character != '\\')
        return true;
    if (self->at == self->end || (*self->at != '"' && *self->at != '\\'))
        return false;
    *character = *self->at++;
    return true;
}

static allow_line_found_t
take_quoted (allow_line_t *self, char *source, size_t *size)
{
    self->at++;
    for (*size = 0; self->at < self->end && *self->at != '"'; ++*size) {
        char character;
        if (!take_quoted_character (self, &character))
            return complain (self, "a backslash in quotes is before neither a quote nor a backslash");
        if (*size < MUSTER_NAME_MAX)
            source [*size] = character;
    }
    if (self->at == self->end)
        return complain (self, "a quote is not closed");
    self->at++;
    if (self->at < self->end && !is_blank (*self->at))
        return complain (self, "a closing quote has no blank behind it");
    return check_source (self, source, *size);
}

allow_line_found_t
allow_line_next (allow_line_t *self, char source [MUSTER_NAME_MAX], size_t *size)
{
    const char *word = skip_blanks (self->at, self->end);
    if (word == self->end || *word == '#')
        return ALLOW_LINE_NONE;
    self->at = word;
    return *word == '"' ? take_quoted (self, source, size) : take_bare (self, source, size);
}

bool
allow_line_is_of (const char *line, size_t size, const char *key)
{
    words_t words = take_words (line, size);
    return is_kind (&words) && words.key_end - words.key == Z85_KEY && memcmp (words.key, key, Z85_KEY) == 0;
}

/*  --------------------------------------------------------------------------
    Writing */

size_t
allow_line_write (char word [ALLOW_LINE_WORD], const char *source)
{
    bool quoted = *source == '#' || strpbrk (source, " \"\\");
    char *at = word;
    *at++ = ' ';
    if (quoted)
        *at++ = '"';
    for (; *source; source++) {
        if (quoted && (*source == '"' || *source == '\\'))
            *at++ = '\\';
        *at++ = *source;
    }
    if (quoted)
        *at++ = '"';
    return (size_t) (at - word);
}
