/*  error.c - names and texts of the errors

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/error.h>

typedef struct {
    const char *name;
    const char *text;
} words_t;

static const words_t words [MUSTER_ERROR_COUNT] = {
    [MUSTER_OK] = { "OK", "no error" },
#define XX(name, text) [MUSTER_##name] = { #name, text },
    MUSTER_ERROR_MAP (XX)
#undef XX
};

static const words_t *
words_of (muster_error_t error)
{
    static const words_t unknown = { "UNKNOWN", "no error of muster's" };
    return (unsigned) error < MUSTER_ERROR_COUNT ? &words [error] : &unknown;
}

const char *
muster_error_name (muster_error_t error)
{
    return words_of (error)->name;
}

const char *
muster_error_text (muster_error_t error)
{
    return words_of (error)->text;
}
