/*  test_credit.c - one budget, many senders

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
#include <criterion/criterion.h>

#include "model/credit.h"

#define FLOOR 100
#define MANY 50

static credit_t
new_credit (uint64_t budget, uint64_t reserve)
{
    credit_t credit;
    credit_init (&credit, budget, FLOOR, reserve);
    return credit;
}

Test (credit, an_account_opens_with_its_floor)
{
    credit_t credit = new_credit (1000, 0);
    credit_account_t account;
    cr_assert_eq (credit_open (&credit, &account, 5000, NULL), 0);
    cr_assert_eq (account.limit, 5000 + FLOOR);
}

Test (credit, the_floor_moves_along_with_what_is_handled)
{
    credit_t credit = new_credit (1000, 0);
    credit_account_t account;
    cr_assert_eq (credit_open (&credit, &account, 0, NULL), 0);
    cr_assert (credit_handled (&credit, &account, 60));
    cr_assert_eq (account.limit, 60 + FLOOR);
    cr_assert_eq (credit.committed, FLOOR);
}

Test (credit, floors_for_at_the_limit_are_given_and_one_more_is_full)
{
    credit_t credit = new_credit (10 * FLOOR + 500, 500);
    credit_account_t accounts [11];
    for (int i = 0; i < 10; i++)
        cr_assert_eq (credit_open (&credit, &accounts [i], 0, NULL), 0);
    cr_assert_eq (credit_open (&credit, &accounts [10], 0, NULL), MUSTER_FULL);
    credit_close (&credit, &accounts [3]);
    cr_assert_eq (credit_open (&credit, &accounts [10], 0, NULL), 0);
}

Test (credit, a_large_message_is_granted_whole_or_waits)
{
    credit_t credit = new_credit (1000, 800);
    credit_account_t one, other;
    cr_assert_eq (credit_open (&credit, &one, 0, NULL), 0);
    cr_assert_eq (credit_open (&credit, &other, 0, NULL), 0);
    credit_want (&credit, &one, UINT64_MAX, 800, 800);
    credit_want (&credit, &other, UINT64_MAX, 300, 300);
    cr_assert_eq (credit_grant (&credit), &one);
    cr_assert_eq (one.limit, 800);
    cr_assert_null (credit_grant (&credit), "the budget has 100 left, 200 are needed");
    cr_assert (other.in_line);
    credit_handled (&credit, &one, 800);
    cr_assert_eq (credit_grant (&credit), &other);
    cr_assert_eq (other.limit, 300);
}

Test (credit, who_came_first_is_served_first_even_if_less_would_fit)
{
    credit_t credit = new_credit (1000, 700);
    credit_account_t holder, large, small;
    cr_assert_eq (credit_open (&credit, &holder, 0, NULL), 0);
    cr_assert_eq (credit_open (&credit, &large, 0, NULL), 0);
    cr_assert_eq (credit_open (&credit, &small, 0, NULL), 0);
    credit_want (&credit, &holder, UINT64_MAX, 500, 500);
    cr_assert_eq (credit_grant (&credit), &holder);
    credit_want (&credit, &large, UINT64_MAX, 700, 700);
    credit_want (&credit, &small, UINT64_MAX, 150, 150);
    cr_assert_null (credit_grant (&credit));
    credit_handled (&credit, &holder, 500);
    cr_assert_eq (credit_grant (&credit), &large);
    cr_assert_eq (credit_grant (&credit), &small);
}

Test (credit, who_holds_too_little_for_its_next_message_gives_it_back_while_it_waits)
{
    credit_t credit = new_credit (1000, 700);
    credit_account_t one, other;
    cr_assert_eq (credit_open (&credit, &one, 0, NULL), 0);
    cr_assert_eq (credit_open (&credit, &other, 0, NULL), 0);
    credit_want (&credit, &one, UINT64_MAX, 600, 10000);
    cr_assert_eq (credit_grant (&credit), &one);
    cr_assert_eq (one.limit, 900, "as much as there is: it may hold several messages");
    credit_handled (&credit, &one, 500);
    credit_want (&credit, &other, 0, 650, 650);
    cr_assert_null (credit_grant (&credit));
    credit_want (&credit, &one, 500, 1100, 10000);
    cr_assert_eq (credit_grant (&credit), &other);
    credit_handled (&credit, &other, 650);
    cr_assert_eq (credit_grant (&credit), &one);
    cr_assert_geq (one.limit, 1100);
}

Test (credit, a_newcomer_waits_for_its_floor_while_grants_hold_all)
{
    credit_t credit = new_credit (1000, 800);
    credit_account_t holder, newcomer;
    cr_assert_eq (credit_open (&credit, &holder, 0, NULL), 0);
    credit_want (&credit, &holder, UINT64_MAX, 1000, 1000);
    cr_assert_eq (credit_grant (&credit), &holder);
    cr_assert_eq (credit_open (&credit, &newcomer, 0, NULL), 0);
    cr_assert_eq (newcomer.limit, 0);
    cr_assert_null (credit_grant (&credit));
    credit_handled (&credit, &holder, 200);
    cr_assert_eq (credit_grant (&credit), &newcomer);
    cr_assert_eq (newcomer.limit, FLOOR);
}

Test (credit, an_absent_sender_holds_only_what_it_sent)
{
    credit_t credit = new_credit (1000, 800);
    credit_account_t account;
    cr_assert_eq (credit_open (&credit, &account, 0, NULL), 0);
    credit_want (&credit, &account, UINT64_MAX, 900, 900);
    cr_assert_eq (credit_grant (&credit), &account);
    credit_leave (&credit, &account, 250);
    cr_assert_eq (credit.committed, 250);
    credit_handled (&credit, &account, 250);
    cr_assert_eq (credit.committed, 0);
    cr_assert_eq (credit_return (&credit, &account), 0);
    cr_assert_eq (account.limit, 250 + FLOOR);
}

Test (credit, closing_gives_everything_back)
{
    credit_t credit = new_credit (1000, 800);
    credit_account_t account;
    cr_assert_eq (credit_open (&credit, &account, 0, NULL), 0);
    credit_want (&credit, &account, UINT64_MAX, 700, 900);
    cr_assert_eq (credit_grant (&credit), &account);
    credit_want (&credit, &account, UINT64_MAX, 2000, 2000);
    credit_close (&credit, &account);
    credit_close (&credit, &account);
    cr_assert_eq (credit.committed, 0);
    cr_assert_eq (credit.accounts, 0);
    cr_assert_null (credit.waiting);
}

Test (credit, what_a_sender_that_is_no_more_left_behind_takes_room_until_it_is_handled)
{
    credit_t credit = new_credit (1000, 0);
    credit_account_t account;
    cr_assert_eq (credit_open (&credit, &account, 0, NULL), 0);
    credit_want (&credit, &account, UINT64_MAX, 950, 950);
    cr_assert_eq (credit_grant (&credit), &account);
    credit_carry (&credit, &account, 950);
    cr_assert_eq (credit.committed, 950);
    cr_assert_eq (credit_open (&credit, &account, 0, NULL), 0);
    cr_assert_eq (account.limit, 0, "there is no room for a floor yet");
    cr_assert_null (credit_grant (&credit));
    credit_carried_handled (&credit, 900);
    cr_assert_eq (credit_grant (&credit), &account);
    cr_assert_eq (credit.committed, 50 + account.floor);
    credit_carried_handled (&credit, 50);
    credit_close (&credit, &account);
    cr_assert_eq (credit.committed, 0);
}

/*  A walk through many states; the promise is checked in each. */
Test (credit, whatever_happens_the_sum_stays_within_the_budget)
{
    enum { BUDGET = 20000, RESERVE = 6000 };
    credit_t credit = new_credit (BUDGET, RESERVE);
    credit_account_t accounts [MANY] = { 0 };
    uint64_t received [MANY] = { 0 };
    uint64_t seed = 42;
    for (int step = 0; step < 200000; step++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        int i = (int) ((seed >> 33) % MANY);
        uint64_t amount = (seed >> 40) % 3000;
        credit_account_t *account = &accounts [i];
        switch ((seed >> 54) % 6) {
            case 0:
                credit_return (&credit, account);
                break;
            case 1:
                credit_leave (&credit, account, received [i]);
                break;
            case 2:
                credit_want (&credit, account, received [i] + amount / 2, received [i] + amount, received [i] + 2 * amount);
                break;
            case 3:
                if (account->present && received [i] + amount <= account->limit)
                    received [i] += amount;
                break;
            default:
                credit_handled (&credit, account,
                    account->handled + (received [i] - account->handled) / 2 + (received [i] > account->handled));
                break;
        }
        while (credit_grant (&credit))
            ;
        uint64_t sum = 0, open = 0;
        for (int j = 0; j < MANY; j++) {
            open = accounts [j].limit - accounts [j].handled;
            sum += open > accounts [j].floor ? open : accounts [j].floor;
            cr_assert_leq (received [j], accounts [j].limit);
        }
        cr_assert_eq (sum, credit.committed);
        cr_assert_leq (sum, BUDGET);
    }
}

