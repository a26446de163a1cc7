/*  credit.h - one budget of bytes, shared among senders

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.

    Each sender has an account: a byte position up to which it may send. A
    floor of credit moves along with what is handled; more is granted on
    request, first come first served. At any moment

        sum over the accounts of max (floor, limit - handled), and what is carried  <=  budget

    so the bytes received and not handled fit the budget however many senders
    there are, and nobody's grant can take another's floor. Not locked: its
    owner's lock guards it and its accounts.
*/
#ifndef MODEL_CREDIT_H_INCLUDED
#define MODEL_CREDIT_H_INCLUDED

#include <stdbool.h>
#include <stdint.h>

#include <muster/error.h>

typedef struct credit_account credit_account_t;

typedef struct {
    uint64_t budget;
    uint64_t floor;             /* of each account */
    uint64_t reserve;           /* kept free of floors, so that one largest message can be granted */
    uint64_t most;              /* of one grant that is not a single message */
    uint64_t committed;         /* the sum above */
    uint64_t carried;           /* of senders that are no more: received and not handled yet */
    uint64_t accounts;
    credit_account_t *waiting;  /* first come first (utlist) */
    credit_account_t *deferred; /* in line too, but passed over while it is crowded */
    bool crowded;
    bool held;                  /* nothing is read, from whomever, until there is room elsewhere */
    int64_t held_until;         /* ms: when that ended last */
} credit_t;

struct credit_account {
    credit_account_t *prev, *next;
    uint64_t handled;           /* byte positions */
    uint64_t limit;
    uint64_t floor;             /* 0 while it waits for its floor */
    uint64_t use, need, want;   /* while in line */
    bool in_line;
    bool deferred;
    bool present;
    void *owner;
};

void credit_init (credit_t *self, uint64_t budget, uint64_t floor, uint64_t reserve);

/*  Other limits for what is granted from now on; what was granted stays. */
void credit_configure (credit_t *self, uint64_t budget, uint64_t floor, uint64_t reserve);

/*  Open an account at a byte position, all before which is handled. It waits in
    line for its floor if grants hold all at the moment. Errors: MUSTER_FULL
    if the floors of so many accounts do not fit. */
muster_error_t credit_open (credit_t *self, credit_account_t *account, uint64_t handled, void *owner);

/*  Do the floors of one account more not fit? */
bool credit_is_full (const credit_t *self);

/*  The sender is absent: it holds no floor and no grant, only what it sent and
    is not handled yet. */
void credit_leave (credit_t *self, credit_account_t *account, uint64_t received);

/*  The sender will not use what it holds beyond what was received, until it is
    greeted anew: that is free for others, its floor excepted. */
void credit_give_back (credit_t *self, credit_account_t *account, uint64_t received);

/*  It is back: as credit_open; if it was present, it has its floor again. */
muster_error_t credit_return (credit_t *self, credit_account_t *account);

/*  Close it: what it held is free. Harmless if it is closed. */
void credit_close (credit_t *self, credit_account_t *account);

/*  As close, but what was received and is not handled yet is carried on, since it
    still takes memory; and so many of these bytes are handled. */
void credit_carry (credit_t *self, credit_account_t *account, uint64_t received);
void credit_carried_handled (credit_t *self, uint64_t bytes);

/*  The owner's peer asks for more; it gets in line behind those before it. Until
    it is granted need it does not pass use: what it holds beyond that is free
    for others, or peers that hold too little for their next message would
    keep each other waiting for ever. */
void credit_want (credit_t *self, credit_account_t *account, uint64_t use, uint64_t need, uint64_t want);

/*  Enough waits to be handled: more of it would make nothing faster, and memory cold. Until
    it is crowded no more, only messages larger than a floor are granted; the others come
    with the floor, as it moves along. */
void credit_crowd (credit_t *self, bool crowded);

/*  Bytes were handled: the floor moves along. Returns true if the limit moved. */
bool credit_handled (credit_t *self, credit_account_t *account, uint64_t handled);

/*  Nothing is read from now on, or is again. */
void credit_hold (credit_t *self, bool held, int64_t now);

/*  Grant to the first in line if there is enough. Returns the account whose
    limit moved, or NULL; to be called until NULL. */
credit_account_t *credit_grant (credit_t *self);

#endif
