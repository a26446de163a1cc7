/*  refusal.c - names and texts of the reasons to refuse a frame

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <muster/stats.h>

typedef struct {
    const char *name;
    const char *text;
} words_t;

static const words_t words [MUSTER_REFUSAL_COUNT] = {
    [MUSTER_REFUSAL_NONE] = { "NONE", "not refused" },
#define XX(name, text) [MUSTER_REFUSAL_##name] = { #name, text },
    MUSTER_REFUSAL_MAP (XX)
#undef XX
};

static const words_t *
words_of (muster_refusal_t reason)
{
    static const words_t unknown = { "UNKNOWN", "no reason of muster's" };
    return (unsigned) reason < MUSTER_REFUSAL_COUNT ? &words [reason] : &unknown;
}

const char *
muster_refusal_name (muster_refusal_t reason)
{
    return words_of (reason)->name;
}

const char *
muster_refusal_text (muster_refusal_t reason)
{
    return words_of (reason)->text;
}
