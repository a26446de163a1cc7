/*  allow.c - which keys may use which sources

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "model/allow.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/lines.h"
#include "model/allow_line.h"
#include "model/endpoint.h"

/*  A source in the list's memory: a byte with its size, then that many. */
typedef const uint8_t *name_t;

struct allow_entry {
    char key [Z85_KEY];
    size_t line;
    bool observer;
    const name_t *sources;      /* sorted */
    size_t count;
};

/*  All in one piece of memory. */
struct allow {
    atomic_size_t shares;
    size_t count;
    allow_entry_t entries [];   /* sorted by key; then the sources' places, then the sources */
};

static muster_error_t __attribute__ ((format (printf, 3, 4)))
refuse (char *reason, size_t line, const char *format, ...)
{
    int used = snprintf (reason, REASON_ROOM, "line %zu: ", line);
    va_list args;
    va_start (args, format);
    vsnprintf (reason + used, REASON_ROOM - (size_t) used, format, args);
    va_end (args);
    return MUSTER_FORMAT;
}

/*  --------------------------------------------------------------------------
    First all is read to see whether it is well-formed and what memory it takes */

typedef struct {
    size_t entries;
    size_t sources;
    size_t bytes;
} extent_t;

static muster_error_t
measure_line (extent_t *extent, const lines_t *lines, char *reason)
{
    allow_line_t line;
    char source [MUSTER_NAME_MAX];
    size_t size;
    size_t before = extent->sources;
    allow_line_found_t found = allow_line_begin (&line, lines->line, lines->size);
    if (found == ALLOW_LINE_NONE)
        return 0;
    while (found == ALLOW_LINE_FOUND && (found = allow_line_next (&line, source, &size)) == ALLOW_LINE_FOUND) {
        extent->sources++;
        extent->bytes += 1 + size;
    }
    extent->entries++;
    if (found == ALLOW_LINE_BAD)
        return refuse (reason, lines->number, "%s", line.problem);
    if (extent->sources == before && !line.observer)
        return refuse (reason, lines->number, "there is no source behind the key: name those that it may use");
    return 0;
}

static muster_error_t
measure (extent_t *extent, const char *text, size_t size, char *reason)
{
    memset (extent, 0, sizeof *extent);
    if (size > ALLOW_TEXT_MOST) {
        snprintf (reason, REASON_ROOM, "it is larger than %zu bytes", ALLOW_TEXT_MOST);
        return MUSTER_FORMAT;
    }
    lines_t lines = lines_of (text, size);
    while (lines_next (&lines)) {
        muster_error_t error = measure_line (extent, &lines, reason);
        if (error)
            return error;
    }
    return 0;
}

/*  --------------------------------------------------------------------------
    Then it is read into that memory */

/*  What is left of the memory. */
typedef struct {
    allow_entry_t *entry;
    name_t *source;
    uint8_t *byte;
} place_t;

static allow_t *
allow_new (const extent_t *extent, place_t *place)
{
    size_t entries = extent->entries * sizeof (allow_entry_t);
    size_t sources = extent->sources * sizeof (name_t);
    allow_t *self = alloc_zero (sizeof *self + entries + sources + extent->bytes);
    if (!self)
        return NULL;
    atomic_init (&self->shares, 1);
    self->count = extent->entries;
    place->entry = self->entries;
    place->source = (name_t *) (void *) (self->entries + extent->entries);
    place->byte = (uint8_t *) (place->source + extent->sources);
    return self;
}

static int
compare_bytes (const void *one, size_t one_size, const void *other, size_t other_size)
{
    int order = memcmp (one, other, one_size < other_size ? one_size : other_size);
    return order ? order : (one_size > other_size) - (one_size < other_size);
}

static int
compare_names (const void *one_p, const void *other_p)
{
    name_t one = *(const name_t *) one_p;
    name_t other = *(const name_t *) other_p;
    return compare_bytes (one + 1, one [0], other + 1, other [0]);
}

static void
fill_line (place_t *place, const lines_t *lines)
{
    allow_line_t line;
    char source [MUSTER_NAME_MAX];
    size_t size;
    if (allow_line_begin (&line, lines->line, lines->size) != ALLOW_LINE_FOUND)
        return;
    allow_entry_t *entry = place->entry++;
    memcpy (entry->key, line.key, Z85_KEY);
    entry->line = lines->number;
    entry->observer = line.observer;
    entry->sources = place->source;
    while (allow_line_next (&line, source, &size) == ALLOW_LINE_FOUND) {
        *place->source++ = place->byte;
        *place->byte++ = (uint8_t) size;
        memcpy (place->byte, source, size);
        place->byte += size;
        entry->count++;
    }
    qsort ((void *) entry->sources, entry->count, sizeof (name_t), compare_names);
}

static int
compare_entries (const void *one_p, const void *other_p)
{
    const allow_entry_t *one = one_p;
    const allow_entry_t *other = other_p;
    int order = memcmp (one->key, other->key, Z85_KEY);
    return order ? order : (one->line > other->line) - (one->line < other->line);
}

/*  A key that had two lines would outlive the end of one. */
static muster_error_t
refuse_doubles (const allow_t *self, char *reason)
{
    const allow_entry_t *again = NULL;
    for (size_t i = 1; i < self->count; i++) {
        const allow_entry_t *each = &self->entries [i];
        if (memcmp (each->key, each [-1].key, Z85_KEY) == 0 && (!again || each->line < again->line))
            again = each;
    }
    if (!again)
        return 0;
    return refuse (reason, again->line, "the key of line %zu again: make one line of both", again [-1].line);
}

muster_error_t
allow_parse (allow_t **self_p, const char *text, size_t size, char *reason)
{
    extent_t extent;
    place_t place;
    *self_p = NULL;
    muster_error_t error = measure (&extent, text, size, reason);
    if (error)
        return error;
    allow_t *self = allow_new (&extent, &place);
    if (!self) {
        snprintf (reason, REASON_ROOM, "out of memory");
        return MUSTER_NOMEM;
    }
    lines_t lines = lines_of (text, size);
    while (lines_next (&lines))
        fill_line (&place, &lines);
    qsort (self->entries, self->count, sizeof (allow_entry_t), compare_entries);
    error = refuse_doubles (self, reason);
    if (error)
        allow_release (&self);
    *self_p = self;
    return error;
}

/*  --------------------------------------------------------------------------
    Shares */

allow_t *
allow_share (allow_t *self)
{
    atomic_fetch_add (&self->shares, 1);
    return self;
}

void
allow_release (allow_t **self_p)
{
    allow_t *self = *self_p;
    *self_p = NULL;
    if (self && atomic_fetch_sub (&self->shares, 1) == 1)
        alloc_free (self);
}

/*  --------------------------------------------------------------------------
    Looking up */

static int
compare_key (const void *key, const void *entry)
{
    return memcmp (key, ((const allow_entry_t *) entry)->key, Z85_KEY);
}

const allow_entry_t *
allow_find (const allow_t *self, const char *key)
{
    if (strnlen (key, Z85_KEY + 1) != Z85_KEY)
        return NULL;
    return bsearch (key, self->entries, self->count, sizeof (allow_entry_t), compare_key);
}

bool
allow_entry_may (const allow_entry_t *self, const char *source, size_t size)
{
    size_t from = 0;
    size_t to = self->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        name_t name = self->sources [middle];
        int order = compare_bytes (source, size, name + 1, name [0]);
        if (order == 0)
            return true;
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return false;
}

bool
allow_entry_observes (const allow_entry_t *self)
{
    return self->observer;
}

size_t
allow_count (const allow_t *self)
{
    return self->count;
}
