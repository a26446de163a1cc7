/*  credit.c - one budget of bytes, shared among senders

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include "model/credit.h"

#include <stddef.h>

#include <utlist.h>

/*  One sender that wants much gets at most this part of the budget at once. */
#define GRANT_PART 16
#define GRANT_LEAST (1 << 20)

void
credit_configure (credit_t *self, uint64_t budget, uint64_t floor, uint64_t reserve)
{
    uint64_t most = budget / GRANT_PART;
    self->budget = budget;
    self->floor = floor;
    self->reserve = reserve;
    self->most = most < GRANT_LEAST ? GRANT_LEAST : most;
}

void
credit_init (credit_t *self, uint64_t budget, uint64_t floor, uint64_t reserve)
{
    *self = (credit_t) { 0 };
    credit_configure (self, budget, floor, reserve);
}

static uint64_t
commitment (const credit_account_t *account)
{
    uint64_t open = account->limit - account->handled;
    return open > account->floor ? open : account->floor;
}

static uint64_t
room (const credit_t *self)
{
    return self->committed < self->budget ? self->budget - self->committed : 0;
}

static void
join_line (credit_t *self, credit_account_t *account)
{
    if (!account->in_line)
        DL_APPEND (self->waiting, account);
    account->in_line = true;
}

static void
leave_line (credit_t *self, credit_account_t *account)
{
    if (account->deferred)
        DL_DELETE (self->deferred, account);
    else
    if (account->in_line)
        DL_DELETE (self->waiting, account);
    account->in_line = false;
    account->deferred = false;
}

/*  Does its next message come with the floor, once what it has sent is handled? */
static bool
can_wait (const credit_account_t *account)
{
    return account->need <= account->limit || account->need <= account->use + account->floor;
}

static void
defer (credit_t *self, credit_account_t *account)
{
    DL_DELETE (self->waiting, account);
    DL_APPEND (self->deferred, account);
    account->deferred = true;
}

static void
call_deferred (credit_t *self)
{
    while (self->deferred) {
        credit_account_t *account = self->deferred;
        leave_line (self, account);
        join_line (self, account);
    }
}

void
credit_crowd (credit_t *self, bool crowded)
{
    if (self->crowded && !crowded)
        call_deferred (self);
    self->crowded = crowded;
}

static void
set_limit (credit_t *self, credit_account_t *account, uint64_t floor, uint64_t limit)
{
    self->committed -= commitment (account);
    account->floor = floor;
    account->limit = limit;
    self->committed += commitment (account);
}

static bool
take_floor (credit_t *self, credit_account_t *account)
{
    uint64_t limit = account->handled + self->floor;
    if (limit < account->limit)
        limit = account->limit;
    uint64_t more = limit - account->handled - commitment (account);
    if (more > room (self))
        return false;
    set_limit (self, account, self->floor, limit);
    return true;
}

muster_error_t
credit_open (credit_t *self, credit_account_t *account, uint64_t handled, void *owner)
{
    *account = (credit_account_t) { .handled = handled, .limit = handled, .owner = owner };
    return credit_return (self, account);
}

bool
credit_is_full (const credit_t *self)
{
    return (self->accounts + 1) * self->floor + self->reserve > self->budget;
}

/*  One that is present has its floor committed, whatever its limit. */
muster_error_t
credit_return (credit_t *self, credit_account_t *account)
{
    if (account->present) {
        if (account->limit < account->handled + account->floor)
            set_limit (self, account, account->floor, account->handled + account->floor);
        return 0;
    }
    if (credit_is_full (self))
        return MUSTER_FULL;
    self->accounts++;
    account->present = true;
    if (!take_floor (self, account))
        join_line (self, account);
    return 0;
}

void
credit_leave (credit_t *self, credit_account_t *account, uint64_t received)
{
    if (!account->present) {
        if (received < account->limit)
            set_limit (self, account, 0, received);
        return;
    }
    leave_line (self, account);
    set_limit (self, account, 0, received);
    self->accounts--;
    account->present = false;
}

void
credit_give_back (credit_t *self, credit_account_t *account, uint64_t received)
{
    if (!account->present || received >= account->limit)
        return;
    leave_line (self, account);
    set_limit (self, account, account->floor, received);
}

void
credit_close (credit_t *self, credit_account_t *account)
{
    credit_leave (self, account, account->handled);
    set_limit (self, account, 0, account->handled);
}

void
credit_carry (credit_t *self, credit_account_t *account, uint64_t received)
{
    uint64_t left = received - account->handled;
    credit_close (self, account);
    self->carried += left;
    self->committed += left;
}

void
credit_carried_handled (credit_t *self, uint64_t bytes)
{
    if (bytes > self->carried)
        bytes = self->carried;
    self->carried -= bytes;
    self->committed -= bytes;
}

void
credit_want (credit_t *self, credit_account_t *account, uint64_t use, uint64_t need, uint64_t want)
{
    if (!account->present)
        return;
    if (use < account->limit && need > account->limit)
        set_limit (self, account, account->floor, use > account->handled ? use : account->handled);
    if (want <= account->limit)
        return;
    account->use = use;
    account->need = need;
    account->want = want;
    if (account->deferred && !can_wait (account))
        leave_line (self, account);
    join_line (self, account);
}

bool
credit_handled (credit_t *self, credit_account_t *account, uint64_t handled)
{
    if (handled <= account->handled || handled > account->limit)
        return false;
    uint64_t before = commitment (account);
    bool moves = handled + account->floor > account->limit;
    account->handled = handled;
    if (moves)
        account->limit = handled + account->floor;
    self->committed -= before - commitment (account);
    return moves;
}

void
credit_hold (credit_t *self, bool held, int64_t now)
{
    if (self->held && !held)
        self->held_until = now;
    self->held = held;
}

/*  How far the first in line can be let on, 0 if it has to wait. */
static uint64_t
next_grant (const credit_t *self, const credit_account_t *account)
{
    uint64_t most = account->handled + commitment (account) + room (self);
    uint64_t least = account->need > account->limit ? account->need : account->limit + 1;
    if (least > most)
        return 0;
    uint64_t limit = self->crowded ? least : account->limit + self->most;
    if (limit < least)
        limit = least;
    if (limit > account->want)
        limit = account->want;
    return limit < most ? limit : most;
}

static credit_account_t *
first_in_line (credit_t *self)
{
    while (self->crowded && self->waiting && self->waiting->floor > 0
        && self->waiting->want > self->waiting->limit && can_wait (self->waiting))
        defer (self, self->waiting);
    return self->waiting;
}

credit_account_t *
credit_grant (credit_t *self)
{
    credit_account_t *account = first_in_line (self);
    if (!account)
        return NULL;
    if (account->floor == 0 && self->floor > 0) {
        if (!take_floor (self, account))
            return NULL;
        if (account->want <= account->limit)
            leave_line (self, account);
        return account;
    }
    if (account->want <= account->limit) {
        leave_line (self, account);
        return account;
    }
    uint64_t limit = next_grant (self, account);
    if (limit == 0)
        return NULL;
    set_limit (self, account, account->floor, limit);
    leave_line (self, account);
    return account;
}