/*  --------------------------------------------------------------------------
    Crowded */

typedef struct {
    credit_t credit;
    credit_account_t small, large;
} crowd_t;

static void
crowd_open (crowd_t *self)
{
    self->credit = new_credit (10000, 1000);
    cr_assert_eq (credit_open (&self->credit, &self->small, 0, NULL), 0);
    cr_assert_eq (credit_open (&self->credit, &self->large, 0, NULL), 0);
    credit_crowd (&self->credit, true);
}

Test (credit, while_it_is_crowded_messages_that_fit_a_floor_come_with_the_floor)
{
    crowd_t crowd;
    crowd_open (&crowd);
    credit_want (&crowd.credit, &crowd.small, 100, 150, 900);
    cr_assert_null (credit_grant (&crowd.credit));
    cr_assert (crowd.small.in_line);
    cr_assert (credit_handled (&crowd.credit, &crowd.small, 70));
    cr_assert_eq (crowd.small.limit, 70 + FLOOR);
}

Test (credit, when_it_is_crowded_no_more_all_that_waited_are_granted_in_their_order)
{
    crowd_t crowd;
    crowd_open (&crowd);
    credit_want (&crowd.credit, &crowd.large, 100, 110, 800);
    credit_want (&crowd.credit, &crowd.small, 100, 150, 900);
    cr_assert_null (credit_grant (&crowd.credit));
    credit_crowd (&crowd.credit, false);
    cr_assert_eq (credit_grant (&crowd.credit), &crowd.large);
    cr_assert_eq (crowd.large.limit, 800);
    cr_assert_eq (credit_grant (&crowd.credit), &crowd.small);
    cr_assert_eq (crowd.small.limit, 900);
    cr_assert_null (credit_grant (&crowd.credit));
}

