/*  allow_line.h - one line of an allow file

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    curve KEY SOURCE... # comment
    curve-observer KEY [SOURCE...]

    Words are apart by blanks. KEY is the public key's Z85 text, which may have "#" in
    it: a comment begins where a word does. A SOURCE with blanks in it, or one that begins
    with a quote or "#", is in double quotes, \" and \\ standing for a quote and a
    backslash in it.
*/
#ifndef MODEL_ALLOW_LINE_H_INCLUDED
#define MODEL_ALLOW_LINE_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

#include <muster/message.h>

#include "model/z85.h"

/*  What a line begins with: the kind of key. */
#define ALLOW_LINE_KIND "curve"
/*  And what that of a key begins with that may ask what the listener counts. */
#define ALLOW_LINE_OBSERVER "curve-observer"

/*  Bytes of a line without its end. */
#define ALLOW_LINE_MOST ((size_t) 64 * 1024)

typedef enum {
    ALLOW_LINE_NONE,        /* nothing, or nothing more, but for a comment */
    ALLOW_LINE_FOUND,
    ALLOW_LINE_BAD          /* problem says what is wrong with it */
} allow_line_found_t;

/*  Where the reading of a line has got to. It points into the line. */
typedef struct {
    const char *key;        /* Z85_KEY characters */
    const char *at;         /* behind the last word read */
    const char *end;
    bool observer;          /* the key may ask what the listener counts */
    const char *problem;    /* a static string */
} allow_line_t;

/*  Read a line up to its key. */
allow_line_found_t allow_line_begin (allow_line_t *self, const char *line, size_t size);

/*  Read the next source, without its quotes, into source. */
allow_line_found_t allow_line_next (allow_line_t *self, char source [MUSTER_NAME_MAX], size_t *size);

/*  Does the line give rights to this key, were it well-formed? */
bool allow_line_is_of (const char *line, size_t size, const char *key);

/*  Bytes that a word takes, at most. */
#define ALLOW_LINE_WORD (2 * MUSTER_NAME_MAX + 3)

/*  Write a blank and source, in quotes if it needs them, into word. Returns its bytes. */
size_t allow_line_write (char word [ALLOW_LINE_WORD], const char *source);

#endif
