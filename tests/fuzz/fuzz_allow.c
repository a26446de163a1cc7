/*  fuzz_allow.c - any text of an allow file, read and changed

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    An input is sources, one a line, a NUL, and the text.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/lines.h"
#include "fuzz.h"
#include "model/allow.h"
#include "model/allow_line.h"
#include "model/endpoint.h"

/*  The one that is enrolled and revoked: lines of the corpus have it. */
#define KEY "KEP01@+j4cd=8BM6bOd%foPSF6*3&iAR<:n@Az#}"

#define SOURCES_MOST 16
#define SOURCES_ROOM 600

static void
require (bool holds, const char *what)
{
    if (!holds) {
        fprintf (stderr, "fuzz_allow: %s\n", what);
        abort ();
    }
}

typedef struct {
    const char *bytes;
    size_t size;
} text_t;

static allow_t *
parse (text_t text)
{
    allow_t *allow;
    char reason [REASON_ROOM] = "";
    muster_error_t error = allow_parse (&allow, text.bytes, text.size, reason);
    require (error == 0 || error == MUSTER_FORMAT, "an error that parsing has not");
    require (!error == (allow != NULL), "a list and an error, or neither");
    require (!error || strncmp (reason, "line ", 5) == 0, "no line is named");
    return allow;
}

/*  The list says what the lines say, read one by one. */
static void
check_list (const allow_t *allow, text_t text)
{
    size_t count = 0;
    lines_t lines = lines_of (text.bytes, text.size);
    while (lines_next (&lines)) {
        allow_line_t line;
        char key [Z85_KEY + 1] = "";
        char source [MUSTER_NAME_MAX];
        size_t size;
        if (allow_line_begin (&line, lines.line, lines.size) == ALLOW_LINE_NONE)
            continue;
        memcpy (key, line.key, Z85_KEY);
        const allow_entry_t *entry = allow_find (allow, key);
        require (entry, "a key is not found");
        while (allow_line_next (&line, source, &size) == ALLOW_LINE_FOUND)
            require (allow_entry_may (entry, source, size), "a source is not found");
        require (!allow_entry_may (entry, "\n", 1), "a source that is none is found");
        count++;
    }
    require (allow_count (allow) == count, "another number of keys");
}

static text_t
without (text_t text, muster_error_t *error)
{
    char *edited;
    size_t size = 0;
    char reason [REASON_ROOM];
    *error = allow_without (text.bytes, text.size, KEY, &edited, &size, reason);
    require (*error == 0 || *error == MUSTER_NOTFOUND || *error == MUSTER_FORMAT, "an error that revoking has not");
    require (!*error == (edited != NULL), "a text and an error, or neither");
    if (edited) {
        allow_t *allow = parse ((text_t) { edited, size });
        require (allow, "what is left is not well-formed");
        require (!allow_find (allow, KEY), "the key is still there");
        allow_release (&allow);
    }
    return (text_t) { edited, size };
}

static void
check_enrolled (text_t edited, const char *const *sources, size_t count, size_t keys)
{
    allow_t *allow = parse (edited);
    require (allow, "what was added is not well-formed");
    check_list (allow, edited);
    require (allow_count (allow) == keys, "keys come or go");
    for (size_t i = 0; i < count; i++)
        require (allow_entry_may (allow_find (allow, KEY), sources [i], strlen (sources [i])),
            "a source was not added");
    allow_release (&allow);
}

/*  Without the key again the text is as it was without it, but for the end of its last line. */
static void
check_rest (text_t edited, text_t text)
{
    muster_error_t error, none;
    text_t before = without (text, &none);
    text_t after = without (edited, &error);
    text_t expected = none ? text : before;
    require (error == 0, "what was added cannot be taken out");
    require (after.size == expected.size
        || (none && after.size == expected.size + 1 && after.bytes [expected.size] == '\n'),
        "more than a key was added");
    require (memcmp (after.bytes, expected.bytes, expected.size) == 0, "other lines have changed");
    alloc_free ((char *) before.bytes);
    alloc_free ((char *) after.bytes);
}

static void
enrol (text_t text, const char *const *sources, size_t count)
{
    char *edited, *again;
    size_t size, again_size;
    char reason [REASON_ROOM];
    allow_t *allow = parse (text);
    size_t keys = allow ? allow_count (allow) + !allow_find (allow, KEY) : 0;
    muster_error_t error = allow_with (text.bytes, text.size, KEY, sources, count, &edited, &size, reason);
    require (error == 0 || error == MUSTER_INVAL || error == MUSTER_FORMAT, "an error that enrolling has not");
    require (!error == (edited != NULL), "a text and an error, or neither");
    require (allow || error, "a text that is not well-formed was changed");
    if (edited) {
        check_enrolled ((text_t) { edited, size }, sources, count, keys);
        check_rest ((text_t) { edited, size }, text);
        error = allow_with (edited, size, KEY, sources, count, &again, &again_size, reason);
        require (error == 0 && again_size == size && memcmp (again, edited, size) == 0, "a source was added twice");
        alloc_free (again);
    }
    alloc_free (edited);
    allow_release (&allow);
}

/*  Cut the lines of room into sources. */
static size_t
take_sources (const char **sources, char *room)
{
    size_t count = 0;
    for (char *at = room; at && *at && count < SOURCES_MOST; ) {
        sources [count++] = at;
        at = strchr (at, '\n');
        if (at)
            *at++ = 0;
    }
    return count;
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
    const uint8_t *end = size > 0 ? memchr (bytes, 0, size) : NULL;
    char room [SOURCES_ROOM] = "";
    const char *sources [SOURCES_MOST];
    if (!end || (size_t) (end - bytes) >= sizeof room)
        return 0;
    memcpy (room, bytes, (size_t) (end - bytes));
    text_t text = { (const char *) end + 1, size - (size_t) (end + 1 - bytes) };
    allow_t *allow = parse (text);
    if (allow)
        check_list (allow, text);
    allow_release (&allow);
    muster_error_t error;
    alloc_free ((char *) without (text, &error).bytes);
    enrol (text, sources, take_sources (sources, room));
    return 0;
}