Test (credit, while_it_is_crowded_a_message_larger_than_a_floor_is_granted_alone_and_waits_behind_no_small_ones)
{
    crowd_t crowd;
    crowd_open (&crowd);
    credit_want (&crowd.credit, &crowd.small, 100, 150, 900);
    credit_want (&crowd.credit, &crowd.large, 0, 500, 5000);
    cr_assert_eq (credit_grant (&crowd.credit), &crowd.large);
    cr_assert_eq (crowd.large.limit, 500);
    cr_assert_null (credit_grant (&crowd.credit));
}

Test (credit, one_that_was_passed_over_and_now_needs_a_large_message_is_granted_it)
{
    crowd_t crowd;
    crowd_open (&crowd);
    credit_want (&crowd.credit, &crowd.small, 100, 150, 900);
    cr_assert_null (credit_grant (&crowd.credit));
    credit_want (&crowd.credit, &crowd.small, 100, 600, 900);
    cr_assert_eq (credit_grant (&crowd.credit), &crowd.small);
    cr_assert_eq (crowd.small.limit, 600);
}

Test (credit, one_that_leaves_while_it_is_passed_over_is_in_no_line)
{
    crowd_t crowd;
    crowd_open (&crowd);
    credit_want (&crowd.credit, &crowd.small, 100, 150, 900);
    cr_assert_null (credit_grant (&crowd.credit));
    credit_close (&crowd.credit, &crowd.small);
    cr_assert_not (crowd.small.in_line);
    cr_assert_null (crowd.credit.deferred);
    credit_crowd (&crowd.credit, false);
    cr_assert_null (credit_grant (&crowd.credit));
}
