/*  syntax.c - the grammar of pictures

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "wire/syntax.h"

#include <string.h>

#include <muster/data.h>

typedef struct {
    bool unpacking;
    bool done;                          /* the outermost map is closed */
    bool strict;                        /* after "!": only a closing bracket may follow */
    size_t depth;
    char open [MUSTER_DEPTH_MAX];       /* brackets */
    bool at_key [MUSTER_DEPTH_MAX];     /* of a map: a key comes next */
} syntax_t;

const char *
syntax_sign (const char *at)
{
    return at + strspn (at, " \t\n\r,:%?");
}

static bool
accept_open (syntax_t *self, char bracket)
{
    if (self->depth == MUSTER_DEPTH_MAX)
        return false;
    self->open [self->depth] = bracket;
    self->at_key [self->depth] = bracket == '{';
    self->depth++;
    return true;
}

/*  A value ends here: in a map, a key comes next. */
static void
complete (syntax_t *self)
{
    if (self->depth == 0)
        self->done = true;
    else
        self->at_key [self->depth - 1] = self->open [self->depth - 1] == '{';
}

static bool
accept_close (syntax_t *self, char bracket)
{
    char open = self->open [self->depth - 1];
    if (open != (bracket == '}' ? '{' : '[') || (open == '{' && !self->at_key [self->depth - 1]))
        return false;
    self->strict = false;
    self->depth--;
    complete (self);
    return true;
}

static bool
accept_key (syntax_t *self, const char *at)
{
    if (*at != 's' || at [1] == '%' || (at [1] == '?' && !self->unpacking))
        return false;
    self->at_key [self->depth - 1] = false;
    return true;
}

static bool
accept_value (syntax_t *self, const char *at)
{
    if (!strchr ("snbiIUfyAO", *at) || at [1] == '?')
        return false;
    complete (self);
    return true;
}

static bool
accept (syntax_t *self, const char *at)
{
    if (self->done || (self->depth == 0 && *at != '{'))
        return false;
    if (*at == '}' || *at == ']')
        return accept_close (self, *at);
    if (self->strict)
        return false;
    bool at_key = self->depth > 0 && self->at_key [self->depth - 1];
    if (*at == '!') {
        self->strict = true;
        return self->unpacking && (at_key || self->open [self->depth - 1] == '[');
    }
    if (at_key)
        return accept_key (self, at);
    return *at == '{' || *at == '[' ? accept_open (self, *at) : accept_value (self, at);
}

/*  A modifier stands right behind an s. */
static bool
modifiers_fit (const char *picture)
{
    for (const char *at = picture; *at; at++)
        if ((*at == '%' || *at == '?') && (at == picture || at [-1] != 's'))
            return false;
    return true;
}

bool
syntax_valid (const char *picture, bool unpacking)
{
    syntax_t self = { .unpacking = unpacking };
    if (!modifiers_fit (picture))
        return false;
    for (const char *at = syntax_sign (picture); *at; at = syntax_sign (at + 1))
        if (!accept (&self, at))
            return false;
    return self.done;
}

size_t
syntax_count (const char *at)
{
    size_t values = 0;
    size_t depth = 1;
    bool is_map = *at == '{';
    while (depth > 0) {
        at = syntax_sign (at + 1);
        if (*at == '}' || *at == ']')
            depth--;
        else {
            if (depth == 1)
                values++;
            if (*at == '{' || *at == '[')
                depth++;
        }
    }
    return is_map ? values / 2 : values;
}
