/*  refusals.h - who was not let in lately, summed up for each address

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    The first refusal of an address is told at once, those that follow once a second
    together, with source and reason of the first of them that names a source, or else of
    the first. Not locked: its owner's lock guards it. Times are monotonic milliseconds.
*/
#ifndef MODEL_REFUSALS_H_INCLUDED
#define MODEL_REFUSALS_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include <muster/message.h>

/*  Addresses told apart at a time; those beyond are summed up together. */
#define REFUSALS_ADDRESSES 100
#define REFUSALS_ADDRESS_ROOM 48

/*  Between two that are told of one address. */
#define REFUSALS_INTERVAL_MS 1000

typedef struct {
    char address [REFUSALS_ADDRESS_ROOM];   /* "" if it is not known, or one of many */
    char source [MUSTER_NAME_MAX + 1];      /* "" if none was named */
    char reason [MUSTER_NAME_MAX + 1];
    uint64_t count;
    bool others;                            /* with another source or reason are among them */
} refusal_note_t;

typedef struct refusals_entry refusals_entry_t;

typedef struct {
    refusals_entry_t *by_address;
    refusals_entry_t *oldest;   /* told about the longest time ago */
    unsigned count;
} refusals_t;

/*  Note count of them. Texts that are NULL are taken for ""; what is too long is cut.
    Without memory for it nothing is noted. */
void refusals_note (refusals_t *self,
    const char *address, const char *source, const char *reason, uint64_t count, int64_t now);

/*  What is to be told now; to be called until false. */
bool refusals_next (refusals_t *self, int64_t now, refusal_note_t *note);

/*  When there may be something to tell, if nothing happens before; INT64_MAX: never. */
int64_t refusals_deadline (const refusals_t *self);

void refusals_clear (refusals_t *self);

#endif
