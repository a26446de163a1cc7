/*  allow.h - which keys may use which sources

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    The text is that of an allow file: a line for each key (allow_line.h), blank lines
    and comments. A list never changes once it is read, so any thread may look things
    up in one that it has a share of.
*/
#ifndef MODEL_ALLOW_H_INCLUDED
#define MODEL_ALLOW_H_INCLUDED

#include <stdbool.h>
#include <stddef.h>

#include <muster/error.h>

/*  Bytes of a text. */
#define ALLOW_TEXT_MOST ((size_t) 16 * 1024 * 1024)

typedef struct allow allow_t;
typedef struct allow_entry allow_entry_t;

/*  Read a text; the caller has the one share of the list. Errors: MUSTER_FORMAT, and
    reason (REASON_ROOM bytes) says what is wrong with which line; MUSTER_NOMEM. */
muster_error_t allow_parse (allow_t **self_p, const char *text, size_t size, char *reason);

/*  Another share of the same list. Returns self. */
allow_t *allow_share (allow_t *self);

/*  Give a share up; the last one frees the list. NULL is harmless. */
void allow_release (allow_t **self_p);

/*  What a key (Z85) is allowed; NULL if it is not enrolled. The list's. */
const allow_entry_t *allow_find (const allow_t *self, const char *key);

/*  May it use this source? */
bool allow_entry_may (const allow_entry_t *self, const char *source, size_t size);

/*  May it ask what the listener counts? */
bool allow_entry_observes (const allow_entry_t *self);

/*  Keys that are enrolled. */
size_t allow_count (const allow_t *self);

/*  Text in which key may use sources besides what it may use in this one. Comments and
    lines of other keys stay as they are. The caller frees *edited. Errors, with reason:
    MUSTER_FORMAT if text is not well-formed or would no longer be; MUSTER_INVAL for a key
    or source that is none, or no source; MUSTER_NOMEM. */
muster_error_t allow_with (const char *text, size_t size, const char *key, const char *const *sources, size_t count,
    char **edited, size_t *edited_size, char *reason);

/*  Text in which key may ask what the listener counts, besides what it may in this one. The
    same otherwise. */
muster_error_t allow_with_observer (const char *text, size_t size, const char *key,
    char **edited, size_t *edited_size, char *reason);

/*  Text without any line of key, the faulty ones included; all other lines stay as they
    are. The caller frees *edited. Errors, with reason: MUSTER_NOTFOUND if there is none;
    MUSTER_FORMAT if what is left is not well-formed; MUSTER_INVAL for a key that is none;
    MUSTER_NOMEM. */
muster_error_t allow_without (const char *text, size_t size, const char *key,
    char **edited, size_t *edited_size, char *reason);

#endif
