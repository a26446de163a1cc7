/*  json_check.c - what a JSON parser would let pass, or change

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "cli/json_check.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json.h"
#include "cli/utf8.h"

/*  Bytes of the text shown in a complaint. */
#define SHOWN 40

typedef struct {
    const char *text;
    const char *at;
    const char *end;        /* a NUL stands there */
    uint64_t keys;
    char *problem;
} check_t;

static bool
complain (const check_t *self, const char *at, const char *what)
{
    snprintf (self->problem, JSON_PROBLEM_ROOM, "%s at byte %zu", what, (size_t) (at - self->text) + 1);
    return false;
}

static bool
complain_about (const check_t *self, const char *from, const char *what)
{
    int size = self->at - from < SHOWN ? (int) (self->at - from) : SHOWN;
    snprintf (self->problem, JSON_PROBLEM_ROOM, "%.*s %s", size, from, what);
    return false;
}

static bool
check_characters (const check_t *self)
{
    size_t size = (size_t) (self->end - self->text);
    size_t good = utf8_prefix (self->text, size);
    if (good < size)
        return complain (self, self->text + good, "no UTF-8");
    for (const char *at = self->text; at < self->end; at++)
        if ((unsigned char) *at < 0x20 && *at != '\t' && *at != '\r' && *at != '\n')
            return complain (self, at, "control character");
    return true;
}

/*  --------------------------------------------------------------------------
    Numbers and words */

static bool
take_digits (check_t *self)
{
    const char *from = self->at;
    self->at += strspn (self->at, "0123456789");
    return self->at > from;
}

static bool
take_fraction (check_t *self)
{
    self->at++;
    return take_digits (self);
}

static bool
take_exponent (check_t *self)
{
    self->at++;
    if (*self->at == '+' || *self->at == '-')
        self->at++;
    return take_digits (self);
}

/*  Take a number by JSON's grammar. */
static bool
take_number (check_t *self, bool *is_float)
{
    if (*self->at == '-')
        self->at++;
    const char *first = self->at;
    if (!take_digits (self) || (*first == '0' && self->at - first > 1))
        return false;
    *is_float = *self->at == '.' || *self->at == 'e' || *self->at == 'E';
    if (*self->at == '.' && !take_fraction (self))
        return false;
    return (*self->at != 'e' && *self->at != 'E') || take_exponent (self);
}

static bool
check_number (check_t *self)
{
    const char *from = self->at;
    bool is_float;
    if (!take_number (self, &is_float))
        return complain (self, from, "no number as JSON has it");
    errno = 0;
    if (is_float)
        return isfinite (strtod (from, NULL)) || complain_about (self, from, "is too large for a float");
    if (*from == '-')
        strtoll (from, NULL, 10);
    else
        strtoull (from, NULL, 10);
    return errno != ERANGE || complain_about (self, from, "is no integer from -2^63 to 2^64 - 1");
}

static bool
check_word (check_t *self)
{
    static const char *const words [] = { "true", "false", "null" };
    const char *from = self->at;
    self->at += strspn (from, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    size_t size = (size_t) (self->at - from);
    for (size_t i = 0; i < sizeof words / sizeof words [0]; i++)
        if (size == strlen (words [i]) && memcmp (from, words [i], size) == 0)
            return true;
    return size > 0 ? complain_about (self, from, "is no word of JSON") : complain (self, from, "unexpected character");
}

/*  --------------------------------------------------------------------------
    Strings */

/*  The four digits after \u at; -1 if they are none. */
static int
escaped_unit (const char *at)
{
    char digits [5] = { 0 };
    memcpy (digits, at + 2, strnlen (at + 2, 4));
    return strspn (digits, "0123456789abcdefABCDEF") == 4 ? (int) strtol (digits, NULL, 16) : -1;
}

/*  Take the escape at. */
static bool
check_escape (check_t *self, bool *has_nul)
{
    const char *from = self->at;
    self->at += 2;
    if (from [1] != 'u')
        return self->at <= self->end || complain (self, from, "unfinished string");
    int unit = escaped_unit (from);
    if (unit < 0)
        return complain (self, from, "no escape as JSON has it");
    self->at += 4;
    *has_nul = *has_nul || unit == 0;
    if (unit < 0xd800 || unit > 0xdfff)
        return true;
    int low = self->at [0] == '\\' && self->at [1] == 'u' ? escaped_unit (self->at) : -1;
    if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff)
        return complain (self, from, "surrogate alone");
    self->at += 6;
    return true;
}

static bool
check_content (check_t *self, bool *has_nul)
{
    while (*self->at != '"') {
        if (self->at == self->end)
            return complain (self, self->at, "unfinished string");
        if ((unsigned char) *self->at < 0x20)
            return complain (self, self->at, "control character in a string");
        if (*self->at != '\\')
            self->at++;
        else
        if (!check_escape (self, has_nul))
            return false;
    }
    return true;
}

static bool
check_string (check_t *self)
{
    const char *from = self->at++;
    bool has_nul = false;
    if (!check_content (self, &has_nul))
        return false;
    self->at++;
    const char *next = self->at + strspn (self->at, " \t\r\n");
    if (*next != ':')
        return true;
    self->keys++;
    return !has_nul || complain (self, from, "a key with a NUL");
}

static bool
check_token (check_t *self)
{
    if (strchr ("{}[]:, \t\r\n", *self->at)) {
        self->at++;
        return true;
    }
    if (*self->at == '"')
        return check_string (self);
    return *self->at == '-' || (*self->at >= '0' && *self->at <= '9') ? check_number (self) : check_word (self);
}

bool
json_check (const char *text, size_t size, uint64_t *keys, char *problem)
{
    check_t self = { .text = text, .at = text, .end = text + size, .problem = problem };
    if (!check_characters (&self))
        return false;
    while (self.at < self.end)
        if (!check_token (&self))
            return false;
    *keys = self.keys;
    return true;
}
