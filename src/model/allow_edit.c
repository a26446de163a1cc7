/*  allow_edit.c - enrolling and revoking keys in the text of an allow file

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "model/allow.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/lines.h"
#include "base/text.h"
#include "model/allow_line.h"
#include "model/endpoint.h"

static muster_error_t
complain (char *reason, muster_error_t error, const char *what)
{
    snprintf (reason, REASON_ROOM, "%s", what);
    return error;
}

/*  Is a text well-formed? */
static muster_error_t
check (const char *text, size_t size, char *reason)
{
    allow_t *list;
    muster_error_t error = allow_parse (&list, text, size, reason);
    allow_release (&list);
    return error;
}

static muster_error_t
check_key (const char *key, char *reason)
{
    if (z85_is_key (key, strnlen (key, Z85_KEY + 1)))
        return 0;
    return complain (reason, MUSTER_INVAL, "a public key is 40 characters of Z85");
}

/*  --------------------------------------------------------------------------
    A text that grows; its room is known before */

typedef struct {
    char *text;
    size_t size;
} grown_t;

static void
add (grown_t *self, const char *text, size_t size)
{
    memcpy (self->text + self->size, text, size);
    self->size += size;
}

static void
add_sources (grown_t *self, const char *const *sources, size_t count, const allow_entry_t *entry)
{
    for (size_t i = 0; i < count; i++) {
        char word [ALLOW_LINE_WORD];
        bool again = entry && allow_entry_may (entry, sources [i], strlen (sources [i]));
        for (size_t before = 0; before < i && !again; before++)
            again = strcmp (sources [before], sources [i]) == 0;
        if (!again)
            add (self, word, allow_line_write (word, sources [i]));
    }
}

/*  --------------------------------------------------------------------------
    With a key */

typedef struct {
    const char *text;
    size_t size;
    const char *key;
    const char *const *sources;
    size_t count;
} enrolment_t;

/*  Where the last source of the key's line ends; NULL if it has none. */
static const char *
find_end_of_sources (const enrolment_t *self)
{
    lines_t lines = lines_of (self->text, self->size);
    while (lines_next (&lines)) {
        allow_line_t line;
        char source [MUSTER_NAME_MAX];
        size_t size;
        if (!allow_line_is_of (lines.line, lines.size, self->key))
            continue;
        allow_line_begin (&line, lines.line, lines.size);
        while (allow_line_next (&line, source, &size) == ALLOW_LINE_FOUND)
            continue;
        return line.at;
    }
    return NULL;
}

static void
write_enrolment (grown_t *grown, const enrolment_t *self, const allow_entry_t *entry)
{
    const char *at = entry ? find_end_of_sources (self) : NULL;
    size_t before = at ? (size_t) (at - self->text) : self->size;
    add (grown, self->text, before);
    if (!at) {
        if (before > 0 && self->text [before - 1] != '\n')
            add (grown, "\n", 1);
        add (grown, ALLOW_LINE_KIND " ", sizeof ALLOW_LINE_KIND);
        add (grown, self->key, Z85_KEY);
    }
    add_sources (grown, self->sources, self->count, entry);
    if (at)
        add (grown, at, self->size - before);
    else
        add (grown, "\n", 1);
}

static muster_error_t
enrol (const enrolment_t *self, const allow_t *list, char **edited, size_t *edited_size, char *reason)
{
    grown_t grown = { .size = 0 };
    size_t line = sizeof ALLOW_LINE_KIND + Z85_KEY + self->count * ALLOW_LINE_WORD;
    grown.text = alloc_new (self->size + line + 2);
    if (!grown.text)
        return complain (reason, MUSTER_NOMEM, "out of memory");
    write_enrolment (&grown, self, allow_find (list, self->key));
    muster_error_t error = check (grown.text, grown.size, reason);
    if (error) {
        alloc_free (grown.text);
        return error;
    }
    *edited = grown.text;
    *edited_size = grown.size;
    return 0;
}

static muster_error_t
check_enrolment (const enrolment_t *self, char *reason)
{
    muster_error_t error = check_key (self->key, reason);
    if (error)
        return error;
    if (self->count == 0)
        return complain (reason, MUSTER_INVAL, "no source is named");
    if (self->count > ALLOW_LINE_MOST / 2)
        return complain (reason, MUSTER_INVAL, "so many sources are more than a line takes");
    for (size_t i = 0; i < self->count; i++)
        if (!self->sources [i] || !text_is_name (self->sources [i], strnlen (self->sources [i], MUSTER_NAME_MAX + 1)))
            return complain (reason, MUSTER_INVAL,
                "a source is 1 to 255 bytes of UTF-8 without control characters");
    return 0;
}

muster_error_t
allow_with (const char *text, size_t size, const char *key, const char *const *sources, size_t count,
    char **edited, size_t *edited_size, char *reason)
{
    allow_t *list = NULL;
    enrolment_t self = { .text = text, .size = size, .key = key, .sources = sources, .count = count };
    *edited = NULL;
    muster_error_t error = check_enrolment (&self, reason);
    if (!error)
        error = allow_parse (&list, text, size, reason);
    if (!error)
        error = enrol (&self, list, edited, edited_size, reason);
    allow_release (&list);
    return error;
}

/*  --------------------------------------------------------------------------
    With an observer */

/*  The word that the key's line begins with; NULL if it has no line. */
static const char *
find_kind (const char *text, size_t size, const char *key)
{
    lines_t lines = lines_of (text, size);
    while (lines_next (&lines))
        if (allow_line_is_of (lines.line, lines.size, key))
            return memmem (lines.line, lines.size, ALLOW_LINE_KIND, sizeof ALLOW_LINE_KIND - 1);
    return NULL;
}

static void
write_observer (grown_t *grown, const char *text, size_t size, const char *key, bool again)
{
    const char *kind = find_kind (text, size, key);
    size_t before = kind ? (size_t) (kind - text) : size;
    size_t after = kind && !again ? before + sizeof ALLOW_LINE_KIND - 1 : before;
    add (grown, text, before);
    if (!kind && before > 0 && text [before - 1] != '\n')
        add (grown, "\n", 1);
    if (!again)
        add (grown, ALLOW_LINE_OBSERVER, sizeof ALLOW_LINE_OBSERVER - 1);
    if (!kind) {
        add (grown, " ", 1);
        add (grown, key, Z85_KEY);
        add (grown, "\n", 1);
    }
    add (grown, text + after, size - after);
}

static muster_error_t
enrol_observer (const allow_t *list, const char *text, size_t size, const char *key,
    char **edited, size_t *edited_size, char *reason)
{
    const allow_entry_t *entry = allow_find (list, key);
    grown_t grown = { .text = alloc_new (size + sizeof ALLOW_LINE_OBSERVER + Z85_KEY + 4) };
    if (!grown.text)
        return complain (reason, MUSTER_NOMEM, "out of memory");
    write_observer (&grown, text, size, key, entry && allow_entry_observes (entry));
    muster_error_t error = check (grown.text, grown.size, reason);
    if (error) {
        alloc_free (grown.text);
        return error;
    }
    *edited = grown.text;
    *edited_size = grown.size;
    return 0;
}

muster_error_t
allow_with_observer (const char *text, size_t size, const char *key,
    char **edited, size_t *edited_size, char *reason)
{
    allow_t *list = NULL;
    *edited = NULL;
    muster_error_t error = check_key (key, reason);
    if (!error)
        error = allow_parse (&list, text, size, reason);
    if (!error)
        error = enrol_observer (list, text, size, key, edited, edited_size, reason);
    allow_release (&list);
    return error;
}

/*  --------------------------------------------------------------------------
    Without a key */

static void
write_others (grown_t *grown, const char *text, size_t size, const char *key)
{
    lines_t lines = lines_of (text, size);
    while (lines_next (&lines))
        if (!allow_line_is_of (lines.line, lines.size, key))
            add (grown, lines.line, (size_t) (lines.next - lines.line));
}

/*  What is said about the rest names lines as they are counted now. */
static muster_error_t
check_rest (const grown_t *rest, const char *text, size_t size, char *reason)
{
    muster_error_t error = check (rest->text, rest->size, reason);
    if (error == MUSTER_FORMAT)
        check (text, size, reason);
    return error;
}

muster_error_t
allow_without (const char *text, size_t size, const char *key, char **edited, size_t *edited_size, char *reason)
{
    *edited = NULL;
    muster_error_t error = check_key (key, reason);
    if (error)
        return error;
    grown_t rest = { .text = alloc_new (size) };
    if (!rest.text)
        return complain (reason, MUSTER_NOMEM, "out of memory");
    write_others (&rest, text, size, key);
    if (rest.size == size)
        error = complain (reason, MUSTER_NOTFOUND, "the key is not in it");
    else
        error = check_rest (&rest, text, size, reason);
    if (error) {
        alloc_free (rest.text);
        return error;
    }
    *edited = rest.text;
    *edited_size = rest.size;
    return 0;
}
